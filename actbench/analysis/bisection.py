"""The result of ``actbench bisect``: since which commit each case is slower, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from actbench.analysis.commit_search import CommitSearch, Culprit
from actbench.analysis.interval import Interval
from actbench.analysis.regression import Change
from actbench.analysis.rounds_needed import Need
from actbench.model.bisected_commit import BisectedCommit
from actbench.model.cases import Case
from actbench.model.outcomes import Failure

MOST_SUSPECTS = 5
"""Number of groups of suspects that are kept of a case without a culprit."""


SHARE_OF_CHECK = 0.5
"""Largest share of the budget for the check of BAD: it takes no longer than any check once a case has regressed."""

FIRST_ROUNDS = 16
"""Rounds of the check of BAD where a case got slower, with those that confirm."""

LAST_ROUNDS = 12
"""Rounds on either side of the culprit."""

ROUNDS_PER_HALVING = 2
"""Rounds that it takes to halve the number of commits, in simulations (`benchmarks.bisect`)."""

SECONDS_TO_BUILD = 10.0
"""Predicted duration of building an environment."""

LEAST_PROBABILITY = 0.005
"""Probability below which commits are no suspects."""


@dataclass(frozen=True, slots=True)
class ExpectedBisection:
    """What a bisect is expected to take where a case got slower."""

    commits: int
    """The number of commits that may be the culprit."""
    cases: int
    environments: int
    rounds: int
    seconds: float


def expected(commits: int, cases: int, round_seconds: float) -> ExpectedBisection:
    """Return what a bisect is expected to take where a case got slower, if no environment is in the cache."""
    halvings = ceil(log2(commits))
    rounds, environments = FIRST_ROUNDS + ROUNDS_PER_HALVING * halvings + LAST_ROUNDS, 2 + halvings
    return ExpectedBisection(
        commits, cases, environments, rounds, rounds * round_seconds + environments * SECONDS_TO_BUILD
    )


@dataclass(frozen=True, slots=True)
class Suspects:
    """Commits that cannot be told apart, one of which may be the culprit."""

    commits: tuple[int, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class SlowerCase:
    """A case that is slower in BAD than in GOOD. Commits are named by their numbers, from GOOD."""

    case: Case
    total: Interval
    """The ratio of BAD's times to GOOD's."""
    culprits: tuple[Culprit, ...]
    more_steps: bool
    """Whether there is more than one step."""
    suspects: tuple[Suspects, ...]
    """The most probable ones, of a case whose steps are not all known."""


@dataclass(frozen=True, slots=True)
class MeasuredCommit:
    """What was measured of a commit."""

    number: int
    rounds: int
    levels: tuple[tuple[Case, Interval], ...]
    """By case, the ratio of its times to GOOD's."""


@dataclass(frozen=True, slots=True)
class SkippedCommit:
    """A commit of which nothing, or not every case, can be measured."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class LackedCases:
    """Selected cases that GOOD or BAD lacks."""

    end: str
    """GOOD or BAD."""
    cases: tuple[str, ...]
    selected: int
    """The number of cases that are selected."""
    files: tuple[str, ...]
    """The files that --load names and the commit does not have."""

    @property
    def sentence(self) -> str:
        """What is lacking, and the files whose absence may be why."""
        example = self.cases[0] if len(self.cases) == 1 else f"e.g. {self.cases[0]}"
        absent = f" ({', '.join(self.files)} {'is' if len(self.files) == 1 else 'are'} not in it)" if self.files else ""
        plural = "" if self.selected == 1 else "s"
        return f"{self.end} lacks {len(self.cases)} of {self.selected} selected case{plural}, {example}{absent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """What is known when a bisect ends."""

    commits: tuple[BisectedCommit, ...]
    """From GOOD to BAD."""
    names: tuple[str, str]
    """GOOD and BAD, as the user wrote them."""
    margin: float
    slower: tuple[SlowerCase, ...] = ()
    first: tuple[Change, ...] = ()
    """The verdicts on BAD against GOOD; none where an earlier bisect has reached them."""
    undecided: tuple[str, ...] = ()
    """The cases that this check left open."""
    lacked: tuple[LackedCases, ...] = ()
    """What GOOD and BAD lack, which is not compared."""
    noise: tuple[Change, ...] = ()
    """The cases in which GOOD differed from itself beyond the margin there."""
    failures: tuple[Failure, ...] = ()
    need: Need | None = None
    """What it takes to decide the cases that this check left open."""
    budget: float = 0.0
    """Of the whole, in seconds."""
    measured: tuple[MeasuredCommit, ...] = ()
    skipped: tuple[SkippedCommit, ...] = ()
    rounds: int = 0
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    interrupted: bool = False


def slower_cases(search: CommitSearch) -> tuple[SlowerCase, ...]:
    """Return what a search has found out about its cases."""
    return tuple(_slower(search, case) for case in search.cases if search.rounds(case, search.last).size)


def _slower(search: CommitSearch, case: Case) -> SlowerCase:
    culprits, more = search.culprits(case), search.more_steps(case)
    known = {commit for culprit in culprits for commit in culprit.commits}
    others = [
        Suspects(commits, probability)
        for commits, probability in search.candidates(case)
        if probability >= LEAST_PROBABILITY and not known.issuperset(commits)
    ]
    all_known = len(culprits) > int(more)
    kept = () if all_known else tuple(others[:MOST_SUSPECTS])
    return SlowerCase(case, search.level(case, search.last), tuple(culprits), more, kept)


def measured_commits(search: CommitSearch) -> tuple[MeasuredCommit, ...]:
    """Return what was measured of each commit, by number; of GOOD, number 0, the rounds of the control."""
    numbers = sorted({commit for of_case in search.ratios.values() for commit in of_case})
    return tuple(
        MeasuredCommit(
            number,
            int(np.max([search.rounds(case, number).size for case in search.cases])),
            tuple((case, search.level(case, number)) for case in search.cases if search.rounds(case, number).size),
        )
        for number in numbers
    )
