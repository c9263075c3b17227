"""How many cases does a live check leave open in its budget? Whole checks of two identical environments.

    python -m benchmarks.open_cases [--checks 10] [--budget 45s]

On an otherwise idle host, it checks an environment against a copy, as a user would. Printed are, for every check, the
rounds, and the cases that are open and those that are called different; then their shares, with 95 % intervals.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.gate import check, share
from benchmarks.injected import twin_environment

SELECTION = (
    *("-a", "logistic,tanh", "-b", "numpy,numba", "-s", "recompute,cached,complement"),
    *("-d", "float64", "-n", "1000,100000"),
)

DIFFERENT = ("regressed", "improved")

COLUMNS = "{:>5} {:>8} {:>5} {:>8} {:>5} {:>5} {:>10}"


def main() -> None:
    """Check again and again, and print a line for each, and the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=10)
    parser.add_argument("--budget", default="45s")
    arguments = parser.parse_args()
    verdicts = Counter[str]()
    print(COLUMNS.format("check", "seconds", "exit", "rounds", "cases", "open", "different"))
    with TemporaryDirectory() as home:
        twin = str(twin_environment(Path(home)))
        for number in range(1, arguments.checks + 1):
            options = (*SELECTION, "--budget", arguments.budget)
            code, report, seconds = check(sys.executable, twin, Path(home, f"{number}"), *options)
            cases: Any = report["cases"]
            of_check = Counter(case["verdict"] for case in cases)
            verdicts += of_check
            rounds = [case["rounds"] for case in cases]
            different = sum(of_check[verdict] for verdict in DIFFERENT)
            span = f"{min(rounds)}-{max(rounds)}"
            line = (number, f"{seconds:.0f}", code, span, len(cases), of_check["inconclusive"], different)
            print(COLUMNS.format(*line), flush=True)
    print(f"open: {share(verdicts['inconclusive'], verdicts.total())}")
    print(f"called different though the same: {share(sum(verdicts[name] for name in DIFFERENT), verdicts.total())}")


if __name__ == "__main__":
    main()
