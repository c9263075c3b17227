"""How good are actbench's kernels? The figures that they are held to, as ratios inside one run of the preset peers.

    python -m benchmarks.peers [--budget 10m] [RUN]

Prints, with 95 % intervals: numba-simd's recompute against the fastest other library; cached, and several threads,
against the copies that bound them; numpy in blocks against numpy. With RUN, a finished run is read.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from actbench.analysis.figures import Figures
from actbench.analysis.speedups import KnownSpeedups, Speedup
from actbench.model.cases import Block
from actbench.report.numbers import count, plus_minus
from actbench.report.results import analyse
from actbench.runs.archive import Run, load
from benchmarks.whole_run import whole_run

OTHERS = ("numpy", "numexpr", "torch", "torch-compile", "jax", "onednn")
"""The libraries that one would use instead."""

LARGE_SIZE = 1_000_000


def fastest(block: Block, speedups: Sequence[Speedup]) -> Speedup | None:
    """Return the speedup of numba-simd's recompute over the fastest of the others: the smallest."""
    against = [
        speedup
        for speedup in speedups
        if speedup.candidate.strategy == speedup.reference.strategy == "recompute"
        and {speedup.candidate.backend, speedup.reference.backend} & {"numba-simd"}
        and {speedup.candidate.backend, speedup.reference.backend} & {*OTHERS}
        and speedup.candidate.size == block.size
    ]
    return min(map(towards_simd, against), key=lambda speedup: speedup.ratio.value, default=None)


def towards_simd(speedup: Speedup) -> Speedup:
    """Return the speedup with numba-simd as its candidate."""
    return speedup if speedup.candidate.backend == "numba-simd" else speedup.swapped()


def copy_limit(figures: Figures) -> str:
    """Return the percentage of the rate of the copy that bounds a case, with its interval, and which copy that is."""
    return f"{plus_minus(figures.copy_limit_pct)} % of the rate of {figures.copy_limit_of}"


def lines(run: Run) -> Iterator[str]:
    """Say what each figure comes to, block by block."""
    assert run.record is not None  # a directory has one
    figures = {row.case: row for row in analyse(run.times, run.record).figures}
    for block in run.times.blocks:
        speedups = KnownSpeedups(run.times).of([block])[block]
        name = f"{block.activation:<9} {block.dtype} {count(block.size):>11}"
        best = fastest(block, speedups)
        if best is not None:
            ratio = plus_minus(best.ratio)
            yield f"{name}  recompute: numba-simd {ratio} times faster than {best.reference.backend}"
        for backend in ("numba-simd", "numba", "numba-parallel"):
            for case in block.cases:
                if (case.strategy, case.backend) == ("cached", backend):
                    yield f"{name}  cached: {backend} at {copy_limit(figures[case])}"
        for speedup in speedups:
            names = {speedup.reference.backend, speedup.candidate.backend}
            if names == {"numpy", "numpy-blocked"} and block.size >= LARGE_SIZE:
                way = speedup if speedup.candidate.backend == "numpy-blocked" else speedup.swapped()
                ratio = plus_minus(way.ratio)
                yield f"{name}  {way.candidate.strategy}: numpy-blocked {ratio} times faster than numpy"


def main() -> None:
    """Measure, or read, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--budget", default="10m")
    chosen = parser.parse_args()
    run = load(chosen.run) if chosen.run else whole_run("--preset", "peers", "--budget", chosen.budget)[0]
    measured = dict.fromkeys(arm.backend for block in run.plan.blocks for arm in block.arms)
    missing = [name for name in OTHERS if name not in measured]
    print(f"measured: {', '.join(measured)}; not installed: {', '.join(missing) or 'none'}")
    print("\n".join(lines(run)))


if __name__ == "__main__":
    main()
