"""Quotients of registers, of which one of four is computed from a reciprocal, where the divider is slow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest
from llvmlite import ir

from actbench.backends._simd import four_registers, vector_width
from actbench.backends._simd import quotient as module
from actbench.backends._simd.quotient import quotient

SIZE = 64_000
on_avx512 = pytest.mark.skipif(not vector_width.has_registers(), reason="runs code for AVX-512")


def divided(dividends: Any, divisors: Any) -> Any:
    """Return the quotients, computed in blocks of registers."""

    @numba.njit  # type: ignore[untyped-decorator]  # numba is untyped
    def loop(out: Any, dividends: Any, divisors: Any) -> None:
        for block in range(four_registers.blocks(out)):
            pair = four_registers.load(dividends, block), four_registers.load(divisors, block)
            four_registers.store(out, block, quotient(*pair))

    out = np.full(dividends.size, np.nan)
    loop(out, dividends, divisors)
    return out


def numbers(random: np.random.Generator, smallest: int, largest: int) -> Any:
    """Return normal numbers of all binary exponents in a range, a quarter with few or many bits set."""
    fractions = random.uniform(1.0, 2.0, SIZE)
    near = random.integers(0, 4, SIZE // 4)
    fractions[::4] = np.where(near % 2, 1.0 + near * 2.0**-52, 2.0 - (near + 1) * 2.0**-52)
    return np.ldexp(fractions, random.integers(smallest, largest, SIZE))


@on_avx512
@pytest.mark.parametrize(
    ("dividend", "divisor"),
    [((-969, 900), (-100, 100)), ((-1022, -940), (53, 130))],
    ids=["normal", "subnormal"],
)
def test_quotients_are_those_of_divisions(
    monkeypatch: pytest.MonkeyPatch, dividend: tuple[int, int], divisor: tuple[int, int]
) -> None:
    monkeypatch.setattr(module, "_divides_slowly", lambda *_: True)
    random = np.random.default_rng(7)
    dividends, divisors = numbers(random, *dividend), numbers(random, *divisor)
    np.testing.assert_array_equal(divided(dividends, divisors), dividends / divisors)
    assert np.isnan(divided(np.full(32, np.nan), divisors[:32])).all()


@pytest.mark.parametrize(
    ("processor", "kind", "count", "slow"),
    [
        ("graniterapids", ir.DoubleType(), 32, True),
        ("graniterapids", ir.DoubleType(), 8, False),
        ("graniterapids", ir.FloatType(), 64, False),
        ("znver4", ir.DoubleType(), 32, False),
    ],
)
def test_the_divider_is_slow_for_several_registers_of_float64_and_not_on_zen(
    processor: str, kind: ir.Type, count: int, *, slow: bool
) -> None:
    code = SimpleNamespace(magic_tuple=lambda: ("x86_64-unknown-linux-gnu", processor, "+avx512f"))
    context = SimpleNamespace(codegen=lambda: code)
    assert module._divides_slowly(context, ir.VectorType(kind, count)) is slow
