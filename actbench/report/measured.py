"""What a run's measurements come to: computed once, for its files, its tables and its charts."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.analysis.crossovers import Curve, curves
from actbench.analysis.figures import Figures, figures
from actbench.analysis.ladder import Step, steps
from actbench.analysis.speedups import Speedup, ratios, speedups
from actbench.runs.record import Record
from actbench.runs.times import Times


@dataclass(frozen=True, slots=True)
class Measured:
    """Of every case, pair, rung and series of sizes."""

    figures: tuple[Figures, ...]
    speedups: tuple[Speedup, ...]
    steps: tuple[Step, ...]
    curves: tuple[Curve, ...]


def measured(times: Times, record: Record) -> Measured:
    """Analyse all that was measured."""
    found = ratios(times, times.blocks)
    return Measured(
        figures=tuple(figures(times, record.calibrations, record.checks)),
        speedups=tuple(speedups(found)),
        steps=tuple(step for block in times.blocks for step in steps(times, block)),
        curves=tuple(curves(found)),
    )
