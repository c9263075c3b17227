"""Levels and steps of a series of runs, in order: where they change, by how much, and how surely.

asv's step detection proposes the places. A proposal is no evidence: its penalty was set for asv's graphs, and the
places are those that look most like steps. So each step is tested. A run's variance is that of its own interval and
that between runs together, the latter from differences of successive runs, which steps hardly affect. A level is
Huber's M-estimate of its runs, weighted by 1 / variance, which a few runs that are off hardly shift; a step is the
difference of two levels, with Student's t; where runs lie further from their levels than their variances allow, its
interval is so much wider (P. J. Huber and E. M. Ronchetti, "Robust Statistics", 2nd edition, 2009, section 7.6). The
p-value is multiplied by the number of places where the series may step, and by the number of series (Bonferroni), since
the largest of many differences is looked at. The weakest step goes first, and its two levels are joined, until all that
remain are significant; these are then moved to where they fit best.

Fewer than `FEWEST_RUNS` runs are no level: one or two runs that are off are no step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import inf, nan

import numpy as np

from actbench.analysis.interval import Interval
from actbench.analysis.statistics import CONFIDENCE, MAD_SCALE, Floats, mad_standard_deviation

FEWEST_RUNS = 3
"""Smallest number of runs of a level beside a step."""

SMALLEST = 1e-4
"""Standard deviation that every run has at least, relative to its value: less is not resolved by a clock's ticks."""

HUBER = 1.345
"""Deviations from which on a run's weight falls: 95 % as efficient as a mean where runs are normal."""

ITERATIONS = 8
"""Of the M-estimate: what is left of its error is far below that of a level."""

NORMAL_QUANTILE = 1.959963984540054
"""Of the normal distribution, at 97.5 %: half of a 95 % interval is so many standard deviations."""

FindPlaces = Callable[[list[float], list[float]], list[int]]
"""Returns the first run of every level but the first, of values, and 1 over their standard deviations."""


@dataclass(frozen=True, slots=True)
class Level:
    """Successive runs of a series without a step."""

    begin: int
    """The index of its first run."""
    end: int
    """One more than that of its last run."""
    value: Interval
    """The mean of its runs, as a ratio."""


@dataclass(frozen=True, slots=True)
class LevelStep:
    """A step of a series, from one level to the next."""

    after: int
    """The index of the first run after it."""
    ratio: Interval
    """The level after it over the one before."""
    p_value: float
    """Of no step; corrected for the places of the series, and for the number of series."""
    runs: tuple[int, int]
    """The numbers of runs of both levels."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What a series consists of."""

    levels: tuple[Level, ...]
    steps: tuple[LevelStep, ...]
    """Between the levels, one less."""
    scatter: float
    """Standard deviation of runs about their levels, relative to these; NaN for fewer than three runs."""


def levels(
    ratios: Floats, find_places: FindPlaces | None, series: int = 1, positions: Sequence[object] | None = None
) -> Levels:
    """Return the levels and steps of a series of runs: rows of a ratio and its bounds, which may be NaN.

    `series` is the number of series that are looked at together. Without `find_places` there is one level. Runs of
    equal `positions`, such as those of one version, are of one level; by default each has its own.
    """
    logs = np.log(ratios[:, 0])
    variances = _variances(ratios, logs)
    places = places_of_steps(range(len(logs)) if positions is None else positions)
    begins = [0]
    if find_places is not None and places:
        proposed = find_places(logs.tolist(), (1 / np.sqrt(variances)).tolist())
        begins += sorted({min(places, key=lambda place: abs(place - one)) for one in proposed})
    begins = _without_short(begins, logs, variances)
    tests = max(1, len(places)) * series
    begins = _significant(begins, logs, variances, tests)
    begins = _significant(_moved(begins, logs, variances, places), logs, variances, tests)
    return _Fit.of(begins, logs, variances).described(tests)


def places_of_steps(positions: Sequence[object]) -> list[int]:
    """Return the indices of runs with which a level may begin: of a new position, with enough runs on either side."""
    inner = range(FEWEST_RUNS, len(positions) - FEWEST_RUNS + 1)
    return [place for place in inner if positions[place] != positions[place - 1]]


def step_between(ratios: Floats, begins: tuple[int, int], end: int) -> Interval:
    """Return the ratio of the levels of runs ``begins[0]`` to ``begins[1]`` and from there to `end`."""
    part = ratios[begins[0] : end]
    logs = np.log(part[:, 0])
    (step,) = _Fit.of([0, begins[1] - begins[0]], logs, _variances(part, logs)).steps(1)
    return step.ratio


def _variances(ratios: Floats, logs: Floats) -> Floats:
    """Return the variance of the logarithm of each run: of its own interval, and between runs."""
    within = (np.log(ratios[:, 2] / ratios[:, 1]) / (2 * NORMAL_QUANTILE)) ** 2
    known = within[~np.isnan(within)]
    typical = float(np.median(known)) if known.size else 0.0
    within = np.where(np.isnan(within), typical, within)
    total = float(_mad_about_zero(np.diff(logs))) ** 2 / 2 if logs.size > 2 else 0.0
    return np.asarray(within + max(0.0, total - typical) + SMALLEST**2)


def _mad_about_zero(differences: Floats) -> float:
    """Return a robust standard deviation of differences whose mean is 0."""
    return MAD_SCALE * float(np.median(np.abs(differences)))


def _significant(begins: Sequence[int], logs: Floats, variances: Floats, tests: int) -> list[int]:
    """Return the levels between which all steps are significant: the weakest step goes first."""
    kept = [*begins]
    while len(kept) > 1:
        steps = _Fit.of(kept, logs, variances).steps(tests)
        weakest = max(range(len(steps)), key=lambda index: steps[index].p_value)
        if steps[weakest].p_value <= 1 - CONFIDENCE:
            break
        del kept[weakest + 1]
    return kept


