"""Crossovers: the array sizes at which one strategy stops being faster than another.

A **curve** is the speedup of two strategies of one backend over the sizes at which both were measured, four or more. At
every size it has a **winner**: one of the two is **faster**, or they are **equal**, or it is **undecided**.

- **faster**: the interval of this size excludes 1, and Wilcoxon's one-sided signed-rank test over rounds is significant
  at 5 %, corrected (Benjamini and Hochberg) for the number of sizes at which this direction is tested, which are those
  whose interval does not show the opposite. A curve that never crosses 1 then seems to cross it in at most 5 % of runs;
  without the correction, a curve at 1 over five sizes would do so in a tenth of runs.
- **equal**: neither is faster, and the interval lies within `NEGLIGIBLE` of 1: there is no relevant difference.
- **undecided**: neither is faster, and the interval is too wide to call them equal.

Two sizes with opposite winners, and none decided between them, enclose a **crossover**. Between measured sizes, the
logarithm of the speedup is taken to be linear in the logarithm of the size. Its interval there is that of a linear
combination of two independent estimates, as estimates of neighbouring sizes are (over the rounds of a sweep their ranks
correlated by 0.05): the distances of the bounds add in squares (G. Y. Zou and A. Donner, "Construction of confidence
limits about effect measures: a general approach", Statistics in Medicine 27, 2008). The crossover's 95 % interval
contains every size at which the interval of the speedup contains 1 (as in E. C. Fieller, "Some problems in interval
estimation", Journal of the Royal Statistical Society B 16, 1954). Nothing is resampled, and nothing is random. Where
the curve bends, straight lines are inaccurate: a monotone cubic through the same estimates (F. N. Fritsch and J.
Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM Journal on Scientific and
Statistical Computing 5, 1984) crosses elsewhere. The estimate is the middle of the two crossings, and the interval is
extended by their difference on the side of the cubic. A cliff between two sizes escapes both; more sizes show it.

A **fade** is not a crossover: from some measured size on, the strategies become equal (out of cache, where both move
the same bytes), or they are equal up to some size (where the fixed cost of a call dominates). The size of a fade is not
an estimate with an interval, but the last measured size with a difference and the first without.
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
    signed_rank_rows,
)
from actbench.model.cases import Block
from actbench.model.curve_events import CurveEvent
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.variants import Variant

LEAST_SIZES = 4
"""Smallest number of sizes of a curve."""

NEGLIGIBLE = 0.1
"""Relative difference that is irrelevant in practice: an interval within 1 / 1.1 to 1.1."""

PLACES_PER_GAP = 1000
"""Places between two neighbouring sizes at which a curve is evaluated: for half a decade, a thousandth of the size."""


class Winner(StrEnum):
    """The faster one of two strategies at a size."""

    CANDIDATE = "candidate"
    REFERENCE = "reference"
    EQUAL = "equal"
    UNDECIDED = "undecided"


WINNERS = tuple(Winner)
"""The winners, in the order in which they are tested."""

ONE_FASTER = (Winner.CANDIDATE, Winner.REFERENCE)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A measured size of a curve, in elements."""

    size: int
    speedup: Interval
    """Reference seconds over candidate seconds, with the 95 % interval of this size by itself."""
    rounds: int
    winner: Winner


@dataclass(frozen=True, slots=True)
class Crossover:
    """An event of a curve."""

    kind: CurveEvent
    size: Interval
    """Elements at which it crosses 1. Where it fades or is undecided towards an end, the value is NaN and the bounds
    are the measured sizes between which that begins or ends; for all sizes, the smallest and the largest size."""
    below: str
    """The strategy that is faster at smaller sizes; empty where none is."""
    above: str
    """The strategy that is faster at larger sizes; empty where none is."""
    rounds: int
    """The fewest rounds of a size: where it crosses, of those that enclose that, otherwise of all."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A pair of strategies over the sizes, in ascending order, with one or more findings."""

    activation: str
    op: Op
    dtype: Dtype
    operands: OperandState
    rows: int
    """The number of rows, where the activation works along them; otherwise 1."""
    backend: str
    reference: Variant
    candidate: Variant
    points: tuple[CurvePoint, ...]
    findings: tuple[Crossover, ...]

    @property
    def decided(self) -> int:
        """The number of sizes at which one of the two is faster."""
        return sum(point.winner in ONE_FASTER for point in self.points)


def curves(by_block: Mapping[Block, Ratios]) -> Iterator[Curve]:
    """Yield the curves of a run, in the order of the plan; rungs of the overhead ladder have none.

    Along a curve, the number of rows is the same.
    """
    by_size: dict[tuple[str, Op, Dtype, OperandState, int, str, Variant, Variant], dict[int, Floats]] = {}
    for block, ratios in by_block.items():
        if block.is_ladder:
            continue
        arms = block.arms
        for (first, second), logs in zip(ratios.pairs, ratios.logs, strict=True):
            one, other = arms[first], arms[second]
            if one.backend == other.backend:
                of_block = (block.activation, block.op, block.dtype, block.operands, block.rows)
                key = (*of_block, one.backend, one.strategy, other.strategy)
                by_size.setdefault(key, {})[block.size] = logs
    series = {key: sorted(logs.items()) for key, logs in by_size.items() if len(logs) >= LEAST_SIZES}
    for key, points in zip(series, curve_points([*series.values()]), strict=True):
        yield Curve(*key, points, tuple(findings(points, *key[-2:])))


