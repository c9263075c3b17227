"""From which array size on does the answer change? Where one strategy stops being faster than another.

A **curve** is the speedup of two strategies of one backend over the sizes that both were measured at, four or more. At
every size it has a **winner**: one of the two is faster, or they are **equal**, or it is **undecided**.

- **faster**: where the size's own interval shows it, and Wilcoxon's signed-rank test over rounds, one-sided, at 5 %
  corrected for the number of sizes (Benjamini and Hochberg) among which this direction was looked for: those whose own
  interval does not show the opposite. A curve that never crosses 1 then seems to in at most 5 % of runs; without the
  correction, one that lies at 1 for five sizes would in a tenth.
- **equal**: neither is faster, and the interval lies within `NEGLIGIBLE` of 1: no difference is shown, and none of that
  size is left to be found.
- **undecided**: neither is faster, and the interval is too wide to call them equal.

Neighbours with opposite winners, with nothing decided between them, enclose a **crossover**. Between measured sizes the
logarithm of the speedup is taken to be linear in that of the size. Its interval at a size between two is that of the
linear combination of two independent estimates, as those of neighbouring sizes are (over the rounds of a sweep their
ranks correlated by 0.05): the bounds' distances add in squares (G. Y. Zou and A. Donner, "Construction of confidence
limits about effect measures: a general approach", Statistics in Medicine 27, 2008). The crossover's 95 % interval
holds every size at which the interval of the speedup holds 1 (as E. C. Fieller, "Some problems in interval
estimation", Journal of the Royal Statistical Society B 16, 1954): nothing is resampled, and nothing is random. Where
the curve bends, lines are wrong: a monotone cubic through the same estimates (F. N. Fritsch and J. Butland, "A method
for constructing local monotone piecewise cubic interpolants", SIAM Journal on Scientific and Statistical Computing 5,
1984) crosses elsewhere; the estimate is the middle of the two, and the interval is longer by as much as they differ,
on the side of the cubic. A cliff between two sizes is beyond both: more sizes show it.

What is no crossover: a speedup that **fades**, from a measured size on, into equality (out of cache, where both
strategies move the same bytes), or emerges from it (where a call's fixed cost is all there is). Those sizes are no
estimates with an interval of their own: they are the last measured size with a difference and the first without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import exp, nan

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.interval import Interval
from actbench.analysis.speedups import Ratios
from actbench.analysis.statistics import (
    CONFIDENCE,
    MIN_ROUNDS,
    Floats,
    false_discovery_control,
    hodges_lehmann_rows,
    signed_rank_p_values,
)
from actbench.model.cases import Block
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant

LEAST_SIZES = 4
"""The fewest sizes that make a curve."""

NEGLIGIBLE = 0.1
"""The relative difference that is none in practice: an interval from 1 / 1.1 to 1.1, or inside it."""

PLACES_PER_GAP = 1000
"""Places between two neighbouring sizes at which a curve is looked at: of half a decade, a thousandth of the size."""


class Winner(StrEnum):
    """Which of two strategies is faster at a size."""

    CANDIDATE = "candidate"
    REFERENCE = "reference"
    EQUAL = "equal"
    UNDECIDED = "undecided"


WINNERS = tuple(Winner)
"""In the order in which they are tested for."""

ONE_FASTER = (Winner.CANDIDATE, Winner.REFERENCE)


class CurveEvent(StrEnum):
    """What a curve does over the sizes."""

    CROSSES = "crosses"
    """One strategy is faster below, the other above."""
    FADES = "fades"
    """Towards one end there is no difference any more: the sizes there are all equal."""
    UNDECIDED = "undecided"
    """Towards one end, or at all sizes, no winner is shown."""
    NONE = "none"
    """The same strategy is faster at both ends, or, without a name, all sizes are equal."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A measured size of a curve, in elements."""

    size: int
    speedup: Interval
    """Reference seconds over candidate seconds, with the 95 % interval of this size alone."""
    rounds: int
    winner: Winner


