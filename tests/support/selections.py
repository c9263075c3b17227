"""Selections that several test files measure, and how their files are read back and edited."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAIR = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "--seed", "1")
"""Two arms; sizes are to be added."""

SMALL = (*PAIR, "-n", "1000")
"""One block of two arms."""

SPEEDUPS = """\
activation,op,dtype,size,operands,shape,rows,reference_strategy,reference_backend,candidate_strategy,candidate_backend,ratio,\
low,high,rounds
logistic,derivative,float64,1000,warm,,1,recompute,numpy,cached,numpy,4,4,4,6
"""
"""What SMALL gives with exact times."""

TWO_BLOCKS = (*PAIR, "-n", "1000,2000")

UNPROBED = {"cases.csv", "pyperf.json", "run.json", "speedups.csv", "summary.md", "values.csv"}
"""The files of a run that has no probes: of stock pyperf, of the overhead ladder, or a check's."""

FILES = {*UNPROBED, "probes.csv"}


def rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def names(directory: Path) -> set[str]:
    """Name everything in a directory."""
    return {entry.name for entry in directory.iterdir()}


def record(directory: Path) -> Any:
    """Read a run's run.json."""
    return json.loads((directory / "run.json").read_text())


def edit(run: Path, change: Callable[[Any], object]) -> None:
    """Change what a run's run.json says."""
    changed = record(run)
    change(changed)
    (run / "run.json").write_text(json.dumps(changed))
