"""How far does a ratio vary over whole runs? actbench and stock pyperf, on a quiet and on a busy processor.

    python -m benchmarks.repeatability [--runs 8] [--processes 20] [--engine actbench]

Every run measures numpy's logistic derivative at n = 10 000 in float64, recompute over cached. actbench gets 9 s a run;
pyperf gets its defaults. Printed is the standard deviation, over the runs, of the ratio's logarithm in percent.
"""

from __future__ import annotations

import argparse
import statistics
from math import log

from actbench.analysis.speedups import KnownSpeedups
from benchmarks.neighbour import neighbour
from benchmarks.whole_run import whole_run

SELECTION = (
    "-a",
    "logistic",
    "-b",
    "numpy",
    "-s",
    "recompute,cached",
    "-n",
    "10k",
    "-d",
    "float64",
    "--op",
    "derivative",
)


def measured(*options: str) -> tuple[float, float]:
    """Run actbench with these options; return the ratio and the wall seconds."""
    run, seconds = whole_run(*SELECTION, *options)
    (block,) = run.plan.blocks
    (speedup,) = KnownSpeedups(run.times).of([block])[block]
    return speedup.ratio.value, seconds


def main() -> None:
    """Print one line an engine and condition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--processes", type=int, default=20, help="of stock pyperf, by its default 20")
    parser.add_argument("--engine", choices=["actbench", "stock pyperf"], help="only this one")
    arguments = parser.parse_args()
    engines = {
        "actbench": ("--budget", "9s", "--target", "0.01"),
        "stock pyperf": ("--engine", "pyperf", "--rounds", str(arguments.processes)),
    }
    print(f"{'engine':<14} {'processor':<10} {'ratio':>7} {'sd':>8} {'seconds a run':>14}")
    for busy in (False, True):
        for engine, options in engines.items():
            if arguments.engine not in {None, engine}:
                continue
            with neighbour(busy=busy):
                ratios, seconds = zip(*(measured(*options) for _ in range(arguments.runs)), strict=True)
            spread = 100 * statistics.stdev(map(log, ratios))
            print(
                f"{engine:<14} {'busy' if busy else 'quiet':<10} {statistics.median(ratios):>7.3f} {spread:>6.2f} % "
                f"{statistics.median(seconds):>14.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
