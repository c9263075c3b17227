"""Resolution of a hash to a commit, as far as the repository of the current directory knows it."""

from __future__ import annotations

from actbench.errors import InputError
from actbench.host.repository import git

TAG = "tag"
"""Git's name of an annotated tag, an object with its own hash."""


def resolved(name: str) -> tuple[str, str]:
    """Return the commit of a full hash, and a remark or ""; `InputError` for a hash that leads to no commit."""
    kind = git("cat-file", "-t", name)
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if kind is None:
        return name, (
            f"--commit {name}: no repository here knows it; asv finds results by a commit's hash alone, not by an "
            "annotated tag's"
        )
    if commit is None:
        what = "an annotated tag of something else" if kind == TAG else f"a {kind}"
        raise InputError(f"--commit {name} is {what}: give the hash of a commit, as 'git rev-parse HEAD' prints it")
    return commit, (f"--commit {name} is an annotated tag: {commit}, its commit, stands for it" if kind == TAG else "")
