"""The search for the commit in which cases got slower: its evidence, which commit to measure next, and what it shows.

Commits are numbered from 0, GOOD, to n, BAD. A round gives one ratio of times to GOOD per case, and one of GOOD to
itself, the control's. It votes by where its logarithm lies between GOOD's, 0, and BAD's, the median over its rounds: in
the first half for "before", in the second for "after", and by quarters for how surely, so that a level in between
shows. The control's rounds are GOOD's votes. `actbench.analysis.change_point` makes a posterior of the votes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.change_point import Counts, Floats, Posterior
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.sequential import TAIL_PROBABILITY, fewest_rounds, median_interval
from actbench.model.cases import Case

BOUNDS = (0.25, 0.5, 0.75)
"""Shares of the step at which votes differ."""

NAMED = 0.99
"""Probability from which on a commit is named."""

MORE_STEPS = 0.95
"""Probability from which on it is said that there is more than one step."""

MAYBE_MORE = 0.2
"""Probability of a second step up to which one that is named ends the search."""

LEAST_INFORMATION = 1e-3
"""Information in bits below which another vote tells nothing."""

MOST_VOTES = 16
"""Number of votes that those of a commit count as at most. Its rounds share a build, whose offset, however small, would
show as a step if they were counted without end; and GOOD has a round in each round of the others."""

ROUNDS_BESIDE = fewest_rounds(float(TAIL_PROBABILITY / 2))
"""Rounds of the commits on both sides of a step that is named: as many as can hold two levels to one error rate."""

MOST_ROUNDS_BESIDE = 32
"""Rounds of these commits at most, where the interval of the step includes 1: a few of 9 disturbed rounds are its
extremes, while as many of 32 are not."""

Ratios = Mapping[Case, tuple[float, float]]
"""By case, the logarithms of a round's two ratios: of the commit's time to GOOD's, and of GOOD's to itself."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """A step of a case, and the commits in one of which it lies: those that cannot be told apart."""

    commits: tuple[int, ...]
    """Their numbers; none of them but the last could be measured."""
    probability: float
    size: Interval
    """The ratio of times after and before it."""


@dataclass
class CommitSearch:
    """Evidence on cases that got slower."""

    prior: Floats
    """By commit, the relative weight of a step there; 0 for commit 0, and for commits that change nothing."""
    cases: tuple[Case, ...]
    ratios: dict[Case, dict[int, list[float]]] = field(default_factory=dict)
    """By case and commit, the logarithms of its rounds' ratios; those of commit 0 are the control's."""
    skipped: dict[Case, set[int]] = field(default_factory=dict)
    """By case, the commits in which it cannot be measured."""
    _posteriors: dict[Case, Posterior] = field(default_factory=dict, repr=False)

    @property
    def last(self) -> int:
        """The number of BAD."""
        return len(self.prior) - 1

    def add(self, commit: int, ratios: Ratios) -> None:
        """Add a round."""
        for case, (ratio, control) in ratios.items():
            of_case = self.ratios.setdefault(case, {})
            of_case.setdefault(commit, []).append(ratio)
            of_case.setdefault(0, []).append(control)
            self._posteriors.pop(case, None)

    def skip(self, commit: int, cases: Sequence[Case]) -> None:
        """Take cases out of a commit, with its rounds; BAD keeps those that it has."""
        for case in cases:
            self.skipped.setdefault(case, set()).add(commit)
            if commit != self.last:
                self.ratios.get(case, {}).pop(commit, None)
            self._posteriors.pop(case, None)

    def rounds(self, case: Case, commit: int) -> Floats:
        """Return the logarithms of the ratios of a commit."""
        return np.array(self.ratios.get(case, {}).get(commit, []))

    def _numbers_of_rounds(self, case: Case) -> Counts:
        return np.array([self.rounds(case, commit).size for commit in range(len(self.prior))])

    def level(self, case: Case, commit: int) -> Interval:
        """Return the ratio of a commit's times to GOOD's."""
        return Interval.from_logs(median_interval(self.rounds(case, commit)))

    def posterior(self, case: Case) -> Posterior:
        """Return the posterior over the commits of a case."""
        if case not in self._posteriors:
            self._posteriors[case] = Posterior.of(self._votes(case), self.prior)
        return self._posteriors[case]

    def _votes(self, case: Case) -> Floats:
        """Return the votes by commit; those of one count as `MOST_VOTES` at most."""
        bounds = np.array(BOUNDS) * float(np.median(self.rounds(case, self.last)))
        votes = np.zeros((len(self.prior), len(BOUNDS) + 1))
        for commit, logs in self.ratios[case].items():
            votes[commit] = np.bincount(np.searchsorted(bounds, logs), minlength=len(BOUNDS) + 1)
        totals = votes.sum(axis=1, keepdims=True)
        return np.asarray(votes * np.minimum(1.0, MOST_VOTES / np.maximum(totals, 1.0)))

    def open_cases(self) -> list[Case]:
        """Return the cases that need more rounds."""
        return [case for case in self.cases if not self._is_decided(case)]

    def _is_decided(self, case: Case) -> bool:
        named = len(self._named(case))
        return (named > 1 or (named == 1 and self.posterior(case).two_steps <= MAYBE_MORE)) and not self._beside(case)

    def _beside(self, case: Case) -> list[int]:
        """Return the commits on both sides of a named step that have too few rounds, the fewest first.

        Their rounds show whether the step is there as a whole: there are more where its interval includes 1.
        """
        named = self._named(case)
        wanted: dict[int, int] = {}
        for index, (commits, _) in enumerate(named):
            number = MOST_ROUNDS_BESIDE if self._size(case, named, index).contains(1.0) else ROUNDS_BESIDE
            for side in self._sides(case, commits):
                wanted[side] = max(number, wanted.get(side, 0))
        numbers = {side: self.rounds(case, side).size for side in sorted(wanted) if side}
        return sorted((side for side in numbers if numbers[side] < wanted[side]), key=numbers.__getitem__)

    def _sides(self, case: Case, commits: Sequence[int]) -> tuple[int, int]:
        """Return the commits that are measured on both sides of a step."""
        ends = self._ends(case)
        return int(ends[ends < commits[0]][-1]), commits[-1]

    def next(self, seconds: Floats) -> int | None:
        """Return the commit whose round tells most in its seconds, by commit; None where none tells anything."""
        gain = np.zeros(len(self.prior))
        for case in self.open_cases():
            if beside := self._beside(case):
                return beside[0]
            wanted = self._measurable(case) & (self._numbers_of_rounds(case) < MOST_VOTES)
            gain += np.where(wanted, self.posterior(case).information, 0.0)
        if gain.max() < LEAST_INFORMATION:
            return None
        return int(np.argmax(gain / seconds))

    def _measurable(self, case: Case) -> NDArray[np.bool_]:
        measurable = self.prior > 0
        measurable[self.last] = True
        measurable[[*self.skipped.get(case, ())]] = False
        return measurable

    def _ends(self, case: Case) -> Counts:
        """Return the commits that are or can be measured: GOOD, BAD, and those in between."""
        ends = self._measurable(case)
        ends[[0, self.last]] = True
        return np.asarray(np.flatnonzero(ends))

    def candidates(self, case: Case) -> list[tuple[tuple[int, ...], float]]:
        """Return the commits in which the step may lie, in groups that cannot be told apart, the most probable first.

        Each comes with its probability. Commits that cannot be measured are in a group with the next one that can.
        """
        by_commit = self.posterior(case).by_commit
        ends = self._ends(case)
        group_of = np.searchsorted(ends, np.arange(len(by_commit)))
        groups = [
            (tuple(np.flatnonzero((group_of == index) & (self.prior > 0)).tolist()), float(mass))
            for index, mass in enumerate(np.bincount(group_of, weights=by_commit))
            if mass > 0
        ]
        return sorted(groups, key=lambda group: -group[1])

    def culprits(self, case: Case) -> list[Culprit]:
        """Return the steps whose commits are known, the earliest first.

        Where the interval of its size includes 1, a step is not known, whatever its probability.
        """
        named = self._named(case)
        steps = [
            Culprit(commits, min(probability, 1.0), self._size(case, named, index))
            for index, (commits, probability) in enumerate(named)
        ]
        return [step for step in steps if not step.size.contains(1.0)]

    def _size(self, case: Case, named: Sequence[tuple[Sequence[int], float]], index: int) -> Interval:
        """Return the ratio of times after and before a step.

        On its sides are the rounds of all commits up to the next steps, GOOD's control among them; only those beside it
        while a step is not named. The interval is that of a difference of two estimates with intervals (G. Y. Zou and
        A. Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008): it
        excludes 1 where those of the two sides do not overlap.
        """
        if self.more_steps(case) and len(named) < 2:
            before, after = (self.rounds(case, commit) for commit in self._sides(case, named[index][0]))
        else:
            bounds = [0, *(commits[0] for commits, _ in named), self.last + 1]
            before, after = (
                np.concatenate([self.rounds(case, commit) for commit in range(*pair)])
                for pair in pairwise(bounds[index : index + 3])
            )
        if not before.size or not after.size:
            return NO_ESTIMATE
        below, above = median_interval(before), median_interval(after)
        size = above.value - below.value
        low = hypot(above.value - above.low, below.high - below.value)
        high = hypot(above.high - above.value, below.value - below.low)
        return Interval.from_logs((size, size - low, size + high))

    def _named(self, case: Case) -> list[tuple[tuple[int, ...], float]]:
        """Return the candidates that are nearly certain, the earliest first."""
        return sorted(group for group in self.candidates(case)[:2] if group[1] >= NAMED)

    def more_steps(self, case: Case) -> bool:
        """Return whether there is more than one step."""
        return self.posterior(case).two_steps >= MORE_STEPS
