"""values.csv: every value of every case, one a row."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import inf
from operator import attrgetter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actbench.errors import InputError, damaged
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
    cases = [*dict.fromkeys(case for block in plan.blocks for case in block.timed)]
    stretches, seconds = _stretches(path, cases)
    found = _found(_arms(plan, calibrations, cases), stretches)
    wrong = found[~found["right"]]
    if not wrong.empty:
        first = wrong.sort_values(["block", "arm", "round"]).iloc[0]
        raise damaged(
            f"{path} is incomplete: round {first['round']} of {cases[first['case']].id} does not have its "
            f"{first['count']} values"
        )
    times, widths = Times(plan), found.groupby("block", sort=False)["count"].transform("max").to_numpy()
    table = np.full(widths.sum(), np.nan)
    counts = found["count"].to_numpy()
    table[_indices(np.cumsum(widths) - widths, counts)] = seconds[_indices(found["begin"].to_numpy(), counts)]
    blocks = found.groupby("block")["round"].unique()
    ends = np.cumsum(widths)[np.flatnonzero(np.diff(found["block"], append=-1))]
    for place, numbers, own in zip(blocks.index.tolist(), blocks.tolist(), np.split(table, ends)[:-1], strict=True):
        block = plan.blocks[place]
        times.put(block, numbers.tolist(), own.reshape(len(numbers), len(block.timed), -1))
    return times


def _arms(plan: Plan, calibrations: Mapping[str, Calibration], cases: Sequence[Case]) -> pd.DataFrame:
    """Return what each arm of each block should have in every round: `count` values, numbered from `first` on.

    Blocks and cases are told by their places; a yardstick may have values of other blocks as well.
    """
    places, offsets = {case: place for place, case in enumerate(cases)}, _yardstick_offsets(plan, calibrations)
    rows = [
        (number, arm, places[case], case.is_yardstick, offsets.get((block, case), 0), count)
        for number, block in enumerate(plan.blocks)
        for arm, (case, count) in enumerate(zip(block.timed, _counts(block, calibrations), strict=True))
    ]
    return pd.DataFrame(rows, columns=["block", "arm", "case", "yardstick", "first", "count"])


def _counts(block: Block, calibrations: Mapping[str, Calibration]) -> tuple[int, ...]:
    return calibrations[block.id].values if block.id in calibrations else (0,) * len(block.timed)


def _found(arms: pd.DataFrame, stretches: pd.DataFrame) -> pd.DataFrame:
    """Return by block, round and arm where its values begin, and whether they are right: all there, and no others.

    A block has the rounds that any of its cases has.
    """
    own = arms.loc[~arms["yardstick"], ["block", "case"]].merge(stretches[["case", "round"]], on="case")
    asked = own[["block", "round"]].drop_duplicates().merge(arms, on="block")
    found = asked.merge(stretches, on=["case", "round"], how="left", suffixes=("", "_there"))
    before = found["first"] - found["first_there"]
    whole = (found["count"] > 0) & (before >= 0) & (before + found["count"] <= found["length"])
    found["right"] = whole & (found["yardstick"] | (found["length"] == found["count"]))
    found["begin"] = (found["begin"] + before).where(found["right"], -1).astype(np.int64)
    keys = ["block", "round", "arm"]
    elsewhere = found["yardstick"] & ~found["right"] & found.groupby(keys)["right"].transform("any")
    return found[~elsewhere].sort_values(keys)


def _stretches(path: Path, cases: Sequence[Case]) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return the stretches of values that are numbered on, in one case and round, and all values in their order.

    `begin` is where a stretch begins there, `first` the number of its first value. `InputError` names the first line
    that cannot be right. Rows lie in stretches in the file as well: looking at these is a tenth of the work.
    """
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
    case = _places(frame.iloc[starts], cases)
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
        raise damaged(f"{path}, line {2 + int(starts[1 + twice].min())}: this value is there twice")
    apart = np.ones(len(case), dtype=bool)
    apart[1:] = ~(same & (firsts[1:] == beyond))
    begin = (np.cumsum(lengths) - lengths)[apart]
    stretches = pd.DataFrame({"case": case[apart], "round": rounds[apart], "first": firsts[apart], "begin": begin})
    return stretches.assign(length=np.diff(begin, append=len(frame))), seconds[_indices(starts, lengths)]


def _places(frame: pd.DataFrame, cases: Sequence[Case]) -> NDArray[np.int64]:
    """Return by row the place of its case; -1 where it has none."""
    keys = [*NAMES, "size"]
    known = pd.DataFrame(map(OF_CASE, cases), columns=keys).astype(frame.dtypes[keys])
    found = frame[keys].merge(known.assign(place=range(len(cases))), how="left", on=keys)
    return found["place"].fillna(-1).to_numpy(dtype=np.int64)


def _indices(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of stretches that start here and are so long, 1 or more, one after the other.

    As sums of steps, because arrays of this size take as long to be given by the system as to be computed.
    """
    steps = np.ones(lengths.sum(), dtype=np.int64)
    lasts = starts + lengths - 1
    steps[np.cumsum(lengths) - lengths] = starts - np.concatenate([[0], lasts[:-1]])
    return np.cumsum(steps, out=steps)


def _frame(path: Path, cases: Collection[Case]) -> pd.DataFrame:
    """Return all rows, of the right types; `InputError` when they are not."""
    known = {name: sorted({getattr(case, name) for case in cases}) for name in NAMES}
    types = {name: pd.CategoricalDtype(names) for name, names in known.items()} | NUMBERS
    try:
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")  # of a name that is not known, pandas warns as yet
            frame = pd.read_csv(path, dtype=types, na_filter=False, skip_blank_lines=False)
    except (OSError, OverflowError, ValueError, Warning) as error:
        line = _unreadable_line(path, known)
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise damaged(f"cannot read {path}: {why}") if line is None else _wrong_line(path, line) from None
    if [*frame.columns] != COLUMNS or not isinstance(frame.index, pd.RangeIndex):
        raise damaged(f"{path} does not have the columns {','.join(COLUMNS)}")
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
    return damaged(f"{path}, line {line}: this is not a value of a case of the plan")


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
