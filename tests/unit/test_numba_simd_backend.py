"""The same for numba-simd and numba-parallel, which share their loops' code."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.registry import cpu_target

from actbench import registry
from actbench.backends import numba_simd
from actbench.backends._compiling import jitted
from actbench.backends._rewriting import unchanged
from actbench.backends._simd import (
    ahead,
    bits,
    complementary,
    exponential,
    hyperbolic,
    logarithm,
    prefetch,
    reduction,
    vector_width,
)
from actbench.errors import InputError
from actbench.host import processors
from actbench.kernels.resolution import kernel as resolved
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.checks import Compiled
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support import kernels
from tests.support.tiers import exhaustive_but, first_of_each

KERNELS = [kernel for kernel in kernels.every_kernel() if kernel.backend in {"numba-simd", "numba-parallel"}]
COMPARED = ("hard-tanh", "identity", "leaky-relu", "relu")
"""Activations that compute nothing: they select."""

SERIAL = [
    kernel
    for kernel in KERNELS
    if (kernel.backend, kernel.op) == ("numba-simd", Op.STEP) and kernel.activation not in COMPARED
]
LONGEST = ("gaussian", "gelu", "gelu-tanh", "mish")
"""What is most likely to be called, and not inlined."""

DERIVATIVES = [
    KernelId(name, Variant(strategy), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT64)
    for name in LONGEST
    for strategy in registry.activation(name).strategies
]
SIMD = (bits, reduction, exponential, logarithm, hyperbolic, complementary, prefetch, vector_width)

SAMPLE = [kernel for kernel in kernels.sample() if kernel.backend in {"numba-simd", "numba-parallel"}]


def compiled(chosen: KernelId) -> Compiled:
    facts = resolve(chosen).compiled
    assert facts is not None
    return facts


@pytest.fixture
def on_intel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "vendor", lambda: "GenuineIntel")


EVERY_LOOP = [*dict.fromkeys(SAMPLE + SERIAL + DERIVATIVES)]


@pytest.mark.parametrize(
    "chosen",
    first_of_each(EVERY_LOOP, lambda chosen: (chosen.backend, chosen.op, chosen.dtype, chosen in DERIVATIVES)),
    ids=lambda chosen: chosen.id,
)
def test_every_kernel_is_vector_code_of_its_own_dtype_without_a_call(chosen: KernelId) -> None:
    facts = compiled(chosen)
    assert facts.vector_bits >= 128
    assert facts.library_calls == ()
    assert facts.double_conversions == 0


def loops_of(code: str) -> tuple[int, int]:
    """Count in LLVM's code the loops over vectors, and those over single numbers that compute with these.

    What precedes an unrolled loop of the latter, for the numbers that are no whole iteration of it, is a part of it.
    """
    blocks = re.findall(r"^([\w.]+):(.*?)(?=^[\w.]+:|^})", code, re.MULTILINE | re.DOTALL)
    around = [(name, text) for name, text in blocks if re.search(rf"label %{re.escape(name)}(?![\w.])", text)]
    single = re.compile(r"= f(?:add|sub|mul|div) (?:\w+ )*(?:float|double) ")
    return (
        sum(name.startswith("vector.body") for name, _ in around),
        sum(single.search(text) is not None for name, text in around if not name.endswith(".prol")),
    )


@pytest.mark.parametrize("dtype", exhaustive_but(WIDE, Dtype.FLOAT32.__eq__))
@pytest.mark.parametrize(
    ("op", "passes"),
    exhaustive_but([(Op.DERIVATIVE, 1), (Op.BACKWARD, 1), (Op.STEP, 2)], lambda parameters: parameters[0] is Op.STEP),
)
def test_the_pieces_of_large_arrays_and_what_is_left_of_them_are_vector_code(
    op: Op, passes: int, dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass has a loop for pieces and one for the rest, or one that is called for both.

    A loop over vectors has one over single numbers behind it; one that is not vector code would have no such before it.
    """
    monkeypatch.setattr(vector_width, "has_registers", lambda: False)
    rule = resolved(KernelId("tanh", Variant("recompute"), "numba-simd", op, dtype)).rule
    (code,) = numba_simd.NumbaSimd()._compile(op, rule, dtype, cache=False).inspect_llvm().values()
    vectors, single = loops_of(code)
    assert vectors == single
    assert passes <= vectors <= 2 * passes


