"""Verdicts: whether a case got slower, by its confidence interval and a test.

A verdict needs both the interval and the test. It is `regressed` only where the whole 95 % interval lies above the
margin and the p-value, corrected for the number of cases, is at most 5 %. It is `unchanged` only where the whole
interval lies inside the margin. Everything else is inconclusive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from math import isnan, log, nan

from actbench.analysis.clusters import Cluster
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.rounds_needed import Need
from actbench.analysis.statistics import CONFIDENCE
from actbench.model.cases import Case, KernelId
from actbench.model.sides import KeptOnSides


class Verdict(StrEnum):
    """The verdict on a case, the most severe first."""

    REGRESSED = "regressed"
    REGRESSED_IN_MEMORY = "regressed in memory"
    """It keeps more bytes for the backward pass than the baseline, and has not regressed in time."""
    MISSING = "missing"
    """The baseline has it, the candidate does not."""
    INCONCLUSIVE = "inconclusive"
    NOT_SLOWER = "not slower"
    """A slowdown beyond the margin is excluded, an improvement is not."""
    IMPROVED = "improved"
    NEW = "new"
    """The candidate has it, the baseline does not."""
    UNCHANGED = "unchanged"


class OpenReason(StrEnum):
    """The reason why a case is inconclusive."""

    NOT_MEASURED = "not measured"
    TOO_FEW_ROUNDS = "too few rounds"
    """There is no interval."""
    CONTAINS_MARGIN = "contains the margin"
    """The interval reaches from inside the margin to outside."""
    P_VALUE = "p-value"
    """The interval lies beyond the margin, but the corrected p-value is not small enough."""
    NOT_REPEATED = "not repeated"
    """It seemed to have regressed, and was not measured again."""
    NOT_CONFIRMED = "not confirmed"
    """It seemed to have regressed, and did not when it was measured again."""
    NOISY_HOST = "noisy host"
    """It seemed to have regressed on a host that is too noisy."""
    YARDSTICK = "yardstick"
    """Between two runs: the time itself does not show the change, or is slower than the margin where none is shown."""
    REGROUPED = "regrouped"
    """Between two runs: its block has other cases in the baseline."""


@dataclass(frozen=True, slots=True)
class Change:
    """The ratio of a case's time to that in the baseline; above 1 the case got slower."""

    case: Case
    verdict: Verdict
    ratio: Interval
    """Between two runs, of times relative to the yardstick; in a live check, of times side by side."""
    margin: float
    """The allowed slowdown, relative: 0.05 for 5 %."""
    p_value: float
    """The p-value of the verdict regressed or improved, corrected for the number of cases (Holm)."""
    baseline_rounds: int
    rounds: int
    absolute: Interval | None = None
    """Between two runs: the ratio of seconds, including the host's drift."""
    control: Interval | None = None
    """In a live check: the ratio of the baseline against itself."""
    confirmation: Interval | None = None
    """In a live check: the ratio over the rounds that were repeated to confirm a suspected regression."""
    need: Need | None = None
    """In a live check, of an inconclusive case: what it takes to decide a difference as large as the margin."""
    open_reason: OpenReason | None = None
    """Why it is inconclusive, if it is."""
    clusters: tuple[Cluster, Cluster] | None = None
    """In a live check: two clusters into which the rounds of an inconclusive case fall, if they do."""
    kept: KeptOnSides | None = None
    """The bytes kept for the backward pass, where both sides tell them."""
    same_code: bool = False
    """Whether both sides are known to execute the same code, so that only its placement can differ."""

    @property
    def slower_in_itself(self) -> bool:
        """Whether the time itself is wholly above the margin, and that relative to the yardstick is not."""
        beyond = 1 + self.margin
        return self.absolute is not None and self.absolute.low > beyond >= self.ratio.high

    def left_open(self, reason: OpenReason) -> Change:
        """Return the change as inconclusive."""
        return replace(self, verdict=Verdict.INCONCLUSIVE, open_reason=reason)


@dataclass(frozen=True, slots=True)
class Margins:
    """The allowed slowdowns, relative: 0.05 for 5 %."""

    default: float
    exceptions: tuple[tuple[str, float], ...] = ()
    """Globs over case ids with their margins; the first glob that matches counts."""

    def of(self, case: Case) -> float:
        """Return a case's margin."""
        return next((margin for glob, margin in self.exceptions if fnmatchcase(case.id, glob)), self.default)

    def tightest(self, cases: Iterable[Case]) -> float:
        """Return the smallest margin of these cases; the default one of none."""
        return min(map(self.of, cases), default=self.default)

    def unused(self, cases: Iterable[Case]) -> list[str]:
        """Return the globs that match none of these cases."""
        ids = [case.id for case in cases]
        return [glob for glob, _ in self.exceptions if not any(fnmatchcase(case_id, glob) for case_id in ids)]


def verdict(ratio: Interval, margin: float, slower: float, faster: float) -> Verdict:
    """Return the verdict on a ratio; `slower` and `faster` are the corrected p-values of exceeding the margin."""
    if slower <= 1 - CONFIDENCE and ratio.low > 1 + margin:
        return Verdict.REGRESSED
    if faster <= 1 - CONFIDENCE and ratio.high < 1 / (1 + margin):
        return Verdict.IMPROVED
    if 1 / (1 + margin) <= ratio.low and ratio.high <= 1 + margin:
        return Verdict.UNCHANGED
    return Verdict.NOT_SLOWER if ratio.high <= 1 + margin else Verdict.INCONCLUSIVE


def why_open(ratio: Interval, margin: float, rounds: int) -> OpenReason:
    """Return why `verdict` calls a ratio inconclusive."""
    if not ratio.has_bounds:
        return OpenReason.TOO_FEW_ROUNDS if rounds else OpenReason.NOT_MEASURED
    return OpenReason.P_VALUE if ratio.low > 1 + margin else OpenReason.CONTAINS_MARGIN


def with_same_code(changes: Iterable[Change], kernels: Collection[KernelId]) -> list[Change]:
    """Return the changes, marked where they are of one of these kernels, whose code is the same on both sides."""
    return [replace(change, same_code=change.case.kernel in kernels) for change in changes]


def one_sided_change(case: Case, side: Verdict, margin: float, baseline_rounds: int = 0, rounds: int = 0) -> Change:
    """Return the change of a case that only one side measured."""
    return Change(case, side, NO_ESTIMATE, margin, nan, baseline_rounds, rounds)


def by_severity(changes: Sequence[Change]) -> list[Change]:
    """Return the changes by verdict, the most severe first, and the largest change first within a verdict."""
    rank = list(Verdict)

    def key(change: Change) -> tuple[int, float, str]:
        value = change.ratio.value
        return rank.index(change.verdict), 0.0 if isnan(value) else -abs(log(value)), change.case.id

    return sorted(changes, key=key)
