"""Execution of the user's code in this process, with a time limit, and with one error for whatever it raises.

The code may never end, or raise anything, also `SystemExit`, `GeneratorExit` and `KeyboardInterrupt`, which are not
subclasses of `Exception`. The traceback distinguishes a KeyboardInterrupt of the code from Ctrl-C, which is raised in a
signal handler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from traceback import walk_tb
from types import MappingProxyType
from typing import NamedTuple, ParamSpec, TypeVar

from actbench.errors import ActbenchError, LoadedCodeError
from actbench.plugins import _limit
from actbench.plugins._state import preserved, same_precision

P = ParamSpec("P")
R = TypeVar("R")

NO_HINTS: Mapping[type, str] = MappingProxyType({})

LONGEST_QUOTE = 300
"""Largest number of characters of an exception's text that a message quotes."""


class MisuseError(BaseException):
    """The user's code did something forbidden. This is not an `Exception`, because code often catches those."""


class Code(NamedTuple):
    """The user's code: the name under which it is loaded, and its files."""

    name: str
    files: tuple[str, ...]


_KNOWN: list[Code] = []
"""The code that is loaded."""

_ALLOWED: list[float] = []
"""The seconds that the user allows, in place of `_limit.SECONDS`; empty, or one number."""

_INSIDE: list[bool] = []
"""Not empty while code is guarded, since nested calls need no second guard."""

_RUN: dict[Code, None] = {}
"""The code that has run in this process: its errors are reported even after it is unloaded."""


def has_run() -> bool:
    """Return whether the user's code has run in this process; it may have left threads or exit handlers."""
    return bool(_RUN)


def know(code: Code) -> None:
    """Guard this code from now on."""
    _KNOWN.append(code)


def allow(seconds: float) -> None:
    """Set the time limit of the loaded code, until it is unloaded."""
    _ALLOWED.append(seconds)


def forget_code() -> None:
    """Stop guarding any code, and restore the default time limit."""
    _KNOWN.clear()
    _ALLOWED.clear()


@contextmanager
def guarded(
    codes: Sequence[Code] = (), what: str = "", hints: Mapping[type, str] = NO_HINTS, points: int = 1
) -> Iterator[None]:
    """Run the user's code, `codes` or all that is loaded; `LoadedCodeError` says what it raised, and where.

    `what` names the task in messages, followed by the hint for the type of the exception, if any. `points` is the
    number of z; the time limit grows with it.
    """
    running = codes or tuple(_KNOWN)
    if not running:
        yield
        return
    if _INSIDE:
        with same_precision():
            yield
        return
    _RUN.update(dict.fromkeys(running))
    time = (_ALLOWED or [_limit.SECONDS])[-1] * max(1.0, points / _limit.POINTS_IN_LIMIT)
    subject = f"--load {', '.join(code.name for code in running)}: {f'{what}: ' if what else ''}"
    with preserved() as hidden, _inside():
        try:
            with _limit.limited(time, lambda: f"{subject}{_endless(time)}"):
                yield
        except ActbenchError:
            raise
        except _limit.TimeUpError as error:
            raise LoadedCodeError(f"{subject}{_endless(time, _line(error, running))}") from None
        except BaseException as error:
            if (sentence := blamed(error, codes, what + hints.get(type(error), ""), hidden)) is None:
                raise
            raise sentence from None


@contextmanager
def _inside() -> Iterator[None]:
    _INSIDE.append(True)  # only the length counts
    try:
        yield
    finally:
        _INSIDE.clear()


def evaluating(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that evaluates formulas, so that the user's formulas are guarded."""

    @wraps(function)
    def guard(*args: P.args, **kwargs: P.kwargs) -> R:
        with guarded(points=max((_length(value) for value in args), default=1)):
            return function(*args, **kwargs)

    return guard


def _length(value: object) -> int:
    """Return the number of z in an argument: an array, or the bytes of an array of float32 or wider."""
    return len(value) // 4 if isinstance(value, bytes) else int(getattr(value, "size", 1))


def blamed(
    error: BaseException, codes: Sequence[Code] = (), what: str = "", hidden: Iterable[str] = ()
) -> LoadedCodeError | None:
    """Return the error that says what the user's code raised; None where the traceback contains no line of it.

    `codes` were certainly running, so the first of them is blamed even without such a line. `hidden` are the
    environment variables that are hidden from the code.
    """
    if isinstance(error, ActbenchError):
        return None
    if isinstance(error, MisuseError):
        return LoadedCodeError(str(error))
    for code in codes or _RUN:
        line = _line(error, [code], last=isinstance(error, KeyboardInterrupt))
        if line is not None or (codes and not isinstance(error, KeyboardInterrupt)):
            return LoadedCodeError(f"--load {code.name}: {f'{what}: ' if what else ''}{_raised(error, line, hidden)}")
    return None


def _raised(error: BaseException, line: int | None, hidden: Iterable[str]) -> str:
    text = _text(error)
    raised = f"{type(error).__name__}{': ' if text else ''}{text}"
    if line is not None and isinstance(error, KeyError) and error.args and error.args[0] in {*hidden}:
        return (
            f"line {line} reads the environment variable {error.args[0]}, which workers do not get, so that it is "
            "hidden here, too: write the value into the file"
        )
    return f"it raised {raised}: correct it" if line is None else f"line {line} raised {raised}: correct that line"


def _text(error: BaseException) -> str:
    """Return the first line of an exception's text."""
    try:
        return (str(error).splitlines() or [""])[0][:LONGEST_QUOTE]
    except Exception:  # noqa: BLE001  # the exception's own method may raise as well
        return ""


def _line(error: BaseException, codes: Iterable[Code], *, last: bool = False) -> int | None:
    """Return the innermost line of this code in the traceback; with `last`, only if it is the last line."""
    files = {file for code in codes for file in code.files}
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    lines = [line for file, line in (frames[-1:] if last else frames) if file in files]
    return lines[-1] if lines else None


def _endless(seconds: float, line: int | None = None) -> str:
    where = "it" if line is None else f"line {line}"
    return f"{where} was still running after {seconds:g} s: does a loop end? (run, train and check take --timeout)"
