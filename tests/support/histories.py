"""Many runs from one that was measured: copies, in whose tables a strategy takes so many times as long."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.selections import edit

CACHED = "logistic/cached/numpy/derivative/float64/1000"

STEADY = (1.002, 0.998, 1.0, 0.999, 1.003, 0.997, 1.001, 1.0)
"""Eight runs that scatter by a fifth of a percent."""

STEP = (*STEADY, *(1.05 * factor for factor in STEADY))
"""Sixteen runs, the second half 5 % slower."""


def runs(
    measured: Path,
    directory: Path,
    factors: Sequence[float],
    change: Callable[[int, Any], object] | None = None,
    scaled: tuple[str, ...] = ("copies", "copies_low", "copies_high", "seconds"),
) -> Path:
    """Write a run for each factor, a day apart, by which `cached` takes longer; `change` edits its run.json."""

    def dated(number: int) -> Callable[[Any], None]:
        def changed(record: Any) -> None:
            record["created"] = f"2026-01-{number + 1:02}T12:00:00+00:00"
            record["id"] = f"{number:016}"
            if change:
                change(number, record)

        return changed

    for number, factor in enumerate(factors):
        place = directory / f"run{number:02}"
        place.mkdir(parents=True)
        for name in ("run.json", "cases.csv", "speedups.csv"):
            shutil.copy(measured / name, place / name)
        edit(place, dated(number))
        rewrite(place / "cases.csv", "strategy", factor, scaled)
        rewrite(place / "speedups.csv", "candidate_strategy", 1 / factor, ("ratio", "low", "high"))
    return directory


def rewrite(path: Path, column: str, factor: float, scaled: Sequence[str]) -> None:
    """Multiply numbers in the rows of `cached`."""
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        times = {name: f"{factor * float(row[name]):.9g}" for name in scaled} if row[column] == "cached" else {}
        writer.writerow(row | times)
    path.write_text(text.getvalue())


def in_json(text: str) -> dict[str, dict[str, Any]]:
    """Return the series of a history in JSON, by case."""
    return {series["case"]: series for series in json.loads(text)["series"]}


def crossing(run: Path, size: int, operands: str = "warm") -> None:
    """Write a crossovers.csv with one crossover, of 5 % to either side."""
    names = f"logistic,derivative,float64,{operands},numpy,recompute,cached"
    head = (
        "activation,op,dtype,operands,backend,reference_strategy,candidate_strategy,"
        "kind,size,low,high,faster_below,faster_above,sizes,decided,rounds"
    )
    bounds = f"{size},{round(0.95 * size)},{round(1.05 * size)}"
    (run / "crossovers.csv").write_text(f"{head}\n{names},crosses,{bounds},recompute,cached,8,8,10\n")
