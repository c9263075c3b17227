"""values.csv: every value of every case, one row each, by round and then by block. probes.csv: the same for the probes.

run.json holds a digest of the rows of each block in each round. A file that was changed afterwards is therefore
refused, and the error names the line where it can.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, repeat
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actbench.errors import damaged
from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.outcomes import BlockTimes
from actbench.model.times import Times
from actbench.runs.bounds import LONGEST_SECONDS, SHORTEST_SECONDS
from actbench.runs.csv_text import csv_text, rows_text
from actbench.runs.formatted import Formatted
from actbench.runs.validity import is_time

CASE = ("activation", "strategy", "backend", "op", "dtype", "size", "operands", "shape", "rows")
MEASURED = ("seconds", "processor")
"""Seconds per call; the share of that wall time in which the process had the processor, 0 where it is unknown."""
COLUMNS = (*CASE, "round", "value", "loops", *MEASURED)
HEADER = csv_text(COLUMNS, ())

EARLIER_CASES = CASE[:-1], CASE[:-2], CASE[:-3]
"""What a case had in files before there were rows, sizes had shapes, and operands had states: all were warm."""

SEARCHED = 1 << 18
"""Bytes of a file that are searched at once."""

Digests = dict[str, dict[int, str]]
"""The digest of a block's rows in a round, by block id and round."""


def digest(data: bytes | memoryview) -> str:
    """Return the first 64 bits of the SHA-256, in hexadecimal."""
    return sha256(data).hexdigest()[:16]


def rows() -> Formatted[tuple[str, str]]:
    """Return what formats the rows of a block in a round, with their digest."""
    return Formatted(_rows)


def to_csv(
    times: Times, blocks: Iterable[Block], calibrations: Mapping[str, Calibration], rows: Formatted[tuple[str, str]]
) -> tuple[str, Digests]:
    """Return the file's text with these blocks, and the digests of its sections; `rows` has those of earlier calls."""
    texts, digests = [HEADER], Digests()
    for block, number, (text, digest_of_rows) in rows.of(times, blocks, calibrations):
        texts.append(text)
        digests.setdefault(block.id, {})[number] = digest_of_rows
    return "".join(texts), digests


def _rows(times: BlockTimes, calibration: Calibration) -> tuple[str, str]:
    keys = _keys(times.block, calibration, times.round)
    shares = times.processor or [(0.0,) * len(of_arm) for of_arm in times.seconds]
    cells = zip(keys, chain(*times.seconds), chain(*shares), strict=True)
    text = rows_text((*key, seconds, share) for key, seconds, share in cells)
    return text, digest(text.encode())


