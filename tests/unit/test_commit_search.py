"""The search for a commit, on rounds that are written down."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.analysis.bisection import Bisection, slower_cases
from actbench.analysis.commit_search import MOST_ROUNDS_BESIDE, ROUNDS_BESIDE, CommitSearch
from actbench.model.bisected_commit import BisectedCommit
from actbench.model.cases import Case
from actbench.report.bisection import answer_lines, headline
from tests.support.checked import CACHED

CASE = Case.parse(CACHED)
SLOWER = 0.3


def searched(*, disturbed: int, rounds: int = ROUNDS_BESIDE) -> CommitSearch:
    """Return a search with one commit, of whose rounds some are as fast as GOOD's; the control scatters little."""
    search = CommitSearch(np.array([0.0, 1.0]), (CASE,))
    for number in range(rounds):
        search.add(1, {CASE: (-0.01 if number < disturbed else SLOWER + number / 1000, number / 1000)})
    return search


def test_a_step_whose_interval_includes_0_is_not_named_but_measured_on() -> None:
    """The extremes of nine rounds are their bounds, of which one may be a disturbed round."""
    search = searched(disturbed=1)
    assert search.posterior(CASE).by_commit[1] == pytest.approx(1.0)
    assert search.culprits(CASE) == []
    assert search.open_cases() == [CASE]
    assert search.next(np.ones(2)) == 1
    for _ in range(MOST_ROUNDS_BESIDE - ROUNDS_BESIDE):
        search.add(1, {CASE: (SLOWER, 0.0)})
        if culprits := search.culprits(CASE):
            break
    assert culprits[0].size.low > 1.0
    assert search.open_cases() == []


def test_what_stays_open_is_not_measured_for_ever() -> None:
    search = searched(disturbed=MOST_ROUNDS_BESIDE // 2, rounds=MOST_ROUNDS_BESIDE)
    assert search.culprits(CASE) == []
    assert search.open_cases() == []


def test_the_interval_of_a_step_is_that_of_a_difference() -> None:
    (culprit,) = searched(disturbed=0).culprits(CASE)
    value, low, high = np.log(culprit.size)
    assert value == pytest.approx(SLOWER)
    assert (low, high) == pytest.approx((value - np.hypot(0.004, 0.004), value + np.hypot(0.004, 0.004)))


def test_the_answer_names_why_a_probable_commit_is_not_the_culprit() -> None:
    commits = tuple(BisectedCommit(letter * 40, letter, "2026-01-01", f"commit {letter}", ()) for letter in "ab")
    result = Bisection(commits=commits, names=("v1", "HEAD"), margin=0.05, slower=slower_cases(searched(disturbed=1)))
    assert headline(result) == (
        "1 case slower in HEAD, and the interval of the step of the probable commit includes 0: the same command with "
        "--resume and a larger --budget goes on (exit code 3)"
    )
    *_, line = answer_lines(result)
    assert line == "  bbbbbbbbbbbb 2026-01-01 commit b: above 99 %, but 0 is in the interval of its step"
