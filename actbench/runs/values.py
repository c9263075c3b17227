"""values.csv: every value of every case, one a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

import numpy as np
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
            first = offsets[finished.block] if case == finished.block.yardstick else 0
            rows += [
                (*astuple(case), finished.round, first + index, calibration.calls(arm), value)
                for index, value in enumerate(seconds)
            ]
    return str(pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False, lineterminator="\n", float_format=FLOATS))


def from_csv(path: Path, plan: Plan, calibrations: Mapping[str, Calibration]) -> Times:
    """Read the file back; `InputError` says what is wrong with it when it is not as it was written."""
    found = _read(path)
    offsets = _yardstick_offsets(plan, calibrations)
    times = Times(plan)
    for block in plan.blocks:
        for number in found.get(block.cases[0], {}):
            seconds = []
            for arm, case in enumerate(block.timed):
                first = offsets[block] if case == block.yardstick else 0
                rows = found.get(case, {}).get(number, {})
                wanted = range(first, first + calibrations[block.id].values[arm])
                if not rows.keys() >= set(wanted):
                    raise InputError(f"{path} is incomplete: round {number} of {case.id} lacks values")
                seconds.append(tuple(rows[index] for index in wanted))
            times.add(BlockTimes(block, number, tuple(seconds)))
    return times


def _read(path: Path) -> dict[Case, dict[int, dict[int, float]]]:
    """Return seconds by case, round and value."""
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(COLUMNS[:5], "string"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    if list(table.columns) != COLUMNS:
        raise InputError(f"{path} does not have the columns {','.join(COLUMNS)}")
    numbers = table[COLUMNS[5:]].apply(pd.to_numeric, errors="coerce")
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)).all(axis=1) | (numbers["seconds"] <= 0))
    if bad.size:
        raise InputError(f"{path}, line {bad[0] + 2}: size, round, value, loops and seconds must be positive numbers")
    found: dict[Case, dict[int, dict[int, float]]] = {}
    for kernel, rows in table.assign(**numbers).groupby(COLUMNS[:6], sort=False):
        case = Case.parse("/".join(map(str, kernel)))
        by_round = found.setdefault(case, {})
        for number, index, seconds in zip(rows["round"], rows["value"], rows["seconds"], strict=True):
            by_round.setdefault(int(number), {})[int(index)] = float(seconds)
    return found


def _yardstick_offsets(plan: Plan, calibrations: Mapping[str, Calibration]) -> dict[Block, int]:
    """Return the number of the first yardstick value of each block."""
    used: Counter[Case] = Counter()
    offsets = {}
    for block in plan.blocks:
        offsets[block] = used[block.yardstick]
        if block.id in calibrations:
            used[block.yardstick] += calibrations[block.id].values[-1]
    return offsets
