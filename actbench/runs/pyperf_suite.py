"""pyperf.json: the measurements as pyperf's own suite, for ``python -m pyperf stats|show|hist|check``.

One benchmark a case, named by its id; one pyperf run a round. The yardstick of several blocks is one benchmark, with a
run a block and round.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path

import pyperf

from actbench.errors import InputError, damaged
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
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        why = f"cannot read {path} as a pyperf suite: {error}"
        raise InputError(f"{why}; name a run's directory, or its pyperf.json") from None
    seconds: dict[tuple[str, int], dict[Case, tuple[float, ...]]] = {}
    for benchmark in suite:
        for run in benchmark.get_runs():
            metadata = run.get_metadata()
            if ROUND not in metadata or BLOCK not in metadata:
                raise InputError(f"{path} was not written by actbench: its runs do not tell their round and block")
            case = Case.parse(benchmark.get_name())
            if not run.values or not all(0 < value < inf for value in run.values):
                raise damaged(f"{path} is damaged: a run of {case.id} has no values, or one that is no time")
            seconds.setdefault((metadata[BLOCK], metadata[ROUND]), {})[case] = run.values
    finished: list[BlockTimes] = []
    blocks: dict[str, Block] = {}
    for (name, number), by_case in seconds.items():
        cases = [case for case in by_case if not case.is_yardstick]
        if name not in blocks and cases:
            first = cases[0]
            arms = tuple(Arm(case.strategy, case.backend) for case in cases)
            copies = [case.backend for case in by_case if case.is_yardstick]
            empty = Block(first.activation, first.op, first.dtype, first.size, arms)
            several = tuple(name for name in copies if name != empty.yardstick.backend)
            blocks[name] = replace(empty, copies=several)
        if name not in blocks or {*blocks[name].timed} != by_case.keys():
            raise damaged(f"{path} is incomplete: round {number} of {name} does not have all its cases")
        finished.append(BlockTimes(blocks[name], number, tuple(by_case[case] for case in blocks[name].timed)))
    plan = Plan(tuple(blocks.values()), seed=0)
    return plan, Times(plan, finished)


def _dumped(suite: pyperf.BenchmarkSuite) -> str:
    """Return what pyperf would write to a file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "suite.json")
        suite.dump(str(path))
        return path.read_text()
