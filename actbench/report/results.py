"""The results of a run, computed once for its files, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actbench.analysis import training, training_sweep
from actbench.analysis.crossovers import Curve, curves
from actbench.analysis.figures import Figures, figures
from actbench.analysis.ladder import Step, steps
from actbench.analysis.medians import medians_per_round
from actbench.analysis.speedups import Speedup, ratios, speedups
from actbench.analysis.statistics import Floats
from actbench.analysis.training import ArmResult
from actbench.analysis.training_sweep import Worth
from actbench.model.cases import Block
from actbench.model.times import Times
from actbench.model.training import FREE
from actbench.runs.record import Record


@dataclass(frozen=True, slots=True)
class RunResults:
    """The results of every block, case, pair, rung and series of sizes."""

    rounds: Mapping[Block, Floats]
    """Seconds per call, by round and arm."""
    figures: tuple[Figures, ...]
    speedups: tuple[Speedup, ...]
    steps: tuple[Step, ...]
    curves: tuple[Curve, ...]
    training: tuple[ArmResult, ...] = ()
    """The arms of training steps."""
    worths: tuple[Worth, ...] = ()
    """What these gain along batches and widths, where there are enough of them."""

    @property
    def of_cases(self) -> list[Figures]:
        """The figures without those of the yardsticks."""
        return [row for row in self.figures if not row.case.is_yardstick]


def analyse(times: Times, record: Record) -> RunResults:
    """Analyse everything that was measured."""
    steps_of_networks = record.plan.training
    middles, by_block = medians_per_round(times), ratios(times, times.blocks)
    return RunResults(
        rounds=middles,
        figures=tuple(figures(times, middles, by_block, record.calibrations, record.checks)),
        speedups=tuple(speedups(by_block)),
        steps=tuple(step for block in times.blocks if block.is_ladder for step in steps(times, block)),
        curves=tuple(curve for curve in curves(by_block) if FREE not in {curve.reference, curve.candidate}),
        training=tuple(training.results(times, record)) if steps_of_networks else (),
        worths=tuple(training_sweep.worths(times, steps_of_networks)) if steps_of_networks else (),
    )
