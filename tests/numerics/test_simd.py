from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import mpmath
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.errors import TypingError

from actbench.backends._simd import coefficients, functions
from benchmarks import minimax, minimax_targets, simd_loops, simd_truth, verify_simd
from tests.support.special_values import INF, NAN, SPECIAL
from tests.support.tiers import exhaustive_but

ROOT = Path(__file__).parents[2]
SAMPLES = 250
LARGEST = {"erfc": 2.3, "logistic": 2.5} | dict.fromkeys(simd_truth.BELLS, 2.4)
LARGEST |= {"silu_derivative": 5.2, "mish_derivative": 6.0, "gelu_derivative": 10.0, "gelu_tanh_derivative": 2200.0}
where: Any = functions.where

every_dtype = pytest.mark.parametrize("dtype", verify_simd.DTYPES)


def is_quick(of: tuple[str, str]) -> bool:
    """Tell whether a function in a dtype is tested in the quick tier: every function is in either by turns."""
    function, dtype = of
    turn = [*dict.fromkeys((*verify_simd.VERIFIED_FUNCTIONS, *SPECIAL))].index(function)
    return verify_simd.DTYPES[turn % 2] == dtype


every_function_in_either_dtype = pytest.mark.parametrize(
    ("function", "dtype"), exhaustive_but(product(verify_simd.VERIFIED_FUNCTIONS, verify_simd.DTYPES), is_quick)
)


@cache
def compiled(function: str, dtype: str) -> Callable[[Any], Any]:
    """Return the function of an array."""
    loop = simd_loops.kernel(function, dtype)

    def over_array(values: Any) -> Any:
        values = np.asarray(values, dtype)
        out = np.empty_like(values)
        loop(out, values)
        return out

    return over_array


def at(function: str, x: float, dtype: str) -> Any:
    return compiled(function, dtype)([x])[0]


def ulp_off(function: str, x: Any, computed: Any) -> float:
    """Return the distance from mpmath's value in units of the spacing there."""
    with mpmath.workprec(200):
        farthest = simd_truth.FAR_OUT if function in simd_truth.GROWING else math.inf
        truth = simd_truth.definition(function, mpmath)(mpmath.mpf(min(max(-farthest, float(x)), farthest)))
        nearest = abs(type(computed)(float(truth)))
        centre, width = simd_truth.CROSSINGS.get(function, (0.0, -1.0))
        if abs(x - centre) <= width:
            return 0.0
        return float(abs(mpmath.mpf(float(computed)) - truth) / mpmath.mpf(float(np.spacing(nearest))))


def inputs(function: str, dtype: str) -> Any:
    """Return numbers of every magnitude and in the critical regions, where the function and its value are finite."""
    values = verify_simd.samples(function, 0, SAMPLES).astype(dtype)
    values = np.concatenate([values, (2.0 ** np.random.default_rng(1).uniform(-140, 7, SAMPLES)).astype(dtype)])
    return values[np.isfinite(values) & np.isfinite(compiled(function, dtype)(values))]


@every_function_in_either_dtype
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_errors_are_within_what_the_docstring_states(function: str, dtype: str) -> None:
    values = inputs(function, dtype)
    computed = compiled(function, dtype)(values)
    worst = max(ulp_off(function, x, y) for x, y in zip(values, computed, strict=True))
    assert 0.4 < worst <= verify_simd.stated(function, dtype) <= LARGEST.get(function, 2.0)


@every_dtype
def test_the_exponential_is_stated_to_err_by_a_unit_in_the_last_place_at_most(dtype: str) -> None:
    assert verify_simd.stated("exp", dtype) <= 1.0


@pytest.mark.parametrize(("function", "dtype"), exhaustive_but(product(SPECIAL, verify_simd.DTYPES), is_quick))
def test_special_values_are_exact_with_the_sign_of_their_zero(function: str, dtype: str) -> None:
    pairs = (*SPECIAL[function], (NAN, NAN))
    values = {str(x): str(at(function, x, dtype)) for x, _ in pairs}
    assert values == {str(x): str(np.dtype(dtype).type(expected)) for x, expected in pairs}


