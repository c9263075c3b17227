"""values.csv: every value of every case, one a row."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from operator import attrgetter
from pathlib import Path

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
        of_cases = [found[case].rounds for case in block.cases if case in found]
        rounds = np.unique(np.concatenate(of_cases)) if of_cases else NOTHING.rounds
        seconds = np.full((rounds.size, len(counts), max(counts)), np.nan)
        for arm, (case, count) in enumerate(zip(block.timed, counts, strict=True)):
            rows, first = found.get(case, NOTHING), offsets.get((block, case), 0)
            if case.is_yardstick:
                rows = rows.among(rounds, first, first + count)
            if not rows.are(rounds, first, count):
                number = next(each for each in rounds.tolist() if not rows.of(each).are(np.array([each]), first, count))
                raise InputError(f"{path} is incomplete: round {number} of {case.id} does not have its {count} values")
            seconds[:, arm, :count] = rows.seconds.reshape(rounds.size, count)
        times.put(block, dict(zip(rounds.tolist(), seconds, strict=True)))
    return times


@dataclass(frozen=True, slots=True)
class _Rows:
    """Values by round and then by number, no two alike in both."""

    rounds: NDArray[np.int64]
    numbers: NDArray[np.int64]
    seconds: NDArray[np.float64]

    def __getitem__(self, chosen: slice | NDArray[np.bool_]) -> _Rows:
        """Return some of them."""
        return _Rows(self.rounds[chosen], self.numbers[chosen], self.seconds[chosen])

    def among(self, rounds: NDArray[np.int64], first: int, end: int) -> _Rows:
        """Return those of these rounds whose numbers are `first` or more, and before `end`."""
        own = self[(self.numbers >= first) & (self.numbers < end)]
        return own if own.are(rounds, first, end - first) else own[np.isin(own.rounds, rounds)]

    def of(self, number: int) -> _Rows:
        """Return those of a round."""
        return self[self.rounds == number]

    def are(self, rounds: NDArray[np.int64], first: int, count: int) -> bool:
        """Say whether each of these rounds has so many, from the number `first` on, and no other round has any."""
        if self.seconds.size != rounds.size * count or (rounds.size and not count):
            return False
        numbers = self.numbers.reshape(rounds.size, count)
        alike = self.rounds.reshape(rounds.size, count) == rounds[:, np.newaxis]
        return bool(alike.all() and (numbers == np.arange(first, first + count)).all())


NOTHING = _Rows(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def _by_case(path: Path, planned: Collection[Case]) -> dict[Case, _Rows]:
    """Return the rows by case; `InputError` names the first line that cannot be right.

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
    ends = starts + lengths
    same = (np.diff(case) == 0) & (np.diff(number[starts]) == 0)
    twice = np.flatnonzero(same & (value[starts[1:]] <= value[ends[:-1] - 1]))
    if twice.size:
        raise InputError(f"{path}, line {2 + int(starts[1 + twice].min())}: this value is there twice")
    rows = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(len(frame))
    every = _Rows(number[rows], value[rows], seconds[rows])
    edges = [0, *np.cumsum(lengths)[np.flatnonzero(np.diff(case))].tolist(), len(frame)] if len(frame) else [0]
    firsts = case[np.flatnonzero(np.diff(case, prepend=-1))].tolist()
    return {cases[place]: every[start:end] for place, (start, end) in zip(firsts, pairwise(edges), strict=True)}


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
                named = all(name in names_known for name, names_known in zip(names, known.values(), strict=False))
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
