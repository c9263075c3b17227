"""One figure on many hosts: its estimates, pooled over the runs of a kind of host, and which hosts are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from statistics import median
from typing import Self

from actbench.analysis.between_runs import Trend
from actbench.analysis.interval import Interval
from actbench.analysis.random_effects import Effect, deviations, together
from actbench.analysis.statistics import CONFIDENCE, holm


@dataclass(frozen=True, slots=True)
class EstimateOnHost:
    """A positive figure on one host, a speedup or a size."""

    host: str
    estimate: Interval
    rounds: int
    effect: Effect
    """Its logarithm."""
    trend: Trend = Trend.UNDECIDED
    """Whether it differs from the median of the hosts."""

    @classmethod
    def of(cls, host: str, estimate: Interval, rounds: int) -> Self:
        """Return an estimate with its 95 % interval over rounds."""
        return cls(host, estimate, rounds, Effect.of(estimate, rounds))


def pooled(runs: Sequence[EstimateOnHost]) -> EstimateOnHost:
    """Return the estimate of one kind of host, whose hosts differ among themselves, from those of its runs."""
    first, count = runs[0], len(runs)
    if count == 1:
        return first
    of_kind = together([run.effect for run in runs])
    effect = Effect(log(of_kind.mean.value), of_kind.error, count - 1)
    return EstimateOnHost(first.host, of_kind.mean, sum(run.rounds for run in runs), effect)


def with_trends(hosts: Sequence[EstimateOnHost]) -> tuple[EstimateOnHost, ...]:
    """Return hosts, which are shown to differ, with those that differ from their median (Holm over the hosts)."""
    effects = [one.effect for one in hosts]
    middle = median(effect.log for effect in effects)
    p_values = [0.0, 0.0] if len(effects) == 2 else holm(deviations(effects)).tolist()  # the test of two is all hosts'
    return tuple(
        replace(one, trend=Trend.LARGER if one.effect.log > middle else Trend.SMALLER) if p <= 1 - CONFIDENCE else one
        for one, p in zip(hosts, p_values, strict=True)
    )
