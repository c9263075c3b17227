"""An audit of this host: false alarms of a live check, the smallest slowdown it detects, and sources of variance.

Rounds of one environment against itself are divided, in order, into checks of as many rounds as the budget of a check
allows. Each of them is a complete check without any difference, which ends a block as soon as all of its cases are
decided, so every regression in it is a false alarm. The
smallest slowdown that a check would have called regressed follows from the same rounds, since a slowdown of a case
shifts all of its log ratios by the same amount. A third process demonstrates this with an injected slowdown: it makes
more calls than are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import expm1, inf, isnan, log1p, nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.check_live import LiveTimes, log_ratios_by_case
from actbench.analysis.interval import Interval
from actbench.analysis.sequential import TAIL_PROBABILITY, fewest_above, median_interval
from actbench.analysis.statistics import Floats, mad_standard_deviation, medians
from actbench.model.cases import Block, Case
from actbench.model.times import Times

DETECTION_RATE = 0.95
"""Share of slowdowns of one size that must be detected for that size to count as detectable."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of a logarithm, which are relative ones, by source of variance."""

    placement: float
    """From value to value in a process: by addresses and momentary disturbances."""
    round: float
    """From process to process, beyond placement."""
    run: float
    """From one check to the next, beyond both: by the host's drift."""


