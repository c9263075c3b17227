"""The action, the workflow and the recipes of the documents."""

from __future__ import annotations

from typing import Any

import yaml

from tests.support.documents import ROOT, blocks, read

ACTION = ROOT / ".github" / "actions" / "check"

METADATA: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text())

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())

RECIPES: list[dict[str, Any]] = [
    yaml.safe_load(block) for block in blocks(read("how-to/gate-pull-requests.md"), "yaml")
]
