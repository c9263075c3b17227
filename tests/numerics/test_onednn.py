"""oneDNN: which algorithm a strategy is, what is declared to be wrong of it, and that its primitives are called so."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.backends import _dnnl
from actbench.backends._dnnl import EltwiseKind, Role
from actbench.backends._onednn_algorithms import ALGORITHMS, algorithm
from actbench.backends.onednn import Eltwise, OneDnn, library
from actbench.errors import BenchmarkError, InputError
from actbench.kernels.cold_calls import calls_of
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import kernel
from actbench.kernels.rotation import Rotation
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op, OperandState, Storage
from actbench.model.rule import Rule
from actbench.model.variants import Variant
from actbench.report.snippets import comment, snippet

REASON = OneDnn().unavailable

installed = pytest.mark.skipif(REASON is not None, reason=f"onednn: {REASON}")

Z = np.linspace(-3.0, 3.0, 61, dtype=np.float32)

DY = np.linspace(-2.0, 1.0, Z.size, dtype=np.float32)


def identity(activation: str, strategy: str, op: Op = Op.BACKWARD, dtype: Dtype = Dtype.FLOAT32) -> KernelId:
    return KernelId(activation, Variant(strategy), "onednn", op, dtype)


# Which algorithm it is


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_is_of_an_activation_whose_strategies_keep_what_it_reads(name: str) -> None:
    known = algorithm(name)
    assert known is not None
    for strategy, kept in (("recompute", Role.SRC), ("cached", Role.DST)):
        kind = known.kind(strategy)
        assert kind is None or kind.kept is kept
        assert kind is None or kernel(identity(name, strategy)).unsupported is None


@pytest.mark.parametrize(
    ("activation", "strategy", "kind", "alpha"),
    [
        ("logistic", "cached", "eltwise_logistic_use_dst_for_bwd", 0.0),
        ("tanh", "recompute", "eltwise_tanh", 0.0),
        ("elu:alpha=0.5", "cached", "eltwise_elu_use_dst_for_bwd", 0.5),
        ("log-sigmoid", "recompute", "eltwise_soft_relu", -1.0),
    ],
)
def test_a_strategy_names_its_algorithm_with_its_numbers(
    activation: str, strategy: str, kind: str, alpha: float
) -> None:
    eltwise = OneDnn().eltwise(activation, strategy)
    assert eltwise is not None
    assert (eltwise.kind.name, eltwise.alpha) == (kind, alpha)
    code = snippet(kernel(identity(activation, strategy)))
    assert f"algorithm::{kind};" in code
    assert f"alpha = {alpha!r}f" in code
    assert comment(kernel(identity(activation, strategy))) == "//"


@pytest.mark.parametrize(
    ("activation", "strategy", "reason"),
    [
        ("softsign", "recompute", "oneDNN has no softsign among its eltwise algorithms"),
        ("softplus:beta=2", "recompute", "oneDNN has no softplus:beta=2 among its eltwise algorithms"),
        ("gelu", "pair", "oneDNN has eltwise_gelu_erf alone: recompute"),
        (
            "tanh",
            "complement",
            "oneDNN has eltwise_tanh and eltwise_tanh_use_dst_for_bwd alone: recompute and cached",
        ),
    ],
)
def test_what_it_lacks_is_left_out_with_the_reason(activation: str, strategy: str, reason: str) -> None:
    assert kernel(identity(activation, strategy)).unsupported == reason


def test_it_computes_and_keeps_in_float32_alone() -> None:
    backend = OneDnn()
    assert backend.unsupported(Dtype.FLOAT64) == "onednn computes in float32 only"
    assert backend.unsupported_storage(Storage.FLOAT16, Dtype.FLOAT32) == backend.only_wide


def test_it_has_no_second_derivatives() -> None:
    assert kernel(identity("tanh", "cached", Op.SECOND)).unsupported == OneDnn.without_second


def test_an_algorithm_that_goes_by_y_has_the_weaknesses_of_cached() -> None:
    for name in ("logistic", "tanh"):
        expected = registry.activation(name).formulas.strategies["cached"].weaknesses
        assert kernel(identity(name, "recompute")).weaknesses == expected


def test_it_executes_no_formulas() -> None:
    with pytest.raises(InputError, match="backend 'onednn' executes no formulas"):
        OneDnn().bind(Op.DERIVATIVE, Rule(abs, abs, None), Dtype.FLOAT32)


def test_a_distribution_without_the_library_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _dnnl.path("numpy") is None
    monkeypatch.setattr(_dnnl, "path", lambda _: None)
    assert OneDnn().unavailable == "onednn-cpu-gomp is not installed; python -m pip install onednn-cpu-gomp"


# What its primitives compute


@installed
@pytest.mark.parametrize("op", [Op.DERIVATIVE, Op.BACKWARD, Op.STEP])
@pytest.mark.parametrize("strategy", ["recompute", "cached"])
def test_a_call_reads_what_the_strategy_keeps(op: Op, strategy: str) -> None:
    slope = (1.0 - np.tanh(Z)) * (1.0 + np.tanh(Z))
    subject = kernel(identity("tanh", strategy, op))
    kept = np.tanh(Z) if strategy == "cached" else Z
    reads = {Op.DERIVATIVE: (kept,), Op.BACKWARD: (DY, kept), Op.STEP: (Z, DY)}[op]
    written = [np.zeros_like(Z) for _ in subject.writes]
    arguments = [subject.backend.adopt(array) for array in (*written, *reads)]
    for function in (subject.bound.function, subject.bound_at(Z.size).function):
        written[-1].fill(0.0)
        function(*arguments)
        np.testing.assert_allclose(written[-1], slope if op is Op.DERIVATIVE else DY * slope, rtol=1e-4)
    if op is Op.STEP:
        np.testing.assert_allclose(written[0], np.tanh(Z), rtol=1e-6)


@installed
@pytest.mark.parametrize("state", [OperandState.RESIDUALS_COLD, OperandState.COLD])
def test_a_step_takes_operands_from_memory(state: OperandState) -> None:
    step = kernel(identity("tanh", "cached", Op.STEP))
    rng = np.random.default_rng(1)
    z, dy = (rng.standard_normal(64).astype(np.float32) for _ in range(2))
    operands = Operands(step.activation, z, dy)
    rotation, placement = Rotation(operands, state, 6, rng), Placement(operands, rng)
    calls = calls_of(step, 64, rotation, placement)
    calls.ready(placement, 4, 0)()
    np.testing.assert_allclose(calls.results()[0], np.tanh(z), rtol=1e-5)


@installed
def test_a_primitive_takes_other_arrays_in_the_next_call() -> None:
    call = Eltwise(EltwiseKind.eltwise_linear, 1.0, 0.0).forward(Z.size)
    for array in (Z, DY):
        out = np.zeros_like(array)
        call(library().memory(out), library().memory(array))
        np.testing.assert_array_equal(out, array)


@installed
def test_the_algorithm_is_a_function_of_two_arrays() -> None:
    gradient = OneDnn().library_gradient("exp", "cached")
    assert gradient is not None
    np.testing.assert_array_equal(gradient(DY, Z), DY * Z)


@installed
def test_a_copy_is_one_of_the_library() -> None:
    backend = OneDnn()
    out = np.zeros_like(Z)
    memories = backend.adopt(out), backend.adopt(Z)
    backend.copy(Dtype.FLOAT32)(*memories)
    np.testing.assert_array_equal(backend.release(memories[0]), Z)


@installed
def test_a_memory_object_lives_as_long_as_its_python_object() -> None:
    memory = library().memory(Z)
    assert memory.handle
    known = weakref.ref(memory)
    del memory
    assert known() is None


@installed
def test_what_the_library_refuses_is_an_error_in_a_line() -> None:
    with pytest.raises(BenchmarkError, match=r"^oneDNN: dnnl_eltwise_forward_primitive_desc_create: invalid argument"):
        library().forward(EltwiseKind.eltwise_clip_v2, 1.0, -1.0, 10)


@installed
@pytest.mark.parametrize("strategy", ["recompute", "cached"])
def test_show_names_the_algorithm(strategy: str) -> None:
    subject = kernel(identity("logistic", strategy, Op.STEP))
    shown: Any = subject.backend.execution(Op.STEP, subject.rule)
    ending = "_use_dst_for_bwd" if strategy == "cached" else ":"
    assert f"EltwiseKind.eltwise_logistic{ending}" in shown
