"""values.csv: every value of every case, one a row, by round and then by block.

run.json holds a digest of the rows of each block in each round, as they are written. So a file that is not as it was
written is refused, whatever was done to it, and the line is named where one can be told.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from operator import attrgetter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actbench.errors import damaged
from actbench.model import Block, BlockTimes, Calibration, Case, Plan
from actbench.runs.csv_text import csv_text, rows_text
from actbench.runs.limits import LONGEST, SHORTEST, is_time
from actbench.runs.times import Times

NAMES = ["activation", "strategy", "backend", "op", "dtype"]
COLUMNS = [*NAMES, "size", "round", "value", "loops", "seconds"]
OF_CASE = attrgetter(*NAMES, "size")
HEADER = csv_text(COLUMNS, ())
NEWLINE = b"\n"

Digests = dict[str, dict[int, str]]
"""By block and round, the digest of what was measured."""


def digest(data: bytes) -> str:
    """Return the first 64 bits of the SHA-256, in hexadecimal."""
    return sha256(data).hexdigest()[:16]


def to_csv(plan: Plan, times: Times, calibrations: Mapping[str, Calibration]) -> tuple[str, Digests]:
    """Return the file's text, and the digests of its parts.

    Blocks that share op, dtype and size share their yardstick; its values are numbered on from block to block.
    """
    offsets = _yardstick_offsets(plan, calibrations)
    texts, digests = [HEADER], Digests()
    for finished in times.finished():
        texts.append(rows_text(_rows(finished, calibrations[finished.block.id], offsets)))
        digests.setdefault(finished.block.id, {})[finished.round] = digest(texts[-1].encode())
    return "".join(texts), digests


def from_csv(data: bytes, path: Path, plan: Plan, calibrations: Mapping[str, Calibration], digests: Digests) -> Times:
    """Read the file's contents; `InputError` names `path` and what is wrong when they are not as they were written."""
    every = [*parts(data, plan, calibrations, digests)]
    wrong = next((part for part in every if digest(data[part.begin : part.end]) != part.digest), None)
    head = len(HEADER.encode())
    if not data.startswith(HEADER.encode()):
        raise damaged(f"{path} does not begin with the columns {','.join(COLUMNS)}")
    if wrong:
        raise damaged(_difference(data, path, wrong, _yardstick_offsets(plan, calibrations)))
    end = every[-1].end if every else head
    if end != len(data):
        raise damaged(f"{path}, line {data[:end].count(NEWLINE) + 1}: this is more than was measured")
    return _times(plan, calibrations, every, _seconds(data, path))


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a block in a round."""

    block: Block
    calibration: Calibration
    round: int
    digest: str
    line: int
    """The line in which it begins, counted from 1."""
    begin: int
    """Where its rows begin in the file, in bytes, and where they end; no further than the file does."""
    end: int

    @property
    def values(self) -> int:
        """Its rows."""
        return sum(self.calibration.values)


def parts(data: bytes, plan: Plan, calibrations: Mapping[str, Calibration], digests: Digests) -> Iterator[Part]:
    """Yield what run.json says that the file has, in its order."""
    due = sorted((number, place) for place, block in enumerate(plan.blocks) for number in digests.get(block.id, {}))
    blocks = [plan.blocks[place] for _, place in due]
    lines = [*accumulate((sum(calibrations[block.id].values) for block in blocks), initial=1)]
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord(NEWLINE)) + 1
    ends = np.append(ends, len(data))
    at = ends[np.minimum(np.array(lines) - 1, len(ends) - 1)].tolist()
    for index, (block, (number, _)) in enumerate(zip(blocks, due, strict=True)):
        wanted = digests[block.id][number]
        yield Part(block, calibrations[block.id], number, wanted, 1 + lines[index], at[index], at[index + 1])


def _rows(
    finished: BlockTimes, calibration: Calibration, offsets: Mapping[tuple[Block, Case], int]
) -> Iterator[tuple[object, ...]]:
    for arm, (case, seconds) in enumerate(zip(finished.block.timed, finished.seconds, strict=True)):
        first = offsets.get((finished.block, case), 0)
        columns, calls = (*OF_CASE(case), finished.round), calibration.calls(arm)
        yield from ((*columns, first + index, calls, value) for index, value in enumerate(seconds))


def _difference(data: bytes, path: Path, part: Part, offsets: Mapping[tuple[Block, Case], int]) -> str:
    """Say in which line a part of the file is not as it was written; else, in which lines something was changed."""
    any_times = tuple((1.0,) * count for count in part.calibration.values)
    expected = rows_text(_rows(BlockTimes(part.block, part.round, any_times), part.calibration, offsets))
    there = data[part.begin :].split(NEWLINE, part.values)
    for line, (text, wanted) in enumerate(zip(there, expected.splitlines(), strict=False), part.line):
        begins = wanted.rpartition(",")[0] + ","
        last = line - part.line == len(there) - 1  # what follows the last newline
        if last and not text:
            return f"{path} is incomplete: it ends before line {line}, {begins}..., in round {part.round}"
        if not text.startswith(begins.encode()):
            return (
                f"{path}, line {line}: {begins}... belongs here, in round {part.round}: lines are missing, there "
                "twice, changed or in another order"
            )
        if last:
            return f"{path} is incomplete: line {line}, in round {part.round}, is cut short"
        if not _is_written_time(text[len(begins) :]):
            return f"{path}, line {line}: this is not a time in seconds"
    lines = f"lines {part.line} to {part.line + part.values - 1}"
    return f"{path}, {lines}: round {part.round} of {part.block.id} is not as it was measured: a number was changed"


def _is_written_time(text: bytes) -> bool:
    try:
        return is_time(float(text))
    except ValueError:
        return False


def _seconds(data: bytes, path: Path) -> NDArray[np.float64]:
    try:
        frame = pd.read_csv(io.BytesIO(data), usecols=["seconds"], dtype=np.float64, na_filter=False)
    except (OverflowError, ValueError) as error:
        raise damaged(f"cannot read {path}: {error}") from None
    seconds = frame["seconds"].to_numpy()
    right = (seconds >= SHORTEST) & (seconds <= LONGEST)
    if not right.all():
        raise damaged(f"{path}, line {2 + int(np.argmin(right))}: this is not a time in seconds")
    return seconds


def _times(
    plan: Plan, calibrations: Mapping[str, Calibration], parts: Sequence[Part], seconds: NDArray[np.float64]
) -> Times:
    """Return the values by block: rounds x arms x values, NaN where an arm has fewer."""
    own: dict[Block, list[Part]] = {}
    for part in parts:
        own.setdefault(part.block, []).append(part)
    times = Times(plan)
    for block, rounds in own.items():
        counts = calibrations[block.id].values
        rows = np.stack([seconds[part.line - 2 :][: part.values] for part in rounds])
        table = np.full((len(rounds), len(counts), max(counts)), np.nan)
        for arm, (count, begin) in enumerate(zip(counts, accumulate(counts, initial=0), strict=False)):
            table[:, arm, :count] = rows[:, begin : begin + count]
        times.put(block, [part.round for part in rounds], table)
    return times


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
