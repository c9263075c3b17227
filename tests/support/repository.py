"""A git repository in a temporary directory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def git(*arguments: str) -> str:
    """Run git in the current directory."""
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.org"]
    done = subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout.strip()


def repository(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create a repository, with nothing of the user's settings, and go to a directory in it."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    directory.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(directory)
    git("init", "--quiet", "--initial-branch=main")


def commit(message: str, **files: str) -> None:
    """Commit Python files of these texts, by their names without ``.py``, with everything else that git knows."""
    for name, text in files.items():
        Path(f"{name}.py").write_text(text)
        git("add", f"{name}.py")
    git("commit", "--quiet", "--all", "--message", message)