def from_csv(data: bytes, path: Path, written: Iterable[Section], times: Times) -> None:
    """Add the contents of the file to `times`; `written` are its `sections`.

    `InputError` names `path` and the fault where the contents were changed.
    """
    columns = _columns_of_case(data, path)
    starts, view = _starts(data), memoryview(data)
    by_block: dict[Block, list[Section]] = {}
    end = 1
    for section in written:
        end = section.lines.stop
        begin, stop = (int(starts[min(line, len(starts) - 1)]) for line in (section.lines.start, end))
        if digest(view[begin:stop]) != section.digest:
            raise damaged(_difference(data[begin:].splitlines(keepends=True), path, section, columns))
        if not by_block and not data.startswith(_first_key(section, columns).encode(), begin):
            raise damaged(f"{path}, line 1: these are not the columns of the lines below")
        by_block.setdefault(section.block, []).append(section)
    if starts[end] < len(data):
        raise damaged(f"{path}, line {end + 1}: this is more than was measured")
    numbers = _numbers(data, path)
    for block, of_block in by_block.items():
        rows = np.stack([numbers[:, section.lines.start - 1 : section.lines.stop - 1] for section in of_block], axis=1)
        seconds, processor = _pivot(rows, of_block[0].calibration.values)
        known = bool(np.any(processor > 0))
        times.put(block, [section.round for section in of_block], seconds, processor if known else None)


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of a block in a round."""

    block: Block
    calibration: Calibration
    round: int
    digest: str
    lines: slice
    """Their positions among the lines of the file, whose line 0 is the header."""


def sections(blocks: Sequence[Block], calibrations: Mapping[str, Calibration], digests: Digests) -> Iterator[Section]:
    """Yield the sections that have digests, in the order of the file."""
    measured = sorted((number, place) for place, block in enumerate(blocks) for number in digests.get(block.id, ()))
    begin = 1
    for number, place in measured:
        block = blocks[place]
        calibration = calibrations[block.id]
        end = begin + sum(calibration.values)
        yield Section(block, calibration, number, digests[block.id][number], slice(begin, end))
        begin = end


def _starts(data: bytes) -> NDArray[np.int64]:
    """Return where the lines of a file begin, and its length where it ends with a line; a piece at a time, in cache."""
    characters = np.frombuffer(data, np.uint8)
    ends = (
        np.flatnonzero(characters[begin : begin + SEARCHED] == ord("\n")) + begin
        for begin in range(0, characters.size, SEARCHED)
    )
    return np.concatenate([np.zeros(1, np.int64), *(of_piece + 1 for of_piece in ends)])


def _keys(
    block: Block, calibration: Calibration, number: int, columns: tuple[str, ...] = CASE
) -> Iterator[tuple[object, ...]]:
    """Yield the cells before the measured columns, by arm and value."""
    cells_of = attrgetter(*columns)
    for arm, case in enumerate(block.timed):
        cells, calls = cells_of(case), calibration.calls(arm)
        yield from ((*cells, number, value, calls) for value in range(calibration.values[arm]))


def _first_key(section: Section, columns: tuple[str, ...]) -> str:
    """Return how the first line of a section begins."""
    key = next(_keys(section.block, section.calibration, section.round, columns))
    return rows_text([key]).replace("\n", ",")


def _columns_of_case(data: bytes, path: Path) -> tuple[str, ...]:
    """Return the columns that name a case; `InputError` where the file does not begin with its header."""
    for columns in (CASE, *EARLIER_CASES):
        if data.startswith(HEADER.replace(",".join(CASE), ",".join(columns)).encode()):
            return columns
    if data.startswith(HEADER.replace("\n", "\r\n").encode()):
        raise damaged(
            f"{path} has CRLF line ends, from git (core.autocrlf) or an editor, but only LF can be read: "
            "'*.csv -text' in .gitattributes keeps git from it"
        )
    raise damaged(f"{path} does not begin with the columns {','.join(COLUMNS)}")


def _difference(lines: Sequence[bytes], path: Path, section: Section, columns: tuple[str, ...]) -> str:
    """Return in which line a section was changed, if that can be seen; else in which lines a number was changed."""
    keys = rows_text(_keys(section.block, section.calibration, section.round, columns)).splitlines()
    for index, (key, line) in enumerate(zip(keys, chain(lines, repeat(b"")), strict=False), section.lines.start):
        begins = f"{key},"
        if not line:
            return f"{path} is incomplete: it ends before line {index + 1}, {begins}..., in round {section.round}"
        if not line.startswith(begins.encode()):
            return (
                f"{path}, line {index + 1}: {begins}... belongs here, in round {section.round}: lines are missing, "
                "there twice, changed or in another order"
            )
        if not line.endswith(b"\n"):
            return f"{path} is incomplete: line {index + 1}, in round {section.round}, is cut short"
        if not _are_measured(line[len(begins) :]):
            return _no_time(path, index)
    first, last = section.lines.start + 1, section.lines.stop
    return (
        f"{path}, lines {first} to {last}: round {section.round} of {section.block.id} is not as it was measured: a "
        "number was changed"
    )


def _are_measured(cells: bytes) -> bool:
    try:
        seconds, processor = map(float, cells.split(b","))
    except ValueError:
        return False
    return is_time(seconds) and 0 <= processor <= 1


def _no_time(path: Path, index: int) -> str:
    return f"{path}, line {index + 1}: this is not a time in seconds, and a share of the processor from 0 to 1"


def _numbers(data: bytes, path: Path) -> NDArray[np.float64]:
    """Return the seconds and the shares of the processor, columns x rows."""
    if data.count(b"\n") < 2:
        return np.empty((len(MEASURED), 0))
    last = range(-len(MEASURED), 0)
    numbers = np.loadtxt(
        io.BytesIO(data), delimiter=",", skiprows=1, usecols=last, quotechar='"', comments=None, ndmin=2
    ).T
    seconds, processor = numbers
    right = (seconds >= SHORTEST_SECONDS) & (seconds <= LONGEST_SECONDS) & (processor >= 0) & (processor <= 1)
    if not right.all():
        raise damaged(_no_time(path, 1 + int(np.argmin(right))))
    return numbers


def _pivot(rows: NDArray[np.float64], counts: Sequence[int]) -> NDArray[np.float64]:
    """Return columns x rounds x arms x values of columns x rounds x rows; NaN where an arm has fewer values."""
    measured = np.arange(max(counts)) < np.array(counts)[:, None]
    table = np.full((*rows.shape[:2], *measured.shape), np.nan)
    table[:, :, measured] = rows
    return table
