"""What stands around the user's own code wherever it runs in this process: a time limit, and one error for all it does.

It may raise anything, of which `SystemExit`, `GeneratorExit` and `KeyboardInterrupt` are no `Exception`; or never end.
Ctrl-C is told from a KeyboardInterrupt that code raises by where it comes from: a signal's handler is no line of it.
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

LONGEST = 300
"""Characters of an exception's text that are told."""


class MisuseError(BaseException):
    """Code of the user's did what it must not, in a sentence for its user: as no `Exception`, which is often caught."""


class Code(NamedTuple):
    """Code of the user's: the name by which it is loaded, and the files in which it lies."""

    name: str
    files: tuple[str, ...]


_KNOWN: list[Code] = []
"""What is loaded."""

_ALLOWED: list[float] = []
"""The seconds that the user allows instead of `_limit.SECONDS`, if any."""

_INSIDE: list[bool] = []
"""Not empty while code is guarded: what is called within is guarded with it, at next to no cost."""

_RUN: dict[Code, None] = {}
"""What has run in this process: an error of it is told when it is loaded no more, as a command ends."""


def has_run() -> bool:
    """Say whether code of the user's has run in this process, which may have left threads or exit handlers."""
    return bool(_RUN)


def know(code: Code) -> None:
    """Stand around this code, too, from now on."""
    _KNOWN.append(code)


def allow(seconds: float) -> None:
    """Give what is loaded so much time, until it is loaded no more."""
    _ALLOWED.append(seconds)


def forget_code() -> None:
    """Nothing is loaded any more."""
    _KNOWN.clear()
    _ALLOWED.clear()


@contextmanager
def guarded(
    codes: Sequence[Code] = (), what: str = "", hints: Mapping[type, str] = NO_HINTS, points: int = 1
) -> Iterator[None]:
    """Run code of the user's, of `codes` or all that is loaded; `LoadedCodeError` says what it raised, and where.

    `what` is what it is asked for, told with a hint where an exception of that type has one; `points` is at how many z.
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
    time = (_ALLOWED or [_limit.SECONDS])[-1] * max(1.0, points / _limit.POINTS)
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
    _INSIDE.append(True)  # that there is one is what counts
    try:
        yield
    finally:
        _INSIDE.clear()


def evaluating(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function that evaluates formulas, perhaps of the user's, do so with what stands around those."""

    @wraps(function)
    def guard(*args: P.args, **kwargs: P.kwargs) -> R:
        with guarded(points=max((_length(value) for value in args), default=1)):
            return function(*args, **kwargs)

    return guard


def _length(value: object) -> int:
    """Return how many z an argument holds, if it is an array or the bytes of one of float32 or wider."""
    return len(value) // 4 if isinstance(value, bytes) else int(getattr(value, "size", 1))


def blamed(
    error: BaseException, codes: Sequence[Code] = (), what: str = "", hidden: Iterable[str] = ()
) -> LoadedCodeError | None:
    """Return the sentence about what code of the user's raised; None where no line of it takes part.

    Of `codes` it is known that they were running, so that one is to blame even where it shows no line.
    `hidden` are environment variables that are set, but not for it.
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
    """Return the first line of what an exception says, if that is anything."""
    try:
        return (str(error).splitlines() or [""])[0][:LONGEST]
    except Exception:  # noqa: BLE001  # its own method, which may raise as well
        return ""


def _line(error: BaseException, codes: Iterable[Code], *, last: bool = False) -> int | None:
    """Return the innermost line of this code that was running; with `last`, only where it was the very last."""
    files = {file for code in codes for file in code.files}
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    lines = [line for file, line in (frames[-1:] if last else frames) if file in files]
    return lines[-1] if lines else None


def _endless(seconds: float, line: int | None = None) -> str:
    where = "it" if line is None else f"line {line}"
    return f"{where} was still running after {seconds:g} s: does a loop end? (run and check take --timeout)"
