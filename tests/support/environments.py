"""What the tests of baseline environments share."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import Result

import actbench

TIMEOUT = 60.0

PACKAGES = Path(np.__file__).parents[1]
"""Where numpy is installed here."""


def environment(place: Path, *packages: Path) -> Path:
    """Create a virtual environment in which these directories are on the path, and no packages are installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "shown.pth").write_text("".join(f"{directory}\n" for directory in packages))
    return place


def lacking(place: Path, *packages: str) -> Path:
    """Create a virtual environment with actbench and all that is installed here, but for these packages.

    Return its interpreter.
    """
    (site,) = environment(place, Path(actbench.__file__).parents[1]).glob("lib/python*/site-packages")
    linked: dict[str, Path] = {}
    for directory in (Path(entry) for entry in sys.path if entry.endswith("-packages")):
        versionless = {re.sub(r"-.*\.dist-info$", ".dist-info", entry.name): entry for entry in directory.iterdir()}
        linked = versionless | linked  # as imports do, from the first directory
    for name, entry in linked.items():
        if not name.startswith(packages) and entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)
    return place / "bin" / "python"


def altered(place: Path, *edits: tuple[str, str, str]) -> Path:
    """Copy actbench and edit its files: each edit names a file, what is there (nothing: a new file), and what shall be.

    Return the directory to be on the path.
    """
    copy = place / "altered" / "actbench"
    shutil.copytree(Path(actbench.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in edits:
        text = (copy / name).read_text() if old else ""
        assert old in text
        (copy / name).write_text(text.replace(old, new) if old else new)
    return copy.parent


def script(place: Path, text: str) -> Path:
    """Write a program."""
    path = place / "python"
    path.write_text(text)
    path.chmod(0o755)
    return path


def refusal(result: Result) -> str:
    """Return what a refused check said: one line, and exit code 5."""
    assert (result.exit_code, result.stdout) == (5, ""), result.output
    (line,) = result.stderr.splitlines()
    return str(line)
