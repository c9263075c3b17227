"""Copies as a kernel could make them: what bounds a kernel that moves as much.

The loop of loads and stores is what numba-simd makes of y -> y, prefetching included where that helps its kernels.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

from actbench.backends._compiling import jitted, only_version
from actbench.backends._rungs import COPY_RULE
from actbench.backends.numba import array_of
from actbench.backends.numba_simd import NumbaSimd
from actbench.model.kernel_copies import LOOP_COPY
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant

X86 = frozenset({"x86_64", "AMD64"})


def unavailable(kind: Variant) -> str | None:
    """Say why there is no such copy on this machine; None where there is one. Imports nothing."""
    if kind != LOOP_COPY and platform.machine() not in X86:
        return "non-temporal stores are used on x86-64 only"
    return NumbaSimd().unavailable


def compiled(kind: Variant, dtype: Dtype) -> Callable[..., Any]:
    """Return ``copy(out, array)``, compiled or from numba's cache."""
    if kind == LOOP_COPY:
        return NumbaSimd().bind(Op.DERIVATIVE, COPY_RULE, dtype).function
    return only_version(_non_temporal(dtype, cache=True))


def uncached(kind: Variant, dtype: Dtype) -> Any:
    """Return the same, compiled in this process, so that its code can be read."""
    if kind == LOOP_COPY:
        return NumbaSimd()._compile(Op.DERIVATIVE, COPY_RULE, dtype, cache=False)  # noqa: SLF001  # it is its own copy
    return _non_temporal(dtype, cache=False)


def _non_temporal(dtype: Dtype, *, cache: bool) -> Any:
    from actbench.backends._simd import streaming

    return jitted(streaming.non_temporal, [array_of(dtype)] * 2, cache=cache, count_references=False)


def listing(kind: Variant) -> str:
    """Return the source of a copy, for `actbench show`."""
    from actbench.backends._listing import sources
    from actbench.backends._simd import streaming

    if kind == LOOP_COPY:
        return NumbaSimd().execution(Op.DERIVATIVE, COPY_RULE)
    return sources([streaming.non_temporal])
