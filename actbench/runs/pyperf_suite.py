"""pyperf.json: the measurements as a suite of pyperf, for ``python -m pyperf stats|show|hist|check``.

It holds one benchmark per case, named by the case's id, and one pyperf run per round.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pyperf

from actbench.errors import InputError, damaged
from actbench.host import regular
from actbench.model.calibration import Calibration
from actbench.model.cases import YARDSTICK, Arm, Block, Case
from actbench.model.kernel_copies import KERNEL_COPIES
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.sizes import Shape
from actbench.model.times import Times
from actbench.runs.bounds import LARGEST_COUNT, MOST_ROUNDS
from actbench.runs.formatted import Formatted
from actbench.runs.validity import is_time
from actbench.runs.values import digest

ROUND, DIGEST = "actbench_round", "actbench_digest"
"""Metadata that actbench adds to a pyperf run: its round, and a digest of the case, the round and the values."""

SHAPE = "actbench_shape"
"""Metadata of a benchmark whose size was named by a shape."""

SHARED_YARDSTICK_KEY = "actbench_block"
"""Metadata of old suites, whose blocks shared a yardstick; they cannot be read."""

UNIT = "second"

VERSION = "1.0"
"""The version of pyperf's format of files."""

BROKEN = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, IndexError),
    *(EOFError, zlib.error),
)
"""Exceptions that pyperf may raise for a file that is not a suite."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The contents of a suite; its plan has the measured blocks, and a seed of 0."""

    plan: Plan
    times: Times
    loops: Mapping[Case, int]
    """Calls per value, by case."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A pyperf run: a case in a round."""

    case: Case
    round: int
    loops: int
    values: Sequence[float]

    @property
    def block(self) -> Block:
        """The block of the case, without arms."""
        return self.case.empty_block

    @property
    def digest(self) -> str:
        """The digest, which shows whether the row was changed."""
        return digest(repr((self.case.id, self.round, self.loops, *self.values)).encode())


def runs() -> Formatted[tuple[msgspec.Raw, ...]]:
    """Return what formats the pyperf runs of a block in a round, one by arm."""
    return Formatted(_runs)


def to_json(
    times: Times,
    calibrations: Mapping[str, Calibration],
    metadata: Mapping[str, str | float],
    runs: Formatted[tuple[msgspec.Raw, ...]],
) -> str:
    """Return the file's text, or "" where nothing was measured; `metadata` is common to all runs.

    Every round of a run writes it, so it is put together here: pyperf parses the metadata of every pyperf run, and
    encodes them in Python, which took ten times as long. `runs` has those of earlier calls.
    """
    by_case: dict[Case, list[msgspec.Raw]] = {}
    loops: dict[Case, int] = {}
    for block, _, of_arms in runs.of(times, times.planned, calibrations):
        for arm, (case, of_arm) in enumerate(zip(block.timed, of_arms, strict=True)):
            loops[case] = calibrations[block.id].calls(arm)
            by_case.setdefault(case, []).append(of_arm)
    if not by_case:
        return ""
    benchmarks = [{"metadata": _metadata(case, loops[case]), "runs": of_case} for case, of_case in by_case.items()]
    suite = {"version": VERSION, "metadata": {**metadata, "unit": UNIT}, "benchmarks": benchmarks}
    return f"{msgspec.json.encode(suite, order='sorted').decode()}\n"


def read(path: Path) -> Suite:
    """Read a suite written by `to_json`; `InputError` where the file is damaged or not from actbench."""
    try:
        suite = pyperf.BenchmarkSuite.loads(_text(path))
        runs = [(benchmark.get_name(), run) for benchmark in suite for run in benchmark.get_runs()]
    except BROKEN as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise InputError(
            f"cannot read {path} as a pyperf suite: {why}; name a run's directory, or its pyperf.json"
        ) from None
    rows: dict[tuple[Block, int], dict[Case, _Row]] = {}
    for name, run in runs:
        row = _row(path, name, run)
        of_round = rows.setdefault((row.block, row.round), {})
        if row.case in of_round:
            raise InputError(
                f"{path} has round {row.round} of {row.case.id} twice: runs that were joined into one suite cannot be "
                "distinguished; name each by itself"
            )
        of_round[row.case] = row
    finished = [*_finished(path, rows)]
    plan = Plan(tuple(dict.fromkeys(times.block for times in finished)), seed=0)
    loops = {row.case: row.loops for of_round in rows.values() for row in of_round.values()}
    return Suite(plan, Times(plan, finished), loops)


