"""Verdicts: whether a case got slower, and what makes one say so.

A verdict needs the interval and the test: `regressed` only where the whole 95 % interval lies above the margin, and the
chance of being wrong, corrected for the number of cases, is at most 5 %; `unchanged` only where the whole interval lies
inside the margin. Everything else is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from math import isnan, log, nan

from actbench.analysis.statistics import CONFIDENCE, UNKNOWN, Bounded
from actbench.model.cases import Case


class Verdict(StrEnum):
    """What is said of a case, the gravest first."""

    REGRESSED = "regressed"
    MISSING = "missing"
    """The baseline has it, the candidate does not."""
    INCONCLUSIVE = "inconclusive"
    IMPROVED = "improved"
    NEW = "new"
    """The candidate has it, the baseline does not."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """How many times as long a case takes as in the baseline; above 1 it got slower."""

    case: Case
    verdict: Verdict
    ratio: Bounded
    """What the verdict is about: of times relative to the yardstick between two runs, of times side by side else."""
    margin: float
    """What the case may get slower, relative: 0.05 for 5 %."""
    chance: float
    """The p value of the verdict regressed or improved, corrected for the number of cases (Holm)."""
    baseline_rounds: int
    rounds: int
    absolute: Bounded | None = None
    """Between two runs: of seconds, the host's drift and all."""
    denied: bool = False
    """Between two runs: whether `ratio` alone says regressed or improved, and `absolute` does not show it."""
    control: Bounded | None = None
    """Side by side: of the baseline against itself."""
    confirmation: Bounded | None = None
    """Side by side: of the rounds that were measured anew because of a suspected regression."""


@dataclass(frozen=True, slots=True)
class Margins:
    """What cases may get slower, relative: 0.05 for 5 %."""

    default: float
    exceptions: tuple[tuple[str, float], ...] = ()
    """Globs over case ids with margins of their own; the first that matches counts."""

    def of(self, case: Case) -> float:
        """Return a case's margin."""
        return next((margin for glob, margin in self.exceptions if fnmatchcase(case.id, glob)), self.default)

    def unused(self, cases: Iterable[Case]) -> list[str]:
        """Return the globs that match none of these cases."""
        ids = [case.id for case in cases]
        return [glob for glob, _ in self.exceptions if not any(fnmatchcase(each, glob) for each in ids)]


def verdict(ratio: Bounded, margin: float, slower: float, faster: float) -> Verdict:
    """Return the verdict on a ratio; `slower` and `faster` are corrected p values of its being beyond the margin."""
    if slower <= 1 - CONFIDENCE and ratio.low > 1 + margin:
        return Verdict.REGRESSED
    if faster <= 1 - CONFIDENCE and ratio.high < 1 / (1 + margin):
        return Verdict.IMPROVED
    if 1 / (1 + margin) <= ratio.low and ratio.high <= 1 + margin:
        return Verdict.UNCHANGED
    return Verdict.INCONCLUSIVE


def alone(case: Case, given: Verdict, margin: float, baseline_rounds: int = 0, rounds: int = 0) -> Change:
    """Return the change of a case that only one of the two has."""
    return Change(case, given, UNKNOWN, margin, nan, baseline_rounds, rounds)


def gravest(found: Sequence[Change]) -> list[Change]:
    """Return the changes by verdict, the gravest first, and the largest change first within a verdict."""
    rank = list(Verdict)

    def key(change: Change) -> tuple[int, float, str]:
        value = change.ratio.value
        return rank.index(change.verdict), 0.0 if isnan(value) else -abs(log(value)), change.case.id

    return sorted(found, key=key)
