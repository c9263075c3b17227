from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from actbench import registry
from actbench.backends._rewriting import with_literals
from actbench.kernels.resolution import kernel as resolved
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.checks import Compiled
from actbench.model.names import FIRST_ORDER, WIDE, Dtype, Op
from actbench.model.variants import Variant
from tests.support import kernels
from tests.support.tiers import EXHAUSTIVE, exhaustive_but, first_of_each

KERNELS = [kernel for kernel in kernels.every_kernel() if kernel.backend == "numba"]
STEPS = [kernel for kernel in KERNELS if kernel.op is Op.STEP]
BACKWARD = [kernel for kernel in KERNELS if kernel.op is not Op.STEP]
SAMPLE = [kernel for kernel in kernels.sample() if kernel.backend == "numba"]
WITH_PARAMETERS = [
    KernelId(name, Variant(strategy), "numba", Op.STEP, Dtype.FLOAT32)
    for name in ("celu:alpha=0.3", "elu:alpha=0.5", "leaky-relu:slope=0.3", "squareplus:b=0.1")
    for strategy in registry.activation(name).strategies
]


def identified(chosen: list[KernelId]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kernel", chosen, ids=lambda kernel: kernel.id)


def compiled(kernel: KernelId) -> Compiled:
    backend, chosen = registry.backend("numba"), (kernel.op, resolved(kernel).rule, kernel.dtype)
    facts = backend.compiled(backend.bind(*chosen), *chosen)
    assert facts is not None
    return facts


def of(*strategies: str) -> list[KernelId]:
    return [
        kernel for kernel in BACKWARD if kernel.strategy in strategies and kernel.activation in {"logistic", "tanh"}
    ]


FLOAT32 = [kernel for kernel in STEPS if kernel.dtype is Dtype.FLOAT32] + WITH_PARAMETERS


@pytest.mark.parametrize("kernel", first_of_each(FLOAT32, lambda kernel: kernel.strategy), ids=lambda kernel: kernel.id)
def test_float32_kernels_never_widen_to_float64_going_forward_or_back(kernel: KernelId) -> None:
    assert compiled(kernel).double_conversions == 0


def test_a_formula_whose_literals_keep_float64_is_seen_to_widen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actbench.backends.numba.with_literals", lambda formula, *_: formula)
    assert (
        compiled(KernelId("logistic", Variant("cached"), "numba", Op.DERIVATIVE, Dtype.FLOAT32)).double_conversions > 0
    )


@identified(of("cached", "complement"))
def test_kernels_on_what_was_kept_are_vectorised_and_call_no_library_function(kernel: KernelId) -> None:
    assert compiled(kernel).library_calls == ()
    assert compiled(kernel).vector_bits >= 128


@identified(of("recompute"))
def test_recompute_calls_the_exponential_of_its_dtype_and_nothing_else(kernel: KernelId) -> None:
    assert compiled(kernel).library_calls == ({Dtype.FLOAT32: "expf", Dtype.FLOAT64: "exp"}[kernel.dtype],)


@identified([kernel for kernel in KERNELS if kernel.op is Op.STEP and kernel.activation == "logistic"])
def test_a_step_calls_the_exponential_whatever_it_keeps(kernel: KernelId) -> None:
    assert compiled(kernel).library_calls == ({Dtype.FLOAT32: "expf", Dtype.FLOAT64: "exp"}[kernel.dtype],)


@identified(SAMPLE)
def test_the_signature_holds_arrays_of_the_kernels_dtype_alone(kernel: KernelId) -> None:
    kept = len(resolved(kernel).rule.residuals)
    read_and_written = {Op.DERIVATIVE: 1 + kept, Op.BACKWARD: 2 + kept, Op.STEP: 4 + len(resolved(kernel).rule.saved)}[
        kernel.op
    ]
    arrays = [f"array({kernel.dtype}, 1d, C)"] * read_and_written
    assert compiled(kernel).signature == f"({', '.join(arrays)})"


@identified(SAMPLE)
def test_a_bound_kernel_says_what_compiling_it_took(kernel: KernelId) -> None:
    assert (resolve(kernel).bound.compile_seconds or 0) > 0


@pytest.mark.parametrize("dtype", WIDE)
def test_literals_are_given_the_kernels_dtype(dtype: Dtype) -> None:
    def formula(y: float) -> float:
        return 3 * y * (1.0 - y) + 0.1

    real = np.dtype(dtype).type
    literals = [value for value in with_literals(formula, dtype).__code__.co_consts if isinstance(value, (real, float))]
    assert {type(value) for value in literals} == {real}
    assert {1.0, float(real(0.1))} <= {float(value) for value in literals}


def test_integers_and_names_are_left_alone_and_so_is_the_original() -> None:
    factor = 2.5

    def formula(y: float) -> float:
        return 300 * y * factor + math.pi + 1.5

    before = formula.__code__.co_consts
    changed = with_literals(formula, Dtype.FLOAT32)
    assert formula.__code__.co_consts == before
    assert all(type(value) is not np.float32 for value in before)
    assert [value for value in changed.__code__.co_consts if isinstance(value, int)] == [
        value for value in before if isinstance(value, int)
    ]
    assert changed.__name__ == "formula"
    assert changed(2.0) == pytest.approx(formula(2.0))


@pytest.mark.parametrize(
    "activation", exhaustive_but(registry.elementwise(), {"gelu", "logistic", "relu"}.__contains__)
)
def test_results_do_not_depend_on_who_compiled(activation: str) -> None:
    kernel = KernelId(activation, Variant("recompute"), "numba", Op.STEP, Dtype.FLOAT64)
    z = np.linspace(-5.0, 5.0, 1001)
    np.testing.assert_allclose(
        kernels.outputs(kernel, z)[-1],
        kernels.outputs(KernelId(activation, Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64), z)[-1],
        rtol=1e-13,
        atol=1e-15,  # next to a change of sign
    )


BIND = """
import json
import sys

import numpy as np

from actbench import backends, registry
from actbench.model.rule import Rule
from actbench.model.checks import Compiled
from actbench.model.names import WIDE, Dtype, Op

exec("def forward(z):\\n    return z")
bound_and_called = []
for literal, op, dtype in json.loads(sys.argv[1]):
    exec(f"def formula(y):\\n    return y * ({literal} - y)")  # the same name, file and line whatever the literal
    op, dtype = Op(op), Dtype(dtype)
    bound = registry.backend("numba").bind(op, Rule(forward, formula, None), dtype)
    out, other, half, one = np.zeros(4, dtype), np.zeros(4, dtype), np.full(4, 0.5, dtype), np.ones(4, dtype)
    arrays = {"derivative": (out, half), "backward": (out, one, half), "step": (other, out, half, one)}[op]
    bound.function(*arrays)
    bound_and_called.append([bound.from_cache, out.tolist()])
print(json.dumps(bound_and_called))
"""


def printed(cache_directory: Path, code: str, *arguments: str) -> str:
    """Return what a fresh process with this cache of numba's prints."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache_directory)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def fresh_process(cache_directory: Path, *formulas: tuple[str, Op, Dtype]) -> list[tuple[bool, float]]:
    """Bind y * (literal - y) in a fresh process, for each literal, op and dtype in turn.

    Return whether each came from the cache, and its value at 1/2.
    """
    bound = json.loads(printed(cache_directory, BIND, json.dumps(formulas)))
    assert all(len({*values}) == 1 for _, values in bound)
    return [(from_cache, values[0]) for from_cache, values in bound]


@pytest.mark.parametrize("op", exhaustive_but(FIRST_ORDER, lambda op: op is Op.DERIVATIVE))
def test_compiled_code_is_found_by_a_fresh_process_and_never_that_of_another_literal_or_dtype(
    tmp_path: Path, op: Op
) -> None:
    first, other = ("1.0", op, Dtype.FLOAT64), ("2.0", op, Dtype.FLOAT64)
    narrow = ("1.0", op, Dtype.FLOAT32)
    assert fresh_process(tmp_path, first, other, narrow) == [(False, 0.25), (False, 0.75), (False, 0.25)]
    assert fresh_process(tmp_path, narrow, other, first) == [(True, 0.25), (True, 0.75), (True, 0.25)]


SHIPPED = """
import json
import sys

from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import FIRST_ORDER, WIDE, Dtype, Op
from actbench.model.variants import Variant

kernels = [
    KernelId(activation, Variant(strategy), backend, op, dtype)
    for backend in sys.argv[1].split(",")
    for activation, kept in (("logistic", "cached"), ("silu", "pair"))
    for strategy, op, dtype in (("recompute", Op.DERIVATIVE, Dtype.FLOAT32), (kept, Op.STEP, Dtype.FLOAT64))
]
print(json.dumps([resolve(kernel).bound.from_cache for kernel in kernels]))
"""


def from_cache(activation: str) -> tuple[bool, float]:
    """Bind the derivative of an activation as a process does that has not yet; return the same as above, at 0."""
    kernel = KernelId(activation, Variant("recompute"), "numba", Op.DERIVATIVE, Dtype.FLOAT64)
    bound = registry.backend("numba").bind(kernel.op, resolved(kernel).rule, kernel.dtype)
    out = np.zeros(1)
    bound.function(out, np.zeros(1))
    return bound.from_cache, float(out[0])


def test_compiled_code_of_one_parameter_is_not_served_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    assert [from_cache(name) for name in ("elu:alpha=0.5", "elu")] == [(False, 0.5), (False, 1.0)]
    assert [from_cache(name) for name in ("elu:alpha=0.25", "elu:alpha=0.50")] == [(False, 0.25), (True, 0.5)]


@EXHAUSTIVE
@pytest.mark.parametrize("backend", ["numba", "numba-simd", "numba-parallel"])
def test_kernels_of_the_catalogue_are_compiled_once_a_machine(tmp_path: Path, backend: str) -> None:
    from_cache = [json.loads(printed(tmp_path, SHIPPED, backend)) for _ in range(2)]
    assert from_cache == [[False] * 4, [True] * 4]
