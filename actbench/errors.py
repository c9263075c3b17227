"""The errors of actbench, one class per exit code.

::

    ActbenchError
    ├── InputError              2    an argument, a name, a size, a file or a directory that cannot be used
    │   ├── LoadedCodeError     2    the user's own code raised, or did not end
    │   └── OptionsError        2    options that exclude each other, or one that is missing
    ├── BenchmarkError          4    a benchmark failed: a worker crashed, hung or answered nonsense
    │   └── WrongKernelError    4    a kernel does not compute the derivative, so it has no speed
    ├── NotComparableError      5    two runs, or a run and this host, cannot be set against each other
    │   └── NoRevisionError     5    the revision to compare with cannot be found in this repository
    ├── OutputError            74    output cannot be written: the disk is full, the descriptor is closed
    └── ClosedPipeError       141    the reader of the output closed the pipe

An error's text is one sentence that names the input and the way out. The command line prints it and exits with
the class's code; everything measured before is on disk by then.
"""

from __future__ import annotations

import errno
from difflib import get_close_matches
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ExitCode(IntEnum):
    """The exit codes of the process. 1 always means a regression."""

    FINE = 0
    REGRESSED = 1
    BAD_INPUT = 2
    INCONCLUSIVE = 3
    """Nothing regressed, but something could not be decided."""
    FAILED = 4
    NOT_COMPARABLE = 5
    FAULT = 70
    """A fault of actbench's own, after its traceback: EX_SOFTWARE of BSD's sysexits."""
    UNWRITABLE = 74
    """Output could not be written: EX_IOERR of BSD's sysexits."""
    SKIPPED_COMMIT = 125
    """For ``git bisect run``: the commit is neither good nor bad."""
    INTERRUPTED = 130
    """By convention of shells: 128 plus the number of SIGINT."""
    CLOSED_PIPE = 141
    """By the same convention, for SIGPIPE."""
    ENDED_BISECTION = 255
    """For ``git bisect run``: nothing can be learned of any commit, so that bisecting ends."""

    def for_bisect(self) -> ExitCode:
        """Return the code that tells ``git bisect run`` the same.

        It takes 1 to 127 for a bad commit, except 125, by which a commit is skipped, and ends at 128 and above.
        """
        match self:
            case ExitCode.FINE | ExitCode.REGRESSED:
                return self
            case ExitCode.INCONCLUSIVE | ExitCode.FAILED | ExitCode.NOT_COMPARABLE:
                return ExitCode.SKIPPED_COMMIT
        return ExitCode.ENDED_BISECTION


FOR_BISECT = "--for-bisect"
"""The option of ``actbench check`` that makes exit codes those that ``git bisect run`` understands."""


def for_caller(code: int, arguments: Sequence[str]) -> int:
    """Return an exit code as the caller understands it: the command line says whether that is ``git bisect run``.

    Its arguments are read as they stand, so that this holds for a mistake in them as well, which would otherwise end
    with 2, by which git takes a commit for bad.
    """
    return ExitCode(code).for_bisect() if FOR_BISECT in arguments else code


class ActbenchError(Exception):
    """An error that actbench reports to its user in a sentence, without a traceback."""

    exit_code: ClassVar[ExitCode]


class InputError(ActbenchError):
    """An argument, a name, a size, a file or a directory that cannot be used."""

    exit_code = ExitCode.BAD_INPUT


class LoadedCodeError(InputError):
    """The user's own code raised, or did not end."""


class OptionsError(InputError):
    """Options that exclude each other, or a missing option; the command line also shows the usage."""


class BenchmarkError(ActbenchError):
    """A benchmark failed: a worker crashed, hung or answered nonsense."""

    exit_code = ExitCode.FAILED


class WrongKernelError(BenchmarkError):
    """A kernel does not compute the derivative."""


class NotComparableError(ActbenchError):
    """Two runs, or a run and this host, cannot be set against each other."""

    exit_code = ExitCode.NOT_COMPARABLE


class NoRevisionError(NotComparableError):
    """The revision to compare with cannot be found in this repository, whatever the commit that is checked."""


class OutputError(ActbenchError):
    """Output cannot be written, and another name would not help: the disk is full, the descriptor is closed."""

    exit_code = ExitCode.UNWRITABLE


class ClosedPipeError(ActbenchError):
    """The reader of the output closed the pipe: there is no message."""

    exit_code = ExitCode.CLOSED_PIPE


DEVICE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.ENXIO})
"""Errors of writing that come from the device or a limit on it; all others concern the name of the file."""


MOST_LISTED = 3
"""Number of names up to which all are listed, in addition to the nearest one."""

MOST_NAMED = 8
"""Largest number of failures that are named."""

LOADED = "; code of your own is named with --load"
"""A second way out, where a name may belong to the user's own code."""


def damaged(message: str) -> InputError:
    """Return the error for a changed file of a run; `message` begins with its path."""
    return InputError(f"{message}; restore it from a copy, or measure again")


def unwritable(message: str, error: OSError) -> ActbenchError:
    """Return the error for a file that cannot be written: `OutputError` where another name would not help."""
    return (OutputError if error.errno in DEVICE_ERRORS else InputError)(message)


def reason(error: OSError) -> str:
    """Return the refusal of the operating system in words."""
    return error.strerror or str(error) or type(error).__name__


def printable(text: str) -> str:
    """Return a text from outside with escapes for unprintable characters, which could break a line."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def unknown(what: str, name: str, known: Iterable[str], otherwise: str = "") -> InputError:
    """Return the error for an unknown name, with the nearest known one, or all known ones if they are few or far."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1)
    all_known = f"known are {', '.join(known)}"
    also = f" ({all_known})" if len(known) <= MOST_LISTED else ""
    hint = f"did you mean '{near[0]}'?{also}" if near else f"{all_known}{otherwise}"
    return InputError(f"unknown {what} '{name}': {hint}")


def listed(names: Sequence[str]) -> str:
    """Return the other failures, for an error that reports the first one: some names, and how many more there are."""
    rest = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return ", ".join([*names[:MOST_NAMED], *rest])
