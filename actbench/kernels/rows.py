"""Row activations, which work along the last axis: what is kept of them, and which of their kernels exist."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from actbench import backends
from actbench.formula import Activation
from actbench.model import row_graph
from actbench.model.names import WIDE, Op
from actbench.model.rule import Dialect

if TYPE_CHECKING:
    from actbench.kernels.kernel import Kernel

NO_DERIVATIVE = (
    "works along rows: an element of y depends on all z of its row, so it has a gradient and no derivative; "
    "use --op backward, or --op step"
)


@cache
def per_row(activation: Activation, strategy: str) -> frozenset[str]:
    """Return the names of what is one number a row: y and dy, and what a strategy saves; of any where it is empty."""
    rule = activation.rule(_named(activation, strategy), Dialect.ARRAY, row_graph.TRACING)
    return row_graph.per_row(rule)


def kept(activation: Activation, strategy: str, z: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return y, and what a strategy saves beside it, as numpy computes it in the type of z, rows by columns; flat."""
    numpy = backends.built_in()["numpy"].row_namespace()
    rule = activation.rule(_named(activation, strategy), Dialect.ARRAY, numpy)
    with np.errstate(all="ignore"):
        results = rule.save(z) if strategy and rule.save else (rule.forward(z),)
    names = ("y", *rule.saved) if strategy else ("y",)
    return {name: np.ascontiguousarray(array).reshape(-1) for name, array in zip(names, results, strict=True)}


def unsupported(kernel: Kernel) -> str | None:
    """Return why a kernel of a row activation does not exist; None where it does."""
    name, backend = kernel.activation.name, kernel.backend
    if kernel.op in {Op.DERIVATIVE, Op.SECOND}:
        return f"{name} {NO_DERIVATIVE}"
    if not backend.takes_rows:
        return f"{backend.name} has no loops along rows for activations such as {name}"
    if kernel.storage:
        return f"residuals of activations along rows, such as {name}, are kept in the type of the arithmetic"
    if kernel.dtype not in WIDE:
        return f"activations along rows, such as {name}, are computed in {' and '.join(WIDE)}"
    return None


def _named(activation: Activation, strategy: str) -> str:
    """Return the strategy, or the first where any will do."""
    return strategy or next(iter(activation.formulas.strategies))
