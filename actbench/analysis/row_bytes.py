"""Bytes of what a kernel has one number a row of, as its check recorded them, or from its formulas."""

from __future__ import annotations

from actbench.errors import InputError
from actbench.kernels.resolution import traffic_of
from actbench.model.cases import KernelId
from actbench.model.checks import Check
from actbench.model.row_bytes import RowBytes


def row_bytes(kernel: KernelId, check: Check | None) -> RowBytes:
    """Return these bytes; none of an activation that is not known any more."""
    if check is not None and check.row_bytes is not None:
        return check.row_bytes
    try:
        return traffic_of(kernel.at(1)).row_bytes(kernel.dtype)
    except InputError:
        return RowBytes()
