"""Plans of presets and of selections."""

from __future__ import annotations

from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning import suite
from actbench.planning.presets import Axes
from actbench.planning.selection import MAX_CALL, Room

PLENTY = 1 << 40
"""Bytes of memory."""

SMALL = Axes(
    activations=("logistic",),
    strategies=(Variant("recompute"), Variant("cached")),
    backends=("numpy",),
    ops=(Op.DERIVATIVE,),
    dtypes=(Dtype.FLOAT64,),
    sizes=sizes(1000),
)


def planned(axes: Axes = SMALL, pattern: str = "*", memory: int = PLENTY, max_call: float = MAX_CALL) -> Plan:
    return suite.plan(axes, Room(memory, max_call=max_call), pattern=pattern, seed=1)
