"""What the tests of the overhead ladder share."""

from __future__ import annotations

import pytest

from actbench import registry
from actbench.model.cases import OVERHEAD, RUNGS, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.support.tiers import exhaustive_but

USABLE = [backend for backend in registry.backends().values() if not backend.unavailable]

LADDERS = [backend for backend in USABLE if backend.ladder]

RUNG_KERNELS = [
    KernelId(OVERHEAD, Variant(rung), backend.name, Op.DERIVATIVE, dtype)
    for backend in LADDERS
    for rung, step in backend.ladder.items()
    if not isinstance(step, str)
    for dtype in backend.dtypes
]


def _is_quick(of: KernelId) -> bool:
    """Tell whether a rung is tested in the quick tier: in one dtype of its backend, by turns."""
    dtypes = registry.backends()[of.backend].dtypes
    return of.dtype is dtypes[[*RUNGS].index(of.strategy) % len(dtypes)]


every_rung = pytest.mark.parametrize("of", exhaustive_but(RUNG_KERNELS, _is_quick), ids=lambda of: of.id)

NUMPY = ("--preset", "overhead", "-b", "numpy", "-d", "float64", "-n", "16", "--seed", "1")


def rung(name: str, backend: str = "numpy") -> KernelId:
    return KernelId(OVERHEAD, Variant(name), backend, Op.DERIVATIVE, Dtype.FLOAT64)
