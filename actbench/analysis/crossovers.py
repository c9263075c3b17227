"""From which array size on does the answer change? Where one strategy stops being faster than another.

A **curve** is the speedup of two strategies of one backend over the sizes that both were measured at, four or more. At
every size it has a **standing**: one of the two is faster, or they are **equal**, or it is **undecided**.

- **faster**: where the size's own interval shows it, and Wilcoxon's signed-rank test over rounds, one-sided, at 5 %
  corrected for the number of sizes (Benjamini and Hochberg) among which this direction was looked for: those whose own
  interval does not show the opposite. A curve that never crosses 1 then seems to in at most 5 % of runs; without the
  correction, one that lies at 1 for five sizes would in a tenth.
- **equal**: neither is faster, and the interval lies within `NEGLIGIBLE` of 1: no difference is shown, and none of that
  size is left to be found.
- **undecided**: neither is faster, and the interval is too wide to call them equal.

Neighbours of opposite standing, with nothing decided between them, enclose a **crossover**. Between measured sizes the
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

from actbench.analysis.speedups import Ratios
from actbench.analysis.statistics import (
    CONFIDENCE,
    MIN_ROUNDS,
    Bounded,
    Floats,
    benjamini_hochberg,
    chances_of_sign,
    locations,
)
from actbench.model.cases import Block
from actbench.model.names import Dtype, Op

LEAST_SIZES = 4
"""The fewest sizes that make a curve."""

NEGLIGIBLE = 0.1
"""The relative difference that is none in practice: an interval from 1 / 1.1 to 1.1, or inside it."""

RESOLUTION = 1000
"""Places between two neighbouring sizes at which a curve is looked at: of half a decade, a thousandth of the size."""


class Standing(StrEnum):
    """Which of two strategies is faster at a size."""

    CANDIDATE = "candidate"
    REFERENCE = "reference"
    EQUAL = "equal"
    UNDECIDED = "undecided"


STANDINGS = tuple(Standing)
"""In the order in which they are looked for."""

DECIDED = (Standing.CANDIDATE, Standing.REFERENCE)


class Kind(StrEnum):
    """What there is to say of a curve."""

    CROSSES = "crosses"
    """One strategy is faster below, the other above."""
    FADES = "fades"
    """Towards one end there is no difference any more: the sizes there are all equal."""
    UNDECIDED = "undecided"
    """Towards one end, or at all sizes, there is no telling."""
    NONE = "none"
    """The same strategy is faster at both ends, or, without a name, all sizes are equal."""


@dataclass(frozen=True, slots=True)
class Point:
    """A measured size of a curve, in elements."""

    size: int
    speedup: Bounded
    """Reference seconds over candidate seconds, with the 95 % interval of this size alone."""
    rounds: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Crossover:
    """What a curve does at one place. Sizes in elements."""

    kind: Kind
    size: float
    """Where it crosses 1; NaN unless it crosses."""
    low: float
    high: float
    """The 95 % interval of `size`. Where it fades or is undecided towards an end, the measured sizes between which that
    begins or ends; for all sizes, the smallest and the largest."""
    below: str
    """The strategy that is faster at smaller sizes; empty where none is."""
    above: str
    """The strategy that is faster at larger sizes; empty where none is."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A pair of strategies over the sizes, from the smallest on, and what came of it: one finding or more."""

    activation: str
    op: Op
    dtype: Dtype
    backend: str
    reference: str
    candidate: str
    points: tuple[Point, ...]
    findings: tuple[Crossover, ...]

    @property
    def decided(self) -> int:
        """At how many sizes one of the two is faster."""
        return sum(point.standing in DECIDED for point in self.points)


def curves(found: Mapping[Block, Ratios]) -> Iterator[Curve]:
    """Yield the curves of a run, in the order of the plan; rungs of the overhead ladder have none."""
    by_size: dict[tuple[str, Op, Dtype, str, str, str], dict[int, NDArray[np.float64]]] = {}
    for block, ratios in found.items():
        if block.cases[0].is_rung:
            continue
        arms = block.arms
        for (first, second), logs in zip(ratios.pairs, ratios.logs, strict=True):
            one, other = arms[first], arms[second]
            if one.backend == other.backend:
                of = (block.activation, block.op, block.dtype, one.backend, one.strategy, other.strategy)
                by_size.setdefault(of, {})[block.size] = logs
    series = {of: sorted(logs.items()) for of, logs in by_size.items() if len(logs) >= LEAST_SIZES}
    for of, points in zip(series, standings([*series.values()]), strict=True):
        yield Curve(*of, points, tuple(findings(points, *of[-2:])))


def standings(series: Sequence[Sequence[tuple[int, NDArray[np.float64]]]]) -> Iterator[tuple[Point, ...]]:
    """Judge the sizes of curves: of each its sizes, and by size the log ratios, one a round."""
    logs = [own for sizes in series for _, own in sizes]
    bounds = np.exp(locations(logs)).reshape(-1, 3)
    up, down = chances_of_sign(logs), chances_of_sign([-own for own in logs])
    enough = np.array([own.size >= MIN_ROUNDS for own in logs], dtype=bool)
    counts = [len(sizes) for sizes in series]
    faster, slower = _shown(up, down, enough, counts), _shown(down, up, enough, counts)
    equal = (bounds[:, 1] >= 1 / (1 + NEGLIGIBLE)) & (bounds[:, 2] <= 1 + NEGLIGIBLE)
    places = np.select([faster, slower, equal], [STANDINGS.index(each) for each in STANDINGS[:-1]], len(STANDINGS) - 1)
    judged = zip(bounds.tolist(), places.tolist(), strict=True)
    for sizes in series:
        yield tuple(_point(size, own, *next(judged)) for size, own in sizes)


