"""In which commit did a level change, from noisy votes: the posterior over commits, and what a further vote would tell.

Commits are numbered from 0, the one before the change, to n, the one after it. A vote says of a commit that it is
"after". Before the change votes do so with one unknown probability, from the change on with another one. Hypotheses are
a step at a commit, and two steps, between which votes have a third probability: so that a level in between is noticed.
The unknown probabilities are integrated out (for the outer ones with Jeffreys' prior, Beta(1/2, 1/2), for the one in
between with the uniform one), which their conjugacy with the binomial distribution allows in closed form. The votes on
commits 0 and n therefore estimate the error rates. The next commit is one whose vote is expected to tell most: the
mutual information of vote and hypothesis, by which the expected entropy of the posterior decreases.

This is the model of git-bayesect 1.2 (S. Jain, MIT licence, https://github.com/hauntsaninja/git_bayesect), with a
second step, with costs, and with commits that cannot be measured but may be the one (there, skipping a commit acquits
it); M. Ben-Or and A. Hassidim, "The Bayesian learner is optimal for noisy binary search", FOCS 2008, has the idea.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

TWO_STEPS = 0.1
"""Prior probability that there is a second step."""

MOST_PLACES = 257
"""Number of commits, in addition to those with votes, between which hypotheses are told apart at once."""


@dataclass(frozen=True)
class Posterior:
    """The posterior over the commits in which a level changed.

    Hypotheses lie between `places`, ascending numbers of commits from 0 to n: commits between two of them have no
    votes, so that they share one likelihood.
    """

    after: Counts
    """By commit, how often a vote said "after"."""
    before: Counts
    """By commit, how often a vote said the opposite."""
    prior: Floats
    """By commit, the relative weight of a step there; 0 for commit 0, and for commits that change nothing."""
    places: Counts

    @classmethod
    def of(cls, after: Counts, before: Counts, prior: Floats) -> Posterior:
        """Return the posterior after these votes, at places that lie densely where a step is probable."""
        voted = np.flatnonzero(after + before)
        last = len(prior) - 1
        coarse = cls(after, before, prior, np.unique([0, *voted, last]))
        if last < MOST_PLACES:
            return cls(after, before, prior, np.arange(last + 1))
        reached = np.cumsum(coarse.by_commit)
        dense = np.searchsorted(reached, np.linspace(0.0, reached[-1], MOST_PLACES)).clip(0, last)
        return cls(after, before, prior, np.unique([0, *voted, *dense, last]))

    @cached_property
    def weights(self) -> Floats:
        """Square array of probabilities: step in interval i alone (diagonal), or in intervals i and j > i.

        Interval i holds the commits after place i up to place i + 1.
        """
        first, second = self._cumulated
        prior = self._of_intervals(self.prior)
        prior = prior / prior.sum()
        ends = np.arange(len(prior))
        outer = _log_beta(first[ends], second[ends], 0.5) + _log_beta(
            first[-1] - first[ends], second[-1] - second[ends], 0.5
        )
        left = _log_beta(first[ends], second[ends], 0.5)[:, np.newaxis]
        right = _log_beta(first[-1] - first[ends], second[-1] - second[ends], 0.5)[np.newaxis, :]
        middle = _log_beta(*self._between, 1.0)
        pairs = np.triu(np.outer(prior, prior), 1)
        with np.errstate(divide="ignore"):
            single = np.log((1 - TWO_STEPS) * prior) + outer
            double = np.log(TWO_STEPS * pairs / (pairs.sum() or 1.0)) + left + middle + right
        double[np.diag_indices_from(double)] = single
        scaled = np.exp(double - double.max())
        return np.asarray(scaled / scaled.sum())

    @property
    def two_steps(self) -> float:
        """The probability that there are two steps."""
        return float(1.0 - np.trace(self.weights))

    @cached_property
    def by_commit(self) -> Floats:
        """By commit, the probability that the level changes there; in an interval it is shared by the prior."""
        weights = self.weights
        in_interval = weights.sum(axis=0) + weights.sum(axis=1) - np.diag(weights)
        prior = self._of_intervals(self.prior)
        shares = np.divide(in_interval, prior, out=np.zeros_like(prior), where=prior > 0)
        return np.concatenate([[0.0], np.repeat(shares, np.diff(self.places))]) * self.prior

    @cached_property
    def information(self) -> Floats:
        """By commit, the information in bits that one more vote there is expected to give; 0 for those not in `places`.

        A place before interval i is before the step; one behind interval j is after the last one.
        """
        first, second = self._cumulated
        ends = np.arange(len(self.places) - 1)
        weights = self.weights
        pairs = np.triu(weights, 1)
        rows, columns = weights.sum(axis=1), weights.sum(axis=0)
        left = _rate(first[ends], second[ends], 0.5)
        right = _rate(first[-1] - first[ends], second[-1] - second[ends], 0.5)
        middle = _rate(*self._between, 1.0)

        def expected(of_left: Floats, of_middle: Floats, of_right: Floats) -> Floats:
            """Return, by place, the mean of a function of the probability that a vote there says "after"."""
            inside = pairs * of_middle
            behind = _reached(columns * of_right)
            before = _reached((rows * of_left)[::-1])[::-1]
            return before + behind + _reached(inside.sum(axis=1)) - _reached(inside.sum(axis=0))

        entropy = _entropy(expected(left, middle, right)) - expected(_entropy(left), _entropy(middle), _entropy(right))
        information = np.zeros(len(self.prior))
        information[self.places] = np.maximum(entropy, 0.0)
        return information

    @cached_property
    def _cumulated(self) -> tuple[Counts, Counts]:
        """Votes of either kind on all commits up to each place."""
        return np.cumsum(self.after)[self.places], np.cumsum(self.before)[self.places]

    @cached_property
    def _between(self) -> tuple[Counts, Counts]:
        """Votes of either kind after a step in interval i (rows), and before one in interval j (columns)."""
        first, second = (votes[:-1] for votes in self._cumulated)
        between = first - first[:, np.newaxis], second - second[:, np.newaxis]
        return np.maximum(between[0], 0), np.maximum(between[1], 0)

    def _of_intervals(self, by_commit: Floats) -> Floats:
        return np.asarray(np.diff(np.cumsum(by_commit)[self.places]))


def _reached(values: Floats) -> Floats:
    """Return the sums of the first 0, 1, ... values."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _rate(first: Counts, second: Counts, prior: float) -> Floats:
    return np.asarray((first + prior) / (first + second + 2 * prior))


def _entropy(rate: Floats) -> Floats:
    """Return the entropy in bits of events of a probability."""
    rate = rate.clip(1e-15, 1 - 1e-15)
    return np.asarray(-rate * np.log2(rate) - (1 - rate) * np.log2(1 - rate))


def _log_beta(first: Counts, second: Counts, prior: float) -> Floats:
    """Return the logarithm of the probability of votes of an unknown rate under Beta(prior, prior)."""
    from scipy.special import betaln

    return np.asarray(betaln(first + prior, second + prior) - betaln(prior, prior))
