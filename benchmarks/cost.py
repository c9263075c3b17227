"""What does a case cost? actbench and stock pyperf's defaults, for intervals no wider.

    python -m benchmarks.cost [--processes 20]

Both measure the same 24 cases. pyperf goes first; actbench then measures the fewest rounds that give an interval, and
as many more as it takes until the median half width of its intervals is no wider. Printed are the half widths of the
95 % intervals of all speedups, which pyperf's processes give without pairing.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import chain, count

from actbench.analysis.speedups import KnownSpeedups
from actbench.analysis.statistics import MIN_ROUNDS
from benchmarks.whole_run import whole_run

SELECTION = ("-b", "numpy,numba", "-s", "recompute,cached", "-n", "1k,10k,100k", "-d", "float64", "--op", "derivative")


def measured(*options: str) -> tuple[float, list[float]]:
    """Run actbench; return wall seconds a case, and the half widths of all speedups, relative."""
    run, seconds = whole_run(*SELECTION, *options)
    speedups = [*chain.from_iterable(KnownSpeedups(run.times).of(run.times.blocks).values())]
    return seconds / len(run.plan.cases), [speedup.half_width for speedup in speedups]


def say(engine: str, seconds: float, widths: list[float]) -> None:
    """Print what a case cost and what came of it."""
    median, widest = 100 * statistics.median(widths), 100 * max(widths)
    print(
        f"{engine:<22} {seconds:6.2f} s a case; half widths: median {median:.2f} %, widest {widest:.2f} %", flush=True
    )


def main() -> None:
    """Print seconds a case and interval widths of both, and the ratio of the costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=20, help="of stock pyperf, by its default 20")
    arguments = parser.parse_args()
    stock, wide = measured("--engine", "pyperf", "--rounds", str(arguments.processes))
    say("stock pyperf", stock, wide)
    for rounds in count(MIN_ROUNDS, 2):
        seconds, widths = measured("--rounds", str(rounds))
        say(f"actbench, {rounds} rounds", seconds, widths)
        if statistics.median(widths) <= statistics.median(wide):
            break
    print(f"stock pyperf takes {stock / seconds:.0f} times as long a case")


if __name__ == "__main__":
    main()