@every_dtype
@pytest.mark.parametrize("function", ["expm1", "log1p", "tanh", "sinh", "atan", "sin"])
def test_a_number_too_small_for_its_square_to_matter_is_its_own_value_down_to_subnormal_ones(
    function: str, dtype: str
) -> None:
    info = np.finfo(dtype)
    tiny = np.array([info.smallest_subnormal, 3 * info.smallest_subnormal, info.tiny / 3, info.tiny, info.eps / 64])
    tiny = np.concatenate([tiny, -tiny]).astype(dtype)
    np.testing.assert_array_equal(compiled(function, dtype)(tiny), tiny)


@every_dtype
def test_the_exponential_underflows_gradually_and_overflows_at_the_largest_number(dtype: str) -> None:
    info = np.finfo(dtype)
    smallest = math.log(float(info.smallest_subnormal))
    assert at("exp", smallest + 0.1, dtype) == info.smallest_subnormal
    assert at("exp", smallest - 1.0, dtype) == 0.0
    largest = math.log(float(info.max))
    assert np.isfinite(at("exp", math.nextafter(largest, 0.0) * (1 - 2 * float(info.eps)), dtype))
    assert at("exp", largest * (1 + 2 * float(info.eps)), dtype) == INF


@every_dtype
def test_the_logarithm_of_the_smallest_subnormal_number_is_right(dtype: str) -> None:
    smallest = np.finfo(dtype).smallest_subnormal
    assert at("log", float(smallest), dtype) == pytest.approx(math.log(float(smallest)), rel=float(np.finfo(dtype).eps))


numbers = st.floats(width=32, allow_nan=False)


@every_dtype
@pytest.mark.parametrize("function", ["tanh", "sinh", "erf", "atan", "sin"])
@given(x=numbers)
def test_odd_functions_are_odd_to_the_last_bit(function: str, dtype: str, x: float) -> None:
    assert str(at(function, -x, dtype)) == str(-at(function, x, dtype))


@every_dtype
@pytest.mark.parametrize("function", ["sin", "cos"])
def test_a_periodic_function_is_undefined_beyond_the_numbers_that_it_can_reduce(function: str, dtype: str) -> None:
    limit = np.dtype(dtype).type(simd_truth.LIMITS[dtype])
    beyond = np.nextafter(limit, np.dtype(dtype).type(INF))
    np.testing.assert_array_equal(
        np.isnan(compiled(function, dtype)([-beyond, -limit, limit, beyond])), [True, False, False, True]
    )


def nearest_to_multiples_of_half_pi(dtype: str) -> list[float]:
    """Return numbers m 2^e that are so near to k pi/2 that k/m is a convergent of 2^e / (pi/2)."""
    candidates = set()
    digits = np.finfo(dtype).nmant + 1
    with mpmath.workprec(300):
        for e in range(1 - digits, math.frexp(simd_truth.LIMITS[dtype])[1] - digits + 1):
            rest = mpmath.ldexp(2, e) / mpmath.pi
            (m, m_before), (k, k_before) = (0, 1), (1, 0)
            while m < 2**digits:
                candidates.add(math.ldexp(m, e))
                whole = int(mpmath.floor(rest))
                rest = 1 / (rest - whole)
                (m, m_before), (k, k_before) = (whole * m + m_before, m), (whole * k + k_before, k)
    return sorted(x for x in candidates if 1.0 < x <= simd_truth.LIMITS[dtype])


@every_dtype
@pytest.mark.parametrize("function", ["sin", "cos"])
def test_a_periodic_function_has_all_digits_next_to_its_zeros(function: str, dtype: str) -> None:
    values = np.array(nearest_to_multiples_of_half_pi(dtype), dtype)
    computed = compiled(function, dtype)(values)
    assert float(np.min(np.abs(computed))) < float(np.finfo(dtype).eps) * 1e-1
    worst = max(ulp_off(function, x, y) for x, y in zip(values, computed, strict=True))
    assert worst <= verify_simd.stated(function, dtype)


