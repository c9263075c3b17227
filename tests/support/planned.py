"""Plans of presets and of selections."""

from __future__ import annotations

from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.planning import suite
from actbench.planning.presets import Axes

PLENTY = 1 << 40
"""Bytes of memory."""

SMALL = Axes(
    activations=("logistic",),
    strategies=("recompute", "cached"),
    backends=("numpy",),
    ops=(Op.DERIVATIVE,),
    dtypes=(Dtype.FLOAT64,),
    sizes=(1000,),
)


def planned(axes: Axes = SMALL, pattern: str = "*", memory: int = PLENTY, max_call: float = suite.MAX_CALL) -> Plan:
    return suite.plan(axes, pattern=pattern, seed=1, memory=memory, max_call=max_call)
