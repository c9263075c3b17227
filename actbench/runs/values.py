"""values.csv: every value of every case, one a row."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from math import inf
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actbench.errors import InputError
from actbench.model import Block, Calibration, Case, Plan
from actbench.runs.csv_text import csv_text
from actbench.runs.times import Times

NAMES = ["activation", "strategy", "backend", "op", "dtype"]
COLUMNS = [*NAMES, "size", "round", "value", "loops", "seconds"]
OF_CASE = attrgetter(*NAMES, "size")
NUMBERS = dict.fromkeys(COLUMNS[len(NAMES) : -1], "int64") | {"seconds": "float64"}


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
            columns, calls = (*OF_CASE(case), finished.round), calibration.calls(arm)
            rows += [(*columns, first + index, calls, value) for index, value in enumerate(seconds)]
    return csv_text(COLUMNS, rows)


def from_csv(path: Path, plan: Plan, calibrations: Mapping[str, Calibration]) -> Times:
    """Read the file back; `InputError` says what is wrong with it when it is not as it was written."""
    found = _by_case(path, {case for block in plan.blocks for case in block.timed})
    offsets = _yardstick_offsets(plan, calibrations)
    times = Times(plan)
    for block in plan.blocks:
        counts = calibrations[block.id].values if block.id in calibrations else (0,) * len(block.timed)
        rounds = sorted({number for case in block.cases for number in found.get(case, ())})
        seconds = np.full((len(rounds), len(counts), max(counts)), np.nan)
        for arm, (case, count) in enumerate(zip(block.timed, counts, strict=True)):
            by_round, first = found.get(case, {}), offsets[block, case] if case.is_yardstick else None
            for place, number in enumerate(rounds):
                values = _among(by_round.get(number, ()), first, count)
                if values is None:
                    raise InputError(
                        f"{path} is incomplete: round {number} of {case.id} does not have its {count} values"
                    )
                seconds[place, arm, :count] = values
        times.put(block, dict(zip(rounds, seconds, strict=True)))
    return times


class _Stretch(NamedTuple):
    """Values of a case in a round, numbered on."""

    first: int
    seconds: NDArray[np.float64]


def _among(stretches: Sequence[_Stretch], first: int | None, count: int) -> NDArray[np.float64] | None:
    """Return so many values of a round, from the number `first` on; where that is None, all of them, from 0 on.

    None where they are not there.
    """
    if first is None:
        alone = len(stretches) == 1 and stretches[0].first == 0 and stretches[0].seconds.size == count > 0
        return stretches[0].seconds if alone else None
    for stretch in stretches:
        begin = first - stretch.first
        if count and 0 <= begin <= stretch.seconds.size - count:
            return stretch.seconds[begin : begin + count]
    return None


def _by_case(path: Path, planned: Collection[Case]) -> dict[Case, dict[int, list[_Stretch]]]:
    """Return the values by case and round; `InputError` names the first line that cannot be right.

    Rows come in stretches of one case and round, numbered on: looking at these in place of rows is a tenth of the work.
    """
    cases = [*planned]
    frame = _frame(path, cases)
    kinds = [frame[name].cat.codes.to_numpy() for name in NAMES]
    size, number, value, loops = (frame[name].to_numpy() for name in ("size", "round", "value", "loops"))
    seconds = frame["seconds"].to_numpy()
    begins = np.ones(len(frame), dtype=bool)
    begins[1:] = np.diff(value) != 1
    for column in (*kinds, size, number):
        begins[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=len(frame))
    case = _places(frame.iloc[starts], {OF_CASE(each): place for place, each in enumerate(cases)})
    known = np.repeat(case >= 0, lengths)
    right = known & (number > 0) & (value >= 0) & (loops > 0) & (seconds > 0) & (seconds < inf)
    if not right.all():
        raise _wrong_line(path, 2 + int(np.argmin(right)))
    order = np.lexsort((value[starts], number[starts], case))
    case, starts, lengths = case[order], starts[order], lengths[order]
    rounds, firsts = number[starts], value[starts]
    same = (np.diff(case) == 0) & (np.diff(rounds) == 0)
    beyond = firsts[:-1] + lengths[:-1]
    twice = np.flatnonzero(same & (firsts[1:] < beyond))
    if twice.size:
        raise InputError(f"{path}, line {2 + int(starts[1 + twice].min())}: this value is there twice")
    apart = np.flatnonzero(~(same & (firsts[1:] == beyond))) + 1
    pieces = [seconds[start : start + length] for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)]
    edges = [0, *apart.tolist(), len(pieces)] if pieces else [0]
    found: dict[int, dict[int, list[_Stretch]]] = {}
    for begin, end in pairwise(edges):
        values = pieces[begin] if end == begin + 1 else np.concatenate(pieces[begin:end])
        by_round = found.setdefault(int(case[begin]), {})
        by_round.setdefault(int(rounds[begin]), []).append(_Stretch(int(firsts[begin]), values))
    return {cases[place]: by_round for place, by_round in found.items()}


def _places(frame: pd.DataFrame, places: Mapping[tuple[str | int, ...], int]) -> NDArray[np.int64]:
    """Return by row the place of its case; -1 where it has none."""
    rows = frame[[*NAMES, "size"]].itertuples(index=False, name=None)
    return np.array([places.get(row, -1) for row in rows], dtype=np.int64)


def _frame(path: Path, cases: Collection[Case]) -> pd.DataFrame:
    """Return all rows, of the right types; `InputError` when they are not.

    With the names known beforehand, pandas reads pieces of a large file in threads.
    """
    known = {name: sorted({getattr(case, name) for case in cases}) for name in NAMES}
    types = {name: pd.CategoricalDtype(names) for name, names in known.items()} | NUMBERS
    try:
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")  # of a name that is not known, pandas warns as yet
            frame = pd.read_csv(path, dtype=types, na_filter=False, skip_blank_lines=False, encoding="utf-8")
    except (OSError, OverflowError, ValueError, Warning) as error:
        line = _unreadable_line(path, known)
        raise InputError(f"cannot read {path}: {error}") if line is None else _wrong_line(path, line) from None
    if [*frame.columns] != COLUMNS or not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path} does not have the columns {','.join(COLUMNS)}")
    return frame


def _unreadable_line(path: Path, known: Mapping[str, Collection[str]]) -> int | None:
    """Return the first line whose numbers are none, or with a name not known; None where that is not what is wrong."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file, strict=True)
            if next(lines, None) != COLUMNS:
                return None
            for line in lines:
                try:
                    *names, size, number, value, loops, seconds = line
                    numbers = [*map(int, (size, number, value, loops)), float(seconds)]
                except ValueError:
                    return lines.line_num
                named = all(name in those for name, those in zip(names, known.values(), strict=False))
                if not (named and all(abs(each) < 2**63 for each in numbers)):  # nor NaN
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
