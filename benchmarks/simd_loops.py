"""The branch-free functions over arrays, compiled as kernels of numba-simd are that call them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, cast

import numba

from actbench.backends import _numba_cache, _register_loops, _simd
from actbench.backends._simd import four_registers, functions
from actbench.backends._simd.vector_width import widest

scalar: Any = functions.exp
"""The function that `_loop` calls: another one in every copy of it."""


def _loop(out: Any, values: Any) -> None:
    widest()
    for i in range(values.size):
        out[i] = scalar(values[i])


def _exp(x: Any) -> Any:
    return functions.exp(x)


@cache
def kernel(function: str, dtype: str, *, registers: bool = False) -> Callable[[Any, Any], None]:
    """Return the function over arrays, vectorised by LLVM, or applied to registers of AVX-512.

    It comes from numba's cache where the same source was compiled before.
    """
    if registers:
        loop = _register_loops.elementwise(range, _numba_cache.inlined(_formula(function)), four_registers)
    else:
        loop = FunctionType(_loop.__code__, globals() | {"scalar": getattr(functions, function)})
    compiled: Any = numba.njit(error_model="numpy")(loop)
    _numba_cache.share(compiled, function, _simd.edition())
    array = getattr(numba, dtype)[::1]
    compiled.compile(numba.void(array, array))
    compiled.disable_compile()
    return cast("Callable[[Any, Any], None]", compiled)


def _formula(function: str) -> Callable[[Any], Any]:
    """Return a formula that calls the function by its name, as those of activations do: keys of the cache hold that."""
    code = _exp.__code__
    names = tuple(function if name == functions.exp.__name__ else name for name in code.co_names)
    return FunctionType(code.replace(co_names=names), globals())