def _moved(begins: Sequence[int], logs: Floats, variances: Floats, places: Sequence[int]) -> list[int]:
    """Move each step to where its runs fit the levels on both sides best, by Huber's loss, one after the other.

    Absolute deviations, by which places are proposed, tell places apart less well where runs are normal.
    """
    moved = [*begins]
    for index in range(1, len(moved)):
        values = _Fit.of(moved, logs, variances).values[index - 1 : index + 1]
        begin, end = moved[index - 1], moved[index + 1] if index + 1 < len(moved) else logs.size
        scores = np.abs(logs[begin:end] - values[:, np.newaxis]) / np.sqrt(variances[begin:end])
        losses = np.where(scores <= HUBER, scores**2 / 2, HUBER * (scores - HUBER / 2))
        sums = np.cumsum(losses[0] - losses[1])
        between = [place for place in places if begin + FEWEST_RUNS <= place <= end - FEWEST_RUNS]
        moved[index] = min(between, key=lambda place: float(sums[place - begin - 1]))
    return moved


def _without_short(begins: Sequence[int], logs: Floats, variances: Floats) -> list[int]:
    """Join levels of fewer than `FEWEST_RUNS` runs with the neighbour whose value is nearer."""
    kept = [*begins]
    while len(kept) > 1:
        lengths = np.diff([*kept, logs.size])
        short = int(np.argmin(lengths))
        if lengths[short] >= FEWEST_RUNS:
            break
        values = _Fit.of(kept, logs, variances).values
        left = abs(values[short] - values[short - 1]) if short else inf
        right = abs(values[short] - values[short + 1]) if short + 1 < len(kept) else inf
        del kept[short if left <= right else short + 1]
    return kept


@dataclass(frozen=True, slots=True)
class _Fit:
    """Levels that begin at given runs, fitted to logarithms."""

    begins: list[int]
    lengths: Floats
    values: Floats
    errors: Floats
    """Their variances."""
    residuals: Floats
    """Of the runs."""
    freedom: int
    """Degrees of freedom."""

    @classmethod
    def of(cls, begins: Sequence[int], logs: Floats, variances: Floats) -> _Fit:
        """Fit by Huber's M-estimator: runs far from their level count as if they were `HUBER` deviations from it."""
        lengths = np.diff([*begins, logs.size])
        sums = partial(np.add.reduceat, indices=[*begins])
        weights, deviations = 1 / variances, np.sqrt(variances)
        values = np.array(
            [np.median(logs[begin : begin + length]) for begin, length in zip(begins, lengths, strict=True)]
        )
        scores = (logs - np.repeat(values, lengths)) / deviations
        scale = max(1.0, MAD_SCALE * float(np.median(np.abs(scores))))
        for _ in range(ITERATIONS):
            shares = weights / np.maximum(1.0, np.abs(scores) / (HUBER * scale))
            values = sums(shares * logs) / sums(shares)
            scores = (logs - np.repeat(values, lengths)) / deviations
        limit = HUBER * scale
        freedom = logs.size - len(begins)
        inside = max(float(np.mean(np.abs(scores) <= limit)), 0.5)
        spread = float((np.clip(scores, -limit, limit) ** 2).sum()) / max(1, freedom)
        errors = max(1.0, spread / inside**2) / sums(weights)
        return cls([*begins], lengths, values, errors, logs - np.repeat(values, lengths), freedom)

    def quantile(self) -> float:
        """Return Student's t of a 95 % interval; NaN without degrees of freedom."""
        from scipy.special import stdtrit  # scipy.stats takes ten times as long to import

        return float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2)) if self.freedom else nan

    def steps(self, tests: int) -> list[LevelStep]:
        """Return the steps from level to level; their p-values are corrected for so many tests."""
        from scipy.special import stdtr

        sizes, errors = np.diff(self.values), np.sqrt(self.errors[1:] + self.errors[:-1])
        p_values = np.minimum(1.0, 2 * tests * stdtr(self.freedom, -np.abs(sizes) / errors))
        p_values = np.where(self._are_supported(sizes), p_values, 1.0).tolist()
        halves = self.quantile() * errors
        return [
            LevelStep(
                after=self.begins[index + 1],
                ratio=Interval.from_logs((size, size - half, size + half)),
                p_value=p_value,
                runs=(int(self.lengths[index]), int(self.lengths[index + 1])),
            )
            for index, (size, half, p_value) in enumerate(zip(sizes, halves, p_values, strict=True))
        ]

    def _are_supported(self, sizes: Floats) -> list[bool]:
        """Return, for each step, whether both levels have `FEWEST_RUNS` runs that are nearer to them than to the other.

        Of three runs two that are off would make a level, together with one that is not.
        """
        of_levels = np.split(self.residuals, self.begins[1:])
        return [
            all(
                np.sum(towards < abs(size) / 2) >= FEWEST_RUNS
                for towards in (before * np.sign(size), -after * np.sign(size))
            )
            for size, (before, after) in zip(sizes.tolist(), pairwise(of_levels), strict=True)
        ]

    def described(self, tests: int) -> Levels:
        """Return the levels, the steps between them, and the scatter."""
        halves = self.quantile() * np.sqrt(self.errors)
        return Levels(
            tuple(
                Level(begin, begin + int(length), Interval.from_logs((value, value - half, value + half)))
                for begin, length, value, half in zip(self.begins, self.lengths, self.values, halves, strict=True)
            ),
            tuple(self.steps(tests)),
            float(mad_standard_deviation(self.residuals)) if self.residuals.size > 2 else nan,
        )
