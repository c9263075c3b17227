"""The loops over registers of AVX-512, and the functions in the form that looks powers of two up in a table."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import Any

import numba
import numpy as np
import pytest
from llvmlite import binding

from actbench.backends import _numba_cache, _register_loops
from actbench.backends._limits.inner_loop import vector_loops
from actbench.backends._simd import bells, eight_registers, functions, vector_width
from actbench.backends._simd.formats import FLOAT64
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant
from benchmarks import simd_loops, verify_simd
from tests.numerics.test_simd import inputs, is_quick, ulp_off
from tests.support import kernels
from tests.support.special_values import NAN, SPECIAL
from tests.support.targets import on_x86, printed_for
from tests.support.tiers import Collected, exhaustive_but, first_of_each

COMPILE = """
import json
import sys

from actbench.backends.numba_simd import NumbaSimd
from actbench.kernels.resolution import kernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant

code = {}
for name in sys.argv[1:]:
    op, dtype = name.split()
    rule = kernel(KernelId("logistic", Variant("recompute"), "numba-simd", Op(op), Dtype(dtype))).rule
    code[name] = NumbaSimd().assembly(Op(op), rule, Dtype(dtype))
print(json.dumps(code))
"""

AVX2 = "+avx,+avx2,+fma"
AVX512 = f"{AVX2},+avx512f,+avx512bw,+avx512dq,+avx512vl"
PROCESSORS = {"znver5": f"{AVX512},+prfchw", "skylake-avx512": AVX512, "haswell": AVX2}
KERNELS = [f"{op} {dtype}" for dtype in WIDE for op in (Op.DERIVATIVE, Op.STEP)]
QUICK = [KERNELS[0], KERNELS[-1]]
LOOK_UP = re.compile(r"^\s+vperm(?:ps|d|pd|q)\s.*%zmm", re.MULTILINE)

every_dtype = pytest.mark.parametrize("dtype", verify_simd.DTYPES)
on_avx512 = pytest.mark.skipif(not vector_width.has_registers(), reason="runs code for AVX-512")


@cache
def assembly(processor: str) -> dict[str, str]:
    """Return the code of kernels for a processor that need not be this one."""
    compiled = KERNELS if Collected.exhaustive else QUICK
    codes = printed_for(processor, COMPILE, *compiled, features=PROCESSORS[processor])
    return {name: code.split(".globl")[1] for name, code in codes.items()}


@on_x86
@pytest.mark.parametrize("kernel", exhaustive_but(KERNELS, QUICK.__contains__))
def test_code_for_avx512_looks_powers_up_in_registers_and_calls_nothing(kernel: str) -> None:
    code = assembly("skylake-avx512")[kernel]
    assert LOOK_UP.search(code)
    assert re.search(r"vmovup[sd]\s.*%zmm\d+, .*\{%k\d\}", code)  # the rest, masked
    assert not re.search(r"^\s+call", code, re.MULTILINE)
    assert not re.search(r"^\s+v(?:add|sub|mul|div|fn?m\w+)s[sd]\s", code, re.MULTILINE)


def registers_of_an_iteration(code: str) -> int:
    return max(len(loop.stores) for loop in vector_loops(code) if loop.bits == 512)


@on_x86
@pytest.mark.skipif(binding.llvm_version_info < (20,), reason="LLVM does not know Zen 5")
@pytest.mark.parametrize("kernel", exhaustive_but(KERNELS, lambda kernel: kernel == QUICK[0]))
def test_code_for_zen_5_alone_has_eight_registers_in_an_iteration_and_prefetches(kernel: str) -> None:
    zen_5, skylake = (assembly(name)[kernel] for name in ("znver5", "skylake-avx512"))
    assert registers_of_an_iteration(zen_5) == 2 * registers_of_an_iteration(skylake)
    assert ["prefetch" in code for code in (zen_5, skylake)] == [True, False]


@on_avx512
@pytest.mark.parametrize(("function", "of"), [("logistic_derivative", bells.LOGISTIC), ("tanh_derivative", bells.TANH)])
def test_a_divisor_by_a_sum_and_blocks_of_eight_registers_are_right_on_every_processor(function: str, of: Any) -> None:
    formula = _numba_cache.inlined(bells.bell_by_sum(*of[FLOAT64]))
    loop = numba.njit(error_model="numpy")(_register_loops.elementwise(range, formula, eight_registers))
    values = np.append(inputs(function, "float64"), [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324])
    computed = np.empty_like(values)
    loop(computed, values)
    assert max(ulp_off(function, x, y) for x, y in zip(values[:-6], computed, strict=False)) <= 2.4
    np.testing.assert_array_equal(computed[-6:], [np.nan, 0.0, 0.0, *[of[FLOAT64][1] / 4] * 3])


@on_x86
@pytest.mark.parametrize("kernel", exhaustive_but(KERNELS, QUICK.__contains__))
def test_code_for_avx2_has_no_table(kernel: str) -> None:
    code = assembly("haswell")[kernel]
    assert "%zmm" not in code
    assert not re.search(r"^\s+vperm(?:ps|d|pd|q)\s", code, re.MULTILINE)


def in_registers(function: str, values: Any, dtype: str) -> Any:
    values = np.asarray(values, dtype)
    out = np.empty_like(values)
    simd_loops.kernel(function, dtype, registers=True)(out, values)
    return out


@on_avx512
@pytest.mark.parametrize(
    ("function", "dtype"), exhaustive_but(product(functions.TABULATED, verify_simd.DTYPES), is_quick)
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_errors_with_the_table_are_within_what_the_docstring_states(function: str, dtype: str) -> None:
    values = inputs(function, dtype)
    computed = in_registers(function, values, dtype)
    worst = max(ulp_off(function, x, y) for x, y in zip(values, computed, strict=True))
    assert 0.4 < worst <= verify_simd.stated(function, dtype)


@on_avx512
@pytest.mark.parametrize(
    ("function", "dtype"),
    exhaustive_but(product([name for name in functions.TABULATED if name in SPECIAL], verify_simd.DTYPES), is_quick),
)
def test_special_values_are_exact_in_registers(function: str, dtype: str) -> None:
    given, expected = zip(*SPECIAL[function], (NAN, NAN), strict=True)
    computed = in_registers(function, given, dtype)
    assert [*map(str, computed)] == [str(np.dtype(dtype).type(value)) for value in expected]


@on_avx512
@every_dtype
def test_what_is_subnormal_is_rounded_once_in_registers(dtype: str) -> None:
    smallest = np.finfo(dtype).smallest_subnormal
    exponents = np.log(float(smallest)) + np.log(np.array([0.4, 0.6, 1.4, 1.6, 20.4, 20.6]))
    computed = in_registers("capped_exp", exponents, dtype)
    np.testing.assert_array_equal(computed / smallest, [0.0, 1.0, 1.0, 2.0, 20.0, 21.0])


OPS = (
    ("logistic", "recompute", Op.DERIVATIVE),
    ("logistic", "recompute", Op.BACKWARD),
    ("logistic", "recompute", Op.STEP),
    ("gelu", "pair", Op.DERIVATIVE),
    ("gelu", "pair", Op.BACKWARD),
    ("silu", "intermediate", Op.STEP),
)
LOOPS = [
    KernelId(activation, Variant(strategy), "numba-simd", op, dtype)
    for dtype in WIDE
    for activation, strategy, op in OPS
]
"""The kernels whose loops over registers differ."""


@on_avx512
@pytest.mark.parametrize(
    "kernel", first_of_each(LOOPS, lambda kernel: (kernel.op, kernel.strategy)), ids=lambda one: one.id
)
def test_results_depend_neither_on_how_many_numbers_there_are_nor_on_where_they_are(kernel: KernelId) -> None:
    z = np.random.default_rng(1).standard_normal(500).astype(kernel.dtype)
    whole = kernels.outputs(kernel, z, z[::-1].copy())
    for size in range(1, 201):
        start = 500 - size if size % 2 else 37
        part = slice(start, start + size)
        for all_of_it, some in zip(whole, kernels.outputs(kernel, z[part], z[::-1][part].copy()), strict=True):
            np.testing.assert_array_equal(some, all_of_it[part])


@on_avx512
@every_dtype
def test_results_of_gated_activations_do_not_depend_on_it_either(dtype: str) -> None:
    step = resolve(KernelId("swiglu", Variant("recompute"), "numba-simd", Op.STEP, Dtype(dtype))).bound.function
    operands = np.random.default_rng(1).standard_normal((3, 300)).astype(dtype)
    whole = np.empty_like(operands)
    step(*whole, *operands)
    for size in range(1, 201):
        some = np.empty((3, size), dtype)
        step(*some, *operands[:, 300 - size :].copy())
        np.testing.assert_array_equal(some, whole[:, 300 - size :])


@on_avx512
@every_dtype
def test_nothing_is_stored_behind_the_end_of_an_array_and_an_empty_one_is_left_alone(dtype: str) -> None:
    function = resolve(
        KernelId("logistic", Variant("recompute"), "numba-simd", Op.DERIVATIVE, Dtype(dtype))
    ).bound.function
    for size in range(201):
        out = np.full(300, 7.0, dtype)
        function(out[:size], np.zeros(size, dtype))
        assert (out[:size] == 0.25).all()
        assert (out[size:] == 7.0).all()
