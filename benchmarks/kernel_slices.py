"""Times kernels of numba-simd of whichever actbench is imported, on request: a process of `benchmarks.since`.

Run by the path of this file, with the directory of a checkout, of any revision, first on PYTHONPATH. A line on its
input is a kernel with a size of arrays and an offset of operands in lines of the cache, and a line of its output is the
processor seconds of a call. It uses nothing of actbench but the kernels.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

SLICE_SECONDS = 0.002
LINE = 64
"""Bytes of a line of the cache."""


def compiled(activation: str, strategy: str, dtype: str) -> Callable[..., None]:
    """Return the derivative as the backend executes it; `LookupError` where this revision lacks it."""
    from actbench.errors import InputError

    try:
        function: Callable[..., None] = _compiled(activation, strategy, dtype)
    except InputError as error:
        raise LookupError(str(error)) from None
    return function


def _compiled(activation: str, strategy: str, dtype: str) -> Any:
    try:
        from actbench.kernels.resolution import kernel
    except ImportError:  # a revision in which kernels were not in a package
        kernels, model = import_module("actbench.kernel"), import_module("actbench.model")
        identity = model.Kernel(activation, strategy, "numba-simd", model.Op.DERIVATIVE, model.Dtype(dtype))
        return kernels.bind(identity).function
    from actbench.model.cases import KernelId
    from actbench.model.names import Dtype, Op
    from actbench.model.variants import Variant

    identity = KernelId(activation, Variant(strategy), "numba-simd", Op.DERIVATIVE, Dtype(dtype))
    return kernel(identity).bound.function


function_of = cache(compiled)


@cache
def loops_of(activation: str, strategy: str, dtype: str, size: int) -> int:
    """Return the number of calls that take `SLICE_SECONDS`."""
    function, (out, kept) = function_of(activation, strategy, dtype), operands(dtype, size, 0)
    return max(1, round(SLICE_SECONDS / min(seconds(function, out, kept, 1) for _ in range(5))))


@cache
def room(dtype: str, size: int) -> np.ndarray[Any, Any]:
    """Return bytes for two operands and their offsets."""
    return np.zeros(2 * (size * np.dtype(dtype).itemsize) + 256 * LINE, np.uint8)


def operands(dtype: str, size: int, offset: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the array of results and that of normally distributed operands, both from the beginning of a line on."""
    memory, length = room(dtype, size), size * np.dtype(dtype).itemsize
    first = -memory.ctypes.data % LINE + offset % 64 * LINE
    second = first + length + -length % LINE + offset // 64 % 64 * LINE
    out, kept = (memory[start : start + length].view(dtype) for start in (first, second))
    kept[:] = np.random.default_rng(1).standard_normal(size, np.dtype(dtype).type)
    return out, kept


def seconds(function: Callable[..., None], out: Any, kept: Any, loops: int) -> float:
    """Return the processor seconds of a call, the mean of some after one that is not timed."""
    function(out, kept)
    start = time.thread_time()
    for _ in range(loops):
        function(out, kept)
    return (time.thread_time() - start) / loops


def answer(activation: str, strategy: str, dtype: str, size: int, offset: int) -> float | str:
    """Return the seconds of a call, or why there is no such kernel."""
    try:
        function = function_of(activation, strategy, dtype)
    except LookupError as error:
        return str(error)
    loops = loops_of(activation, strategy, dtype, size)
    return seconds(function, *operands(dtype, size, offset), loops)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