def _point(size: int, logs: NDArray[np.float64], bounds: Sequence[float], place: int) -> Point:
    return Point(size, Bounded(*bounds), logs.size, STANDINGS[place])


def findings(points: Sequence[Point], reference: str, candidate: str) -> Iterator[Crossover]:
    """Yield what a curve does, from the smallest size on."""
    faster = {Standing.CANDIDATE: candidate, Standing.REFERENCE: reference}
    decided = [index for index, point in enumerate(points) if point.standing in DECIDED]
    ends = points[0].size, points[-1].size
    if not decided:
        yield Crossover(Kind.NONE if _equal(points) else Kind.UNDECIDED, nan, *ends, "", "")
        return
    first, last = decided[0], decided[-1]
    smallest, largest = (faster[points[end].standing] for end in (first, last))
    found = []
    if first > 0:
        kind = Kind.FADES if _equal(points[:first]) else Kind.UNDECIDED
        found.append(Crossover(kind, nan, points[first - 1].size, points[first].size, "", smallest))
    for left, right in pairwise(decided):
        if points[left].standing is not points[right].standing:
            sides = (faster[points[end].standing] for end in (left, right))
            found.append(Crossover(Kind.CROSSES, *_crossing(points, left, right), *sides))
    if last < len(points) - 1:
        kind = Kind.FADES if _equal(points[last + 1 :]) else Kind.UNDECIDED
        found.append(Crossover(kind, nan, points[last].size, points[last + 1].size, largest, ""))
    yield from found or [Crossover(Kind.NONE, nan, *ends, smallest, largest)]


def _equal(points: Iterable[Point]) -> bool:
    return all(point.standing is Standing.EQUAL for point in points)


def _shown(chances: Floats, opposite: Floats, enough: NDArray[np.bool_], counts: Sequence[int]) -> NDArray[np.bool_]:
    """Say for each size whether its log ratio is shown to be above 0, of all of its curve that it can be shown for.

    From the p values of the hypothesis that it is not, and of the opposite one; a curve has so many sizes (`counts`).
    """
    level = 1 - CONFIDENCE
    own = np.arange(max(counts, default=0)) < np.array(counts, dtype=np.int64)[:, np.newaxis]
    asked = np.full(own.shape, np.nan)
    asked[own] = np.where(enough & (opposite > level / 2), chances, np.nan)
    return np.asarray((asked <= level / 2) & (benjamini_hochberg(asked) <= level))[own]


def _crossing(points: Sequence[Point], left: int, right: int) -> Bounded:
    """Return where the curve crosses 1 between two of its sizes, which enclose it.

    Where the estimates cross it several times, it is the middle of the first and the last time.
    """
    known = [point for point in points if not np.isnan(point.speedup.low)]
    sizes = np.log([point.size for point in known])
    logs: NDArray[np.float64] = np.log([point.speedup for point in known])
    logs = logs if points[left].speedup.value > 1 else -logs
    start, end = known.index(points[left]), known.index(points[right])
    at = np.linspace(start, end, RESOLUTION * (end - start) + 1)
    corner = np.minimum(at.astype(int), end - 1)
    share = at - corner
    line, under, over = (
        (1 - share) * logs[corner, 0] + share * logs[corner + 1, 0],
        *(np.hypot((1 - share) * side[corner], share * side[corner + 1]) for side in _distances(logs)),
    )
    bent = _cubic(sizes, logs[:, 0], corner, share)
    places = np.interp(at, np.arange(sizes.size), sizes)
    straight, curved = (float(_zeros(places, each, each).mean()) for each in (line, bent))
    low, high = _zeros(places, line - under, line + over)
    bend = curved - straight
    return Bounded(exp(straight + bend / 2), exp(low + min(bend, 0.0)), exp(high + max(bend, 0.0)))


def _distances(logs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the bounds lie under and over the values."""
    return logs[:, 0] - logs.min(axis=1), logs.max(axis=1) - logs[:, 0]


def _zeros(places: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last place up to which the lower curve is above 0, and the first from which the upper is below."""
    return np.array([places[np.argmax(lower <= 0) - 1], places[np.flatnonzero(upper >= 0)[-1] + 1]])


def _cubic(
    places: NDArray[np.float64], values: NDArray[np.float64], corner: NDArray[np.int_], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a monotone cubic through these values, at shares of the way from corners to the next ones.

    Its slope is the harmonic mean of the neighbouring lines' where both rise or both fall, 0 where they do not, and at
    the ends that of the line.
    """
    widths = np.diff(places)
    lines = np.diff(values) / widths
    before, after = lines[:-1], lines[1:]
    same = before * after > 0
    means = 2 * before * after / np.where(same, before + after, 1.0)
    slopes = np.array([lines[0], *np.where(same, means, 0.0), lines[-1]])
    w, width = share, widths[corner]
    return np.asarray(
        (1 + 2 * w) * (1 - w) ** 2 * values[corner]
        + w * (1 - w) ** 2 * width * slopes[corner]
        + w**2 * (3 - 2 * w) * values[corner + 1]
        - w**2 * (1 - w) * width * slopes[corner + 1]
    )
