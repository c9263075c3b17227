"""The action, the workflow and the recipes of the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

ACTION = ROOT / ".github" / "actions" / "check"

METADATA: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text())

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())

RECIPES: list[dict[str, Any]] = [
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
]
