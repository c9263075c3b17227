"""The posterior over commits, held to sums over all hypotheses, and what searches with it find."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammaln

from actbench.analysis.change_point import MOST_PLACES, PRIOR, TWO_STEPS, Posterior
from actbench.analysis.commit_search import CommitSearch
from actbench.model.cases import Case
from tests.support.checked import CACHED

CASE = Case.parse(CACHED)

VOTES = np.array([[9, 0, 1], [2, 0, 0], [1, 2, 2], [0, 0, 0], [0, 1, 4], [0, 0, 6]])
"""Six commits, three kinds of votes."""

WEIGHTS = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
"""The fourth commit changes nothing."""

Hypothesis = tuple[int, int, float, list[NDArray[np.float64]]]


def hypotheses(votes: NDArray[np.int64]) -> Iterator[Hypothesis]:
    """Yield first and last commit with a step, the weight, and by commit the probabilities of the next vote."""
    steps = [commit for commit in range(len(WEIGHTS)) if WEIGHTS[commit]]
    for first, last in product(steps, steps):
        if first <= last:
            weight = (1 - TWO_STEPS) / len(steps)
            if first < last:
                weight = TWO_STEPS / (len(steps) * (len(steps) - 1) / 2)
            rates: list[NDArray[np.float64]] = []
            for start, stop in ((0, first), (first, last), (last, len(WEIGHTS))):
                counts = votes[start:stop].sum(axis=0) + PRIOR
                dirichlet = gammaln(counts).sum() - gammaln(counts.sum())
                weight *= np.exp(dirichlet - counts.size * gammaln(PRIOR) + gammaln(counts.size * PRIOR))
                rates += [counts / counts.sum()] * (stop - start)
            yield first, last, weight, rates


def entropy(votes: NDArray[np.int64]) -> float:
    """Return the entropy of the posterior in bits."""
    weights = np.array([weight for *_, weight, _ in hypotheses(votes)])
    shares = weights / weights.sum()
    return float(-np.sum(shares * np.log2(shares)))


def test_the_posterior_is_that_of_all_hypotheses() -> None:
    by_commit, two, total = np.zeros(len(WEIGHTS)), 0.0, 0.0
    for first, last, weight, _ in hypotheses(VOTES):
        total += weight
        by_commit[first] += weight
        if last > first:
            by_commit[last] += weight
            two += weight
    posterior = Posterior.of(VOTES, WEIGHTS)
    np.testing.assert_allclose(posterior.by_commit, by_commit / total, rtol=1e-9)
    assert posterior.two_steps == pytest.approx(two / total)


def test_the_information_of_a_vote_is_the_expected_decrease_of_entropy() -> None:
    information = Posterior.of(VOTES, WEIGHTS).information
    total = sum(weight for *_, weight, _ in hypotheses(VOTES))
    for commit in range(len(WEIGHTS)):
        left = entropy(VOTES)
        for kind in range(VOTES.shape[1]):
            chance = sum(weight * rates[commit][kind] for *_, weight, rates in hypotheses(VOTES)) / total
            more = VOTES.copy()
            more[commit, kind] += 1
            left -= chance * entropy(more)
        assert information[commit] == pytest.approx(left, abs=1e-9)


@pytest.mark.exhaustive
def test_a_long_history_is_searched_as_a_short_one_is() -> None:
    last, culprit = 6 * MOST_PLACES, 1321
    search = searched([0.0] * culprit + [0.05] * (last + 1 - culprit), seed=1)
    (named,) = search.culprits(CASE)
    assert named.commits == (culprit,)


def searched(levels: list[float], seed: int, spread: float = 0.01, disturbed: float = 0.05) -> CommitSearch:
    """Return the search in a history of these levels; a few rounds lie anywhere."""
    rng = np.random.default_rng(seed)
    last = len(levels) - 1

    def ratios(commit: int) -> dict[Case, tuple[float, float]]:
        scatter = [rng.uniform(-0.1, 0.1) if rng.random() < disturbed else rng.normal(0, spread) for _ in range(2)]
        return {CASE: (levels[commit] + scatter[0], scatter[1])}

    search = CommitSearch(np.array([0.0] + [1.0] * last), (CASE,))
    for _ in range(8):
        search.add(last, ratios(last))
    while search.open_cases():
        commit = search.next(np.ones(last + 1))
        assert commit is not None
        search.add(commit, ratios(commit))
    return search


def test_searches_name_the_right_commit_though_some_rounds_are_wrong() -> None:
    rng = np.random.default_rng(2)
    for seed in range(12):
        culprit = int(rng.integers(1, 33))
        search = searched([0.0] * culprit + [0.05] * (33 - culprit), seed)
        assert [named.commits for named in search.culprits(CASE)] == [(culprit,)]
        assert not search.more_steps(CASE)


def test_a_level_in_between_is_a_second_step() -> None:
    search = searched([0.0] * 10 + [0.05] * 12 + [0.1] * 11, seed=3)
    assert search.more_steps(CASE)
    assert [named.commits for named in search.culprits(CASE)] == [(10,), (22,)]
    sizes = [named.size.value for named in search.culprits(CASE)]
    assert sizes == pytest.approx([np.exp(0.05)] * 2, abs=0.01)


def test_a_commit_that_cannot_be_measured_may_still_be_the_one() -> None:
    search = CommitSearch(np.array([0.0, 1.0, 1.0, 1.0]), (CASE,))
    for _ in range(8):
        search.add(3, {CASE: (0.1, 0.0)})
        search.add(1, {CASE: (0.0, 0.0)})
    search.skip(2, [CASE])
    assert search.next(np.ones(4)) in {1, 3, None}
    (named,) = search.culprits(CASE)
    assert named.commits == (2, 3)
