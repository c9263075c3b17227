"""values.csv: every value of every case, one a row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from itertools import pairwise
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actbench.errors import InputError
from actbench.model import Block, Calibration, Case, Plan
from actbench.runs.files import FLOATS
from actbench.runs.times import Times

NAMES = ["activation", "strategy", "backend", "op", "dtype"]
COLUMNS = [*NAMES, "size", "round", "value", "loops", "seconds"]
TYPES = dict.fromkeys(NAMES, "category") | dict.fromkeys(COLUMNS[len(NAMES) : -1], "int64") | {"seconds": "float64"}


def to_csv(plan: Plan, times: Times, calibrations: Mapping[str, Calibration]) -> str:
    """Return the file's text.

    Blocks that share op, dtype and size share their yardstick; its values are numbered on from block to block.
    """
    rows: list[tuple[object, ...]] = []
    offsets = _yardstick_offsets(plan, calibrations)
    for finished in times.finished():
        calibration = calibrations[finished.block.id]
        for arm, (case, seconds) in enumerate(zip(finished.block.timed, finished.seconds, strict=True)):
            first = offsets.get((finished.block, case), 0)
            columns, calls = (*astuple(case), finished.round), calibration.calls(arm)
            rows += [(*columns, first + index, calls, value) for index, value in enumerate(seconds)]
    return str(pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False, lineterminator="\n", float_format=FLOATS))


def from_csv(path: Path, plan: Plan, calibrations: Mapping[str, Calibration]) -> Times:
    """Read the file back; `InputError` says what is wrong with it when it is not as it was written."""
    found = _by_case(path, {case for block in plan.blocks for case in block.timed})
    offsets = _yardstick_offsets(plan, calibrations)
    times = Times(plan)
    for block in plan.blocks:
        counts = calibrations[block.id].values if block.id in calibrations else (0,) * len(block.timed)
        timed = [(case, found.get(case, {}), offsets.get((block, case), 0)) for case in block.timed]
        for number in sorted({number for case, rounds, _ in timed if not case.is_yardstick for number in rounds}):
            seconds = []
            for (case, rounds, first), count in zip(timed, counts, strict=True):
                rows = rounds.get(number, NOTHING)
                own = rows.from_to(first, first + count)
                if not (count and own.size == count and (case.is_yardstick or rows.seconds.size == count)):
                    raise InputError(
                        f"{path} is incomplete: round {number} of {case.id} does not have its {count} values"
                    )
                seconds.append(own)
            times.put(block, number, seconds)
    return times


@dataclass(frozen=True, slots=True)
class _Rows:
    """The values of a case in a round, by their number, each of which is there once."""

    numbers: NDArray[np.int64]
    seconds: NDArray[np.float64]

    def from_to(self, first: int, end: int) -> NDArray[np.float64]:
        """Return the seconds of those from `first` on, and before `end`."""
        start, stop = np.searchsorted(self.numbers, [first, end]).tolist()
        return np.asarray(self.seconds[start:stop])


NOTHING = _Rows(np.empty(0, np.int64), np.empty(0))


def _by_case(path: Path, planned: Collection[Case]) -> dict[Case, dict[int, _Rows]]:
    """Return the rows by case and round; `InputError` names the first line that cannot be right."""
    frame = _frame(path)
    cases = [*planned]
    case = _places(frame, {astuple(each): place for place, each in enumerate(cases)})
    number, value, loops, seconds = (frame[name].to_numpy() for name in ("round", "value", "loops", "seconds"))
    right = (case >= 0) & (number > 0) & (value >= 0) & (loops > 0) & (seconds > 0) & (seconds < inf)
    if not right.all():
        raise _wrong_line(path, 2 + int(np.argmin(right)))
    key = case
    for column in (number, value):
        codes, known = pd.factorize(column, sort=True)
        key = key * len(known) + codes
    order = np.argsort(key, kind="stable")  # which finds the file's order, and is soon done
    case, number, value, seconds = case[order], number[order], value[order], seconds[order]
    new_round = (np.diff(case) != 0) | (np.diff(number) != 0)
    twice = np.flatnonzero(~new_round & (np.diff(value) == 0))
    if twice.size:
        raise InputError(f"{path}, line {2 + int(order[1 + twice].min())}: this value is there twice")
    found: dict[Case, dict[int, _Rows]] = {}
    starts = [0, *(1 + np.flatnonzero(new_round)).tolist()] if len(frame) else []
    for start, end in pairwise([*starts, len(frame)]):
        of_case = found.setdefault(cases[case[start]], {})
        of_case[int(number[start])] = _Rows(value[start:end], seconds[start:end])
    return found


def _places(frame: pd.DataFrame, places: Mapping[tuple[str | int, ...], int]) -> NDArray[np.int64]:
    """Return by row the place of its case; -1 where it has none."""
    kind = frame["size"].to_numpy()
    for name in NAMES:  # whatever was told apart so far, and then by one more column
        codes = frame[name].cat.codes.to_numpy()
        kind = pd.factorize(kind)[0] * (int(codes.max(initial=0)) + 2) + codes
    kinds, firsts = pd.factorize(kind)[0], np.flatnonzero(~pd.Series(kind).duplicated())
    each = frame.iloc[firsts][[*NAMES, "size"]].itertuples(index=False, name=None)
    return np.array([places.get(row, -1) for row in each], dtype=np.int64)[kinds]


def _frame(path: Path) -> pd.DataFrame:
    """Return all rows, of the right types; `InputError` when they are not."""
    try:
        with np.errstate(invalid="ignore"):
            frame = pd.read_csv(path, dtype=TYPES, na_filter=False, skip_blank_lines=False, encoding="utf-8")
    except (OSError, OverflowError, ValueError) as error:
        line = _unreadable_line(path)
        raise InputError(f"cannot read {path}: {error}") if line is None else _wrong_line(path, line) from None
    if [*frame.columns] != COLUMNS or not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path} does not have the columns {','.join(COLUMNS)}")
    return frame


def _unreadable_line(path: Path) -> int | None:
    """Return the first line whose numbers are none; None where that is not what is wrong."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file, strict=True)
            if next(lines, None) != COLUMNS:
                return None
            for line in lines:
                try:
                    *_, size, number, value, loops, seconds = line
                    numbers = [*map(int, (size, number, value, loops)), float(seconds)]
                except ValueError:
                    return lines.line_num
                if not all(abs(each) < 2**63 for each in numbers):  # nor NaN
                    return lines.line_num
    except (OSError, csv.Error, UnicodeDecodeError):
        pass
    return None


def _wrong_line(path: Path, line: int) -> InputError:
    return InputError(f"{path}, line {line}: this is not a value of a case of the plan")


def _yardstick_offsets(plan: Plan, calibrations: Mapping[str, Calibration]) -> dict[tuple[Block, Case], int]:
    """Return the number of the first value of each yardstick of each block."""
    used: Counter[Case] = Counter()
    offsets = {}
    for block in plan.blocks:
        for arm, case in enumerate(block.timed):
            if case.is_yardstick:
                offsets[block, case] = used[case]
                if block.id in calibrations:
                    used[case] += calibrations[block.id].values[arm]
    return offsets
