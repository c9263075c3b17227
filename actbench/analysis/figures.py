"""The figures of every case: time with its interval, rate, share of the copy limit, memory, accuracy, processor.

The copy limit of a case is the rate of the fastest copy in the same block that a kernel could make (`copy_limits`), and
so with operands in the same state; of a run without such copies, numpy's. Of warm
operands, the rates are of all bytes that a call moves by definition. Otherwise they are of those that come from memory,
or go there (`names_in_cache`): the others are moved at another rate, which the copy does not show. With cold
residuals, these are the bytes of the residuals, and of z, which the copy reads; it writes to an array in cache. A step
has no such limit then: it also writes residuals to memory, and the copy writes nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import nan
from typing import NamedTuple

import numpy as np

from actbench.analysis.bottlenecks import Bottleneck, Parts, bottleneck, parts
from actbench.analysis.copy_limits import copy_limit
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.row_bytes import row_bytes
from actbench.analysis.shares import shares
from actbench.analysis.speedups import Ratios
from actbench.analysis.statistics import Floats, intervals_of_logs
from actbench.kernels import resolution
from actbench.kernels.traffic import COPY, Traffic, bytes_of_numbers, names_in_cache
from actbench.model.calibration import Calibration
from actbench.model.cases import KERNEL_FIELDS, YARDSTICKS, Block, Case, KernelId
from actbench.model.checks import Check
from actbench.model.names import Op, OperandState
from actbench.model.row_bytes import RowBytes, an_element
from actbench.model.rule import PRE_ACTIVATION
from actbench.model.times import Times
from actbench.model.variants import Variant


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
    """The rate of moving these bytes in percent of the rate of the copy that bounds it, measured side by side; of those
    that come from memory where operands are not warm. `NO_ESTIMATE` for a step with cold residuals."""
    copy_limit_of: Variant | None
    """What stands in the strategy's place of that copy; None where there is no limit."""
    copies: Interval
    """The time in copies: over that of the block's plain copy, measured side by side."""
    residual_bytes: float
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
    of_cases = _of_cases(ratios, {check.kernel: check for check in checks})
    moved = {
        block: np.array([kernel.relative(case) for case, kernel in zip(block.timed, of_block, strict=True)])
        for block, of_block in of_cases.items()
    }
    processor = {block: shares(times, block) for block in (*ratios, *times.probes)}
    limits = {block: copy_limit(times, block, middles[block], of_block) for block, of_block in ratios.items()}
    of_parts = parts(times, middles, limits, processor, moved)
    seconds = iter(intervals_of_logs(np.log(middles[block]).T for block in ratios))
    copies = iter(intervals_of_logs(of_block.copies for of_block in ratios.values()))
    rates = iter(intervals_of_logs(limit.logs for limit in limits.values()))
    for block in ratios:
        calibration, rounds = calibrations[block.id], len(middles[block])
        of_block = zip(block.timed, of_cases[block], processor[block].tolist(), strict=True)
        for arm, (case, kernel, share) in enumerate(of_block):
            of_case, copy, rate = of_parts.get(case), next(copies), next(rates)
            yield Figures(
                case=case,
                seconds=next(seconds),
                rounds=rounds,
                loops=calibration.calls(arm),
                moved_bytes=kernel.moved * case.size + kernel.of_rows.moved * case.rows,
                copy_limit_pct=rate.scaled(100 * kernel.relative(case)) if _has_limit(case) else NO_ESTIMATE,
                copy_limit_of=limits[block].copy(block, case).strategy if _has_limit(case) else None,
                copies=copy.inverse(),
                residual_bytes=an_element(kernel.kept, kernel.of_rows.kept, case.size, case.rows),
                max_ulp=kernel.max_ulp,
                processor_pct=100 * share,
                parts=of_case,
                bottleneck=_bottleneck(case, of_case, preallocates=kernel.preallocates),
            )


