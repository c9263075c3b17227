"""Bytes of what a kernel has one number a row of, as its check recorded them, or from its formulas."""

from __future__ import annotations

from actbench import registry
from actbench.kernels.resolution import traffic_of
from actbench.model.cases import KernelId
from actbench.model.checks import Check
from actbench.model.row_bytes import RowBytes


def row_bytes(kernel: KernelId, check: Check | None) -> RowBytes:
    """Return these bytes; none of a strategy that is not known any more, and where nothing works along rows."""
    if check is not None and check.row_bytes is not None:
        return check.row_bytes
    known = registry.known_activations([kernel.activation])
    if not any(one.is_row and kernel.strategy.name in one.formulas.strategies for one in known):
        return RowBytes()
    return traffic_of(kernel.at(1)).row_bytes(kernel.dtype)
