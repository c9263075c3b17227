"""The user's own code as a bisect plans with it: that of BAD, whatever the work tree has.

Files of the project may be different in the work tree, be broken there, or be missing: none of that is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from actbench import plugins
from actbench.engine.bisect import commit_line
from actbench.engine.live.baseline import temporary
from actbench.engine.live.revisions import GIT, Revision
from actbench.errors import InputError, NotComparableError
from actbench.model.commit import SHORT


@contextmanager
def loaded_for(good: str, bad: str, names: Iterable[str]) -> Iterator[None]:
    """Load files and packages by their names, until exit: a file of the project from BAD, or from GOOD if BAD lacks it.

    What neither has is loaded from here. `InputError` and `NotComparableError` for commits that cannot be compared, and
    for code that cannot be loaded.
    """
    commits = commit_line.between(good, bad)
    line = f"{commits[0].hash}..{commits[-1].hash}"
    with ExitStack() as stack:
        stack.callback(plugins.unload)
        ends = [
            (end, stack.enter_context(_revision(commit.hash)))
            for end, commit in (("BAD", commits[-1]), ("GOOD", commits[0]))
        ]
        for name in dict.fromkeys(names):
            _load(name, line, ends)
        yield


@contextmanager
def _revision(commit: str) -> Iterator[Revision]:
    with temporary() as place:
        revision = Revision(f"{GIT}{commit}", Path(place) / "tree")
        try:
            yield revision
        finally:
            revision.remove_tree()


def _load(name: str, line: str, ends: Sequence[tuple[str, Revision]]) -> None:
    for end, revision in ends if plugins.is_file(name) else ():
        path = revision.path_of(name, line)
        if path is not None and revision.has(path):
            try:
                plugins.load(name, path=str(revision.tree / path))
            except InputError as error:
                raise NotComparableError(f"{end} {revision.commit[:SHORT]}: {error}") from None
            return
    plugins.load(name)
