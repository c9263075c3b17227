"""The journal: a line for every finished block, with the parts of its training steps, so that a kill loses none.

A line holds the id of its run, the number of saves before it, its own number since then, and a digest of all of these.
Only the last line may be incomplete, if the process was killed. Any other line whose digest does not match is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from actbench.errors import InputError
from actbench.model.cases import Block
from actbench.model.outcomes import BlockTimes
from actbench.runs.record import Record
from actbench.runs.validity import is_time
from actbench.runs.validity_training import are_parts
from actbench.runs.values import digest


@dataclass(frozen=True, slots=True)
class Line:
    """A block of a round."""

    run: str
    """The run's id."""
    saves: int
    """How often the run had been saved before."""
    line: int
    """Number of the line in the journal, from 1."""
    block: str
    round: int
    seconds: tuple[tuple[float, ...], ...]
    processor: tuple[tuple[float, ...], ...] = ()
    parts: tuple[tuple[float, ...], ...] | msgspec.UnsetType = msgspec.UNSET
    """Of training steps, the seconds of their parts, by arm; not written where there are none."""
    digest: str = ""
    """Digest of all other fields."""


def line(record: Record, number: int, times: BlockTimes) -> bytes:
    """Return a line, with its newline and the parts that the record has of the round; `number` counts from 1."""
    block, of_round = times.block.id, times.round
    known = record.parts.get(block, {}).get(of_round)
    parts = tuple(map(tuple, known)) if known else msgspec.UNSET
    entry = Line(record.id, record.saves, number, block, of_round, times.seconds, times.processor, parts)
    return msgspec.json.encode(sealed(entry)) + b"\n"


def read(data: bytes, path: Path, record: Record) -> Iterator[BlockTimes]:
    """Yield the blocks that were finished since the last save, and note their parts in the record.

    `InputError` names a damaged line.

    Lines from before the last save are skipped: the process was killed before it could remove the journal.
    """
    blocks: dict[str, Block] = {block.id: block for block in (*record.plan.blocks, *record.plan.probes)}
    for number, text in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            entry = msgspec.json.decode(text, type=Line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _damaged(path, number, error) from None
        if sealed(entry) != entry or entry.line != number or entry.run != record.id or entry.saves > record.saves:
            raise _damaged(path, number, "lines before this one are missing, or it was changed")
        if entry.saves < record.saves:
            continue  # cases may have been left out since
        calibration = record.calibrations.get(entry.block)
        counts = tuple(map(len, entry.seconds))
        right = calibration is not None and counts == calibration.values and entry.round > 0
        right &= not entry.processor or tuple(map(len, entry.processor)) == counts
        right &= all(0 <= share <= 1 for arm in entry.processor for share in arm)
        parts = () if isinstance(entry.parts, msgspec.UnsetType) else entry.parts
        right = right and (not parts or are_parts(blocks[entry.block], parts))
        if not right or not all(is_time(value) for arm in entry.seconds for value in arm):
            raise _damaged(path, number, f"this is not of block {entry.block} as it was calibrated")
        if parts:
            record.note_parts(entry.block, entry.round, parts)
        yield BlockTimes(blocks[entry.block], entry.round, entry.seconds, entry.processor)


def sealed(entry: Line) -> Line:
    """Return a line with its digest."""
    return replace(entry, digest=digest(msgspec.json.encode(replace(entry, digest=""))))


def _damaged(path: Path, number: int, why: object) -> InputError:
    return InputError(f"{path} is damaged: line {number}: {why}; remove it: the rounds before it are in values.csv")
