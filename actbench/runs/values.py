"""values.csv: every value of every case, one a row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple
from functools import cache
from math import inf
from pathlib import Path

import pandas as pd

from actbench.errors import InputError
from actbench.model import Block, BlockTimes, Calibration, Case, Plan
from actbench.runs.files import FLOATS
from actbench.runs.times import Times

COLUMNS = ["activation", "strategy", "backend", "op", "dtype", "size", "round", "value", "loops", "seconds"]


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
    found = _read(path, {case for block in plan.blocks for case in block.timed})
    offsets = _yardstick_offsets(plan, calibrations)
    times = Times(plan)
    for block in plan.blocks:
        for number in sorted({number for case in block.cases for number in found.get(case, ())}):
            seconds = []
            for arm, case in enumerate(block.timed):
                first = offsets.get((block, case), 0)
                rows = found.get(case, {}).get(number, {})
                count = calibrations[block.id].values[arm] if block.id in calibrations else 0
                wanted = range(first, first + count)
                if not rows.keys() >= {*wanted} or not (count and (case.is_yardstick or len(rows) == count)):
                    raise InputError(
                        f"{path} is incomplete: round {number} of {case.id} does not have its {count} values"
                    )
                seconds.append(tuple(rows[index] for index in wanted))
            times.add(BlockTimes(block, number, tuple(seconds)))
    return times


def _read(path: Path, planned: set[Case]) -> dict[Case, dict[int, dict[int, float]]]:
    """Return seconds by case, round and value; `InputError` names the first line that cannot be right."""
    found: dict[Case, dict[int, dict[int, float]]] = {}
    parse = cache(Case.parse)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file, strict=True)
            if next(lines, None) != COLUMNS:
                raise InputError(f"{path} does not have the columns {','.join(COLUMNS)}")
            for line in lines:
                try:
                    *names, number, index, loops, seconds = line
                    case = parse("/".join(names))
                    key, value = (int(number), int(index)), float(seconds)
                    right = case in planned and key[0] > 0 and key[1] >= 0 and int(loops) > 0 and 0 < value < inf
                except (ValueError, InputError):
                    right = False
                if not right:
                    raise InputError(f"{path}, line {lines.line_num}: this is not a value of a case of the plan")
                by_value = found.setdefault(case, {}).setdefault(key[0], {})
                if key[1] in by_value:
                    raise InputError(f"{path}, line {lines.line_num}: this value is there twice")
                by_value[key[1]] = value
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return found


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
