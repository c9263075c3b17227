"""The meaning of ``latest``: the latest complete run for reading, the latest run of any status for resuming.

Both are links under results/; runs elsewhere have no links.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from actbench.errors import InputError, reason

RESULTS = Path("results")
"""The directory, below the current one, in which runs are written and ``latest`` is looked up."""

LATEST = "latest"
"""The word on the command line, and the link to the latest complete run."""

NEWEST = ".newest"
"""The link to the latest run, complete or not, that was not refused."""


ATTEMPTS = 100
"""Number of times that a link is tried to be made, where other runs make theirs."""


def is_meant(path: Path) -> bool:
    """Return whether a path is the word, or the link itself."""
    return str(path) == LATEST or path.absolute() == (RESULTS / LATEST).absolute()


def complete() -> Path:
    """Return the latest complete run; `InputError` where there is none."""
    path = RESULTS / LATEST
    if path.exists():
        return path
    if incomplete := target(NEWEST):
        raise InputError(
            f"no run under {RESULTS}/ is complete: go on with the latest (--resume latest), or name {incomplete.name} "
            "in there"
        )
    raise InputError(
        "there is no latest run under results/: make one with 'actbench run' or 'actbench train', or name its directory"
    )


def newest() -> Path:
    """Return the run to resume; `InputError` where there is none."""
    return target(NEWEST) or complete()


def target(name: str) -> Path | None:
    """Return the run that a link is to, below results/ if it is there; None where there is none."""
    link = RESULTS / name
    if not link.exists():
        return None
    directory = link.resolve()
    return RESULTS / directory.name if _has_links(directory) else directory


def refuse_directories(directory: Path) -> None:
    """Raise `InputError` for a new run under results/ where a link is a directory, as after a copy that follows links.

    Its runs would be taken for the latest, and no link can be made.
    """
    for place in (RESULTS / LATEST, RESULTS / NEWEST):
        if _has_links(directory) and place.is_dir() and not place.is_symlink():
            raise InputError(f"{place} is a directory, and not the link to a run: rename it, or remove it")


def point(name: str, directory: Path) -> str:
    """Make a link to a run; return why that is not possible, as a sentence, else nothing.

    Runs outside results/ get no link. A run is no worse without one, so that nothing is raised for it.
    """
    if not _has_links(directory):
        return ""
    link, why = RESULTS / f".{name.removeprefix('.')}.part", "other runs replace it all the time"
    for _ in range(ATTEMPTS):
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(directory.resolve().name)
            link.replace(RESULTS / name)
        except (FileExistsError, FileNotFoundError):  # a run that ends at the same time makes the same link
            continue
        except OSError as error:
            why = reason(error)
            break
        return ""
    with suppress(OSError):
        link.unlink(missing_ok=True)
    return f"{RESULTS / name} does not lead to this run, since it cannot be made a link ({why}): name the run itself"


def _has_links(directory: Path) -> bool:
    return directory.resolve().parent == RESULTS.resolve()