def _runs(times: BlockTimes, calibration: Calibration) -> tuple[msgspec.Raw, ...]:
    rows = (
        _Row(case, times.round, calibration.calls(arm), seconds)
        for arm, (case, seconds) in enumerate(zip(times.block.timed, times.seconds, strict=True))
    )
    return tuple(
        msgspec.Raw(msgspec.json.encode({"metadata": {DIGEST: row.digest, ROUND: row.round}, "values": row.values}))
        for row in rows
    )


def _metadata(case: Case, loops: int) -> dict[str, Any]:
    named = {"name": case.id, "loops": loops}
    return named | {SHAPE: str(case.shape)} if case.shape else named


def _text(path: Path) -> str:
    data = regular.read(path)
    if path.suffix == ".gz":
        with gzip.open(io.BytesIO(data)) as file:
            data = file.read(regular.LARGEST_FILE)
    return data.decode()


def _row(path: Path, name: str, run: pyperf.Run) -> _Row:
    """Return the contents of a pyperf run; `InputError` where they were changed."""
    metadata = run.get_metadata()
    if SHARED_YARDSTICK_KEY in metadata:
        raise InputError(f"{path} is from an actbench whose blocks shared a yardstick: name the run's directory")
    if not {ROUND, DIGEST} <= metadata.keys():
        raise InputError(f"{path} was not written by this actbench: its runs have no round and no digest")
    case = _with_shape(path, Case.parse(name), str(metadata.get(SHAPE, "")))
    if metadata.get("unit", UNIT) != UNIT:
        raise damaged(f"{path} is damaged: {case.id} is in '{metadata['unit']}', and times are in '{UNIT}'")
    row = _Row(case, metadata[ROUND], metadata.get("loops", 1), run.values)
    for key, number, most in ((ROUND, row.round, MOST_ROUNDS), ("loops", row.loops, LARGEST_COUNT)):
        if not isinstance(number, int) or not 0 < number <= most:
            raise damaged(f"{path} is damaged: {key} of {case.id} is {number}, and can be 1 to {most}")
    if not row.values or not all(map(is_time, row.values)):
        raise damaged(f"{path} is damaged: round {row.round} of {case.id} has no values, or one that is no time")
    if row.digest != metadata[DIGEST]:
        raise damaged(f"{path} is damaged: round {row.round} of {case.id} is not as it was measured")
    return row


def _with_shape(path: Path, case: Case, text: str) -> Case:
    """Return a case with the shape that names its size; `InputError` where it is of another number of elements."""
    shape = Shape(text)
    if shape and shape.elements != case.size:
        raise damaged(f"{path} is damaged: {case.id} cannot be of the shape {shape}")
    return replace(case, shape=shape)


def _finished(path: Path, rows: Mapping[tuple[Block, int], Mapping[Case, _Row]]) -> Iterator[BlockTimes]:
    """Yield the blocks of each round; the first round of a block determines its cases."""
    blocks: dict[Block, Block] = {}
    for (empty, number), by_case in rows.items():
        block = blocks.setdefault(empty, _with_arms(empty, by_case))
        if not block.arms or {*block.timed} != by_case.keys():
            raise damaged(f"{path} is incomplete: round {number} of {block.id} does not have all its cases, or others")
        yield BlockTimes(block, number, tuple(tuple(by_case[case].values) for case in block.timed))


def _with_arms(empty: Block, timed: Iterable[Case]) -> Block:
    timed = [*timed]
    copies = (case.backend for case in timed if case.strategy == YARDSTICK and case != empty.yardstick)
    of_kernels = (case.strategy for case in timed if case.strategy in KERNEL_COPIES)
    arms = (Arm(case.strategy, case.backend) for case in timed if not case.is_yardstick)
    return replace(empty, arms=tuple(arms), copies=tuple(copies), kernel_copies=tuple(of_kernels))
