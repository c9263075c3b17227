"""What the tests of the overhead ladder share."""

from __future__ import annotations

from actbench import registry
from actbench.model.cases import OVERHEAD, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant

USABLE = [backend for backend in registry.backends().values() if not backend.unavailable]

LADDERS = [backend for backend in USABLE if backend.ladder]

RUNG_KERNELS = [
    KernelId(OVERHEAD, Variant(rung), backend.name, Op.DERIVATIVE, dtype)
    for backend in LADDERS
    for rung, step in backend.ladder.items()
    if not isinstance(step, str)
    for dtype in backend.dtypes
]

NUMPY = ("--preset", "overhead", "-b", "numpy", "-d", "float64", "-n", "16", "--seed", "1")


def rung(name: str, backend: str = "numpy") -> KernelId:
    return KernelId(OVERHEAD, Variant(name), backend, Op.DERIVATIVE, Dtype.FLOAT64)