def curve_points(
    series: Sequence[Sequence[tuple[int, Floats]]], negligible: float = NEGLIGIBLE
) -> Iterator[tuple[CurvePoint, ...]]:
    """Yield the points of curves; each curve is given by its sizes with their log ratios, one per round.

    `negligible` is the relative difference up to which two strategies are equal.
    """
    logs = [rounds for sizes in series for _, rounds in sizes]
    rows = signed_rank_rows(logs).reshape(-1, 5)
    bounds, (up, down) = np.exp(rows[:, :3]), rows[:, 3:].T
    enough = np.array([rounds.size >= MIN_ROUNDS for rounds in logs], dtype=bool)
    counts = [len(sizes) for sizes in series]
    faster, slower = _significant(up, down, enough, counts), _significant(down, up, enough, counts)
    equal = (bounds[:, 1] >= 1 / (1 + negligible)) & (bounds[:, 2] <= 1 + negligible)
    winners = np.select([faster, slower, equal], range(len(WINNERS) - 1), len(WINNERS) - 1)
    judged = zip(Interval.from_rows(bounds), winners.tolist(), strict=True)
    for sizes in series:
        yield tuple(_point(size, rounds, *next(judged)) for size, rounds in sizes)


def _point(size: int, logs: Floats, speedup: Interval, winner: int) -> CurvePoint:
    return CurvePoint(size, speedup, logs.size, WINNERS[winner])


def findings(points: Sequence[CurvePoint], reference: str, candidate: str) -> Iterator[Crossover]:
    """Yield the events of a curve, from the smallest size on."""
    faster = {Winner.CANDIDATE: candidate, Winner.REFERENCE: reference}
    decided = [index for index, point in enumerate(points) if point.winner in ONE_FASTER]
    whole, fewest = _between(points[0], points[-1]), min(point.rounds for point in points)
    if not decided:
        yield Crossover(CurveEvent.NONE if _equal(points) else CurveEvent.UNDECIDED, whole, "", "", fewest)
        return
    first, last = decided[0], decided[-1]
    smallest, largest = (faster[points[end].winner] for end in (first, last))
    events = []
    if first > 0:
        kind = CurveEvent.FADES if _equal(points[:first]) else CurveEvent.UNDECIDED
        events.append(Crossover(kind, _between(points[first - 1], points[first]), "", smallest, fewest))
    for left, right in pairwise(decided):
        if points[left].winner is not points[right].winner:
            below, above = (faster[points[end].winner] for end in (left, right))
            rounds = min(point.rounds for point in points[left : right + 1] if point.speedup.has_bounds)
            events.append(Crossover(CurveEvent.CROSSES, _crossing(points, left, right), below, above, rounds))
    if last < len(points) - 1:
        kind = CurveEvent.FADES if _equal(points[last + 1 :]) else CurveEvent.UNDECIDED
        events.append(Crossover(kind, _between(points[last], points[last + 1]), largest, "", fewest))
    yield from events or [Crossover(CurveEvent.NONE, whole, smallest, largest, fewest)]


def _between(smaller: CurvePoint, larger: CurvePoint) -> Interval:
    """Return two measured sizes as bounds of an event whose size is not estimated."""
    return Interval(nan, smaller.size, larger.size)


def _equal(points: Iterable[CurvePoint]) -> bool:
    return all(point.winner is Winner.EQUAL for point in points)


def _significant(
    p_values: Floats, opposite: Floats, enough: NDArray[np.bool_], counts: Sequence[int]
) -> NDArray[np.bool_]:
    """Return for each size whether its log ratio is significantly above 0, corrected for the sizes of its curve.

    `p_values` are those of the null hypothesis "0 or below", and `opposite` those of "0 or above". `counts` are the
    numbers of sizes of the curves. A size with too few rounds, or that shows the opposite, is not tested.
    """
    level = 1 - CONFIDENCE
    of_curve = np.arange(max(counts, default=0)) < np.array(counts, dtype=np.int64)[:, np.newaxis]
    tested = np.full(of_curve.shape, np.nan)
    tested[of_curve] = np.where(enough & (opposite > level / 2), p_values, np.nan)
    return np.asarray((tested <= level / 2) & (false_discovery_control(tested) <= level))[of_curve]


def _crossing(points: Sequence[CurvePoint], left: int, right: int) -> Interval:
    """Return where the curve crosses 1 between two of its sizes, which enclose the crossover.

    Where the estimates cross 1 several times, it is the middle of the first and the last crossing.
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
    """Return the distances of the lower and of the upper bounds from the values."""
    return logs[:, 0] - logs.min(axis=1), logs.max(axis=1) - logs[:, 0]


def _zeros(places: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return the last place up to which the lower curve is above 0, and the first from which the upper is below."""
    return np.array([places[np.argmax(lower <= 0) - 1], places[np.flatnonzero(upper >= 0)[-1] + 1]])


def _monotone_cubic(sizes: Floats, values: Floats, places: Floats) -> Floats:
    """Return a monotone piecewise cubic through these values, at places among the sizes."""
    from scipy.interpolate import PchipInterpolator  # takes as long to import as numpy and pandas together

    return np.asarray(PchipInterpolator(sizes, values)(places))
