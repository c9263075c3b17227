"""Which loops of numba-simd are over registers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from numba.core.registry import cpu_target

from actbench.backends import _assembly_loops, _gated_register_loops, _loops, _register_loops
from actbench.backends._simd import assembly, eight_registers, four_registers, functions, vector_width
from actbench.backends.numba_parallel import NumbaParallel
from actbench.backends.numba_simd import NumbaSimd
from actbench.backends.numba_simd_streaming import NumbaSimdStreaming
from actbench.host import processors
from actbench.kernels.resolution import kernel as resolved
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant


@pytest.fixture
def with_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_width, "has_registers", lambda: True)


def formulas(m: Any) -> dict[str, Callable[[Any], Any]]:
    """Return formulas of a namespace, which they refer to as those of activations do."""
    slope, factors = 0.5, (1.0, 2.0)

    def straight(z: Any) -> Any:
        e = m.capped_exp(-abs(z))
        return slope * m.where((z < 0.0) | (z > 1.0), e, 1.0) / (1.0 + e)

    def scaled(z: Any) -> Any:
        return slope * z

    def helped(z: Any) -> Any:
        return m.capped_exp(scaled(z))

    def branching(z: Any) -> Any:
        return m.capped_exp(z) if z < 0.0 else 1.0

    def squaring(z: Any) -> Any:
        return m.capped_exp(z) ** 2.0

    def of_an_integer(z: Any) -> Any:
        return 2 * m.capped_exp(z)

    def of_a_tuple(z: Any) -> Any:
        return factors[0] * m.capped_exp(z)

    def calling(z: Any) -> Any:
        return m.capped_exp(round(z))

    def using_what_is_not_there(z: Any) -> Any:
        return m.sqrt_of_everything(z)

    named = (straight, helped, branching, squaring, of_an_integer, of_a_tuple, calling, using_what_is_not_there)
    return {formula.__name__: formula for formula in named}


FORMULAS = formulas(functions)
SUPPORTED = {"straight", "helped"}


@pytest.mark.parametrize("name", FORMULAS)
def test_only_formulas_of_operators_and_functions_that_registers_have_are_supported(name: str) -> None:
    assert _register_loops.supports(FORMULAS[name], functions) == (name in SUPPORTED)


def loop_over(chosen: KernelId) -> object:
    (factory, *_) = NumbaSimd()._loops_of(chosen.op, resolved(chosen).rule)
    return inspect.unwrap(factory)


def logistic(variant: str = "recompute", dtype: Dtype = Dtype.FLOAT32) -> KernelId:
    return KernelId("logistic", Variant(variant), "numba-simd", Op.DERIVATIVE, dtype)


@pytest.mark.usefixtures("with_avx512")
def test_what_looks_up_a_table_is_over_registers() -> None:
    assert loop_over(logistic()) is _register_loops.elementwise


@pytest.mark.usefixtures("with_avx512")
def test_gated_activations_are_as_well() -> None:
    loops = NumbaSimd()._loops_of(Op.STEP, resolved(replace(logistic(), activation="swiglu", op=Op.STEP)).rule)
    assert [*map(inspect.unwrap, loops)] == [_gated_register_loops.elementwise, _gated_register_loops.backward_from_two]


@pytest.mark.usefixtures("with_avx512")
@pytest.mark.parametrize(
    ("backend", "activation", "zen_5", "of_eight"),
    [
        (NumbaSimd(), "mish", True, True),
        (NumbaSimd(), "mish", False, False),
        (NumbaSimd(), "gelu", True, False),
        (NumbaSimd(), "probit", True, False),
        (NumbaSimdStreaming(), "mish", True, False),
    ],
    ids=[
        "where that is faster",
        "of other processors",
        "of many constants",
        "of an exponential alone",
        "in pieces of few lines",
    ],
)
def test_blocks_are_of_eight_registers_where_these_were_measured_to_be_faster(
    backend: NumbaSimd, activation: str, *, zen_5: bool, of_eight: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_width, "is_zen_5", lambda: zen_5)
    factory: Any
    (factory,) = backend._loops_of(Op.DERIVATIVE, resolved(replace(logistic(), activation=activation)).rule)
    assert factory.arguments["memory"] is (eight_registers if of_eight else four_registers)


@pytest.mark.usefixtures("with_avx512")
@pytest.mark.parametrize(
    "chosen",
    [
        logistic("cached"),
        logistic(dtype=Dtype.BFLOAT16),
        logistic("recompute:float16"),
        KernelId("log-ndtr", Variant("recompute"), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT32),
    ],
    ids=["without an exponential", "of 16 bits", "from what is kept in 16 bits", "of too many constants"],
)
def test_llvm_vectorises_other_loops(chosen: KernelId) -> None:
    assert loop_over(chosen) not in _register_loops.REGISTERS.values()


@pytest.mark.usefixtures("with_avx512")
@pytest.mark.parametrize(
    ("backend", "op", "helps", "in_assembly"),
    [
        (NumbaSimd(), Op.DERIVATIVE, True, True),
        (NumbaSimd(), Op.DERIVATIVE, False, False),
        (NumbaSimd(), Op.BACKWARD, True, False),
        (NumbaSimdStreaming(), Op.DERIVATIVE, True, False),
        (NumbaParallel(), Op.DERIVATIVE, True, False),
    ],
    ids=["where that is faster", "of other processors", "with an upstream gradient", "in pieces", "of threads"],
)
def test_a_fused_derivative_has_a_loop_in_assembly(
    backend: NumbaSimd, op: Op, *, helps: bool, in_assembly: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "sizes", lambda _: range(1 << 12, 1 << 14) if helps else range(0))
    (factory,) = backend._loops_of(op, resolved(logistic("cached")).rule)
    assert (factory.__module__ == _assembly_loops.__name__) == in_assembly


def test_a_formula_is_fused_where_it_returns_what_one_function_returns() -> None:
    m: Any = functions

    def fused(y: Any) -> Any:
        return m.one_minus_square(y)

    def scaled(y: Any) -> Any:
        return 2.0 * m.one_minus_square(y)

    def nested(y: Any) -> Any:
        return m.one_minus_square(m.tanh(y))

    def of_two(y: Any, _z: Any) -> Any:
        return m.one_minus_square(y)

    names = [_assembly_loops.only_called(formula) for formula in (fused, scaled, nested, of_two)]
    assert names == ["one_minus_square", None, None, None]


def test_llvm_vectorises_every_loop_without_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_width, "has_registers", lambda: False)
    assert loop_over(logistic()) is _loops.elementwise


ZEN_5 = ("x86_64-unknown-linux-gnu", "znver5", "+avx2,+avx512f,+fma")
ZEN_4 = ("x86_64-unknown-linux-gnu", "znver4", "+avx2,+avx512f,+fma")
HASWELL = ("x86_64-unknown-linux-gnu", "haswell", "+avx2,-avx512f,+fma")
NEOVERSE = ("aarch64-unknown-linux-gnu", "neoverse-v2", "+sve")


@pytest.mark.parametrize("intel", [True, False], ids=["on Intel", "on AMD"])
def test_the_processor_that_numba_compiles_for_decides(*, intel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "vendor", lambda: "GenuineIntel" if intel else "AuthenticAMD")
    answers = []
    for target in (ZEN_5, ZEN_4, HASWELL, NEOVERSE):
        code = SimpleNamespace(magic_tuple=lambda target=target: target)
        monkeypatch.setattr(cpu_target.target_context, "codegen", lambda code=code: code)
        answers.append(
            (vector_width.has_registers(), vector_width.is_zen_5(), bool(assembly.sizes("one_minus_square")))
        )
    assert answers == [(True, True, True), (True, False, intel), (False, False, False), (False, False, False)]