@dataclass(frozen=True, slots=True)
class CaseAudit:
    """The audit of one case."""

    case: Case
    side_by_side: Spread
    """Of the time relative to the other process, as in ``check --against``."""
    over_yardstick: Spread
    """Of the time relative to the yardstick, as in ``check RUN --baseline RUN``."""
    thresholds: tuple[float, ...]
    """By check, the smallest detectable slowdown, relative: 0.07 for 7 %; inf where there is none."""
    injected: float
    """The injected slowdown, relative; 0 where a slice has too few calls for it."""
    measured: Interval
    """The ratio of times with the injected slowdown: 1.1 for a slowdown of 10 %."""

    @property
    def smallest_slowdown(self) -> float:
        """The smallest slowdown detected in `DETECTION_RATE` of the checks, relative; inf where there are no checks."""
        return _quantile(self.thresholds)


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of a host."""

    margin: float
    rounds: int
    """Number of measured rounds."""
    check_rounds: int
    """Number of rounds of a check."""
    checks: int
    """Number of checks."""
    alarmed_checks: int
    """Number of checks that called a case regressed."""
    judged: int
    """Number of judged cases, over all checks."""
    called: int
    """Number of these that were called regressed or improved."""
    injected: int
    """Number of injected slowdowns, over cases and checks."""
    detected: int
    """Number of these that were called regressed."""
    cases: tuple[CaseAudit, ...]

    @property
    def smallest_slowdown(self) -> float:
        """The smallest slowdown detected in `DETECTION_RATE` of all cases and checks, relative; inf without checks."""
        return _quantile([threshold for case in self.cases for threshold in case.thresholds])


def audit(times: LiveTimes, margin: float, check_rounds: int, injected: Mapping[Case, float]) -> Audit:
    """Divide the rounds into checks and judge each; `injected` are the slowdowns of the third process, relative."""
    same = log_ratios_by_case(times.baseline, times.candidate)
    slowed = log_ratios_by_case(times.baseline, times.control)
    rounds = min((logs.size for logs in same.values()), default=0)
    checks = [slice(start, start + check_rounds) for start in range(0, rounds - check_rounds + 1, check_rounds)]
    allowed = log1p(margin)

    def called(logs: Mapping[Case, Floats], check: slice, block: Block) -> Mapping[Case, tuple[bool, bool]]:
        verdicts = _called(np.array([logs[case][check] for case in block.cases]), allowed, len(same))
        return dict(zip(block.cases, verdicts, strict=True))

    blocks = times.candidate.blocks
    verdicts = [[one for block in blocks for one in called(same, check, block).values()] for check in checks]
    regressed, improved = np.array(verdicts, dtype=bool).reshape(len(checks), len(same), 2).transpose(2, 0, 1)
    detected = [
        slower
        for check in checks
        for block in blocks
        for case, (slower, _) in called(slowed, check, block).items()
        if injected.get(case)
    ]
    return Audit(
        margin=margin,
        rounds=rounds,
        check_rounds=check_rounds,
        checks=len(checks),
        alarmed_checks=int(regressed.any(axis=1).sum()),
        judged=regressed.size,
        called=int((regressed | improved).sum()),
        injected=len(detected),
        detected=sum(detected),
        cases=tuple(
            CaseAudit(
                case=case,
                side_by_side=_spread(_paired(times, case), checks),
                over_yardstick=_spread(_over_yardstick(times.baseline, case), checks),
                thresholds=tuple(_threshold(logs[check], allowed, len(same)) for check in checks),
                injected=injected[case],
                measured=Interval.from_logs(median_interval(slowed[case])),
            )
            for case, logs in same.items()
        ),
    )


def _called(logs: Floats, allowed: float, cases: int) -> list[tuple[bool, bool]]:
    """Return, for each case of a block, whether a check calls it regressed, and whether improved.

    `logs` are cases x rounds. The check ends where all cases of the block are decided, or after the last round; it uses
    the strictest step of Holm's correction for this many cases.
    """
    bound, test = _fewest_above(logs.shape[1]), _fewest_above(logs.shape[1], Fraction(1, cases) * TAIL_PROBABILITY * 2)

    def beyond(logs: Floats) -> NDArray[np.bool_]:
        above = np.cumsum(logs > allowed, axis=1)
        return np.asarray((above >= bound) & np.maximum.accumulate(above >= test, axis=1))

    regressed, improved = beyond(logs), beyond(-logs)
    inside = (np.cumsum(logs <= allowed, axis=1) >= bound) & (np.cumsum(logs >= -allowed, axis=1) >= bound)
    decided = (regressed | improved | inside).all(axis=0)
    last = int(np.argmax(decided)) if decided.any() else -1
    return [*zip(regressed[:, last].tolist(), improved[:, last].tolist(), strict=True)]


def _fewest_above(rounds: int, level: Fraction = TAIL_PROBABILITY) -> NDArray[np.int64]:
    """Return `fewest_above` after 1, 2, ... rounds; more than there are where even all do not suffice."""
    return np.array([fewest_above(number, level) or number + 1 for number in range(1, rounds + 1)])


def _threshold(logs: Floats, allowed: float, cases: int) -> float:
    """Return the smallest slowdown, relative, that a check of these rounds calls regressed among this many cases.

    The interval and the test each require a number of rounds above the margin; the last of these rounds decides.
    """
    ranks = [fewest_above(logs.size), fewest_above(logs.size, Fraction(1, cases) * TAIL_PROBABILITY * 2)]
    if None in ranks:
        return inf
    decisive = np.sort(logs)[logs.size - max(rank for rank in ranks if rank is not None)]
    return expm1(max(0.0, allowed - float(decisive)))


def _quantile(thresholds: Sequence[float]) -> float:
    return float(np.quantile(thresholds, DETECTION_RATE, method="higher")) if thresholds else inf


def _block_and_arm(times: Times, case: Case) -> tuple[Block, int]:
    return next((block, block.cases.index(case)) for block in times.blocks if case in block.cases)


def _paired(times: LiveTimes, case: Case) -> Floats:
    """Return rounds x values of log ratios between the two processes."""
    block, arm = _block_and_arm(times.baseline, case)
    return np.asarray(np.log(times.candidate.seconds(block)[:, arm] / times.baseline.seconds(block)[:, arm]))


def _over_yardstick(times: Times, case: Case) -> Floats:
    """Return rounds x values of the logarithm of the time over the yardstick's median time in the round."""
    block, arm = _block_and_arm(times, case)
    logs = np.log(times.seconds(block))
    return np.asarray(logs[:, arm] - medians(logs[:, -1])[:, np.newaxis])


def _spread(logs: Floats, checks: Sequence[slice]) -> Spread:
    """Return the standard deviations of rounds x values, each without the part of the narrower source.

    A median of n normal values has a variance of about pi / 2n times theirs.
    """
    present = [row[~np.isnan(row)] for row in logs]
    within = float(np.median([float(mad_standard_deviation(row)) for row in present if row.size > 1] or [0.0]))
    values = float(np.median([row.size for row in present]))
    rounds = np.array([np.median(row) for row in present])
    if not checks:
        return Spread(within, nan, nan)
    between = float(np.median([mad_standard_deviation(rounds[check]) for check in checks]))
    centres = [float(np.median(rounds[check])) for check in checks]
    size = checks[0].stop - checks[0].start
    runs = float(np.std(centres, ddof=1)) if len(checks) > 1 else nan
    of_round = _without(between, within * sqrt(pi / 2 / values))
    return Spread(within, of_round, _without(runs, between * sqrt(pi / 2 / size)))


def _without(total: float, inner: float) -> float:
    """Return the standard deviation that is left of `total` without `inner`; NaN stays NaN."""
    return total if isnan(total) else sqrt(max(0.0, total**2 - inner**2))