IN_PIECES = [
    kernel
    for kernel in kernels.every_kernel()
    if kernel.activation in kernels.FULLY and kernel.backend in {"numpy-blocked", "numba-simd", "numba-parallel"}
]


@kernels.by_kernel(IN_PIECES, "chosen")
def test_many_pieces_and_a_rest_give_what_numpy_gives(chosen: KernelId) -> None:
    z = np.random.default_rng(1).standard_normal(600_007, dtype=np.dtype(chosen.dtype).type)
    plain, other = (kernels.outputs(replace(chosen, backend=name), z, np.flip(z)) for name in ("numpy", chosen.backend))
    for expected, result in zip(plain, other[:1] + other[-1:] if chosen.op is Op.STEP else other, strict=True):
        eps = float(np.finfo(chosen.dtype).eps)
        np.testing.assert_allclose(result, expected, rtol=16 * eps, atol=64 * eps)  # cached cancels


@pytest.mark.usefixtures("on_intel")
@kernels.by_kernel([kernel for kernel in IN_PIECES if kernel.backend == "numba-simd"], "chosen")
def test_numbers_do_not_depend_on_how_many_there_are(chosen: KernelId) -> None:
    z = np.random.default_rng(1).standard_normal(
        ahead.PREFETCH_BEYOND // 4 + 7 * prefetch.PREFETCHED + 77, dtype=np.dtype(chosen.dtype).type
    )
    few = ahead.PREFETCH_BEYOND // 8 - 1
    whole = kernels.outputs(chosen, z, np.flip(z))
    parts = [kernels.outputs(chosen, z[at : at + few], np.flip(z)[at : at + few]) for at in range(0, z.size, few)]
    for result, expected in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(result, np.concatenate(expected))


def test_the_cache_is_not_asked_for_kernels_of_other_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = registry.backend("numba-simd")
    chosen = KernelId("logistic", Variant("recompute"), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT32)
    bound = backend.bind(chosen.op, resolved(chosen).rule, chosen.dtype)
    assert backend.bind(chosen.op, resolved(chosen).rule, chosen.dtype).from_cache
    monkeypatch.setattr(numba_simd.NumbaSimd, "edition", lambda *_: f"{np.random.default_rng().random()}")
    assert not backend.bind(chosen.op, resolved(chosen).rule, chosen.dtype).from_cache
    assert bound.function is not None


def test_show_prints_the_functions_that_a_formula_calls_and_where_their_constants_are(actbench: Actbench) -> None:
    shown = actbench("show", "tanh/complement/numba-simd/step/float32/1000").stdout
    assert "    # of actbench.backends._simd.exponential\n    def exp(x):" in shown
    assert "    # of actbench.backends._simd.hyperbolic\n    def tanh(x):" in shown
    assert "def erf" not in shown


@pytest.mark.parametrize("name", ["logistic", "gelu", "softplus", "arctan", "hard-swish"])
@pytest.mark.usefixtures("on_intel")
def test_show_prints_every_function_of_ours_that_a_kernel_calls(name: str) -> None:
    strategy = next(iter(registry.activation(name).strategies))
    rule = resolved(KernelId(name, Variant(strategy), "numba-simd", Op.STEP, Dtype.FLOAT64)).rule
    shown = registry.backend("numba-simd").execution(Op.STEP, rule)
    code = re.sub(r'(?s:""".*?""")|#.*', "", shown)
    ours = {name for module in SIMD for name, value in vars(module).items() if callable(value) and name.islower()}
    called = ours & {*re.findall(r"\b(\w+)\(", code)} - {"float32", "float64"}
    defined = {*re.findall(r"def (\w+)\(", code)}
    defined |= {name for names in re.findall(r"# of \S+, called (.*)", shown) for name in names.split(", ")}
    assert "ask" in called
    assert called <= defined
    assert "is for code that numba compiles" not in shown, "what is compiled is shown, not what stands for it"


def test_show_prints_what_either_dtype_calls_and_what_loops_do_with_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_width, "has_registers", lambda: True)
    rule = resolved(KernelId("logistic", Variant("recompute"), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT32)).rule
    shown = registry.backend("numba-simd").execution(Op.DERIVATIVE, rule)
    assert shown.count("def grown(scale, r, ") == 2, "float32's and float64's, called by functions of equal text"
    assert {"load", "stores", "prefetch", "part"} <= {*re.findall(r"def (\w+)\(", shown)}


