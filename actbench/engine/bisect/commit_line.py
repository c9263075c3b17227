"""The commits from one revision to another, in a line, as ``actbench bisect`` numbers them."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.engine.live.revisions import SHALLOW, execute, is_shallow, resolve, succeeds
from actbench.errors import InputError, NoRevisionError, NotComparableError, printable
from actbench.model.bisected_commit import BisectedCommit
from actbench.model.commit import SHORT

FIELDS = ("%H", "%T", "%cs", "%P", "%s")
"""What is asked of git about each commit: hash, tree, date, parents and subject."""


def between(good: str, bad: str) -> tuple[BisectedCommit, ...]:
    """Return the commits from GOOD to BAD, both included, each a child of the one before.

    Of a merge, the first parent that comes from GOOD is followed. `NotComparableError` for what is not a commit, and
    where BAD does not come from GOOD; `InputError` where both have the same files.
    """
    first, last = _commit("GOOD", good), _commit("BAD", bad)
    if first == last:
        raise InputError(f"GOOD {good} and BAD {bad} are the same commit: there is nothing between them")
    if not succeeds("git merge-base", "--is-ancestor", first, last):
        raise NotComparableError(_unrelated((good, first), (bad, last)))
    logged = [*_logged("-1", first), *_logged("--ancestry-path", f"{first}..{last}")]
    by_hash = {commit.hash: commit for commit in logged}
    path = [by_hash[last]]
    while path[-1].hash != first:
        path.append(next(by_hash[parent] for parent in path[-1].parents if parent in by_hash))
    commits = tuple(reversed(path))
    if len({commit.tree for commit in commits}) == 1:
        raise InputError(f"no commit from {good} to {bad} changes a file: there is nothing to measure")
    return commits


def _logged(*arguments: str) -> Iterator[BisectedCommit]:
    """Yield the commits that git log lists; every field ends with NUL, which alone cannot be in a subject."""
    text = execute("bisect", "git log --no-show-signature -z", f"--format={'%x00'.join(FIELDS)}", *arguments)
    fields = iter(text.removesuffix("\0").split("\0"))
    for name, tree, date, parents, subject in zip(*[fields] * len(FIELDS), strict=True):
        yield BisectedCommit(name, tree, date, printable(subject), tuple(parents.split()))


def _commit(what: str, revision: str) -> str:
    """Return the hash of a revision; `NoRevisionError` where it is none."""
    unborn = revision == "HEAD" and succeeds("git rev-parse", "--git-dir") and not succeeds("git log", "-1", "HEAD")
    if unborn:
        raise NoRevisionError(f"{what} {revision}: this branch has no commit yet: name a revision that exists")
    return resolve(f"{what} {revision}", revision, "")


def _unrelated(good: tuple[str, str], bad: tuple[str, str]) -> str:
    """Return why BAD does not come from GOOD, and what to do; each is a name and a hash."""
    head = f"BAD {bad[0]} does not come from GOOD {good[0]}"
    if is_shallow():
        return f"{head}, as far as this clone knows: {SHALLOW}"
    if succeeds("git merge-base", "--is-ancestor", bad[1], good[1]):
        return f"{head}, but GOOD from BAD: exchange them"
    if succeeds("git merge-base", good[1], bad[1]):
        base = execute("bisect", "git merge-base", good[1], bad[1])
        return f"{head}: name a commit that it comes from, such as {base[:SHORT]}, from which both do"
    return f"{head}, and they have no commit in common: name a commit that it comes from"
