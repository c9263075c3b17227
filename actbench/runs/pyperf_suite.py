"""pyperf.json: the measurements as pyperf's own suite, for ``python -m pyperf stats|show|hist|check``.

One benchmark a case, named by its id; one pyperf run a round. The yardstick of several blocks is one benchmark, with a
run a block and round.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pyperf

from actbench.errors import InputError
from actbench.model import Arm, Block, BlockTimes, Calibration, Case, Plan
from actbench.runs.times import Times

ROUND, BLOCK = "actbench_round", "actbench_block"
"""Our own metadata of a pyperf run."""


def to_json(times: Times, calibrations: Mapping[str, Calibration], metadata: Mapping[str, str | float]) -> str:
    """Return the file's text; `metadata` is common to all runs."""
    runs: dict[Case, list[pyperf.Run]] = {}
    for finished in times.finished():
        for arm, (case, values) in enumerate(zip(finished.block.timed, finished.seconds, strict=True)):
            own = {
                "name": case.id,
                "unit": "second",
                "loops": calibrations[finished.block.id].calls(arm),
                ROUND: finished.round,
                BLOCK: finished.block.id,
            }
            run = pyperf.Run(values, metadata={**metadata, **own}, collect_metadata=False)
            runs.setdefault(case, []).append(run)
    if not runs:
        return ""
    suite = pyperf.BenchmarkSuite([pyperf.Benchmark(of_case) for of_case in runs.values()])
    return _dumped(suite)


def from_json(path: Path) -> tuple[Plan, Times]:
    """Read a suite written by `to_json`; the plan holds what was measured, and no seed is known.

    `InputError` when the file is damaged or not one of actbench's.
    """
    try:
        suite = pyperf.BenchmarkSuite.load(str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    seconds: dict[tuple[str, int], dict[Case, tuple[float, ...]]] = {}
    for benchmark in suite:
        case = Case.parse(benchmark.get_name())
        for run in benchmark.get_runs():
            metadata = run.get_metadata()
            if ROUND not in metadata or BLOCK not in metadata:
                raise InputError(f"{path} was not written by actbench: its runs do not tell their round and block")
            seconds.setdefault((metadata[BLOCK], metadata[ROUND]), {})[case] = run.values
    finished: list[BlockTimes] = []
    blocks: dict[str, Block] = {}
    for (name, number), by_case in seconds.items():
        *cases, yardstick = by_case
        first = cases[0] if cases else yardstick
        block = blocks.setdefault(
            name,
            Block(
                first.activation, first.op, first.dtype, first.size, tuple(Arm(c.strategy, c.backend) for c in cases)
            ),
        )
        if block.timed != tuple(by_case):
            raise InputError(f"{path} is incomplete: round {number} of {name} does not have all its cases")
        finished.append(BlockTimes(block, number, tuple(by_case.values())))
    plan = Plan(tuple(blocks.values()), seed=0)
    return plan, Times(plan, finished)


def _dumped(suite: pyperf.BenchmarkSuite) -> str:
    """Return what pyperf would write to a file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "suite.json")
        suite.dump(str(path))
        return path.read_text()
