"""The loops in assembly over formulas that are one fused multiply-add."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench.backends import _assembly_loops
from actbench.backends._compiling import jitted
from actbench.backends._simd import assembly, functions, vector_width
from actbench.backends.numba import array_of
from actbench.backends.numba_simd import NumbaSimd
from actbench.kernels.resolution import kernel
from actbench.model.cases import KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant

pytestmark = pytest.mark.skipif(not vector_width.has_registers(), reason="the loops need AVX-512")

SIZES = (0, 1, 15, 63, 64, 65, 130, 191, 1000)
UNUSUAL = (math.nan, math.inf, -math.inf, -0.0, 1.0, -1.0, 1e-40, 1e30)

every_dtype = pytest.mark.parametrize("dtype", WIDE)
every_function = pytest.mark.parametrize("name", assembly.ORDERS)


def in_assembly(name: str, dtype: Dtype) -> Any:
    def applied(out: Any, y: Any) -> None:
        assembly.apply(name, out, y)

    return jitted(applied, [array_of(dtype)] * 2, cache=False)


def by_llvm(name: str, dtype: Dtype) -> Any:
    function: Callable[[Any], Any] = getattr(functions, name)

    def loop(out: Any, y: Any) -> None:
        for i in range(out.size):
            out[i] = function(y[i])

    return jitted(loop, [array_of(dtype)] * 2, cache=False)


@every_dtype
@every_function
def test_every_element_of_an_array_of_any_size_is_what_llvm_makes_of_the_formula(name: str, dtype: Dtype) -> None:
    ours, theirs = in_assembly(name, dtype), by_llvm(name, dtype)
    for size in SIZES:
        y = np.random.default_rng(size).uniform(-1, 1, size).astype(dtype)
        y[::3] = np.resize(np.array(UNUSUAL, dtype), y[::3].size)
        around = [np.full(size + 32, 7, dtype) for _ in range(2)]
        for function, memory in zip((ours, theirs), around, strict=True):
            function(memory[16 : 16 + size], y)
        np.testing.assert_array_equal(around[0], around[1], err_msg=f"{size} elements")


@every_function
def test_a_register_is_loaded_applied_and_stored_once_in_this_order(name: str) -> None:
    steps = assembly.ORDERS[name].split()
    registers = range(sum(step.startswith("L") for step in steps))
    assert assembly.BLOCK % len(registers) == 0
    for register in registers:
        assert "".join(step[0] for step in steps if step[1:] == str(register)) in {"LAS", "LCAS", "CLAS"}


@pytest.mark.parametrize("size", [1000, 4096, 5000, 7000])
@pytest.mark.parametrize("activation", ["logistic", "tanh"])
def test_kernels_have_the_same_results_with_and_without_it(
    activation: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = KernelId(activation, Variant("cached"), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT32)
    y = np.random.default_rng(1).uniform(-1, 1, size).astype(np.float32)
    results = []
    for most in (1 << 20, 0):
        monkeypatch.setattr(assembly, "sizes", lambda _, most=most: range(most and 1 << 12, most))
        result = np.zeros_like(y)
        (loop,) = NumbaSimd()._loops_of(Op.DERIVATIVE, kernel(cached).rule)
        assert (loop.__module__ == _assembly_loops.__name__) == (most > 0)
        kernel(cached).backend.bind(Op.DERIVATIVE, kernel(cached).rule, Dtype.FLOAT32).function(result, y)
        results.append(result)
    np.testing.assert_array_equal(results[0], results[1])
