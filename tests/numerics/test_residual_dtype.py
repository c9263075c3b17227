from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from itertools import product

import numpy as np
import pytest

from actbench import registry
from actbench.errors import WrongKernelError
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import FIRST_ORDER, Dtype, Op, Storage
from actbench.model.rule import Dialect
from actbench.model.variants import Variant
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.support import kernels
from tests.support.narrow import kernel
from tests.support.tiers import EXHAUSTIVE, exhaustive_but


def one_of_each_kind() -> list[tuple[str, str]]:
    """Return an activation and a strategy for every strategy and set of residuals that there is; well-known ones."""
    examples: dict[tuple[str, tuple[str, ...]], Activation] = {}
    known = registry.elementwise().values()
    for activation in sorted(known, key=lambda activation: activation.name not in {"logistic", "silu"}):
        for strategy in activation.strategies:
            kept = activation.rule(strategy, Dialect.SCALAR, None).residuals
            examples.setdefault((strategy, tuple(name if name in {"z", "y"} else "saved" for name in kept)), activation)
    return [(activation.name, strategy) for (strategy, _), activation in examples.items()]


KINDS = one_of_each_kind()

TYPES = [(Storage.FLOAT16, Dtype.FLOAT32), (Storage.BFLOAT16, Dtype.FLOAT32), (Storage.FLOAT32, Dtype.FLOAT64)]

SIXTEEN_BITS = (Storage.FLOAT16, Storage.BFLOAT16)

BACKENDS = [
    name
    for name, backend in registry.backends().items()
    if not (backend.only_wide or backend.optional or backend.unavailable)
]


def checked(activation: str, strategy: str, backend: str, storage: str, dtype: str) -> None:
    for op in (Op.DERIVATIVE, Op.STEP) if backend.startswith("numpy") else (Op.STEP,):
        oracle.check(resolve(kernel(f"{strategy}:{storage}", activation, backend, op, dtype)), kernels.evaluate)


def is_quick(parameters: tuple[str, str, str, Storage, Dtype]) -> bool:
    """Tell whether this belongs to the quick tier: every kind of strategy by numpy, one in pieces and compiled loops.

    Of the loops' types, some by one backend and some by the other: both convert by the same functions, which
    test_sixteen_bits holds to all numbers.
    """
    _, strategy, backend, storage, _ = parameters
    by_turns = {("numba", Storage.FLOAT16), ("numba-simd", Storage.BFLOAT16), ("numba", Storage.FLOAT32)}
    return backend == "numpy" or (
        strategy == "cached" and (backend == "numpy-blocked" or (backend, storage) in by_turns)
    )


@pytest.mark.parametrize(
    ("activation", "strategy", "backend", "storage", "dtype"),
    exhaustive_but(
        [
            (*kind, backend, *types)
            for kind in KINDS
            for backend in BACKENDS
            if not registry.backends()[backend].threaded
            for types in TYPES
        ],
        is_quick,
    ),
)
def test_what_is_kept_narrowly_gives_the_formula_s_value(
    activation: str, strategy: str, backend: str, storage: str, dtype: str
) -> None:
    checked(activation, strategy, backend, storage, dtype)


@pytest.mark.parametrize(
    ("activation", "strategy", "storage", "dtype"),
    [
        ("logistic", "cached", "float16", "float32"),
        pytest.param("silu", "pair", "bfloat16", "float32", marks=EXHAUSTIVE),
    ],
)
def test_threads_keep_residuals_as_one_thread_does(activation: str, strategy: str, storage: str, dtype: str) -> None:
    checked(activation, strategy, "numba-parallel", storage, dtype)


@pytest.mark.parametrize(
    ("backend", "storage"),
    exhaustive_but(product(["numpy", "numba-simd"], SIXTEEN_BITS), lambda pair: pair[0] == "numpy"),
)
def test_float64_is_kept_in_sixteen_bits_as_well(backend: str, storage: str) -> None:
    checked("logistic", "complement", backend, storage, "float64")


