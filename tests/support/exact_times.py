"""The times of calls and training steps as the fake workers measure them: exact ones."""

from __future__ import annotations

from functools import cache

from actbench.model.cases import Case
from actbench.model.kernel_copies import KERNEL_COPIES, LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import Op
from tests.support.steps import step_seconds

NANOSECOND = 1e-9
CYCLE = 0.25 * NANOSECOND

STRATEGY_NS = {"textbook": 8.0, "recompute": 4.0, "cached": 1.0, "complement": 2.0, "yardstick": 0.5}
KERNEL_COPY_NS = {LOOP_COPY: 0.5, NON_TEMPORAL_COPY: 0.6}
FORWARD_NS = 5.0
"""What a step's forward pass adds."""
BACKEND_FACTOR = {
    "python": 100.0,
    "numpy": 1.0,
    "numpy-blocked": 0.8,
    "numba": 0.5,
    "numba-simd": 0.4,
    "numba-parallel": 0.2,
}
NARROW_FACTOR = 0.75
"""What keeping residuals in a narrower type makes of a strategy's time."""
RUNG_NS = {"empty": 30.0, "dispatch": 100.0, "allocation": 150.0, "loop": 150.0, "arithmetic": 400.0}


@cache
def exact_seconds(case: Case) -> float:
    """Return the seconds of one call: so many nanoseconds per element by strategy, times the backend's factor.

    A step's forward pass adds as many for all strategies.
    A rung of the overhead ladder takes its nanoseconds per call, whatever the size; a training step its
    `step_seconds`.
    """
    if case.op.network:
        return step_seconds(case)
    if case.is_rung:
        return NANOSECOND * RUNG_NS[case.strategy] * BACKEND_FACTOR[case.backend]
    if case.strategy in KERNEL_COPIES:
        return NANOSECOND * case.size * KERNEL_COPY_NS[case.strategy]
    ns = STRATEGY_NS.get(case.strategy.name, 3.0) * (NARROW_FACTOR if case.strategy.storage else 1.0)
    ns += FORWARD_NS if case.op is Op.STEP and not case.is_yardstick else 0.0
    return NANOSECOND * case.size * ns * BACKEND_FACTOR.get(case.backend, 1.0)
