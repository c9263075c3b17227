"""From which batch or width on a strategy is worth less than 1 % of a training step.

A series is what an arm gains over ``recompute``, at four batches or more of one network, or at four networks or more
that differ in width alone (`actbench.analysis.training_widths`), by the features of their first activation. Where the
gain passes `WORTH` is found as crossovers of speedups are (`actbench.analysis.crossovers`): the same winners, corrected
for the number of sizes, and the same interpolation, on ratios of which that of `WORTH` is taken off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log1p

import numpy as np

from actbench.analysis.crossovers import LEAST_SIZES, Crossover, CurvePoint, curve_points, findings
from actbench.analysis.interval import Interval
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import Floats
from actbench.analysis.training_widths import series_names
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype
from actbench.model.plan import Training
from actbench.model.times import Times
from actbench.model.training import RECOMPUTE, Along
from actbench.model.variants import Variant

WORTH = 0.01
"""The share of a step that is worth a choice."""

EXACTLY = 0.001
"""The distance from `WORTH`, as a share of a step, up to which a gain is neither more nor less."""

MORE, LESS = "more", "less"
"""What findings call the two sides of `WORTH`."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What an arm gains over the sizes of a series, and where that passes `WORTH`."""

    along: Along
    activation: str
    network: str
    """With its widths along batches; along widths with the least and the largest of each, ``mlp:784-64..512-10``."""
    batch: int
    """Along widths; 0 along batches."""
    dtype: Dtype
    backend: str
    candidate: Variant
    points: tuple[CurvePoint, ...]
    """Their speedups are those over ``recompute``, of which that of `WORTH` is taken off."""
    findings: tuple[Crossover, ...]

    def gain(self, point: CurvePoint) -> Interval:
        """Return the share of a step that is saved at a size."""
        value, low, high = (1 - (1 - WORTH) / bound for bound in point.speedup)
        return Interval(value, low, high)


_Key = tuple[Along, str, str, int, Dtype, str, Variant]


def worths(times: Times, training: Training) -> Iterator[Worth]:
    """Yield the series of a run, in the order of its plan."""
    series: dict[_Key, dict[int, Floats]] = {}
    widening = series_names(training.activated)
    for block in times.blocks:
        for (backend, candidate), logs in _gains(times, block).items():
            shared = (block.dtype, backend, candidate)
            width = training.activated[block.op][0]
            along_batch: _Key = (Along.BATCH, block.activation, str(block.op), 0, *shared)
            along_width: _Key = (Along.WIDTH, block.activation, widening[block.op], block.size, *shared)
            series.setdefault(along_batch, {})[block.size] = logs
            series.setdefault(along_width, {})[width] = logs
    long = {key: sorted(logs.items()) for key, logs in series.items() if len(logs) >= LEAST_SIZES}
    for key, points in zip(long, curve_points([*long.values()], EXACTLY), strict=True):
        yield Worth(*key, points, tuple(findings(points, LESS, MORE)))


def _gains(times: Times, block: Block) -> Mapping[tuple[str, Variant], Floats]:
    """Return the logarithms of how many times faster than recompute each arm is, less that of `WORTH`, by round."""
    return {
        (arm.backend, arm.strategy): np.asarray(
            log_ratios(times.seconds(block), block.arms.index(Arm(RECOMPUTE, arm.backend)), index) + log1p(-WORTH)
        )
        for index, arm in enumerate(block.arms)
        if arm.strategy != RECOMPUTE and Arm(RECOMPUTE, arm.backend) in block.arms
    }
