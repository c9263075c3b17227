"""The commit of the repository that contains the current directory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from actbench.model.commit import Commit

HEAD = "HEAD"


def commit_here() -> Commit | None:
    """Return the commit of the current directory; None outside of a repository, before the first commit, without git.

    Untracked files do not make it dirty.
    """
    committed = commit_of(HEAD) if _in_repository() else None
    if committed is None:
        return None
    changed = git("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
    return Commit(committed.hash, committed.date, dirty=bool(changed))


def commit_of(revision: str) -> Commit | None:
    """Return the commit that a revision names; None where there is none."""
    line = git("log", "-1", "--no-show-signature", "--format=%H %cI", "--end-of-options", revision, "--")
    if not line:
        return None
    name, date = line.split()
    return Commit(name, date)


def _in_repository() -> bool:
    """Return whether git would look for a commit, without starting it: most runs are made outside of repositories."""
    here = Path.cwd()
    return "GIT_DIR" in os.environ or any((directory / ".git").exists() for directory in (here, *here.parents))


def git(*arguments: str) -> str | None:
    """Return the output of git in the current directory; None where it fails, or is not there."""
    try:
        done = subprocess.run(["git", *arguments], check=False, capture_output=True, text=True, errors="replace")  # noqa: S607  # the user's own
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
