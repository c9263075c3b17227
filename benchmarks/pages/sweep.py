"""The sentences of a sweep over sizes, as the summary of its run has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actbench.analysis.crossovers import curves
from actbench.analysis.speedups import ratios
from actbench.report.crossovers import sentences
from actbench.runs.archive import load

RUN = Path(__file__).parents[2] / "results" / "sweep"


def lines(run: Path = RUN) -> Iterator[str]:
    """Yield a sentence a curve, as plain text."""
    times = load(run).times
    yield "```text"
    yield from sentences(list(curves(ratios(times, times.blocks))))
    yield "```"
