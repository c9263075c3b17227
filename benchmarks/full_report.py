"""What does a report of the full preset cost? Seconds and bytes, from a made-up run: measuring one takes hours.

    python -m benchmarks.full_report [--rounds 6] [--values 29] [--keep DIRECTORY]

Times are log-normal around so many nanoseconds an element; a round has as many values as those of results/reference,
on average. Next to the report's seconds it prints those of starting Python with the libraries that it needs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from actbench import registry
from actbench.host import environment
from actbench.model.calibration import Calibration
from actbench.model.checks import BANDS, Check
from actbench.model.outcomes import BlockTimes
from actbench.planning import costs, presets, suite
from actbench.planning.room import room_here
from actbench.report.numbers import count
from actbench.runs.record import Engine, Record, Settings, Status
from actbench.runs.writer import create

NS_PER_ELEMENT = 1e-9
CALL = 1e-7
"""Seconds."""
PROBE_VALUES = 3
SPREAD = 0.01
"""Standard deviation of the logarithm of a value."""

REPORTS = 3


def made_up(directory: Path, rounds: int, values: int) -> int:
    """Write a run of every case of the preset; return how many there are."""
    rng = np.random.default_rng(0)
    preset = presets.get("full")
    plan = suite.plan(preset.axes, room_here(preset.axes), seed=0)
    settings = Settings(preset.name, Engine.INTERLEAVED, 0.02, None, None, preset.arm_seconds, 60.0)
    record = Record(plan, settings, environment.collect(None), "2026-01-01T00:00:00+00:00", rounds=rounds)
    for kernel in plan.kernels:
        bands = tuple(rng.uniform(0.1, 4.0, len(BANDS)).round(2).tolist())
        kept, moved = int(costs.residual_bytes(kernel.at(1))), costs.bytes_moved(kernel.at(1))
        preallocates = registry.backend(kernel.backend).preallocates
        check = Check(kernel, 2.0, 1.0, by_band=bands, kept_bytes=kept, moved_bytes=moved, preallocates=preallocates)
        record.checks.append(check)
    probes = {*plan.probes}
    with create(directory, record) as writer:
        for block in (*plan.blocks, *plan.probes):
            arms, count = len(block.timed), PROBE_VALUES if block in probes else values
            record.calibrations[block.id] = Calibration((10,) * arms, (count,) * arms, 2, 1.0)
            usual = CALL + block.size * NS_PER_ELEMENT * np.arange(1, arms + 1)[:, np.newaxis]
            for number in range(1, rounds + 1):
                seconds = usual * rng.lognormal(0.0, SPREAD, (arms, count))
                times = BlockTimes(block, number, tuple(map(tuple, seconds.tolist())), ((1.0,) * count,) * arms)
                writer.times.add(times)
        writer.close(Status.COMPLETE, 1.0)
    return len(plan.cases)


def seconds_of(*arguments: str) -> float:
    """Return the wall seconds of Python with these arguments: the least of a few times."""
    took = []
    for _ in range(REPORTS):
        start = time.monotonic()
        subprocess.run([sys.executable, *arguments], check=True, stderr=subprocess.DEVNULL)
        took.append(time.monotonic() - start)
    return min(took)


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--values", type=int, default=29)
    parser.add_argument("--keep", type=Path, help="where the run is left, for other uses")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run, page = arguments.keep or Path(scratch, "run"), Path(scratch, "report.html")
        cases = made_up(run, arguments.rounds, arguments.values)
        seconds = seconds_of("-m", "actbench", "report", str(run), "-o", str(page))
        start = seconds_of("-c", "import pandas, jinja2")
        read = (run / "values.csv").stat().st_size
        print(
            f"{count(cases)} cases, {1e-6 * read:.0f} MB of values: {seconds:.1f} s, of which {start:.1f} s to start "
            f"Python; {1e-6 * page.stat().st_size:.1f} MB"
        )


if __name__ == "__main__":
    main()
