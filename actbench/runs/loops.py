"""How many calls one value of a case takes."""

from __future__ import annotations

import pyperf

from actbench.errors import damaged
from actbench.model import Case
from actbench.runs.archive import Run


def loops(run: Run) -> dict[Case, int]:
    """Return calls in a value by case: as calibrated, or of a suite without its run.json as pyperf's metadata tell."""
    if run.record is None:
        suite = pyperf.BenchmarkSuite.load(str(run.path))
        found = {Case.parse(benchmark.get_name()): benchmark.get_runs()[0].get_loops() for benchmark in suite}
        if not all(isinstance(calls, int) and calls > 0 for calls in found.values()):
            raise damaged(f"{run.path} is damaged: it has loops that are no count of calls")
        return found
    calibrations = run.record.calibrations
    return {
        case: calibrations[block.id].calls(arm) for block in run.times.blocks for arm, case in enumerate(block.timed)
    }
