"""The figures of every case: time with its interval, rate, how near the copy limit, memory and accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from actbench.analysis.bounds import Bound, bound
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import Bounded, Floats, locations
from actbench.analysis.typical import typical
from actbench.costs import bytes_moved, residual_bytes
from actbench.model import OVERHEAD, YARDSTICK, Block, Calibration, Case, Check, Dtype, Op, Probe
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
    """That rate over the rate of the block's plain copy, both measured side by side; then its 95 % interval."""
    copy_limit_low_pct: float
    copy_limit_high_pct: float
    residual_bytes_per_element: int
    max_ulp: float
    """Inf where the kernel gives no number at some z; NaN for the yardstick, which is not a kernel."""

    bound: Bound | None
    """What bounds the case; None for yardsticks, where nothing was probed, and where the rule says nothing."""

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
    times: Times, middles: Mapping[Block, Floats], calibrations: Mapping[str, Calibration], checks: Iterable[Check]
) -> Iterator[Figures]:
    """Yield the figures of every case that was measured, and of the yardsticks; `middles` are medians `by_round`."""
    by_kernel = {check.kernel: check for check in checks}
    cases = typical(times, middles)
    checked = {case: by_kernel.get(case.kernel) for case in cases}
    moved = {case: _moved(case, check) for case, check in checked.items()}
    limits = _copy_limits(times, moved)
    probes = _probes(times, calibrations, moved)
    loops = {case: calibrations[block.id].calls(arm) for block in times.blocks for arm, case in enumerate(block.timed)}
    bounds = np.exp(locations(np.log(rounds.seconds) for rounds in cases.values())).tolist()
    for (case, rounds), (seconds, low, high) in zip(cases.items(), bounds, strict=True):
        check, (limit, least, most), (probe, call) = checked[case], limits[case], probes.get(case, (None, 0.0))
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
            gb_per_s=1e-9 * moved[case] / seconds,
            copy_limit_pct=limit,
            copy_limit_low_pct=least,
            copy_limit_high_pct=most,
            residual_bytes_per_element=_kept(case, check),
            max_ulp=check.max_ulp if check else float("nan"),
            bound=bound(case, seconds, limit / 100 * seconds - call, probe) if probe else None,
        )


def _moved(case: Case, check: Check | None) -> int:
    """Return the bytes that a call must move: by the record of a run, or by the formulas."""
    return bytes_moved(case) if check is None or check.moved_bytes is None else check.moved_bytes * case.size


def _kept(case: Case, check: Check | None) -> int:
    """Return the bytes kept per element: by the record of a run, or by the formulas."""
    return residual_bytes(case) if check is None or check.kept_bytes is None else check.kept_bytes


def _copy_limits(times: Times, moved: Mapping[Case, int]) -> dict[Case, Bounded]:
    """Return by case the percentage of its block's copying rate; `moved` are the bytes of a call."""
    samples, timed = [], []
    for block in times.blocks:
        copied = bytes_moved(block.yardstick)
        yardsticks = [block.yardstick_of(case) for case in block.timed]
        samples += [*log_ratios(times.seconds(block), yardsticks, range(len(yardsticks)))]
        timed += [(case, copied) for case in block.timed]
    ratios = np.exp(locations(samples)).tolist()
    found = {}
    for (case, copied), bounds in zip(timed, ratios, strict=True):
        percent = 100 * moved[case] / copied
        found[case] = Bounded(*(percent * bound for bound in bounds))
    return found


def _probes(
    times: Times, calibrations: Mapping[str, Calibration], moved: Mapping[Case, int]
) -> dict[Case, tuple[Probe, float]]:
    """Return by case its probe, and the seconds that a plain copy of as many bytes would spend on calls alone."""
    found = {}
    for block in times.blocks:
        copied, own = bytes_moved(block.yardstick), calibrations[block.id].probes
        for arm, case in enumerate(block.cases if own else ()):
            found[case] = own[arm], own[block.yardstick_of(case)].single * moved[case] / copied
    return found
