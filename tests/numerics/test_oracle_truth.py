"""The points at which kernels are checked, and the truth there."""

from __future__ import annotations

from itertools import product

import mpmath
import numpy as np
import pytest

from actbench import registry
from actbench.model.names import WIDE, Dtype
from actbench.verification import oracle
from tests.support import definitions, kernels
from tests.support.tiers import Collected, exhaustive_but


@pytest.mark.parametrize("dtype", WIDE)
def test_kernels_are_checked_in_both_tails_and_at_the_limits_of_their_format(dtype: Dtype) -> None:
    grid = oracle.grid(dtype)
    fmt = np.finfo(dtype)
    assert grid.dtype == dtype
    assert np.isfinite(grid).all()
    for limit in (fmt.max, fmt.tiny, fmt.smallest_subnormal, fmt.eps):
        assert {float(limit), -float(limit)} <= set(grid.astype(float).tolist())
    for low in (-40, -8, -1, 0, 1, 8, 40):
        assert np.any((grid > low) & (grid < low + 1))


@pytest.mark.parametrize("dtype", WIDE)
def test_kernels_are_checked_at_either_zero(dtype: Dtype) -> None:
    grid = oracle.grid(dtype)
    assert set(np.signbit(grid[grid == 0]).tolist()) == {True, False}


@pytest.mark.parametrize(
    ("activation", "dtype"),
    exhaustive_but(
        product(definitions.TRUTH, WIDE), lambda pair: pair == ("logistic", Dtype.FLOAT32) or pair[1] is Dtype.FLOAT64
    ),
)
def test_the_truth_agrees_with_closed_forms_in_fifty_digits(activation: str, dtype: Dtype) -> None:
    some = slice(None, None, 1 if Collected.exhaustive else 3)
    z = oracle.points(registry.activation(activation), dtype)[some]
    known = [
        truth.at(np.arange(truth.nearest.size)[some]) for truth in oracle.truth(registry.activation(activation), dtype)
    ]
    for truth, exact in zip(known, (kernels.slope(activation, z), kernels.output(activation, z)), strict=True):
        assert truth.nearest.dtype == dtype
        with mpmath.workdps(400):
            for near, rest, ulp, number in zip(truth.nearest, truth.rest, truth.ulp, exact, strict=True):
                if np.isinf(near):
                    assert abs(number) > np.finfo(dtype).max
                    continue
                assert abs(rest) < (0.52 if abs(near) >= np.finfo(dtype).tiny else 0.57)  # rounded twice there
                assert abs(mpmath.mpf(float(near)) + rest * mpmath.mpf(ulp) - number) < 1e-6 * mpmath.mpf(ulp)


MAX = float(np.finfo(np.float64).max)


@pytest.mark.parametrize(
    ("activation", "z", "slope", "output"),
    [
        ("logistic", 0.0, 0.25, 0.5),
        ("logistic", -0.0, 0.25, 0.5),
        ("logistic", 745.0, 5e-324, 1.0),
        ("logistic", -745.0, 5e-324, 5e-324),
        ("logistic", 746.0, 0.0, 1.0),
        ("logistic", -746.0, 0.0, 0.0),
        ("logistic", 2.0, 0.10499358540350652, 0.8807970779778824),
        ("logistic", MAX, 0.0, 1.0),
        ("logistic", -MAX, 0.0, 0.0),
        ("tanh", 0.0, 1.0, 0.0),
        ("tanh", -0.0, 1.0, 0.0),
        ("tanh", 1.0, 0.4199743416140261, 0.7615941559557649),
        ("tanh", 373.0, 5e-324, 1.0),
        ("tanh", 374.0, 0.0, 1.0),
        ("tanh", 745.0, 0.0, 1.0),
        ("tanh", MAX, 0.0, 1.0),
        ("tanh", -MAX, 0.0, -1.0),
        ("identity", 745.0, 1.0, 745.0),
        ("identity", MAX, 1.0, MAX),
        ("exp", 709.0, 8.218407461554972e307, 8.218407461554972e307),
        ("exp", 710.0, np.inf, np.inf),
        ("relu", 0.0, 0.0, 0.0),
        ("relu", 5e-324, 1.0, 5e-324),
        ("hard-swish", 3.0, 1.0, 3.0),
        ("hard-swish", -3.0, 0.0, 0.0),
        ("hard-swish", 1.5, 1.0, 1.125),
        ("selu", -0.0, 1.7580993408473766, 0.0),
        ("elu:alpha=0.5", 0.0, 0.5, 0.0),
        ("elu:alpha=0.5", 5e-324, 1.0, 5e-324),
    ],
)
def test_the_truth_at_some_z(activation: str, z: float, slope: float, output: float) -> None:
    values = [truth.nearest.tolist() for truth in oracle.truth_at(registry.activation(activation), np.array([z]))]
    assert values == [[slope], [output]]


def test_an_error_is_counted_in_units_of_the_last_place() -> None:
    truth = oracle.Truth(
        nearest=np.array([1.0, 0.25, 5e-324]),
        rest=np.array([0.25, -0.5, 0.0]),
        ulp=np.array([2**-52, 2**-54, 5e-324]),
    )
    assert truth.error(truth.nearest).tolist() == [0.25, 0.5, 0.0]
    assert truth.error(np.nextafter(truth.nearest, 1e9)).tolist() == [0.75, 1.5, 1.0]
    assert truth.absolute(np.array([1 + 2**-52, 0.25, 0.0])).tolist() == [0.75, 0.125, 5e-324 / 2**-52]
    assert truth.error(np.array([np.nan, np.inf, -np.inf])).tolist() == [np.inf] * 3
