"""values.csv: every value of every case, one a row, by round and then by block. probes.csv: the same of the probes.

run.json holds a digest of the rows of each block in each round, as they are written. So a file that is not as it was
written is refused, whatever was done to it, and the line is named where one can be told. Runs of before the share of
the processor was recorded do not have its column, the last.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from operator import attrgetter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actbench.errors import damaged
from actbench.model.calibration import Calibration
from actbench.model.cases import Block, Case
from actbench.model.outcomes import BlockTimes
from actbench.runs.csv_text import csv_text, rows_text
from actbench.runs.limits import LONGEST, SHORTEST, is_time

NAMES = ["activation", "strategy", "backend", "op", "dtype"]
PROCESSOR = "processor"
"""The share of the wall time of a value that the process had the processor; 0 where that is not known."""
OF_OLD = [*NAMES, "size", "round", "value", "loops", "seconds"]
COLUMNS = [*OF_OLD, PROCESSOR]
OF_CASE = attrgetter(*NAMES, "size")
HEADER, OLD_HEADER = csv_text(COLUMNS, ()), csv_text(OF_OLD, ())
NEWLINE = b"\n"

SHARE = ", and a share of the processor from 0 to 1"

Digests = dict[str, dict[int, str]]
"""By block and round, the digest of what was measured."""


def digest(data: bytes) -> str:
    """Return the first 64 bits of the SHA-256, in hexadecimal."""
    return sha256(data).hexdigest()[:16]


def to_csv(
    blocks: Sequence[Block], finished: Iterable[BlockTimes], calibrations: Mapping[str, Calibration]
) -> tuple[str, Digests]:
    """Return the file's text, of what was finished of these blocks, and the digests of its parts.

    Blocks that share op, dtype and size share their yardstick; its values are numbered on from block to block.
    """
    offsets = _yardstick_offsets(blocks, calibrations)
    texts, digests = [HEADER], Digests()
    for times in finished:
        texts.append(rows_text(_rows(times, calibrations[times.block.id], offsets)))
        digests.setdefault(times.block.id, {})[times.round] = digest(texts[-1].encode())
    return "".join(texts), digests


def from_csv(
    data: bytes, path: Path, blocks: Sequence[Block], calibrations: Mapping[str, Calibration], digests: Digests
) -> Iterator[BlockValues]:
    """Yield what the file has of these blocks, one by one, rounds together.

    `InputError` names `path` and what is wrong when its contents are not as they were written.
    """
    every = [*parts(data, blocks, calibrations, digests)]
    wrong = next((part for part in every if digest(data[part.begin : part.end]) != part.digest), None)
    head = next((text for text in (HEADER, OLD_HEADER) if data.startswith(text.encode())), None)
    if head is None:
        raise damaged(f"{path} does not begin with the columns {','.join(COLUMNS)}")
    if wrong:
        columns = COLUMNS if head == HEADER else OF_OLD
        raise damaged(_difference(data, path, wrong, _yardstick_offsets(blocks, calibrations), columns))
    end = every[-1].end if every else len(head.encode())
    if end != len(data):
        raise damaged(f"{path}, line {data[:end].count(NEWLINE) + 1}: this is more than was measured")
    yield from _times(calibrations, every, *_measured(data, path, processor=head == HEADER))


@dataclass(frozen=True, slots=True)
class BlockValues:
    """All rounds of a block, by ascending number; values as rounds x arms x values, NaN where an arm has fewer."""

    block: Block
    rounds: list[int]
    seconds: NDArray[np.float64]
    processor: NDArray[np.float64] | None
    """The share of the processor, 0 where it is not known; None where it is known of no value."""


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


def parts(
    data: bytes, blocks: Sequence[Block], calibrations: Mapping[str, Calibration], digests: Digests
) -> Iterator[Part]:
    """Yield what run.json says that the file has of these blocks, in its order."""
    due = sorted((number, place) for place, block in enumerate(blocks) for number in digests.get(block.id, {}))
    of_parts = [blocks[place] for _, place in due]
    lines = [*accumulate((sum(calibrations[block.id].values) for block in of_parts), initial=1)]
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord(NEWLINE)) + 1
    ends = np.append(ends, len(data))
    at = ends[np.minimum(np.array(lines) - 1, len(ends) - 1)].tolist()
    for index, (block, (number, _)) in enumerate(zip(of_parts, due, strict=True)):
        wanted = digests[block.id][number]
        yield Part(block, calibrations[block.id], number, wanted, 1 + lines[index], at[index], at[index + 1])


def _rows(
    finished: BlockTimes, calibration: Calibration, offsets: Mapping[tuple[Block, Case], int]
) -> Iterator[tuple[object, ...]]:
    processor = finished.processor or [(0.0,) * len(seconds) for seconds in finished.seconds]
    for arm, (case, *of_arm) in enumerate(zip(finished.block.timed, finished.seconds, processor, strict=True)):
        first = offsets.get((finished.block, case), 0)
        columns, calls = (*OF_CASE(case), finished.round), calibration.calls(arm)
        for index, measured in enumerate(zip(*of_arm, strict=True)):
            yield *columns, first + index, calls, *measured


def _difference(
    data: bytes, path: Path, part: Part, offsets: Mapping[tuple[Block, Case], int], columns: Sequence[str]
) -> str:
    """Say in which line a part of the file is not as it was written; else, in which lines something was changed."""
    any_times = tuple((1.0,) * count for count in part.calibration.values)
    expected = rows_text(_rows(BlockTimes(part.block, part.round, any_times), part.calibration, offsets))
    there = data[part.begin :].split(NEWLINE, part.values)
    for line, (text, wanted) in enumerate(zip(there, expected.splitlines(), strict=False), part.line):
        begins = wanted.rsplit(",", 2)[0] + ","
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
        if not _is_written(text[len(begins) :], columns[columns.index("seconds") :]):
            return f"{path}, line {line}: this is not a time in seconds{SHARE if PROCESSOR in columns else ''}"
    lines = f"lines {part.line} to {part.line + part.values - 1}"
    return f"{path}, {lines}: round {part.round} of {part.block.id} is not as it was measured: a number was changed"


def _is_written(cells: bytes, columns: Sequence[str]) -> bool:
    try:
        seconds, *shares = map(float, cells.split(b","))
    except ValueError:
        return False
    return is_time(seconds) and len(shares) == len(columns) - 1 and all(0 <= share <= 1 for share in shares)


def _measured(data: bytes, path: Path, *, processor: bool) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return seconds and, where they are there, shares of the processor."""
    columns = ["seconds", PROCESSOR] if processor else ["seconds"]
    try:
        frame = pd.read_csv(io.BytesIO(data), usecols=columns, dtype=np.float64, na_filter=False)
    except (OverflowError, ValueError) as error:
        raise damaged(f"cannot read {path}: {error}") from None
    seconds, shares = frame["seconds"].to_numpy(), frame[PROCESSOR].to_numpy() if processor else None
    right = (seconds >= SHORTEST) & (seconds <= LONGEST)
    if shares is not None:
        right &= (shares >= 0) & (shares <= 1)
    if not right.all():
        what = SHARE if processor else ""
        raise damaged(f"{path}, line {2 + int(np.argmin(right))}: this is not a time in seconds{what}")
    return seconds, shares