@pytest.mark.usefixtures("on_intel")
def test_show_prints_how_large_arrays_are_taken(actbench: Actbench) -> None:
    shown = actbench("show", "silu/pair/numba-simd/backward/float32/1000").stdout
    assert "    def over_four(loop" in shown
    assert "over_two" not in shown
    assert "ask(" not in actbench("show", "silu/pair/numba-parallel/backward/float32/1000").stdout


def test_loops_prefetch_only_where_that_was_measured_to_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "vendor", lambda: "AuthenticAMD")
    assert numba_simd.NumbaSimd().around(("out", "residual")) is unchanged


def test_interleaving_is_over_with_the_compilation_that_it_is_for() -> None:
    """It is an option of the whole process: what users compile afterwards is what they would have got without it."""

    def loop(out: Any, z: Any) -> None:
        for i in range(out.size):
            out[i] = z[i] * z[i] * z[i]

    def products(interleave: int) -> int:
        (code,) = jitted(loop, ["float32"] * 2, cache=False, interleave=interleave).inspect_llvm().values()
        return len(re.findall("fmul <", code))

    before, interleaved, afterwards = products(0), products(16), products(0)
    assert afterwards == before < interleaved


def test_the_cache_holds_interleaved_code_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))

    def loop(out: Any, z: Any) -> None:
        for i in range(out.size):
            out[i] = z[i] + z[i]

    hits = [bool(jitted(loop, ["float32"] * 2, interleave=count).stats.cache_hits) for count in (0, 8, 0, 8)]
    assert hits == [False, False, True, True]


def test_loops_that_compute_are_interleaved_and_those_that_select_are_not() -> None:
    backend = numba_simd.NumbaSimd()
    rules = {
        name: resolved(KernelId(name, Variant(strategy), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT32)).rule
        for name, strategy in (("tanh", "recompute"), ("silu", "recompute"), ("hard-tanh", "recompute"))
    }
    vectors = {name: backend.interleave([rule.derivative]) for name, rule in rules.items()}
    assert vectors == {"tanh": numba_simd.INTERLEAVED, "silu": numba_simd.INTERLEAVED, "hard-tanh": 0}


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(("name", "low"), [("logistic", 0.0), ("tanh", -1.0)])
def test_the_derivative_from_y_is_off_by_half_a_unit_in_the_last_place(name: str, low: float, dtype: Dtype) -> None:
    """(y - low) (1 - y), rounded once where there are fused multiply-adds, by at most three roundings elsewhere."""
    y = np.random.default_rng(1).uniform(low, 1.0, 400).astype(np.dtype(dtype).type)
    computed = kernels.from_residual(KernelId(name, Variant("cached"), "numba-simd", Op.DERIVATIVE, dtype), y)
    exact = [(Fraction(value) - Fraction(low)) * (1 - Fraction(value)) for value in y.tolist()]
    spacing = np.spacing(np.abs(computed)).tolist()
    off = [
        abs(Fraction(x) - truth) / Fraction(ulp)
        for x, truth, ulp in zip(computed.tolist(), exact, spacing, strict=True)
    ]
    fused = "+fma" in cpu_target.target_context.codegen().magic_tuple()[2]
    assert 0.25 < max(off) <= (0.5 if fused else 1.5)


def test_a_call_is_of_the_compiled_code_and_one_of_numba_goes_through_its_dispatcher() -> None:
    identity = KernelId("logistic", Variant("cached"), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT32)
    y = np.linspace(0.0, 1.0, 37, dtype=np.float32)
    bound = resolved(identity).bound
    results = [np.zeros_like(y) for _ in range(2)]
    for function, out in zip((bound.function, bound.compiled), results, strict=True):
        assert function(out, y) is None
    assert results[0].tolist() == results[1].tolist()
    assert bound.function is bound.compiled.get_overload(bound.compiled.signatures[0])
    for wrong in (y.astype(np.float64), [0.5] * y.size):
        with pytest.raises(TypeError):
            bound.function(np.zeros_like(y), wrong)
    for misread in (y.reshape(1, -1), y[::2]):
        with pytest.raises(InputError, match="numba-simd takes contiguous arrays of one dimension"):
            resolved(identity).backend.adopt(misread)
    plain = resolved(replace(identity, backend="numba")).bound
    assert plain.function is plain.compiled
