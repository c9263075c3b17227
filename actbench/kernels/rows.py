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
from actbench.model.rule import TARGETED, Dialect

if TYPE_CHECKING:
    from actbench.kernels.kernel import Kernel

NO_DERIVATIVE = (
    "works along rows: an element of y depends on all z of its row, so it has a gradient and no derivative; "
    "use --op backward, or --op step"
)

NUMBERS = np.dtype(np.int64)
"""The type of the numbers of columns, as libraries index by them."""

MIXED = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: the upper bits of a product with it depend on all bits of the number."""


def targets(z: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of a column for every row of z, as an axis of length 1.

    The bits of a row draw it: it is the same wherever the row is, and in whatever order its elements are.
    """
    bits = z.view(f"u{z.itemsize}").sum(axis=-1, dtype=np.uint64, keepdims=True)
    numbers: NDArray[np.int64] = ((bits * MIXED >> np.uint64(32)) % np.uint64(z.shape[-1])).astype(NUMBERS)
    return numbers


def inputs(activation: Activation, z: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return what the forward pass of an activation takes, rows by columns: z, and the targets where it has them."""
    return (z, targets(z)) if activation.formulas.inputs == TARGETED else (z,)


@cache
def per_row(activation: Activation, strategy: str) -> frozenset[str]:
    """Return the names of what is one number a row: y and dy, targets, what a strategy saves; of any where it is ""."""
    rule = activation.rule(_named(activation, strategy), Dialect.ARRAY, row_graph.TRACING)
    return row_graph.per_row(rule)


def kept(activation: Activation, strategy: str, z: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return y, and what a strategy saves beside it, as numpy computes it in the type of z, rows by columns; flat."""
    numpy = backends.built_in()["numpy"].row_namespace()
    rule = activation.rule(_named(activation, strategy), Dialect.ARRAY, numpy)
    with np.errstate(all="ignore"):
        of = inputs(activation, z)
        results = rule.save(*of) if strategy and rule.save else (rule.forward(*of),)
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
    """Return the strategy, or the first where any will do, as for what a framework ships."""
    known = activation.formulas.strategies
    return strategy if strategy in known else next(iter(known))