@dataclass(frozen=True, slots=True)
class Crossover:
    """What a curve does at one place."""

    kind: CurveEvent
    size: Interval
    """Elements at which it crosses 1. Where it fades or is undecided towards an end, the value is NaN and the bounds
    are the measured sizes between which that begins or ends; for all sizes, the smallest and the largest."""
    below: str
    """The strategy that is faster at smaller sizes; empty where none is."""
    above: str
    """The strategy that is faster at larger sizes; empty where none is."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A pair of strategies over the sizes, from the smallest on, with one finding or more."""

    activation: str
    op: Op
    dtype: Dtype
    backend: str
    reference: Variant
    candidate: Variant
    points: tuple[CurvePoint, ...]
    findings: tuple[Crossover, ...]

    @property
    def decided(self) -> int:
        """At how many sizes one of the two is faster."""
        return sum(point.winner in ONE_FASTER for point in self.points)


def curves(by_block: Mapping[Block, Ratios]) -> Iterator[Curve]:
    """Yield the curves of a run, in the order of the plan; rungs of the overhead ladder have none."""
    by_size: dict[tuple[str, Op, Dtype, str, Variant, Variant], dict[int, Floats]] = {}
    for block, ratios in by_block.items():
        if block.cases[0].is_rung:
            continue
        arms = block.arms
        for (first, second), logs in zip(ratios.pairs, ratios.logs, strict=True):
            one, other = arms[first], arms[second]
            if one.backend == other.backend:
                key = (block.activation, block.op, block.dtype, one.backend, one.strategy, other.strategy)
                by_size.setdefault(key, {})[block.size] = logs
    series = {key: sorted(logs.items()) for key, logs in by_size.items() if len(logs) >= LEAST_SIZES}
    for key, points in zip(series, curve_points([*series.values()]), strict=True):
        yield Curve(*key, points, tuple(findings(points, *key[-2:])))


def curve_points(series: Sequence[Sequence[tuple[int, Floats]]]) -> Iterator[tuple[CurvePoint, ...]]:
    """Yield the points of curves, each of which is given by its sizes with their log ratios, one a round."""
    logs = [rounds for sizes in series for _, rounds in sizes]
    bounds = np.exp(hodges_lehmann_rows(logs)).reshape(-1, 3)
    up, down = signed_rank_p_values(logs), signed_rank_p_values([-rounds for rounds in logs])
    enough = np.array([rounds.size >= MIN_ROUNDS for rounds in logs], dtype=bool)
    counts = [len(sizes) for sizes in series]
    faster, slower = _significant(up, down, enough, counts), _significant(down, up, enough, counts)
    equal = (bounds[:, 1] >= 1 / (1 + NEGLIGIBLE)) & (bounds[:, 2] <= 1 + NEGLIGIBLE)
    winners = np.select([faster, slower, equal], range(len(WINNERS) - 1), len(WINNERS) - 1)
    judged = zip(map(Interval._make, bounds.tolist()), winners.tolist(), strict=True)
    for sizes in series:
        yield tuple(_point(size, rounds, *next(judged)) for size, rounds in sizes)


def _point(size: int, logs: Floats, speedup: Interval, winner: int) -> CurvePoint:
    return CurvePoint(size, speedup, logs.size, WINNERS[winner])


def findings(points: Sequence[CurvePoint], reference: str, candidate: str) -> Iterator[Crossover]:
    """Yield what a curve does, from the smallest size on."""
    faster = {Winner.CANDIDATE: candidate, Winner.REFERENCE: reference}
    decided = [index for index, point in enumerate(points) if point.winner in ONE_FASTER]
    whole = _between(points[0], points[-1])
    if not decided:
        yield Crossover(CurveEvent.NONE if _equal(points) else CurveEvent.UNDECIDED, whole, "", "")
        return
    first, last = decided[0], decided[-1]
    smallest, largest = (faster[points[end].winner] for end in (first, last))
    events = []
    if first > 0:
        kind = CurveEvent.FADES if _equal(points[:first]) else CurveEvent.UNDECIDED
        events.append(Crossover(kind, _between(points[first - 1], points[first]), "", smallest))
    for left, right in pairwise(decided):
        if points[left].winner is not points[right].winner:
            below, above = (faster[points[end].winner] for end in (left, right))
            events.append(Crossover(CurveEvent.CROSSES, _crossing(points, left, right), below, above))
    if last < len(points) - 1:
        kind = CurveEvent.FADES if _equal(points[last + 1 :]) else CurveEvent.UNDECIDED
        events.append(Crossover(kind, _between(points[last], points[last + 1]), largest, ""))
    yield from events or [Crossover(CurveEvent.NONE, whole, smallest, largest)]


