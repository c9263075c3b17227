"""numpy over its releases on one host: runs in turns, each release in an environment of its own.

    python -m benchmarks.history releases [--repeats 6] [--rounds 10] [--environments DIRECTORY] [--prepare]

Every repeat runs the command once with each release, in an order that is drawn, so that what the host does over an hour
does not look like a release. The environments are made by venv and pip where they are missing, with the newest numba
and scipy for all; with `--prepare` nothing else is done. results/history gets, of each run, what a history reads, and
the history by numpy as Markdown and CSV. Runs that are there are kept, so that an interrupted call can go on.

numpy's release notes name two changes by which these kernels may step: from 2.3.0 on, wheels for Linux are of
manylinux_2_28, with a newer compiler; 2.4.0 raised the baseline of x86 to x86-64-v2 and regrouped its dispatch.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from actbench.host import directories
from actbench.runs.names import CASES, RUN, SPEEDUPS

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "history"

RELEASES = ("2.0.2", "2.1.3", "2.2.6", "2.3.5", "2.4.0", "2.4.6")
"""The last of each minor version that runs on Python 3.11, and the first of the last one."""

SELECTION = (
    *("-a", "logistic,tanh,arctan", "-b", "numpy", "-s", "recompute,cached", "-d", "float32,float64"),
    *("-n", "1k,100k", "--op", "derivative", "--operands", "warm", "-q"),
)

KEPT = {RUN, CASES, SPEEDUPS}
"""The files that a history reads; the values of all runs would be some megabytes."""


def python_of(environments: Path, release: str) -> Path:
    """Return the interpreter of a release's environment, which is made where it is missing."""
    place = environments / f"numpy-{release}"
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [str(python), "-m", "pip", "install", "-q", f"numpy=={release}", str(ROOT)]
        subprocess.run(pip, check=True)
    return python


def measure(python: Path, place: Path, rounds: int) -> None:
    """Make a run with this checkout in an environment, and keep what a history reads."""
    command = [str(python), "-m", "actbench", "run", *SELECTION, "--rounds", str(rounds), "-o", str(place)]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)
    for file in place.iterdir():
        if file.name not in KEPT:
            file.unlink()


def main(words: Sequence[str]) -> None:
    """Measure, and print the history."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--environments", type=Path, default=directories.cache() / "releases")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--prepare", action="store_true")
    arguments = parser.parse_args(words)
    pythons = {release: python_of(arguments.environments, release) for release in RELEASES}
    if arguments.prepare:
        return
    order = random.Random(0)  # noqa: S311  # not for secrets
    for repeat in range(1, arguments.repeats + 1):
        for release in order.sample(RELEASES, len(RELEASES)):
            place = arguments.output / f"numpy-{release}-{repeat}"
            if not place.exists():
                measure(pythons[release], place, arguments.rounds)
    history = [sys.executable, "-m", "actbench", "history", str(arguments.output), "--by", "numpy"]
    for form, name in (("markdown", "history.md"), ("csv", "history.csv")):
        target = str(arguments.output / name)
        subprocess.run([*history, "--format", form, "-o", target], check=True, cwd=ROOT, capture_output=True)
    subprocess.run(history, check=True, cwd=ROOT)