@pytest.mark.parametrize("op", [Op.DERIVATIVE, Op.BACKWARD])
@pytest.mark.parametrize(("activation", "strategy"), [("logistic", "cached"), ("silu", "pair")])
def test_compiled_loops_read_what_is_kept_in_every_op(activation: str, strategy: str, op: Op) -> None:
    oracle.check(resolve(kernel(f"{strategy}:float16", activation, "numba", op)), kernels.evaluate)


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
@pytest.mark.parametrize("op", FIRST_ORDER)
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_array_libraries_keep_residuals_narrowly(library: str, storage: str, op: Op) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    for activation, strategy in (("logistic", "cached"), ("logistic", "complement"), ("tanh", "recompute")):
        oracle.check(resolve(kernel(f"{strategy}:{storage}", activation, library, op)), kernels.evaluate)


@pytest.mark.parametrize(
    ("activation", "inaccurate", "zero"), [("logistic", 3.69, 8.32), ("tanh", 2.20, 4.505)], ids=["logistic", "tanh"]
)
def test_the_kept_output_in_float16_gives_1_percent_wrong_and_0_from_known_z(
    activation: str, inaccurate: float, zero: float
) -> None:
    z = np.concatenate([np.linspace(inaccurate - 0.2, inaccurate + 0.1, 3001), np.linspace(zero - 0.2, 20.0, 2001)])
    z = z.astype(np.float32)
    derivative = kernels.outputs(kernel("cached:float16", activation), z)[-1]
    slope = oracle.slopes_at(registry.activation(activation), z)
    wrong = np.abs(derivative / slope.nearest - 1) > 0.01
    assert z[wrong].min() == pytest.approx(inaccurate, rel=0.01)
    assert not np.any(derivative[z > zero + 0.001])
    assert np.all(derivative[z < zero - 0.01])


@pytest.mark.parametrize("backend", exhaustive_but(["numpy", "numba", "numba-simd"], "numba-simd".__ne__))
def test_what_is_too_large_for_float16_becomes_infinite_without_a_word(backend: str) -> None:
    z = np.array([11.0, 11.2, 65504.0, 1e5, -1e5], dtype=np.float32)
    kept_y = kernels.outputs(kernel("cached:float16", "exp", backend, Op.STEP), z)[-1]
    assert np.array_equal(kept_y, np.array([59872.0, np.inf, np.inf, np.inf, 0.0], dtype=np.float32))
    kept_z = kernels.outputs(kernel("recompute:float16", "softplus", backend, Op.STEP), z)[-1]
    assert np.array_equal(kept_z[2:], [1.0, 1.0, 0.0])


def test_the_reported_error_is_that_against_the_truth_and_the_rounding_is_a_known_weakness() -> None:
    check = oracle.check(resolve(kernel("complement:bfloat16")), kernels.evaluate)
    plain = oracle.check(resolve(kernel("complement")), kernels.evaluate)
    assert plain.max_ulp < 8
    assert 2**14 < check.max_ulp < 2**16  # of 24 bits 8 are left
    assert check.weaknesses == (
        "what is kept is rounded to 8 significant bits (bfloat16), above 3.39e38 to inf, below 4.6e-41 to 0",
    )


def spoilt(of: str, by: float = 1.0) -> oracle.Evaluate:
    """Return an evaluation that computes another strategy in place of the one asked for, and that times a factor."""

    def evaluate(identity: KernelId, z: Array, dy: Array) -> Evaluation:
        answer = kernels.evaluate(replace(identity, strategy=Variant(of)), z, dy)
        return replace(answer, derivative=answer.derivative * np.float32(by))

    return evaluate


@pytest.mark.parametrize(
    ("of", "by"),
    [("complement", 1.0), ("complement:bfloat16", 1.0), ("complement:float16", 1 + 2e-6), ("cached:float16", 1.0)],
    ids=["not narrowed", "another type", "off by 16 ULP", "another residual"],
)
def test_a_kernel_that_computes_from_anything_else_is_wrong(of: str, by: float) -> None:
    with pytest.raises(WrongKernelError, match=r"where g' from the residuals = "):
        oracle.check(resolve(kernel("complement:float16")), spoilt(of, by))


def test_compiled_code_widens_whole_vectors_and_computes_in_float32() -> None:
    facts = resolve(kernel("cached:float16", backend="numba-simd")).compiled
    assert facts is not None
    assert facts.signature == "(array(float32, 1d, C), array(uint16, 1d, C))"
    assert facts.vector_bits >= 128
    assert not facts.library_calls
    assert not facts.double_conversions
