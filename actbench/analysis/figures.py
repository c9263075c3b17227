"""The figures of every case: time with its interval, rate, how near the copy limit, memory and accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

from actbench.analysis.bounds import Bound, bound
from actbench.analysis.speedups import Ratios
from actbench.analysis.statistics import Floats, locations
from actbench.analysis.typical import typical
from actbench.costs import bytes_moved, residual_bytes
from actbench.model import OVERHEAD, YARDSTICK, Block, Calibration, Case, Check, Dtype, Op, Probe
from actbench.runs.times import Times


class Bounding(NamedTuple):
    """What bounds a case."""

    word: Bound | None = None
    """None for yardsticks, where nothing was probed, and where the rule says nothing."""
    decided: bool = True
    """Whether the rule says the same at the ends of the intervals."""
    copy_tells: bool = True
    """Whether the plain copy's elements take half as long as its call, or longer: else its rate is that of the call."""


class Figures(NamedTuple):
    """One case; the fields are the columns of cases.csv, but for the last."""

    activation: str
    strategy: str
    backend: str
    op: Op
    dtype: Dtype
    size: int
    seconds: float
    """Of one call; `low` and `high` bound the 95 % interval, NaN where there are too few rounds for one."""
    low: float
    high: float
    rounds: int
    loops: int
    """Calls in one value."""
    ns_per_element: float
    gb_per_s: float
    """1e9 bytes that the kernel must move by its definition, temporaries not counted, per second."""
    copy_limit_pct: float
    """That rate over the rate of the block's plain copy, both measured side by side; then its 95 % interval."""
    copy_limit_low_pct: float
    copy_limit_high_pct: float
    residual_bytes_per_element: int
    max_ulp: float
    """Inf where the kernel gives no number at some z; NaN for the yardstick, which is not a kernel."""

    bounding: Bounding

    @property
    def case(self) -> Case:
        """The case that the figures are of."""
        return Case(self.activation, self.strategy, self.backend, self.op, self.dtype, self.size)

    @property
    def yardstick(self) -> bool:
        """Whether this is a plain copy and not a case."""
        return self.strategy == YARDSTICK

    @property
    def rung(self) -> bool:
        """Whether this is a rung of the overhead ladder and not a derivative."""
        return self.activation == OVERHEAD


def figures(
    times: Times,
    middles: Mapping[Block, Floats],
    found: Mapping[Block, Ratios],
    calibrations: Mapping[str, Calibration],
    checks: Iterable[Check],
) -> Iterator[Figures]:
    """Yield the figures of every case that was measured, and of the yardsticks.

    `middles` are medians `by_round`, and `found` the log ratios of the blocks.
    """
    by_kernel = {check.kernel: check for check in checks}
    arms = _arms(found, calibrations)
    cases = typical(times, middles)
    bounds = np.exp(locations(map(np.log, cases.values()))).tolist()
    for (case, rounds), (seconds, low, high) in zip(cases.items(), bounds, strict=True):
        check, arm = by_kernel.get(case.kernel), arms[case]
        moved = _moved(case, check)
        limit, least, most = limits = tuple(100 * moved / arm.copied * ratio for ratio in arm.copy)
        yield Figures(
            activation=case.activation,
            strategy=case.strategy,
            backend=case.backend,
            op=case.op,
            dtype=case.dtype,
            size=case.size,
            seconds=seconds,
            low=low,
            high=high,
            rounds=rounds.size,
            loops=arm.loops,
            ns_per_element=1e9 * seconds / case.size,
            gb_per_s=1e-9 * moved / seconds,
            copy_limit_pct=limit,
            copy_limit_low_pct=least,
            copy_limit_high_pct=most,
            residual_bytes_per_element=kept_bytes(case, check),
            max_ulp=check.max_ulp if check else float("nan"),
            bounding=_bounding(case, (seconds, low, high), limits, moved, arm),
        )


class _Arm(NamedTuple):
    """What is known of a case from its block."""

    loops: int
    copy: Sequence[float]
    """Its block's copy over it, in seconds of a call; then the 95 % interval."""
    copied: int
    """Bytes that a call of the copy moves."""
    probe: Probe | None
    copy_probe: Probe | None
    """None for yardsticks, and where nothing was probed."""


def _arms(found: Mapping[Block, Ratios], calibrations: Mapping[str, Calibration]) -> dict[Case, _Arm]:
    """Return what is known by case; of a yardstick, from the last of its blocks."""
    copies = iter(np.exp(locations(own.copies for own in found.values())).tolist())
    arms = {}
    for block in found:
        calibration, copied = calibrations[block.id], bytes_moved(block.yardstick)
        own = calibration.probes
        for arm, case in enumerate(block.timed):
            probes = (own[arm], own[block.yardstick_of(case)]) if own and arm < len(block.arms) else (None, None)
            arms[case] = _Arm(calibration.calls(arm), next(copies), copied, *probes)
    return arms


def _bounding(case: Case, seconds: Sequence[float], limits: Sequence[float], moved: int, arm: _Arm) -> Bounding:
    """Return what bounds a case that moves so many bytes, and whether it does at the ends of the intervals too.

    `limits` are percentages of a copy's rate; like `seconds`, with their interval. With the time, dispatch becomes less
    likely and all else more, and memory with the rate as well: what both low ends and both high ends say, all between
    them say.
    """
    probe, copy_probe = arm.probe, arm.copy_probe
    if probe is None or copy_probe is None:
        return Bounding()
    calls = copy_probe.single * moved / arm.copied

    def moving(taken: float, limit: float) -> float:
        elements = limit / 100 * taken - calls
        return elements if elements >= calls / 2 else 0.0

    def at(taken: float, limit: float) -> Bound | None:
        return bound(case, taken, moving(taken, limit), probe)

    found = at(seconds[0], limits[0])
    decided = isnan(seconds[1]) or all(at(*ends) is found for ends in zip(seconds[1:], limits[1:], strict=True))
    return Bounding(found, decided, moving(seconds[0], limits[0]) > 0)


def _moved(case: Case, check: Check | None) -> int:
    """Return the bytes that a call must move: by the record of a run, or by the formulas."""
    return bytes_moved(case) if check is None or check.moved_bytes is None else check.moved_bytes * case.size


def kept_bytes(case: Case, check: Check | None) -> int:
    """Return the bytes kept per element: by the record of a run, or by the formulas."""
    return residual_bytes(case) if check is None or check.kept_bytes is None else check.kept_bytes
