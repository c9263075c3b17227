from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.backends import numba_simd, numba_simd_streaming
from actbench.host import environment
from actbench.kernels import rows
from actbench.kernels.resolution import kernel as resolved
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.planning import presets
from tests.conftest import Actbench
from tests.support.tiers import exhaustive_but

NAME = "numba-simd-streaming"

CACHE = 4096
"""Bytes of a last-level cache that a few hundred numbers fill."""

pytestmark = pytest.mark.skipif(
    registry.backends()[NAME].unavailable is not None, reason=f"{registry.backends()[NAME].unavailable}"
)

LOOPS = [
    ("logistic", "cached", Op.DERIVATIVE, ""),
    ("silu", "pair", Op.DERIVATIVE, ""),
    ("logistic", "recompute", Op.BACKWARD, ""),
    ("silu", "pair", Op.BACKWARD, ""),
    ("silu", "intermediate", Op.STEP, ""),
    ("silu", "pair", Op.STEP, ""),
    ("gelu", "intermediate", Op.STEP, ""),
    ("tanh", "cached", Op.STEP, ":float16"),
]
"""One for each loop there is, and passes that store several results."""

QUICKLY = (LOOPS[0], LOOPS[-1])


@pytest.fixture
def small_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "plausible_cache", lambda _: CACHE)


def rule_of(activation: str, strategy: str, op: Op, dtype: Dtype) -> Any:
    return resolved(KernelId(activation, Variant(strategy), "numba-simd", op, dtype)).rule


@pytest.mark.usefixtures("small_cache")
@pytest.mark.parametrize("dtype", exhaustive_but([Dtype.FLOAT32, Dtype.FLOAT64], Dtype.FLOAT32.__eq__))
@pytest.mark.parametrize(("activation", "strategy", "op", "narrow"), exhaustive_but(LOOPS, QUICKLY.__contains__))
def test_results_that_bypass_the_caches_have_the_bits_of_those_that_do_not(
    activation: str, strategy: str, op: Op, narrow: str, dtype: Dtype
) -> None:
    rule = rule_of(activation, strategy + narrow, op, dtype)
    plain = numba_simd.NumbaSimd()._compile(op, rule, dtype, cache=True)
    bypassing = numba_simd_streaming.NumbaSimdStreaming()._compile(op, rule, dtype, cache=True)
    rng = np.random.default_rng(1)
    for size, first in ((1, 0), (511, 3), (1024, 0), (5000, 1), (20_001, 7)):
        arrays = [rng.uniform(0.1, 0.9, size + first).astype(str(kind.dtype))[first:] for kind in plain.signatures[0]]
        expected, results = ([array.copy() for array in arrays] for _ in range(2))
        plain(*expected)
        bypassing(*results)
        for one, another in zip(results, expected, strict=True):
            np.testing.assert_array_equal(one.view(np.uint8), another.view(np.uint8))


def test_only_large_results_are_stored_in_that_way() -> None:
    rule = rule_of("logistic", "cached", Op.DERIVATIVE, Dtype.FLOAT32)
    for backend, bypasses in ((numba_simd.NumbaSimd(), False), (numba_simd_streaming.NumbaSimdStreaming(), True)):
        (assembly,) = backend._compile(Op.DERIVATIVE, rule, Dtype.FLOAT32, cache=False).inspect_asm().values()
        assert ("movnt" in assembly) == bypasses


@pytest.mark.usefixtures("small_cache")
def test_show_prints_how_results_are_stored(actbench: Actbench) -> None:
    shown = actbench("show", f"silu/pair/{NAME}/backward/float32/1000").stdout
    assert "def one_from_three(loop" in shown
    assert "def before_lines(" in shown
    assert "one_from_one" not in shown


def test_nobody_measures_it_without_naming_it() -> None:
    assert all(NAME not in preset.axes.backends for preset in presets.catalogue().values())


def test_elsewhere_than_on_x86_64_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert registry.backends()[NAME].unavailable == "non-temporal stores are used on x86-64 only"


@pytest.mark.usefixtures("small_cache")
@pytest.mark.parametrize(
    ("activation", "strategy", "op", "dtype"),
    exhaustive_but(
        [
            (*row, op, dtype)
            for row in (("softmax", "recompute"), ("softmax", "cached"), ("softmax-cross-entropy", "cached"))
            for op in (Op.BACKWARD, Op.STEP)
            for dtype in (Dtype.FLOAT32, Dtype.FLOAT64)
        ],
        ("softmax", "recompute", Op.BACKWARD, Dtype.FLOAT32).__eq__,
    ),
)
def test_rows_that_bypass_the_caches_have_the_bits_of_those_that_do_not(
    activation: str, strategy: str, op: Op, dtype: Dtype
) -> None:
    """So have rows that are not whole lines, or too long to be computed aside, and are stored as others are."""
    backends = numba_simd.NumbaSimd(), numba_simd_streaming.NumbaSimdStreaming()
    ours, theirs = (
        one._compile(
            op, registry.activation(activation).rule(strategy, one.dialect, one.row_namespace()), dtype, cache=cache
        )
        for one, cache in zip(backends, (True, False), strict=True)  # what comes from the cache shows no assembly
    )
    (assembly,) = theirs.inspect_asm().values()
    assert "movnt" in assembly
    one_a_row = rows.per_row(registry.activation(activation), strategy)
    rng = np.random.default_rng(1)
    for shape in ((17, 64), (5, 1024), (9, 100), (2, 8192)):
        names = ours.py_func.__code__.co_varnames[: len(ours.signatures[0])]
        shapes = [(shape[0], 1) if name in one_a_row else shape for name in names]
        kinds = [np.dtype(str(kind.dtype)) for kind in ours.signatures[0]]
        arrays = [aligned(rng.uniform(0.1, 0.9, size).astype(kind)) for size, kind in zip(shapes, kinds, strict=True)]
        expected, results = ([aligned(array) for array in arrays] for _ in range(2))
        ours(*expected)
        theirs(*results)
        for one, another in zip(results, expected, strict=True):
            np.testing.assert_array_equal(one, another)


def aligned(array: Any) -> Any:
    """Return a copy that begins where a line of the cache does."""
    room = np.empty(array.nbytes + 64, np.uint8)
    first = -room.ctypes.data % 64
    placed = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    placed[...] = array
    return placed


def test_it_has_no_gated_activations(actbench: Actbench) -> None:
    result = actbench("run", "-a", "swiglu", "-b", NAME, "-n", "8", "--dry-run")
    assert result.exit_code == 2
    assert NAME in result.output
