"""Is this actbench slower than another one? Its commands in turns with those of another environment.

    python -m benchmarks.versions PYTHON [--pairs 5] [--runs OURS THEIRS]

PYTHON is the interpreter of an environment that has the other version. Printed is, for each command, the ratio of wall
seconds, this version over the other, pair by pair: the median and the range. Of `run` also the ratio of the median half
widths of all speedups. With `--runs`, `report` reads a run that each version wrote itself, e.g. the made-up ones of
`benchmarks.full_report --keep`.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

CHECK_ARGS = ("-b", "numpy,numba", "-s", "recompute,cached", "-n", "1k,10k,100k", "-d", "float64", "--op", "derivative")
"""The selection of a live check of 24 cases."""

RUN_ARGS = ("-n", "1k,100k,4M", "--budget", "1m")
"""The cases of the default preset with warm operands, which every version measures."""

LONG_PAIRS = 2
"""Pairs of commands that take minutes."""


def seconds_of(python: str, place: Path, *arguments: str) -> float:
    """Return the wall seconds of an actbench command; it runs in an empty directory, so that no checkout is imported.

    A check may end with 3, inconclusive, on a noisy host.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    start = time.monotonic()
    done = subprocess.run([python, "-m", "actbench", *arguments], cwd=place, env=variables, capture_output=True)  # noqa: PLW1510
    seconds = time.monotonic() - start
    if done.returncode not in {0, 3}:
        sys.exit(f"{python} -m actbench {' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode()}")
    return seconds


def half_width(run: Path) -> float:
    """Return the median relative half width of the speedups of a run."""
    with (run / "speedups.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["low"]]
    return float(statistics.median((float(row["high"]) / float(row["low"])) ** 0.5 - 1 for row in rows))


def say(what: str, ratios: list[float], unit: str) -> None:
    """Print the ratios of one command."""
    median, low, high = statistics.median(ratios), min(ratios), max(ratios)
    print(f"{what:<28} {unit}: {median:.3f} times ({low:.3f} to {high:.3f}, {len(ratios)} pairs)", flush=True)


def compare_commands(what: str, pairs: int, ours: Callable[[], float], theirs: Callable[[], float]) -> None:
    """Call both once to warm up, then in turns, and print the ratios."""
    ours(), theirs()
    say(what, [ours() / theirs() for _ in range(pairs)], "seconds")


def compare_runs(pythons: tuple[str, str], place: Path) -> None:
    """Measure warm cases of the default preset in turns, and print the ratios of durations and half widths."""
    seconds, widths = [], []
    for seed in range(LONG_PAIRS):
        runs = [place / f"{seed}-{side}" for side in ("ours", "theirs")]
        took = [
            seconds_of(python, place, "run", "-q", *RUN_ARGS, "--seed", str(seed), "-o", str(run))
            for python, run in zip(pythons, runs, strict=True)
        ]
        seconds.append(took[0] / took[1])
        widths.append(half_width(runs[0]) / half_width(runs[1]))
    say("run, warm operands", seconds, "seconds")
    say("run, warm operands", widths, "half widths")


def compare_checks(pythons: tuple[str, str], place: Path) -> None:
    """Check each environment against itself, in turns, and print the ratios of durations."""
    ratios = []
    for seed in range(LONG_PAIRS):
        options = ("check", "-q", "--seed", str(seed), *CHECK_ARGS, "--against")
        ours, theirs = (seconds_of(python, place, *options, python) for python in pythons)
        ratios.append(ours / theirs)
    say("check against itself", ratios, "seconds")


def main() -> None:
    """Print a line a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--runs", nargs=2, type=Path, metavar=("OURS", "THEIRS"))
    arguments = parser.parse_args()
    pythons = (sys.executable, arguments.python)
    commands: dict[str, Sequence[Sequence[str]]] = {"--help": [("--help",)] * 2, "list": [("list",)] * 2}
    if arguments.runs:
        commands["report"] = [("report", str(run.resolve()), "-o", "page.html") for run in arguments.runs]
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for what, words in commands.items():
            sides = [partial(seconds_of, python, place, *side) for python, side in zip(pythons, words, strict=True)]
            compare_commands(what, arguments.pairs, *sides)
        compare_runs(pythons, place)
        compare_checks(pythons, place)


if __name__ == "__main__":
    main()
