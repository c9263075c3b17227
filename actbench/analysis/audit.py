"""What a live check is worth on this host: how often it would cry wolf, what it would see, what makes times scatter.

Rounds of one environment against itself are dealt, in order, to checks of as many rounds as a check's budget allows
for. Each is a complete check of no difference, so what it calls different is a false alarm. The smallest slowdown that
it would have called regressed follows from the same rounds: a slowdown of a case moves all its log ratios by the same
amount. That this is so is measured as well: a third process makes more calls than are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import expm1, inf, isnan, log1p, nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.check_live import Sides, log_ratios_by_case
from actbench.analysis.sequential import TAIL, chance_of_median_above, median_interval, needed
from actbench.analysis.statistics import CONFIDENCE, Bounded, medians, scatter
from actbench.model.cases import Block, Case
from actbench.model.times import Times

POWER = 0.95
"""The share of slowdowns of a size that must be seen, for the size to count as seen."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of a logarithm, so relative ones, by what makes it scatter."""

    placement: float
    """From value to value in a process: addresses, and what disturbs a moment."""
    round: float
    """From process to process, beyond that."""
    run: float
    """From one check to the next, beyond both: the host's drift."""


@dataclass(frozen=True, slots=True)
class CaseAudit:
    """What was found of one case."""

    case: Case
    side_by_side: Spread
    """Of the time over that of the other process, as ``check --against`` compares."""
    over_yardstick: Spread
    """Of the time over the yardstick's, as ``check RUN --baseline RUN`` compares."""
    thresholds: tuple[float, ...]
    """By check, the smallest slowdown that it would have seen, relative: 0.07 for 7 %; inf where it sees none."""
    burden: float
    """The slowdown that was put in, relative; 0 where a slice has too few calls for one."""
    found: Bounded
    """What it was measured as."""

    @property
    def least(self) -> float:
        """The smallest slowdown seen in `POWER` of the checks, relative; inf where there are no checks."""
        return _quantile(self.thresholds)


@dataclass(frozen=True, slots=True)
class Audit:
    """What a live check is worth here."""

    margin: float
    rounds: int
    """How many were measured."""
    check_rounds: int
    """How many a check has."""
    checks: int
    """How many checks the rounds make."""
    alarmed_checks: int
    """How many of them called any case regressed."""
    judged: int
    """Cases judged, over all checks."""
    called: int
    """How many of these were called regressed or improved."""
    burdened: int
    """Slowdowns put in, over cases and checks."""
    seen: int
    """How many of these were called regressed."""
    cases: tuple[CaseAudit, ...]

    @property
    def least(self) -> float:
        """The smallest slowdown seen in `POWER` of all cases and checks, relative; inf where there are no checks."""
        return _quantile([threshold for case in self.cases for threshold in case.thresholds])


def audit(sides: Sides, margin: float, check_rounds: int, burdens: Mapping[Case, float]) -> Audit:
    """Deal the rounds to checks and judge each; `burdens` are the slowdowns of the third process, relative."""
    same = log_ratios_by_case(sides.baseline, sides.candidate)
    slowed = log_ratios_by_case(sides.baseline, sides.control)
    rounds = min((logs.size for logs in same.values()), default=0)
    checks = [slice(start, start + check_rounds) for start in range(0, rounds - check_rounds + 1, check_rounds)]
    allowed = log1p(margin)
    called = [[_called(logs[check], allowed, len(same)) for logs in same.values()] for check in checks]
    lower = [[_called(-logs[check], allowed, len(same)) for logs in same.values()] for check in checks]
    alarms = np.array(called, dtype=bool).reshape(len(checks), len(same))
    beyond = alarms | np.array(lower, dtype=bool).reshape(alarms.shape)
    seen = [
        _called(slowed[case][check], allowed, len(same)) for case, share in burdens.items() if share for check in checks
    ]
    return Audit(
        margin=margin,
        rounds=rounds,
        check_rounds=check_rounds,
        checks=len(checks),
        alarmed_checks=int(alarms.any(axis=1).sum()),
        judged=beyond.size,
        called=int(beyond.sum()),
        burdened=len(seen),
        seen=sum(seen),
        cases=tuple(
            CaseAudit(
                case=case,
                side_by_side=_spread(_paired(sides, case), checks),
                over_yardstick=_spread(_over_yardstick(sides.baseline, case), checks),
                thresholds=tuple(_threshold(logs[check], allowed, len(same)) for check in checks),
                burden=burdens[case],
                found=Bounded.of_logs(median_interval(slowed[case])),
            )
            for case, logs in same.items()
        ),
    )


def _called(logs: Floats, allowed: float, cases: int) -> bool:
    """Say whether rounds call one case of so many regressed, by the strictest step of Holm's correction."""
    return chance_of_median_above(logs, allowed) * cases <= 1 - CONFIDENCE and median_interval(logs)[1] > allowed


def _threshold(logs: Floats, allowed: float, cases: int) -> float:
    """Return the smallest slowdown, relative, that these rounds would have called regressed among so many cases.

    It takes so many rounds above the margin, by the interval and by the test; the last of them decides.
    """
    ranks = [needed(logs.size), needed(logs.size, Fraction(1, cases) * TAIL * 2)]
    if None in ranks:
        return inf
    decisive = np.sort(logs)[logs.size - max(rank for rank in ranks if rank is not None)]
    return expm1(max(0.0, allowed - float(decisive)))


def _quantile(thresholds: Sequence[float]) -> float:
    return float(np.quantile(thresholds, POWER, method="higher")) if thresholds else inf


def _block_and_arm(times: Times, case: Case) -> tuple[Block, int]:
    return next((block, block.cases.index(case)) for block in times.blocks if case in block.cases)


def _paired(sides: Sides, case: Case) -> Floats:
    """Return rounds x values of log ratios between the two processes."""
    block, arm = _block_and_arm(sides.baseline, case)
    return np.asarray(np.log(sides.candidate.seconds(block)[:, arm] / sides.baseline.seconds(block)[:, arm]))


def _over_yardstick(times: Times, case: Case) -> Floats:
    """Return rounds x values of logarithms of the time over the median of the yardstick's in the round."""
    block, arm = _block_and_arm(times, case)
    logs = np.log(times.seconds(block))
    return np.asarray(logs[:, arm] - medians(logs[:, -1])[:, np.newaxis])


def _spread(logs: Floats, checks: Sequence[slice]) -> Spread:
    """Take rounds x values apart, from the inside outward; what an outer one owes to the inner is taken off.

    A median of n normal values has a variance of about pi / 2n times theirs.
    """
    present = [row[~np.isnan(row)] for row in logs]
    within = float(np.median([float(scatter(row)) for row in present if row.size > 1] or [0.0]))
    values = float(np.median([row.size for row in present]))
    rounds = np.array([np.median(row) for row in present])
    if not checks:
        return Spread(within, nan, nan)
    between = float(np.median([scatter(rounds[check]) for check in checks]))
    medians = [float(np.median(rounds[check])) for check in checks]
    size = checks[0].stop - checks[0].start
    runs = float(np.std(medians, ddof=1)) if len(checks) > 1 else nan
    return Spread(within, _less(between, within * sqrt(pi / 2 / values)), _less(runs, between * sqrt(pi / 2 / size)))


def _less(total: float, inner: float) -> float:
    """Return the standard deviation that is left of `total` without `inner`; NaN stays."""
    return total if isnan(total) else sqrt(max(0.0, total**2 - inner**2))
