"""The user's own code as a bisect plans with it: that of BAD, whatever the work tree has.

Files of the project may be different in the work tree, be broken there, or be missing: none of that is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from actbench import plugins
from actbench.engine.bisect import commit_line
from actbench.engine.live.baseline import temporary
from actbench.engine.live.revisions import GIT, Revision
from actbench.errors import InputError, NotComparableError
from actbench.model.commit import SHORT


@contextmanager
def loaded_for(good: str, bad: str, names: Iterable[str]) -> Iterator[dict[str, str]]:
    """Load files and packages by their names, until exit: a file of the project from BAD, or from GOOD if BAD lacks it.

    Yields by its name the end that a file is from, such as BAD 50e611d8faf8; what neither has is loaded from here.
    `InputError` and `NotComparableError` for commits that cannot be compared, and for code that cannot be loaded.
    """
    commits = commit_line.between(good, bad)
    line = f"{commits[0].hash}..{commits[-1].hash}"
    with ExitStack() as stack:
        stack.callback(plugins.unload)
        ends = [
            (end, stack.enter_context(_revision(commit.hash)))
            for end, commit in (("BAD", commits[-1]), ("GOOD", commits[0]))
        ]
        loaded_from = {name: _load(name, line, ends) for name in dict.fromkeys(names)}
        yield {name: end for name, end in loaded_from.items() if end}


@contextmanager
def naming_code(loaded_from: Mapping[str, str]) -> Iterator[None]:
    """Let errors about names say of which commits the files are that were loaded, by their names."""
    try:
        yield
    except InputError as error:
        if not loaded_from:
            raise
        files = ", ".join(f"--load {name} is that of {end}" for name, end in loaded_from.items())
        raise InputError(f"{error} ({files})") from None


@contextmanager
def _revision(commit: str) -> Iterator[Revision]:
    with temporary() as place:
        revision = Revision(f"{GIT}{commit}", Path(place) / "tree")
        try:
            yield revision
        finally:
            revision.remove_tree()


def _load(name: str, line: str, ends: Sequence[tuple[str, Revision]]) -> str | None:
    """Load a file or a package; return the end that it is from, None where that is here."""
    for what, revision in ends if plugins.is_file(name) else ():
        path = revision.path_of(name, line)
        if path is not None and revision.has(path):
            end = f"{what} {revision.commit[:SHORT]}"
            try:
                plugins.load(name, path=str(revision.tree / path))
            except InputError as error:
                raise NotComparableError(f"{end}: {error}") from None
            return end
    plugins.load(name)
    return None
