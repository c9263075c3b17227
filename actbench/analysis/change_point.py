"""In which commit did a level change, from noisy votes: the posterior over commits, and what a further vote would tell.

Commits are numbered from 0, the one before the change, to n, the one after it. A vote on a commit is one of a few
kinds. Hypotheses are a step at a commit, and two steps, so that a level in between is noticed: before the step, between
two, and from the last one on, the kinds of votes have unknown probabilities. These are integrated out with Jeffreys'
prior, a Dirichlet distribution with parameters of 1/2, which is possible in closed form. The votes on commits 0 and n
therefore estimate how often votes err. The next commit is one whose vote is expected to tell most: the mutual
information of vote and hypothesis, by which the expected entropy of the posterior decreases.

This is the model of git-bayesect 1.2 (S. Jain, MIT licence, https://github.com/hauntsaninja/git_bayesect), whose votes
are of two kinds, with a second step, with costs, and with commits that cannot be measured but may be the one (there,
skipping a commit acquits it). It is written anew, since these lie at its heart. The idea is older: M. Ben-Or and A.
Hassidim, "The Bayesian learner is optimal for noisy binary search", FOCS 2008.
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

PRIOR = 0.5
"""Parameter of the prior distribution of unknown probabilities."""

MOST_PLACES = 257
"""Number of commits, in addition to those with votes, between which hypotheses are told apart at once."""


@dataclass(frozen=True)
class Posterior:
    """The posterior over the commits in which a level changed.

    Hypotheses lie between `places`, ascending numbers of commits from 0 to n: commits between two of them have no
    votes, so that they share one likelihood.
    """

    votes: Floats
    """Commits x kinds: the number of votes, or their weight."""
    prior: Floats
    """By commit, the relative weight of a step there; 0 for commit 0, and for commits that change nothing."""
    places: Counts

    @classmethod
    def of(cls, votes: Floats, prior: Floats) -> Posterior:
        """Return the posterior after these votes, at places that lie densely where a step is probable."""
        voted = np.flatnonzero(votes.sum(axis=1))
        last = len(prior) - 1
        coarse = cls(votes, prior, np.unique([0, *voted, last]))
        if last < MOST_PLACES:
            return cls(votes, prior, np.arange(last + 1))
        reached = np.cumsum(coarse.by_commit)
        dense = np.searchsorted(reached, np.linspace(0.0, reached[-1], MOST_PLACES)).clip(0, last)
        return cls(votes, prior, np.unique([0, *voted, *dense, last]))

    @cached_property
    def weights(self) -> Floats:
        """Square array of probabilities: step in interval i alone (diagonal), or in intervals i and j > i.

        Interval i holds the commits after place i up to place i + 1.
        """
        prior = self._of_intervals(self.prior)
        prior = prior / prior.sum()
        before, between, after = map(_log_likelihood, self._segments)
        pairs = np.triu(np.outer(prior, prior), 1)
        with np.errstate(divide="ignore"):
            single = np.log((1 - TWO_STEPS) * prior) + before + after
            double = np.log(TWO_STEPS * pairs / (pairs.sum() or 1.0)) + before[:, np.newaxis] + between + after
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
        weights = self.weights
        pairs = np.triu(weights, 1)
        rows, columns = weights.sum(axis=1), weights.sum(axis=0)
        before, between, after = (_rates(votes) for votes in self._segments)

        def expected(of_before: Floats, of_between: Floats, of_after: Floats) -> Floats:
            """Return, by place, the mean of a function of the probabilities of votes there."""
            inside = pairs * of_between
            outside = _reached(columns * of_after) + _reached((rows * of_before)[::-1])[::-1]
            return outside + _reached(inside.sum(axis=1)) - _reached(inside.sum(axis=0))

        kinds = range(self.votes.shape[1])
        rates = np.stack([expected(before[..., kind], between[..., kind], after[..., kind]) for kind in kinds], axis=-1)
        entropy = _entropy(rates) - expected(_entropy(before), _entropy(between), _entropy(after))
        information = np.zeros(len(self.prior))
        information[self.places] = np.maximum(entropy, 0.0)
        return information

    @cached_property
    def _segments(self) -> tuple[Floats, Floats, Floats]:
        """The votes before a step in an interval, between two of them (rows, columns), and after one, by kind."""
        reached = np.cumsum(self.votes, axis=0)[self.places]
        before = reached[:-1]
        return before, np.maximum(before - before[:, np.newaxis], 0), reached[-1] - before

    def _of_intervals(self, by_commit: Floats) -> Floats:
        return np.asarray(np.diff(np.cumsum(by_commit)[self.places]))


def _reached(values: Floats) -> Floats:
    """Return the sums of the first 0, 1, ... values."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _rates(votes: Floats) -> Floats:
    """Return the expected probabilities of the kinds, the last axis, after these votes."""
    return np.asarray((votes + PRIOR) / (votes + PRIOR).sum(axis=-1, keepdims=True))


def _entropy(rates: Floats) -> Floats:
    """Return the entropy in bits of probabilities over the last axis."""
    return np.asarray(-np.sum(rates * np.log2(np.maximum(rates, 1e-300)), axis=-1))


def _log_likelihood(votes: Floats) -> Floats:
    """Return the logarithm of the probability of votes, by kind over the last axis, of unknown probabilities."""
    from scipy.special import gammaln

    kinds = votes.shape[-1]
    of_kinds = np.sum(gammaln(votes + PRIOR) - gammaln(PRIOR), axis=-1)
    return np.asarray(of_kinds + gammaln(kinds * PRIOR) - gammaln(votes.sum(axis=-1) + kinds * PRIOR))
