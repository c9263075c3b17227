"""The tables of a run, read back: what comes of many runs needs a row per case of each, and none of its values.

`actbench.report` derives the tables from the measurements. They have no digest: what was changed by
hand is not noticed here as it is in values.csv, beyond numbers that cannot be right.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from math import isnan, nan
from pathlib import Path
from typing import NamedTuple

from actbench.errors import InputError, damaged
from actbench.host import regular
from actbench.model.cases import Case
from actbench.model.curve_events import CurveEvent
from actbench.model.names import OperandState
from actbench.model.sizes import Shape, Size
from actbench.runs.bounds import HUGE, TINY
from actbench.runs.names import CASES, CROSSOVERS, SPEEDUPS

COPIES = ("copies", "copies_low", "copies_high")
"""The columns of cases.csv with the time in copies, which earlier runs do not have."""

NAMES = ("activation", "strategy", "backend", "op", "dtype", "size", "operands", "shape", "rows")
RATIO = ("ratio", "low", "high")

LATER = ("operands", "shape", "rows")
"""The columns that files of before operands had states, sizes shapes, or activations rows, do not have."""


CURVE = ("activation", "op", "dtype", "operands", "backend", "reference_strategy", "candidate_strategy", "rows")
SIZE = ("size", "low", "high", "rounds")
"""The columns of crossovers.csv."""

Estimate = tuple[float, float, float]
"""A value with its bounds."""


class TimeRow(NamedTuple):
    """A row of cases.csv."""

    case: Case
    copies: Estimate
    """The time in copies and its bounds, which are NaN where there are too few rounds."""
    seconds: float
    """Of one call."""
    rounds: int


class SpeedupRow(NamedTuple):
    """A row of speedups.csv."""

    reference: Case
    candidate: Case
    ratio: Estimate
    """How many times faster the candidate is, with its bounds."""
    rounds: int


class CurveNames(NamedTuple):
    """What a curve of crossovers.csv is of: two strategies of a backend, over sizes."""

    activation: str
    op: str
    dtype: str
    operands: str
    backend: str
    reference: str
    candidate: str
    rows: int = 1
    """The number of rows, where the activation works along them."""

    @property
    def subject(self) -> tuple[str | int, ...]:
        """What its strategies are of."""
        return (*self[:5], self.rows)

    @property
    def strategies(self) -> set[str]:
        """Both of them."""
        return {self.reference, self.candidate}


class CrossoverRow(NamedTuple):
    """A row of crossovers.csv."""

    curve: CurveNames
    kind: CurveEvent
    size: Estimate
    """Elements; the value is NaN where it does not cross."""
    rounds: int
    below: str
    """The strategy that is faster at smaller sizes, and `above` at larger ones; empty where none is."""
    above: str


def times(directory: Path) -> list[TimeRow] | None:
    """Read cases.csv, without yardsticks; None where there is none, or it is of before it had `COPIES`.

    `InputError` where it cannot be read, or has what no run writes.
    """
    path = directory / CASES
    if not path.exists():
        return None
    head, lines = _lines(path)
    if COPIES[0] not in head:
        return None
    names, numbers = _places(path, head, NAMES), _places(path, head, (*COPIES, "seconds", "rounds"))
    rows = []
    for number, cells in lines:
        case = _case(path, number, cells, names)
        if not case.is_yardstick:
            rows.append(TimeRow(case, *_numbers(path, number, cells, numbers)))
    return rows


def speedups(directory: Path) -> list[SpeedupRow] | None:
    """Read speedups.csv; None where there is none. `InputError` where it cannot be read, or has what no run writes."""
    path = directory / SPEEDUPS
    if not path.exists():
        return None
    head, lines = _lines(path)
    sides = [
        _places(path, head, [f"{side}_{name}" if name in {"strategy", "backend"} else name for name in NAMES])
        for side in ("reference", "candidate")
    ]
    numbers = _places(path, head, (*RATIO, "ratio", "rounds"))
    rows = []
    for number, cells in lines:
        reference, candidate = (_case(path, number, cells, places) for places in sides)
        ratio, _, rounds = _numbers(path, number, cells, numbers)
        rows.append(SpeedupRow(reference, candidate, ratio, rounds))
    return rows


def crossovers(directory: Path) -> list[CrossoverRow] | None:
    """Read crossovers.csv; nothing where speedups.csv is alone, since fewer than four sizes have no curves.

    None where neither is there; `InputError` where it cannot be read, or has what no run writes.
    """
    path = directory / CROSSOVERS
    if not path.exists():
        return [] if (directory / SPEEDUPS).exists() else None
    head, lines = _lines(path)
    places = _places(path, head, CURVE), _places(path, head, ("kind", "faster_below", "faster_above"))
    sizes = _places(path, head, SIZE)
    rows = []
    for number, cells in lines:
        if len(cells) != len(head) + 1:
            raise damaged(f"{path}, line {number}: it is cut short")
        names, (kind, below, above) = ([cells[place] for place in of_names] for of_names in places)
        if not all(text.isprintable() for text in (*names, kind, below, above)):
            raise damaged(f"{path}, line {number}: a name in it has characters that do not print")
        size, rounds = _size(path, number, cells, sizes)
        event = _event(path, number, kind, size)
        rows.append(CrossoverRow(_curve(path, number, names), event, size, rounds, below, above))
    return rows


def _curve(path: Path, number: int, cells: Sequence[str]) -> CurveNames:
    """Return what a curve is of: operands are warm, in one row, where the file does not have that."""
    activation, op, dtype, operands, backend, reference, candidate, rows = cells
    try:
        count = int(rows or 1)
    except ValueError:
        count = 0
    if count < 1:
        raise damaged(f"{path}, line {number}: {rows[:20]!r} is no number of rows")
    state = operands or OperandState.WARM
    return CurveNames(activation, op, dtype, state, backend, reference, candidate, count)


def _event(path: Path, number: int, kind: str, size: Estimate) -> CurveEvent:
    """Return what a curve does; only a crossover has a size."""
    try:
        event = CurveEvent(kind)
    except ValueError:
        raise damaged(f"{path}, line {number}: its kind {kind[:20]!r} is unknown") from None
    if (event is CurveEvent.CROSSES) == isnan(size[0]):
        raise damaged(f"{path}, line {number}: it has a crossover without a size, or a size without a crossover")
    return event


def _size(path: Path, number: int, cells: Sequence[str], places: Sequence[int]) -> tuple[Estimate, int]:
    """Return a size with its bounds, and the rounds that it rests on; the size is NaN where there is no crossover."""
    try:
        value, low, high = (float(cells[place] or nan) for place in places[:3])
        rounds = int(cells[places[3]])
    except ValueError:
        raise damaged(f"{path}, line {number}: it has no numbers where numbers belong") from None
    inside = isnan(value) or low <= value * (1 + 1e-6) <= high * (1 + 1e-5)
    if not (1 <= low <= high <= HUGE and inside and rounds >= 1):
        raise damaged(f"{path}, line {number}: {value:g} ({low:g} to {high:g}) is no size with its interval")
    return (value, low, high), rounds


def _lines(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the head of a file, and its lines with their numbers; every line ends with one more, empty cell."""
    try:
        text = regular.read(path).decode()
    except OSError as error:
        raise damaged(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise damaged(f"{path} is not UTF-8") from None
    lines = csv.reader(text.splitlines())
    return next(lines, []), ((number, [*cells, ""]) for number, cells in enumerate(lines, 2))


def _places(path: Path, head: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Return the places of columns in a line: that of the last, empty cell for `LATER` ones which a file may lack."""
    missing = [column for column in columns if column not in (*head, *LATER)]
    if missing:
        raise damaged(f"{path} has no column {missing[0]}")
    return [head.index(column) if column in head else -1 for column in columns]


def _case(path: Path, number: int, cells: Sequence[str], places: Sequence[int]) -> Case:
    try:
        return _named(tuple(cells[place] for place in places))
    except (IndexError, InputError) as error:
        why = error if isinstance(error, InputError) else "it is cut short"
        raise damaged(f"{path}, line {number}: {why}") from None


@cache
def _named(cells: tuple[str, ...]) -> Case:
    """Return the case of the cells of `NAMES`; of hundreds of runs, most have the same."""
    activation, strategy, backend, op, dtype, size, operands, shape, rows = cells
    state = "" if operands in {"", OperandState.WARM} else f"/{operands}"
    in_rows = shape if rows not in {"", "1"} else size
    text = f"{activation}/{strategy}/{backend}/{op}/{dtype}/{in_rows}{state}"
    if not text.isprintable():
        raise InputError("a name in it has characters that do not print")
    case = Case.parse(text)
    return case.kernel.of(Size(case.size, Shape(shape)), case.operands, case.rows)


def _numbers(path: Path, number: int, cells: Sequence[str], places: Sequence[int]) -> tuple[Estimate, float, int]:
    """Return an estimate with its bounds, a further number, and the rounds."""
    try:
        value, low, high, further = (float(cells[place] or nan) for place in places[:4])
        rounds = int(cells[places[4]])
    except (ValueError, IndexError):
        raise damaged(f"{path}, line {number}: it has no numbers where numbers belong") from None
    bounded = TINY <= low <= value * (1 + 1e-6) and value <= high * (1 + 1e-6) and high <= HUGE
    if not (TINY <= value <= HUGE and TINY <= further <= HUGE and (bounded or (isnan(low) and isnan(high)))):
        raise damaged(f"{path}, line {number}: {value:g} ({low:g} to {high:g}) is no estimate with its interval")
    return (value, low, high), further, rounds