def _between(smaller: CurvePoint, larger: CurvePoint) -> Interval:
    """Return two measured sizes between which something begins or ends, at a size that is not estimated."""
    return Interval(nan, smaller.size, larger.size)


def _equal(points: Iterable[CurvePoint]) -> bool:
    return all(point.winner is Winner.EQUAL for point in points)


def _significant(
    p_values: Floats, opposite: Floats, enough: NDArray[np.bool_], counts: Sequence[int]
) -> NDArray[np.bool_]:
    """Return for each size whether its log ratio is shown to be above 0, corrected for the sizes of its curve.

    `p_values` are those of the hypothesis that it is not, and `opposite` those of the opposite one. The curves have so
    many sizes (`counts`). A size that has too few rounds, or shows the opposite, is no hypothesis.
    """
    level = 1 - CONFIDENCE
    of_curve = np.arange(max(counts, default=0)) < np.array(counts, dtype=np.int64)[:, np.newaxis]
    tested = np.full(of_curve.shape, np.nan)
    tested[of_curve] = np.where(enough & (opposite > level / 2), p_values, np.nan)
    return np.asarray((tested <= level / 2) & (false_discovery_control(tested) <= level))[of_curve]


def _crossing(points: Sequence[CurvePoint], left: int, right: int) -> Interval:
    """Return where the curve crosses 1 between two of its sizes, which enclose it.

    Where the estimates cross it several times, it is the middle of the first and the last time.
    """
    with_bounds = [point for point in points if point.speedup.has_bounds]
    sizes = np.log([point.size for point in with_bounds])
    logs: Floats = np.log([point.speedup for point in with_bounds])
    logs = logs if points[left].speedup.value > 1 else -logs
    start, end = with_bounds.index(points[left]), with_bounds.index(points[right])
    at = np.linspace(start, end, PLACES_PER_GAP * (end - start) + 1)
    corner = np.minimum(at.astype(int), end - 1)
    share = at - corner
    line = (1 - share) * logs[corner, 0] + share * logs[corner + 1, 0]
    under, over = (np.hypot((1 - share) * side[corner], share * side[corner + 1]) for side in _distances(logs))
    places = np.interp(at, np.arange(sizes.size), sizes)
    straight, curved = (
        float(_zeros(places, curve, curve).mean()) for curve in (line, _monotone_cubic(sizes, logs[:, 0], places))
    )
    low, high = _zeros(places, line - under, line + over)
    bend = curved - straight
    return Interval(exp(straight + bend / 2), exp(low + min(bend, 0.0)), exp(high + max(bend, 0.0)))


def _distances(logs: Floats) -> tuple[Floats, Floats]:
    """Return how far the bounds lie under and over the values."""
    return logs[:, 0] - logs.min(axis=1), logs.max(axis=1) - logs[:, 0]


def _zeros(places: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return the last place up to which the lower curve is above 0, and the first from which the upper is below."""
    return np.array([places[np.argmax(lower <= 0) - 1], places[np.flatnonzero(upper >= 0)[-1] + 1]])


def _monotone_cubic(sizes: Floats, values: Floats, places: Floats) -> Floats:
    """Return a monotone piecewise cubic through these values, at places among the sizes."""
    from scipy.interpolate import PchipInterpolator  # takes as long to import as numpy and pandas together

    return np.asarray(PchipInterpolator(sizes, values)(places))
