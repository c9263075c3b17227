"""What does a case cost? actbench beside stock pyperf's defaults, for intervals no wider.

    python -m tests.bench.cost [--processes 20]

Both measure the same 24 cases. actbench measures the fewest rounds that give an interval; printed are the half widths
of the 95 % intervals of all speedups, which pyperf's processes give without pairing.
"""

from __future__ import annotations

import argparse
import statistics

from actbench.analysis.speedups import Speedup, speedups
from actbench.analysis.statistics import MIN_ROUNDS
from tests.bench.whole_run import whole_run

SELECTION = ("-b", "numpy,numba", "-s", "recompute,cached", "-n", "1k,10k,100k", "-d", "float64", "--op", "derivative")


def measured(*options: str) -> tuple[float, int, list[float]]:
    """Run actbench; return wall seconds, the number of cases, and the half widths of all speedups, relative."""
    run, seconds = whole_run(*SELECTION, *options)
    found: list[Speedup] = [each for block in run.times.blocks for each in speedups(run.times, block)]
    return seconds, len(run.plan.cases), [each.half_width for each in found]


def main() -> None:
    """Print seconds a case and interval widths of both, and the ratio of the costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=20, help="of stock pyperf, by its default 20")
    arguments = parser.parse_args()
    costs = {}
    for engine, options in {
        "stock pyperf": ("--engine", "pyperf", "--rounds", str(arguments.processes)),
        "actbench": ("--rounds", str(MIN_ROUNDS)),
    }.items():
        seconds, cases, widths = measured(*options)
        costs[engine] = seconds / cases
        print(
            f"{engine:<14} {cases} cases, {seconds / cases:6.2f} s a case; half widths: "
            f"median {100 * statistics.median(widths):.2f} %, widest {100 * max(widths):.2f} %",
            flush=True,
        )
    print(f"stock pyperf takes {costs['stock pyperf'] / costs['actbench']:.0f} times as long a case")


if __name__ == "__main__":
    main()
