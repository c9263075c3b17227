from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from benchmarks import verify_simd
from tests.support.targets import on_x86, printed_for
from tests.support.tiers import exhaustive_but, first_of_each

every_dtype = pytest.mark.parametrize("dtype", exhaustive_but(verify_simd.DTYPES, "float32".__eq__))

COMPILE = """
import json
import sys

import numba

from actbench.backends._simd import functions as m
from actbench.backends._simd.vector_width import widest


def loop(out, values):
    widest()
    for i in range(values.size):
        x = values[i]
        bounded = m.exp(x) + m.tanh(x) + m.erf(x) + m.atan(x) + m.where(x < x, m.sqrt(x), m.ones_like(x))
        bounded += m.erfc(x) + m.sin(x) + m.cos(x) + m.logistic_derivative(x) + m.tanh_derivative(x)
        out[i] = bounded + m.expm1(x) + m.log(x) + m.log1p(x) + m.sinh(x) + m.cosh(x)


def floors(out, values):
    widest()
    for i in range(values.size):
        out[i] = m.floor(values[i])


def code(loop):
    compiled = numba.njit([numba.void(array, array)], error_model="numpy")(loop)
    return [*compiled.inspect_llvm().values(), *compiled.inspect_asm().values()]


def exponentials(out, values):
    widest()
    for i in range(values.size):
        out[i] = m.exp(values[i])


array = getattr(numba, sys.argv[1])[::1]
loops = {"all": loop, "floor": floors, "exp": exponentials}
print(json.dumps({name: code(loops[name]) for name in sys.argv[2:]}))
"""

X86 = {"x86-64": 128, "haswell": 256, "skylake-avx512": 512}
"""Bits of a vector by processor: the first has neither fused multiply-add nor the rounding instructions of SSE4.1."""


@cache
def codes(processor: str, dtype: str, *loops: str) -> dict[str, tuple[str, str]]:
    """Return LLVM's and the machine's code for a processor that need not be this one, by the loop."""
    by_loop = {}
    for loop, (llvm, machine) in printed_for(processor, COMPILE, dtype, *loops).items():
        (body,) = re.findall(r"^define [^@\n]*i32 @.*?^}", llvm, re.MULTILINE | re.DOTALL)
        by_loop[loop] = body, machine.split(".globl")[1]
    return by_loop


def code(processor: str, dtype: str, loop: str = "all") -> tuple[str, str]:
    """Return the code of a loop: over all functions but `floor`, for which there may be no instruction, or over one."""
    return codes(processor, dtype, *(("all",) if loop == "all" else ("floor", "exp")))[loop]


every_processor = pytest.mark.parametrize("processor", first_of_each(X86, lambda _: "x86"))


@on_x86
@every_dtype
@every_processor
def test_all_functions_are_vectorised_as_wide_as_the_processor_can(processor: str, dtype: str) -> None:
    llvm, _ = code(processor, dtype)
    kind = {"float32": "float", "float64": "double"}[dtype]
    lanes = X86[processor] // (8 * np.dtype(dtype).itemsize)
    assert f"llvm.fmuladd.v{lanes}f{8 * np.dtype(dtype).itemsize}" in llvm
    assert re.search(rf"= fdiv <{lanes} x {kind}>", llvm)


@on_x86
@every_dtype
@every_processor
def test_nothing_is_called_and_no_lane_is_taken_out_of_its_vector(processor: str, dtype: str) -> None:
    llvm, machine = code(processor, dtype)
    called = set(re.findall(r"call [^@\n]*@([\w.]+)\(", llvm))
    assert {name.split(".")[1] for name in called} <= {"fmuladd", "fabs", "copysign", "sqrt"}
    assert "extractelement" not in llvm
    assert not re.search(r"^\s+call", machine, re.MULTILINE)


@on_x86
@every_dtype
@every_processor
def test_no_number_is_converted(processor: str, dtype: str) -> None:
    llvm, machine = code(processor, dtype)
    assert not re.search(r"= (?:fpext|fptrunc|sitofp|uitofp|fptosi|fptoui) ", llvm)
    assert not re.search(r"^\s+v?cvt", machine, re.MULTILINE)


@on_x86
@every_processor
def test_float32_is_computed_without_float64(processor: str) -> None:
    llvm, _ = code(processor, "float32")
    assert "double" not in llvm


@on_x86
@every_dtype
@pytest.mark.parametrize("processor", exhaustive_but(["haswell", "skylake-avx512"], "haswell".__eq__))
def test_the_floor_is_one_instruction_for_a_whole_vector_where_there_is_one(processor: str, dtype: str) -> None:
    llvm, machine = code(processor, dtype, "floor")
    bits = 8 * np.dtype(dtype).itemsize
    assert f"llvm.floor.v{X86[processor] // bits}f{bits}" in llvm
    assert re.search(r"^\s+v(?:round|rndscale)p", machine, re.MULTILINE)
    assert not re.search(r"^\s+call", machine, re.MULTILINE)


@on_x86
def test_multiply_adds_are_fused_where_the_processor_does_and_two_instructions_where_it_does_not() -> None:
    assert "vfmadd" in code("haswell", "float32", "exp")[1]
    assert "fmadd" not in code("x86-64", "float32")[1]
