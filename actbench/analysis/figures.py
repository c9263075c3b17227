"""The figures of every case: time with its interval, rate, how near the copy limit, memory and accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from actbench.analysis.bounds import Bound, bound
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import location, locations
from actbench.analysis.typical import typical
from actbench.costs import bytes_moved, residual_bytes
from actbench.model import OVERHEAD, YARDSTICK, Calibration, Case, Check, Dtype, Kernel, Op
from actbench.runs.times import Times


@dataclass(frozen=True, slots=True)
class Figures:
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
    """That rate over the rate of the block's plain copy, both measured side by side."""
    residual_bytes_per_element: int
    max_ulp: float
    """Inf where the kernel gives no number at some z; NaN for the yardstick, which is not a kernel."""

    bound: Bound | None
    """What bounds the case; None for yardsticks, and where nothing was probed."""

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


def figures(times: Times, calibrations: Mapping[str, Calibration], checks: Iterable[Check]) -> Iterator[Figures]:
    """Yield the figures of every case that was measured, and of the yardsticks."""
    checked = {check.kernel: check for check in checks}
    limits = _copy_limits(times, checked)
    probes = {
        case: probe
        for block in times.blocks
        for case, probe in zip(block.cases, calibrations[block.id].probes, strict=False)
    }
    loops = {case: calibrations[block.id].calls(arm) for block in times.blocks for arm, case in enumerate(block.timed)}
    cases = typical(times)
    bounds = np.exp(locations(np.log(rounds.seconds) for rounds in cases.values())).tolist()
    for (case, rounds), (seconds, low, high) in zip(cases.items(), bounds, strict=True):
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
            rounds=rounds.seconds.size,
            loops=loops[case],
            ns_per_element=1e9 * seconds / case.size,
            gb_per_s=1e-9 * _moved(case, checked) / seconds,
            copy_limit_pct=limits[case],
            residual_bytes_per_element=_kept(case, checked),
            max_ulp=checked[case.kernel].max_ulp if case.kernel in checked else float("nan"),
            bound=bound(case, seconds, limits[case], probes[case]) if case in probes else None,
        )


def _moved(case: Case, checked: Mapping[Kernel, Check]) -> int:
    """Return the bytes that a call must move: by the record of a run, or by the formulas."""
    check = checked.get(case.kernel)
    return bytes_moved(case) if check is None or check.moved_bytes is None else check.moved_bytes * case.size


def _kept(case: Case, checked: Mapping[Kernel, Check]) -> int:
    """Return the bytes kept per element: by the record of a run, or by the formulas."""
    check = checked.get(case.kernel)
    return residual_bytes(case) if check is None or check.kept_bytes is None else check.kept_bytes


def _copy_limits(times: Times, checked: Mapping[Kernel, Check]) -> dict[Case, float]:
    """Return by case the percentage of its block's copying rate."""
    limits = {}
    for block in times.blocks:
        timed, copied = block.timed, bytes_moved(block.yardstick)
        yardsticks = [block.yardstick_of(case) for case in timed]
        ratios, _, _ = location(log_ratios(times.seconds(block), yardsticks, range(len(timed))))
        for case, ratio in zip(timed, np.exp(ratios).tolist(), strict=True):
            limits[case] = 100 * ratio * _moved(case, checked) / copied
    return limits
