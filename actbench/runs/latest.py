"""Which run ``latest`` means: to read, the latest that is complete; to go on with, the latest that was measured at all.

Two links under results/ say so. A run elsewhere is found by its own path.
"""

from __future__ import annotations

from pathlib import Path

from actbench.errors import InputError

RESULTS = Path("results")
"""Where runs go and are looked for, in the current directory."""

LATEST = "latest"
"""What users call it, and the link to the latest complete run."""

NEWEST = ".newest"
"""The link to the run that was measured last, complete or not."""


def is_meant(path: Path) -> bool:
    """Say whether a path is the word, or the link itself."""
    return str(path) == LATEST or path.absolute() == (RESULTS / LATEST).absolute()


def complete() -> Path:
    """Return the latest complete run; `InputError` when there is none."""
    path = RESULTS / LATEST
    if path.exists():
        return path
    if (RESULTS / NEWEST).exists():
        raise InputError(
            f"no run under {RESULTS}/ is complete: go on with the latest (actbench run --resume latest), or name "
            f"{(RESULTS / NEWEST).resolve().name} in there"
        )
    raise InputError("there is no latest run under results/: make one with 'actbench run', or name its directory")


def newest() -> Path:
    """Return the run to go on with; `InputError` when there is none."""
    path = RESULTS / NEWEST
    return path if path.exists() else complete()


def point(name: str, directory: Path) -> None:
    """Let a link lead to a run under results/."""
    directory = directory.resolve()
    if directory.parent != RESULTS.resolve():
        return
    link = RESULTS / f".{name.removeprefix('.')}.part"
    link.unlink(missing_ok=True)
    link.symlink_to(directory.name)
    link.replace(RESULTS / name)