class _OfKernel(NamedTuple):
    """The figures of a case that come from its kernel and the state of its operands."""

    moved: int
    """Bytes per element that a call must move."""
    kept: int
    """Bytes kept per element."""
    of_rows: RowBytes
    """Bytes a row beside both."""
    limited: tuple[int, int]
    """The bytes whose rate the copy limits, per element and a row: those from or to memory."""
    copied: int
    """The bytes per element of the copy."""
    max_ulp: float
    preallocates: bool

    def relative(self, case: Case) -> float:
        """Return the bytes whose rate the copy limits, relative to those of the copy, of a case of this kernel."""
        return an_element(*self.limited, case.size, case.rows) / self.copied


def _of_cases(blocks: Iterable[Block], checks: Mapping[KernelId, Check]) -> dict[Block, list[_OfKernel]]:
    """Return these figures of everything timed in each block; cases that differ in size alone share them."""
    known: dict[tuple[str, ...], _OfKernel] = {}
    by_block: dict[Block, list[_OfKernel]] = {}
    for block in blocks:
        of_block = by_block[block] = []
        for case in block.timed:
            key = (*KERNEL_FIELDS(case), case.operands)
            if key not in known:
                known[key] = _of_kernel(case.kernel, checks.get(case.kernel), case.operands)
            of_block.append(known[key])
    return by_block


def _of_kernel(kernel: KernelId, check: Check | None, operands: OperandState) -> _OfKernel:
    """Return the figures of a kernel: from the record of a run, or from the formulas and the backend."""
    recorded = None if check is None else check.moved_bytes
    moved = _defined(kernel).moved(kernel.dtype, kernel.strategy.storage) if recorded is None else recorded
    preallocates = _preallocates(kernel, check)
    of_rows = row_bytes(kernel, check)
    op = Op.DERIVATIVE if kernel.strategy in YARDSTICKS else kernel.op
    inputs, one_a_row = resolution.arrays_of(kernel)
    in_cache = names_in_cache(op, operands, inputs, preallocates=preallocates)
    of_copy = names_in_cache(Op.DERIVATIVE, operands, PRE_ACTIVATION, preallocates=True)
    return _OfKernel(
        moved=moved,
        kept=kept_bytes(kernel, check),
        of_rows=of_rows,
        limited=(
            moved - kernel.dtype.itemsize * len([name for name in in_cache if name not in one_a_row]),
            of_rows.moved - bytes_of_numbers([name for name in in_cache if name in one_a_row], kernel.dtype),
        ),
        copied=kernel.dtype.itemsize * (COPY.streams - len(of_copy)),
        max_ulp=check.max_ulp if check else nan,
        preallocates=preallocates,
    )


def _has_limit(case: Case) -> bool:
    if case.op.network:
        return False
    return case.is_yardstick or (case.op, case.operands) != (Op.STEP, OperandState.RESIDUALS_COLD)


def _bottleneck(case: Case, of_case: Parts | None, *, preallocates: bool) -> Bottleneck | None:
    if of_case is None:
        return None
    return bottleneck(case.size, of_case, preallocates=preallocates, warm=case.operands is OperandState.WARM)


def _preallocates(kernel: KernelId, check: Check | None) -> bool:
    """Return whether the result is preallocated: from the record of a run, or from the backend where it is loaded."""
    if kernel.strategy in YARDSTICKS:
        return True
    if check is not None and check.preallocates is not None:
        return check.preallocates
    return any(backend.preallocates for backend in resolution.backends([kernel.at(1)]))


def kept_bytes(kernel: KernelId, check: Check | None) -> int:
    """Return the bytes kept per element: from the record of a run, or from the formulas."""
    if check is not None and check.kept_bytes is not None:
        return check.kept_bytes
    return _defined(kernel).kept(kernel.dtype, kernel.strategy.storage)


def _defined(kernel: KernelId) -> Traffic:
    return resolution.traffic_of(kernel.at(1))
