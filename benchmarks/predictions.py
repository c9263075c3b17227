"""How well the durations of runs are predicted: five small selections, predicted by ``--dry-run`` and then measured.

    python -m benchmarks.predictions

A prediction holds where it is within a factor of 1.5 of the time that the run took, on a quiet host. Where other
processes are at work, the processor time of the run and of its workers tells more than its duration, and is shown
beside it. Kernels that numba compiles are compiled before, in a run that is not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

ROUNDS = "3"

SELECTIONS = (
    "run -a logistic -s recompute,cached -b numpy -n 1000 -d float64",
    "run --preset smoke",
    "run --preset check",
    "run -a logistic,gelu -b numpy -n 100k --operands warm,cold",
    "train dense:256-256 -a tanh -b numpy -s recompute,cached,free",
)

HOLDS = 1.5
"""The factor within which a prediction holds."""

UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="Rounds of each run.")
def main(rounds: str) -> None:
    """Print, for each selection, the predicted seconds, the measured ones, and their ratio."""
    click.echo(f"{'predicted':>9} {'took':>6} {'ratio':>6} {'processor':>9}  selection")
    failed = 0
    for selection in SELECTIONS:
        command = [sys.executable, "-m", "actbench", *selection.split(), "--rounds", rounds, "-q"]
        predicted = seconds_of(_output([*command, "--dry-run"]).strip().rpartition(": ")[2])
        with TemporaryDirectory() as directory:
            _output([*command, "-o", str(Path(directory, "compiled"))])
            before, start = os.times(), time.monotonic()
            _output([*command, "-o", str(Path(directory, "run"))])
            took, after = time.monotonic() - start, os.times()
        processor = sum(after[2:4]) - sum(before[2:4])
        failed += not 1 / HOLDS <= predicted / took <= HOLDS
        click.echo(f"{predicted:9.1f} {took:6.1f} {predicted / took:6.2f} {processor:9.1f}  {selection}")
    if failed:
        sys.exit(f"{failed} of {len(SELECTIONS)} predictions are off by more than a factor of {HOLDS:g}")


def seconds_of(text: str) -> float:
    """Return the seconds of a duration as it is shown, such as ``1 min 20 s``."""
    words = text.split()
    return sum(float(number) * UNITS[unit] for number, unit in zip(words[::2], words[1::2], strict=True))


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
