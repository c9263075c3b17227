"""The figures of every case: time with its interval, rate, how near the copy limit, memory, accuracy, processor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from actbench import registry
from actbench.analysis.bounds import Bound, Parts, bound, parts
from actbench.analysis.shares import shares
from actbench.analysis.speedups import Ratios
from actbench.analysis.statistics import Floats, locations
from actbench.analysis.typical import typical
from actbench.model.calibration import Calibration
from actbench.model.cases import Block, Case
from actbench.model.checks import Check
from actbench.model.names import Dtype, Op
from actbench.model.times import Times
from actbench.planning.costs import bytes_moved, residual_bytes


class Figures(NamedTuple):
    """One case; the fields are the columns of cases.csv, but for the last two."""

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
    processor_pct: float
    """Of the wall time, what the process had the processor; NaN where that is not known. Below 100, the seconds of
    slices that lost it are processor time."""

    parts: Parts | None
    """None for yardsticks and rungs, where nothing was probed, and where the processor's share is not known."""
    bound: Bound | None
    """What bounds the case; None where nothing is known of it, or nothing decided."""

    @property
    def case(self) -> Case:
        """The case that the figures are of."""
        return Case(self.activation, self.strategy, self.backend, self.op, self.dtype, self.size)

    @property
    def yardstick(self) -> bool:
        """Whether this is a plain copy and not a case."""
        return self.case.is_yardstick

    @property
    def rung(self) -> bool:
        """Whether this is a rung of the overhead ladder, and no derivative or yardstick."""
        return self.case.is_rung


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
    arms = _arms(times, found, calibrations)
    cases = typical(times, middles)
    bounds = np.exp(locations(map(np.log, cases.values()))).tolist()

    def moved(case: Case) -> int:
        return _moved(case, by_kernel.get(case.kernel))

    known = parts(times, middles, found, lambda case: moved(case) / arms[case].copied)
    for (case, rounds), (seconds, low, high) in zip(cases.items(), bounds, strict=True):
        check, arm = by_kernel.get(case.kernel), arms[case]
        limit, least, most = (100 * moved(case) / arm.copied * ratio for ratio in arm.copy)
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
            gb_per_s=1e-9 * moved(case) / seconds,
            copy_limit_pct=limit,
            copy_limit_low_pct=least,
            copy_limit_high_pct=most,
            residual_bytes_per_element=kept_bytes(case, check),
            max_ulp=check.max_ulp if check else float("nan"),
            processor_pct=100 * arm.processor,
            parts=known.get(case),
            bound=bound(case.size, known[case], preallocates=_preallocates(case, check)) if case in known else None,
        )


class _Arm(NamedTuple):
    """What is known of a case from its block."""

    loops: int
    copy: Sequence[float]
    """Its block's copy over it, in seconds of a call; then the 95 % interval."""
    copied: int
    """Bytes that a call of the copy moves."""
    processor: float
    """The share of the processor."""


def _arms(times: Times, found: Mapping[Block, Ratios], calibrations: Mapping[str, Calibration]) -> dict[Case, _Arm]:
    """Return what is known by case."""
    copies = iter(np.exp(locations(own.copies for own in found.values())).tolist())
    arms = {}
    for block in found:
        calibration, copied, processor = calibrations[block.id], bytes_moved(block.yardstick), shares(times, block)
        for arm, case in enumerate(block.timed):
            arms[case] = _Arm(calibration.calls(arm), next(copies), copied, float(processor[arm]))
    return arms


def _moved(case: Case, check: Check | None) -> int:
    """Return the bytes that a call must move: by the record of a run, or by the formulas."""
    return bytes_moved(case) if check is None or check.moved_bytes is None else check.moved_bytes * case.size


def _preallocates(case: Case, check: Check | None) -> bool:
    """Say whether the backend does: by the record of a run, or by the backend, where it is there."""
    if check is not None and check.preallocates is not None:
        return check.preallocates
    backend = registry.backends().get(case.backend)
    return backend is not None and backend.preallocates


def kept_bytes(case: Case, check: Check | None) -> int:
    """Return the bytes kept per element: by the record of a run, or by the formulas."""
    return residual_bytes(case) if check is None or check.kept_bytes is None else check.kept_bytes
