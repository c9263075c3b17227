"""What does the page of a long history cost? Seconds and bytes, of made-up runs.

    python -m benchmarks.history page [--runs 1000] [--keep DIRECTORY]

One run of a hundred cases is written by the command with workers whose times are exact. The others are copies of it, an
hour apart: every time in its tables is multiplied by a log-normal factor, and has an interval of as many digits as a
measured one; a tenth of the cases steps by 5 % half way.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from actbench.cli import main as command
from actbench.runs.csv_text import FLOATS, csv_text
from actbench.runs.names import CASES, RUN, SPEEDUPS
from tests.support.fake import FakeBench

SELECTION = (
    *("-a", "logistic,tanh,softplus,elu,arctan", "-b", "numpy,numpy-blocked", "-s", "recompute,cached"),
    *("-d", "float64", "--op", "derivative", "-n", "1k,4k,16k,64k,256k", "--operands", "warm"),
    *("--rounds", "6", "--seed", "1", "-q"),
)

SCATTER = 0.005
"""Standard deviation of the logarithm of a run's ratios."""

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)

ESTIMATES = {CASES: ("copies", "copies_low", "copies_high"), SPEEDUPS: ("ratio", "low", "high")}
"""The columns of the tables that are made up."""

REPORTS = 3


def first(directory: Path) -> int:
    """Write the run that others are copies of; return the number of its cases."""
    result = CliRunner().invoke(command, ["run", *SELECTION, "-o", str(directory)], obj=FakeBench().seams)
    assert result.exit_code == 0, result.output
    return sum("yardstick" not in line for line in (directory / CASES).read_text().splitlines()[1:])


def copies(measured: Path, directory: Path, runs: int) -> None:
    """Write so many copies."""
    rng = np.random.default_rng(0)
    record = json.loads((measured / RUN).read_text())
    tables = {name: list(csv.reader((measured / name).read_text().splitlines())) for name in ESTIMATES}
    for number in range(runs):
        place = directory / f"run{number:04}"
        place.mkdir(parents=True)
        created = (BEGUN + timedelta(hours=number)).isoformat(timespec="seconds")
        (place / RUN).write_text(json.dumps(record | {"id": f"{number:016}", "created": created}, indent=2))
        for name, (head, *rows) in tables.items():
            factors = rng.lognormal(0.0, SCATTER, len(rows))
            factors[::10] *= 1.05 if 2 * number >= runs else 1.0
            widths = rng.uniform(0.003, 0.02, (len(rows), 2))
            made_up = [
                _changed(dict(zip(head, row, strict=True)), ESTIMATES[name], *of_row)
                for row, *of_row in zip(rows, factors.tolist(), widths.tolist(), strict=True)
            ]
            (place / name).write_text(csv_text(head, [(*row.values(),) for row in made_up]))


def _changed(
    row: dict[str, str], columns: tuple[str, str, str], factor: float, widths: tuple[float, float]
) -> dict[str, str]:
    """Return a row with an estimate so many times as large, and an interval of such widths."""
    value, below, above = float(row[columns[0]]) * factor, *widths
    estimate = dict(zip(columns, (value, value * (1 - below), value * (1 + above)), strict=True))
    seconds = {"seconds": float(row["seconds"]) * factor} if "seconds" in row else {}
    return row | {name: FLOATS % number for name, number in (estimate | seconds).items()}


def main(words: Sequence[str]) -> None:
    """Print a line for each format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="where the runs are left, or are already")
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as scratch:
        runs, page = arguments.keep or Path(scratch, "runs"), Path(scratch, "history.html")
        if not runs.exists():
            cases = first(Path(scratch, "first"))
            copies(Path(scratch, "first"), runs, arguments.runs)
            print(f"{arguments.runs} runs of {cases} cases are written")
        for figure in ("time", "speedup"):
            took = []
            for _ in range(REPORTS):
                start = time.monotonic()
                options = ["--of", figure, "--format", "html", "-o", str(page)]
                done = subprocess.run(
                    [sys.executable, "-m", "actbench", "history", str(runs), *options],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                took.append(time.monotonic() - start)
            print(f"{done.stderr.splitlines()[0]}: {min(took):.1f} s, {1e-6 * page.stat().st_size:.1f} MB")
