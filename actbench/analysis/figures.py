"""The figures of every case: time with its interval, rate, share of the copy limit, memory, accuracy, processor.

The copy limit of a case is the rate of a plain copy in the same block, and so with operands in the same state. Of warm
operands, the rates are of all bytes that a call moves by definition. Otherwise they are of those that come from memory,
or go there (`streams_in_cache`): the others are moved at another rate, which the copy does not show. With cold
residuals, these are the bytes of the residuals, and of z, which the copy reads; it writes to an array in cache. A step
has no such limit then: it also writes residuals to memory, and the copy writes nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import nan
from typing import NamedTuple

import numpy as np

from actbench.analysis.bottlenecks import Bottleneck, Parts, bottleneck, parts
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.medians import medians_by_case
from actbench.analysis.shares import shares
from actbench.analysis.speedups import Ratios
from actbench.analysis.statistics import Floats, intervals_of_logs
from actbench.kernels import resolution
from actbench.kernels.traffic import streams_in_cache
from actbench.model.calibration import Calibration
from actbench.model.cases import Block, Case
from actbench.model.checks import Check
from actbench.model.names import Op, OperandState
from actbench.model.times import Times
from actbench.planning.costs import bytes_moved, residual_bytes


class Figures(NamedTuple):
    """The figures of one case."""

    case: Case
    seconds: Interval
    """Of one call."""
    rounds: int
    loops: int
    """Calls per value."""
    moved_bytes: int
    """Bytes that one call must move by the kernel's definition, without temporaries."""
    copy_limit_pct: Interval
    """The rate of moving these bytes in percent of the rate of the block's plain copy, measured side by side; of those
    that come from memory where operands are not warm. `NO_ESTIMATE` for a step with cold residuals."""
    residual_bytes: int
    """Bytes kept per element; 0 of a training step, whose bytes are counted in its check."""
    max_ulp: float
    """Inf where the kernel returns no number at some z; NaN for the yardstick, which is not a kernel."""
    processor_pct: float
    """The time in which the process had the processor, in percent of the wall time; NaN where that is unknown. Below
    100, the seconds of the slices that lost it are processor time."""
    parts: Parts | None
    """None for yardsticks and rungs, where nothing was probed, and where the processor's share is unknown."""
    bottleneck: Bottleneck | None
    """None where it is unknown, or the intervals do not decide."""

    @property
    def ns_per_element(self) -> Interval:
        """Nanoseconds per element; `NO_ESTIMATE` of a training step, whose elements are of many kinds."""
        return NO_ESTIMATE if self.case.op.network else self.seconds.scaled(1e9 / self.case.size)

    @property
    def gb_per_s(self) -> float:
        """`moved_bytes` per second, in 1e9 bytes; NaN of a training step, which moves more than its operands."""
        return nan if self.case.op.network else 1e-9 * self.moved_bytes / self.seconds.value


def figures(
    times: Times,
    middles: Mapping[Block, Floats],
    ratios: Mapping[Block, Ratios],
    calibrations: Mapping[str, Calibration],
    checks: Iterable[Check],
) -> Iterator[Figures]:
    """Yield the figures of every measured case, and of the yardsticks.

    `middles` are the `medians_per_round`, and `ratios` the log ratios of the blocks.
    """
    by_kernel = {check.kernel: check for check in checks}
    in_block = _in_block(times, ratios, calibrations)
    cases = medians_by_case(times, middles)
    seconds = intervals_of_logs(np.log(rounds) for rounds in cases.values())

    def moved(case: Case) -> int:
        return _moved(case, by_kernel.get(case.kernel))

    def relative(case: Case) -> float:
        """Return the bytes that count, relative to those of the copy."""
        check = by_kernel.get(case.kernel)
        return _limited(case, moved(case), preallocates=_preallocates(case, check)) / in_block[case].copied

    of_cases = parts(times, middles, ratios, relative)
    for (case, rounds), interval in zip(cases.items(), seconds, strict=True):
        check, facts = by_kernel.get(case.kernel), in_block[case]
        yield Figures(
            case=case,
            seconds=interval,
            rounds=rounds.size,
            loops=facts.loops,
            moved_bytes=moved(case),
            copy_limit_pct=facts.copy.scaled(100 * relative(case)) if _has_limit(case) else NO_ESTIMATE,
            residual_bytes=kept_bytes(case, check),
            max_ulp=check.max_ulp if check else nan,
            processor_pct=100 * facts.processor,
            parts=of_cases.get(case),
            bottleneck=_bottleneck(case, of_cases.get(case), check),
        )


class _InBlock(NamedTuple):
    """The figures of a case that come from its block."""

    loops: int
    copy: Interval
    """Seconds per call of the block's copy over those of the case."""
    copied: int
    """Bytes of one call of the copy that count."""
    processor: float
    """The share of the processor."""


def _in_block(
    times: Times, ratios: Mapping[Block, Ratios], calibrations: Mapping[str, Calibration]
) -> dict[Case, _InBlock]:
    """Return the figures from the blocks, by case."""
    copies = iter(intervals_of_logs(of_block.copies for of_block in ratios.values()))
    by_case = {}
    for block in ratios:
        calibration, processor = calibrations[block.id], shares(times, block)
        copied = _limited(block.yardstick, bytes_moved(block.yardstick), preallocates=True)
        for arm, case in enumerate(block.timed):
            by_case[case] = _InBlock(calibration.calls(arm), next(copies), copied, float(processor[arm]))
    return by_case


def _moved(case: Case, check: Check | None) -> int:
    """Return the bytes that a call must move: from the record of a run, or from the formulas."""
    return bytes_moved(case) if check is None or check.moved_bytes is None else check.moved_bytes * case.size


def _limited(case: Case, moved: int, *, preallocates: bool) -> int:
    """Return the bytes of a call whose rate the copy limits: of `moved`, those that come from memory or go there."""
    op = Op.DERIVATIVE if case.is_yardstick else case.op
    in_cache = streams_in_cache(op, case.operands, preallocates=preallocates)
    return moved - in_cache * case.size * case.dtype.itemsize


def _has_limit(case: Case) -> bool:
    if case.op.network:
        return False
    return case.is_yardstick or (case.op, case.operands) != (Op.STEP, OperandState.RESIDUALS_COLD)


def _bottleneck(case: Case, of_case: Parts | None, check: Check | None) -> Bottleneck | None:
    if of_case is None:
        return None
    warm = case.operands is OperandState.WARM
    return bottleneck(case.size, of_case, preallocates=_preallocates(case, check), warm=warm)


def _preallocates(case: Case, check: Check | None) -> bool:
    """Return whether the result is preallocated: from the record of a run, or from the backend where it is loaded."""
    if case.is_yardstick:
        return True
    if check is not None and check.preallocates is not None:
        return check.preallocates
    return any(backend.preallocates for backend in resolution.backends([case]))


def kept_bytes(case: Case, check: Check | None) -> int:
    """Return the bytes kept per element: from the record of a run, or from the formulas."""
    return residual_bytes(case) if check is None or check.kept_bytes is None else check.kept_bytes
