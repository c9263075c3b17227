"""The estimate of every case with its rounds, for export to other tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from actbench.analysis.interval import Interval
from actbench.analysis.medians import medians_per_round
from actbench.analysis.speedups import ratios
from actbench.analysis.statistics import intervals_of_logs
from actbench.errors import InputError
from actbench.model.cases import Case
from actbench.model.times import Times


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a case."""

    seconds: float
    """Seconds of one call: the median of the round's values. Of `relative` estimates, copies."""
    calls: int
    """Calls in all values of the round."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The time of one call of a case."""

    case: Case
    seconds: Interval
    loops: int
    """Calls per value."""
    rounds: tuple[Round, ...]


def relative(times: Times, of_cases: Iterable[Estimate]) -> list[Estimate]:
    """Return the estimates in copies: each round's time over that of the block's plain copy, measured side by side."""
    by_case: dict[Case, tuple[Interval, list[float]]] = {}
    for block, of_block in ratios(times, times.blocks).items():
        intervals = intervals_of_logs([-of_block.copies])
        by_case |= dict(zip(block.timed, zip(intervals, np.exp(-of_block.copies).tolist(), strict=True), strict=True))
    copies = []
    for estimate in of_cases:
        interval, of_rounds = by_case[estimate.case]
        rounds = (Round(value, one.calls) for value, one in zip(of_rounds, estimate.rounds, strict=True))
        copies.append(replace(estimate, seconds=interval, rounds=tuple(rounds)))
    return copies


def estimates(times: Times, loops: Mapping[Case, int], name: str) -> list[Estimate]:
    """Return the estimates of all measured cases of a run of this name; `InputError` where there is none.

    Yardsticks are left out, because they show the machine and not any code: a tool that looks for regressions would
    raise only false alarms over them.
    """
    rounds = [
        (case, middles, np.sum(~np.isnan(values), axis=-1))
        for block, of_block in medians_per_round(times).items()
        for case, middles, values in zip(block.cases, of_block.T, times.seconds(block).swapaxes(0, 1), strict=False)
    ]
    intervals = intervals_of_logs(np.log(middles) for _, middles, _ in rounds)
    all_cases = [
        Estimate(case, seconds, loops[case], tuple(map(Round, middles.tolist(), (loops[case] * counts).tolist())))
        for (case, middles, counts), seconds in zip(rounds, intervals, strict=True)
    ]
    if not all_cases:
        raise InputError(f"{name}: it has no finished block yet: go on with it (--resume), then export it")
    return all_cases
