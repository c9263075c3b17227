"""cases.csv and speedups.csv as data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple

import numpy as np
import pandas as pd

from actbench.analysis.speedups import log_ratios, speedups
from actbench.analysis.statistics import location
from actbench.model import Calibration, Case, Check
from actbench.runs.times import Times
from actbench.suite import bytes_moved, residual_bytes

CASES = (
    "activation strategy backend op dtype size seconds low high rounds loops ns_per_element gb_per_s copy_limit_pct "
    "residual_bytes_per_element max_ulp"
).split()

SPEEDUPS = (
    "activation op dtype size reference_strategy reference_backend candidate_strategy candidate_backend "
    "ratio low high rounds"
).split()


def cases(times: Times, calibrations: Mapping[str, Calibration], checks: Iterable[Check]) -> pd.DataFrame:
    """Return one row a case, in the columns `CASES`.

    ``seconds``, ``low``, ``high``: of one call, with the 95 % interval. ``gb_per_s``: 1e9 bytes that the kernel must
    move by its definition. ``copy_limit_pct``: that rate over the rate of the block's plain copy, both measured side
    by side. ``max_ulp``: inf where the kernel gives no number. Unknown figures are NaN.
    """
    errors = {check.kernel: check.max_ulp for check in checks}
    limits = _copy_limits(times)
    rows = []
    loops = {
        case: calibrations[block.id].calls(arm)
        for block in times.blocks
        if block.id in calibrations
        for arm, case in enumerate(block.timed)
    }
    for case, rounds in times.pooled().items():
        logs = np.log([np.median(values) for values in rounds.values()])
        seconds, low, high = (float(np.exp(bound)) for bound in location(logs))
        rows.append(
            (
                *astuple(case),
                *(seconds, low, high, len(rounds), loops.get(case)),
                1e9 * seconds / case.size,
                1e-9 * bytes_moved(case) / seconds,
                limits[case],
                residual_bytes(case),
                errors.get(case.kernel, float("nan")),
            )
        )
    frame = pd.DataFrame(rows, columns=CASES)
    return frame.astype({"loops": "Int64"})


def pairs(times: Times) -> pd.DataFrame:
    """Return one row a speedup, in the columns `SPEEDUPS`; ratio is reference seconds over candidate seconds."""
    rows = [
        (
            *(block.activation, block.op, block.dtype, block.size),
            *(found.reference.strategy, found.reference.backend, found.candidate.strategy, found.candidate.backend),
            *(found.ratio, found.low, found.high, found.rounds),
        )
        for block in times.blocks
        for found in speedups(times, block)
    ]
    return pd.DataFrame(rows, columns=SPEEDUPS)


def _copy_limits(times: Times) -> dict[Case, float]:
    """Return by case the percentage of its block's copying rate."""
    limits = {}
    for block in times.blocks:
        seconds = times.seconds(block)
        copied = bytes_moved(block.yardstick)
        for arm, case in enumerate(block.timed):
            ratio, _, _ = location(log_ratios(seconds, len(block.arms), arm))
            limits[case] = 100 * float(np.exp(ratio)) * bytes_moved(case) / copied
    return limits
