"""What a worker says of an exception that a kernel raised."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from actbench.errors import InputError

if TYPE_CHECKING:
    from actbench.model.cases import Case


def with_place(case: Case, error: ValueError) -> InputError | ValueError:
    """Return an error of a call on whole arrays with the place that raised it.

    What branches on an array does not take any, which is an `InputError` with the way out. All else is a failure.
    """
    place = extract_tb(error.__traceback__)[-1]
    what = f"{str(error).rstrip('.')} ({Path(place.filename).name}, line {place.lineno})"
    if "truth value" not in what:
        return ValueError(what)
    way_out = "it is given a whole array, so choose by m.where, or Piecewise"
    return InputError(f"{case.strategy} raised ValueError: {what}: {way_out}")


def in_one_line(error: BaseException) -> str:
    """Return an exception in one line, or the next one as well, which the first announces by a colon.

    Its method that makes text of it may raise as well.
    """
    try:
        lines = [line.strip() for line in f"{type(error).__name__}: {error}".splitlines()]
        first, *more = filter(None, lines)
        return " ".join([first, *more[:1]] if first.endswith(":") else [first]).removesuffix(":")
    except Exception:  # noqa: BLE001  # likewise
        return type(error).__name__