@every_dtype
def test_the_complementary_error_function_underflows_gradually(dtype: str) -> None:
    smallest = float(np.finfo(dtype).smallest_subnormal)
    with mpmath.workprec(100):
        last = float(mpmath.findroot(lambda x: mpmath.log(mpmath.erfc(x) / smallest), math.sqrt(-math.log(smallest))))
    assert at("erfc", last, dtype) == smallest
    assert at("erfc", last + 0.1, dtype) == 0.0


@every_dtype
@given(x=numbers)
def test_the_hyperbolic_cosine_is_even_and_at_least_one(dtype: str, x: float) -> None:
    assert at("cosh", -x, dtype) == at("cosh", x, dtype) >= 1.0


@every_dtype
@pytest.mark.parametrize("function", ["tanh", "erf"])
@given(x=numbers)
def test_sigmoids_stay_within_one(function: str, dtype: str, x: float) -> None:
    assert abs(at(function, x, dtype)) <= 1.0


@every_dtype
@given(values=st.lists(numbers, min_size=1, max_size=70))
def test_a_value_does_not_depend_on_where_in_the_array_its_number_stands(dtype: str, values: list[float]) -> None:
    computed = compiled("exp", dtype)(values)
    np.testing.assert_array_equal(computed, [at("exp", x, dtype) for x in values])


@every_dtype
@given(values=st.lists(numbers, min_size=1, max_size=70))
def test_the_floor_is_exact_with_the_sign_of_its_zero(dtype: str, values: list[float]) -> None:
    computed = compiled("floor", dtype)(values)
    np.testing.assert_array_equal(
        computed.view(f"u{computed.itemsize}"), np.floor(np.array(values, dtype)).view(f"u{computed.itemsize}")
    )


@every_dtype
def test_what_only_moves_numbers_keeps_their_type(dtype: str) -> None:
    def formula(x: Any, y: Any) -> Any:
        return functions.sqrt(x), functions.copy(y), functions.ones_like(y), where(x < y, x, y)

    dispatcher = numba.njit(formula)
    real = np.dtype(dtype).type
    assert dispatcher(real(2.25), real(7.0)) == (1.5, 7.0, 1.0, 2.25)
    (version,) = dispatcher.overloads.values()
    assert {str(kind) for kind in version.signature.return_type} == {dtype}


def test_a_selection_between_two_types_is_refused() -> None:
    def formula(x: Any, y: Any) -> Any:
        return where(x < y, x, y)

    with pytest.raises(TypingError):
        numba.njit(formula)(np.float32(1.0), np.float64(2.0))


@pytest.mark.parametrize("function", [*verify_simd.VERIFIED_FUNCTIONS, "floor", "sqrt", "copy", "ones_like"])
def test_outside_compiled_code_a_function_says_so(function: str) -> None:
    with pytest.raises(TypeError, match=rf"{function}\(1.5\) is for code that numba compiles"):
        getattr(functions, function)(1.5)


def test_outside_compiled_code_a_selection_says_so() -> None:
    with pytest.raises(TypeError, match="is for code that numba compiles"):
        where(True, 1.0, 2.0)


def test_looking_for_backends_does_not_import_numba() -> None:
    code = "import sys, actbench.backends._simd; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("fit", [fit for fit in minimax_targets.fits() if fit.name in {"EXP_32", "SINH_32", "COSH_64"}])
def test_coefficients_are_what_their_generator_prints(fit: minimax_targets.Fit) -> None:
    assert minimax.printed(fit) in Path(coefficients.__file__).read_text(encoding="utf-8")


def test_the_generator_knows_of_every_set_of_coefficients() -> None:
    assert {fit.name for fit in minimax_targets.fits()} == {name for name in vars(coefficients) if name.isupper()}
