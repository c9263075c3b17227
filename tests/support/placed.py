"""Operands in a placement of their own."""

from __future__ import annotations

import numpy as np

from actbench import registry
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Invocation, Placement
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.support import kernels
from tests.support.resolved import prepare

SIZE = 1000

SAMPLE = kernels.sample()

USABLE = {name: backend for name, backend in registry.backends().items() if not backend.unavailable}

UNPLACED = [name for name, backend in USABLE.items() if not (backend.optional or backend.places)]

PREALLOCATING = [name for name, backend in USABLE.items() if backend.preallocates]


def placed(seed: int = 0, dtype: Dtype = Dtype.FLOAT64, size: int = SIZE, activation: str = "logistic") -> Placement:
    return Placement(Operands.drawn(registry.activation(activation), dtype, size, seed=1), np.random.default_rng(seed))


def call(
    placement: Placement, strategy: str, backend: str, op: Op = Op.DERIVATIVE, dtype: Dtype = Dtype.FLOAT64
) -> Invocation:
    return prepare(Case("logistic", Variant(strategy), backend, op, dtype, SIZE), placement)