def _times(
    calibrations: Mapping[str, Calibration],
    parts: Sequence[Part],
    seconds: NDArray[np.float64],
    processor: NDArray[np.float64] | None,
) -> Iterator[BlockValues]:
    own: dict[Block, list[Part]] = {}
    for part in parts:
        own.setdefault(part.block, []).append(part)
    for block, rounds in own.items():
        counts = calibrations[block.id].values
        shares = None if processor is None else _table(processor, rounds, counts)
        known = shares is not None and bool(np.any(shares > 0))
        yield BlockValues(
            block, [part.round for part in rounds], _table(seconds, rounds, counts), shares if known else None
        )


def _table(column: NDArray[np.float64], parts: Sequence[Part], counts: Sequence[int]) -> NDArray[np.float64]:
    """Return a block's values of a column: rounds x arms x values, NaN where an arm has fewer."""
    rows = np.stack([column[part.line - 2 :][: part.values] for part in parts])
    table = np.full((len(rows), len(counts), max(counts)), np.nan)
    for arm, (count, begin) in enumerate(zip(counts, accumulate(counts, initial=0), strict=False)):
        table[:, arm, :count] = rows[:, begin : begin + count]
    return table


def _yardstick_offsets(
    blocks: Sequence[Block], calibrations: Mapping[str, Calibration]
) -> dict[tuple[Block, Case], int]:
    """Return the number of the first value of each yardstick of each block."""
    used: Counter[Case] = Counter()
    offsets = {}
    for block in blocks:
        for arm, case in enumerate(block.timed):
            if case.is_yardstick:
                offsets[block, case] = used[case]
                if block.id in calibrations:
                    used[case] += calibrations[block.id].values[arm]
    return offsets
