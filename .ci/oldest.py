"""Print constraints for pip: of every library that actbench needs, the oldest version that pyproject.toml allows."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def oldest(requirements: list[str]) -> list[str]:
    """Turn every lower bound into that very version; `SystemExit` for a requirement of another form."""
    unusable = [
        requirement
        for requirement in requirements
        if requirement.count(">=") != 1 or "," in requirement or ";" in requirement
    ]
    if unusable:
        raise SystemExit(f"pyproject.toml: no lower bound alone, as in numpy>=2.0: {', '.join(unusable)}")
    return [requirement.replace(">=", "==") for requirement in requirements]


if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sys.stdout.writelines(f"{constraint}\n" for constraint in oldest(project["dependencies"]))
