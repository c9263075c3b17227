from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf

import numpy as np
import pytest

from actbench import registry
from actbench.analysis.accuracy import Loss, Part, bands, is_nan, is_wrong, is_zero
from actbench.engine.survey.accuracy import Survey, points, sample
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.model.names import WIDE, Dtype
from actbench.report import accuracy as report
from actbench.verification import oracle
from actbench.verification.oracle import Truth
from tests.support.surveyed import EXACT, accuracies, kernel
from tests.support.tiers import exhaustive_but


@pytest.mark.parametrize("dtype", WIDE)
def test_every_band_of_both_tails_is_looked_at_and_so_is_0(dtype: Dtype) -> None:
    z = sample(dtype, 60, 0)
    assert z.dtype == dtype
    assert np.isfinite(z).all()
    assert z[0] == 0
    assert (np.diff(np.abs(z)) >= 0).all()
    for low, high in bands():
        for side in (-1, 1):
            assert np.count_nonzero((side * z >= max(low, 1e-300)) & (side * z < high)) > 20


@pytest.mark.parametrize(
    ("activation", "dtype", "zero", "wrong"),
    exhaustive_but(
        [
            ("logistic", Dtype.FLOAT64, 37.43, 32.8),
            ("logistic", Dtype.FLOAT32, 17.33, 12.7),
            ("tanh", Dtype.FLOAT64, 19.06, 16.8),
            ("tanh", Dtype.FLOAT32, 9.011, 6.71),
        ],
        lambda of: of[:2] in {("logistic", Dtype.FLOAT64), ("tanh", Dtype.FLOAT32)},
    ),
)
def test_what_is_lost_by_keeping_a_correctly_rounded_y_is_measured(
    activation: str, dtype: Dtype, zero: float, wrong: float
) -> None:
    (of,) = accuracies(kernel(activation, "cached", dtype))
    lost = of.losses[Part.RIGHT]
    assert lost.zero[0].first == pytest.approx(zero, rel=3e-4)
    assert lost.wrong[0].first == pytest.approx(wrong, rel=0.01)
    assert not lost.nan
    left = of.losses[Part.LEFT]
    if activation == "logistic":
        assert left == Loss()
        assert of.tails[Part.LEFT].largest.size < 3
    else:
        assert left.zero[0].first == pytest.approx(zero, rel=3e-4)
    assert of.tails[Part.RIGHT].largest.size > 1e6


@pytest.mark.parametrize(
    ("backend", "dtype", "zero", "nan"),
    exhaustive_but(
        [
            ("numpy", Dtype.FLOAT64, 354.9, 709.8),
            ("numpy", Dtype.FLOAT32, 44.4, 88.7),
            ("python", Dtype.FLOAT64, 354.9, 709.8),
        ],
        lambda of: of[:2] != ("numpy", Dtype.FLOAT64),
    ),
)
def test_where_the_textbook_form_overflows_is_measured(backend: str, dtype: Dtype, zero: float, nan: float) -> None:
    (of,) = accuracies(kernel("logistic", "textbook", dtype, backend))
    lost = of.losses[Part.LEFT]
    assert lost.zero[0].first == pytest.approx(zero, rel=1e-3)
    assert lost.nan[0].first == pytest.approx(nan, rel=1e-3)
    assert lost.nan[0].is_open
    assert of.tails[Part.LEFT].largest.size == np.inf
    assert of.losses[Part.RIGHT] == type(lost)()


@pytest.mark.parametrize(
    ("activation", "dtype"),
    exhaustive_but(
        product(("logistic", "tanh"), WIDE), {("logistic", Dtype.FLOAT64), ("tanh", Dtype.FLOAT32)}.__contains__
    ),
)
def test_the_complement_gives_back_what_is_lost(activation: str, dtype: Dtype) -> None:
    (of,) = accuracies(kernel(activation, "complement", dtype))
    assert max(tail.largest.size for tail in of.tails.values()) < 3
    assert all(loss == Loss() for loss in of.losses.values())


def test_a_y_that_the_forward_pass_computed_is_lost_earlier_than_one_correctly_rounded() -> None:
    exact, computed = (
        accuracies(kernel("logistic", "cached"), survey=survey)[0].losses[Part.RIGHT].zero[0].first
        for survey in (EXACT, Survey(points=60))
    )
    assert computed == pytest.approx(36.74, rel=1e-3)  # e^-z is half an eps, and 1 + e^-z rounds to 1
    assert computed < exact


def test_saturated_elements_hardly_count_where_z_is_normally_distributed() -> None:
    (of,) = accuracies(kernel("logistic", "cached"))
    assert of.normal.wrong == 0
    assert (of.normal.p99 or inf) < 10
    assert of.normal.median < 1
    assert of.tails[Part.RIGHT].wrong > 0.25


def test_bands_are_summarised_one_by_one() -> None:
    (of,) = accuracies(kernel("logistic", "cached", Dtype.FLOAT32))
    largest = {(item.part, item.low): item.largest.size for item in of.bands}
    assert largest[Part.LEFT, 0.0] < 3
    assert 3 < largest[Part.RIGHT, 2.0] < 100
    assert largest[Part.RIGHT, 5.0] < 1e4 < largest[Part.RIGHT, 10.0]
    for item in of.bands:
        assert item.median <= item.largest.size
        assert item.low <= abs(item.largest.z) < item.high
        assert (item.largest.z < 0) == (item.part is Part.LEFT)


def test_a_result_is_wrong_zero_or_no_number_only_where_the_truth_is_not() -> None:
    tiny = float(np.finfo(np.float64).tiny)
    g = np.array([1.0, 1.0, 1.0, tiny / 4, np.inf, 0.0, 0.0])
    truth = Truth(g, np.zeros(7), np.spacing(np.where(np.isinf(g), 1.0, g)))
    computed = np.array([1.02, 0.0, np.nan, 0.0, np.inf, 0.0, -0.5])
    assert is_wrong(computed, truth).tolist() == [True, True, True, False, False, False, True]
    assert is_zero(computed, truth).tolist() == [False, True, False, False, False, False, False]
    assert is_nan(computed, truth).tolist() == [False, False, True, False, False, False, False]


def test_what_is_known_by_differences_only_is_said_to_be() -> None:
    (of,) = accuracies(kernel("tanh", "recompute"), survey=Survey(points=20))
    table, _ = report.tables([replace(of, digits=13.2)], exact=False)
    assert "g' of tanh is known by differences, to about 13 digits" in table.note


def test_truths_are_computed_once_for_all_kernels_that_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    truth_at = oracle.truth_at

    def counted(activation: Activation, z: Array) -> tuple[Truth, Truth]:
        sizes.append(z.size)
        return truth_at(activation, z)

    monkeypatch.setattr(oracle, "truth_at", counted)
    accuracies(kernel("logistic", "recompute"), kernel("logistic", "complement"), survey=Survey(points=20))
    assert sizes[:2] == [points(registry.activation("logistic"), Dtype.FLOAT64, 20, 0).size, 180]
    assert sum(sizes[2:]) < 50  # where interpolation between so few points is unsure


def test_the_report_says_what_was_kept() -> None:
    for exact, words in ((True, "correctly rounded"), (False, "those of numpy's forward pass")):
        table, _ = report.tables(accuracies(kernel("relu", "cached"), survey=Survey(20, exact=exact)), exact=exact)
        assert words in table.note
