"""What can go wrong, one class per exit code.

::

    ActbenchError
    ├── InputError            2    an argument, a name, a size, a file or a directory that cannot be used
    ├── BenchmarkError        4    a benchmark failed: a worker crashed, hung or answered nonsense
    │   └── WrongKernelError  4    a kernel does not compute the derivative, so it has no speed
    └── NotComparableError    5    two runs, or a run and this host, cannot be set against each other

An error's text is one sentence that names the input and the way out. The command line prints it and exits with
the class's code; everything measured before is on disk by then.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ActbenchError(Exception):
    """Anything actbench says to its user instead of a traceback."""

    exit_code: ClassVar[int]


class InputError(ActbenchError):
    """An argument, a name, a size, a file or a directory that cannot be used."""

    exit_code = 2


class BenchmarkError(ActbenchError):
    """A benchmark failed: a worker crashed, hung or answered nonsense."""

    exit_code = 4


class WrongKernelError(BenchmarkError):
    """A kernel does not compute the derivative."""


class NotComparableError(ActbenchError):
    """Two runs, or a run and this host, cannot be set against each other."""

    exit_code = 5


FEW = 3
"""So many names are all told, beside the nearest."""

NAMED = 8
"""So many of several that went wrong are named."""

LOADED = "; code of your own is named with --load"
"""The other way out, where a name may be of the user's own code."""


def damaged(said: str) -> InputError:
    """Return the error for a file of a run that is not as it was written; `said` begins with its path."""
    return InputError(f"{said}; restore it from a copy, or measure anew")


def unknown(what: str, name: str, known: Iterable[str], otherwise: str = "") -> InputError:
    """Return the error for a name that is not known, with the nearest known one, or all: where they are few, or far."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1)
    every = f"known are {', '.join(known)}"
    also = f" ({every})" if len(known) <= FEW else ""
    hint = f"did you mean '{near[0]}'?{also}" if near else f"{every}{otherwise}"
    return InputError(f"unknown {what} '{name}': {hint}")


def listed(names: Sequence[str]) -> str:
    """Return what else went wrong, in an error that tells of the first: its names, and how many more there are."""
    rest = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *rest])
