"""Weaknesses are held to both ways."""

from __future__ import annotations

import re
from math import nan
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.formula import Activation, Flaw, Formulas, Strategy, Weakness
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.checks import BANDS, STATED_ULP
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant
from actbench.verification import flaws, oracle
from actbench.verification.bands import by_band
from actbench.verification.evaluation import Evaluation
from actbench.verification.examination import Examination
from actbench.verification.truth import Array
from tests.support import kernels
from tests.support.registered import register
from tests.support.spoilt import declare, refusal, spoilt


@pytest.mark.parametrize("backend", ["python", "numpy", "numba"])
def test_an_undeclared_overflow_is_refused(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    textbook = KernelId("logistic", Variant("textbook"), backend, Op.DERIVATIVE, Dtype.FLOAT64)
    honest = registry.activation("logistic").build
    register(
        monkeypatch,
        Activation(
            "logistic",
            "for a test",
            lambda m: Formulas(forward=honest(m).forward, textbook=honest(m).strategies["textbook"].derivative),
        ),
    )
    message = refusal(textbook, kernels.evaluate)
    assert float(message.split("at z = ")[1].split()[0]) < -354


def test_a_declared_overflow_excuses_no_wrong_number() -> None:
    textbook = KernelId("logistic", Variant("textbook"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    small = spoilt(lambda z, g: np.where(z < -400, 1e-3, g))
    message = refusal(textbook, lambda _, z, dy: small(textbook, z, dy))
    wrong, where = message.split(": at z = ")
    assert wrong == f"{textbook.id} is wrong"
    assert float(where.split()[0]) < -400


def test_an_overflow_that_is_declared_too_far_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.OVERFLOWS, "it is said to fail here", lambda z, _: z < -300)  # it does from -355 on
    declare(monkeypatch, "modest", textbook=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("modest", Variant("textbook"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    textbook = KernelId("logistic", Variant("textbook"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    assert "it is said to fail here', but is not" in refusal(kernel, lambda _, z, dy: kernels.evaluate(textbook, z, dy))


def test_a_factor_that_is_no_number_excuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.AMPLIFIES, "inf times 0", lambda z, _: np.where(z > 0, np.nan, 0.0))
    declare(monkeypatch, "amplifying", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("amplifying", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    wrong = spoilt(lambda z, g: np.where(z > 1, 0.5, g))
    assert "is wrong: at z = " in refusal(kernel, lambda _, z, dy: wrong(right, z, dy))


@pytest.mark.parametrize("dtype", WIDE)
def test_an_undeclared_cancellation_is_refused(dtype: Dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "careless", cached=lambda y: y * (1.0 - y))
    message = refusal(KernelId("careless", Variant("cached"), "numpy", Op.DERIVATIVE, dtype), kernels.evaluate)
    assert float(message.split("at z = ")[1].split()[0]) > 0


@pytest.mark.parametrize("flaw", [flaw for flaw in Flaw if flaw is not Flaw.AMPLIFIES])
def test_a_weakness_that_does_not_occur_is_refused(flaw: Flaw, monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(flaw, "it is said to fail here", lambda z, _: z > 1000)
    declare(monkeypatch, "modest", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("modest", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    message = refusal(kernel, lambda _, z, dy: kernels.evaluate(right, z, dy))
    assert message == (
        f"{kernel.id} is declared to be wrong where 'it is said to fail here', but is not at any z there that is "
        "checked: leave it out, or correct its where="
    )


@pytest.mark.parametrize("middle", [0.32, 0.64])
def test_a_difference_that_cancels_may_show_it_at_the_root_alone(
    middle: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    weakness = Weakness(Flaw.CANCELS, "it is a difference", lambda z, _: abs(z - middle) < 0.1)
    parabola = Formulas(
        forward=lambda z: z * z * 0.5 - z * 0.32, recompute=Strategy(lambda z: z - 0.32, weaknesses=(weakness,))
    )
    register(monkeypatch, Activation("parabola", "for a test", lambda _: parabola))
    kernel = KernelId("parabola", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)

    def slightly_off(_: KernelId, z: Array, __: Array) -> Evaluation:
        return Evaluation(z - 0.32 + 3e-18, None)  # less than 8 ULP at 20/64 and 21/64, between which the root is

    if middle == 0.32:
        assert oracle.check(resolve(kernel), slightly_off).weaknesses == ("it is a difference",)
    else:
        assert "'it is a difference', but is not at any z there" in refusal(kernel, slightly_off)


@pytest.mark.parametrize("flaw", [Flaw.CANCELS, Flaw.INACCURATE])
@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("root", [1.0, 1.5**0.5, 0.3])
@pytest.mark.parametrize("width", [0.25, 1e-3])
def test_digits_that_are_lost_beside_a_root_may_be_declared_wherever_the_root_is(
    flaw: Flaw, dtype: Dtype, root: float, width: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 is a z of the grid, and no z of it is within 1e-3 of the others."""
    weakness = Weakness(flaw, "it is a difference", lambda z, _: abs(abs(z) - root) < width)
    at = root * root
    cubic = Formulas(
        forward=lambda z: z * (z * z - 3.0 * at),
        recompute=Strategy(lambda z: 3.0 * (z * z - at), weaknesses=(weakness,)),
    )
    register(monkeypatch, Activation("cubic", "for a test", lambda _: cubic))
    kernel = KernelId("cubic", Variant("recompute"), "numpy", Op.DERIVATIVE, dtype)
    assert "it is a difference" in oracle.check(resolve(kernel), kernels.evaluate).weaknesses


@pytest.mark.parametrize("dtype", WIDE)
def test_of_many_roots_those_nearest_to_0_are_looked_at(dtype: Dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.CANCELS, "it crosses 0", lambda z, _: abs(z) > 1.5)

    def build(m: Any) -> Formulas:
        return Formulas(
            forward=lambda z: z * m.sin(z),
            recompute=Strategy(lambda z: m.sin(z) + z * m.cos(z), weaknesses=(weakness,)),
        )

    register(monkeypatch, Activation("waves", "for a test", build))
    kernel = resolve(KernelId("waves", Variant("recompute"), "numpy", Op.DERIVATIVE, dtype))
    assert isinstance(kernel, Kernel)
    z, (slope, output) = oracle.points(kernel.activation, dtype), oracle.truth(kernel.activation, dtype)
    call = Examination.of_call(kernel, kernels.evaluate, z, np.ones_like(z), (slope, output))
    assert np.max(call.errors_at_roots(lambda z: np.abs(z) > 1.5)) > STATED_ULP


@pytest.mark.parametrize(
    ("flaw", "result", "wanted"), [(Flaw.CANCELS, nan, "True or False"), (Flaw.AMPLIFIES, "yes", "a number")]
)
def test_a_region_that_is_none_is_refused(
    flaw: Flaw, result: object, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weakness = Weakness(flaw, "why", lambda _, __: result)
    declare(monkeypatch, "vague", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("vague", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    message = refusal(kernel, lambda _, z, dy: kernels.evaluate(right, z, dy))
    assert message == f"where= of 'why' gives {result!r} and not {wanted}: return {wanted} for each z"


def test_a_region_without_any_z_that_is_checked_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.CANCELS, "it is said to fail here", lambda z, _: abs(z - 1.1) < 1e-9)
    declare(monkeypatch, "modest", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("modest", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    message = refusal(kernel, lambda _, z, dy: kernels.evaluate(right, z, dy))
    assert message.endswith("is not known to be: none of the z that are checked is there: correct its where=")


def test_an_overflow_that_begins_later_than_declared_is_refused_with_a_z(monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.OVERFLOWS, "exp(-z) overflows", lambda z, _: z < -600)
    declare(monkeypatch, "early", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("early", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    message = refusal(kernel, lambda _, z, dy: kernels.evaluate(right, z, dy))
    assert re.search(r"but is not: at z = -6\d\d\.?\d* it gives \d\.?\d*e-\d+: narrow its where=$", message), message


@pytest.mark.parametrize(
    "idle",
    [
        Weakness(Flaw.OVERFLOWS, "it is said to fail here", lambda z, _: z > 1000),
        Weakness(Flaw.CANCELS, "it is said to fail here", lambda z, _: z < -100),
    ],
    ids=lambda weakness: weakness.flaw,
)
def test_a_weakness_that_does_not_occur_is_refused_beside_one_that_does(
    idle: Weakness, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = registry.activation("logistic").formulas.strategies["textbook"].weaknesses
    declare(monkeypatch, "modest", textbook=Strategy(lambda z: 0.0 * z, weaknesses=(*honest, idle)))
    kernel = KernelId("modest", Variant("textbook"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("textbook"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    assert "it is said to fail here" in refusal(kernel, lambda _, z, dy: kernels.evaluate(right, z, dy))


def test_an_amplified_error_may_be_larger_by_the_declared_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 ULP times 1 + 2, and not where the factor is 0."""
    weakness = Weakness(Flaw.AMPLIFIES, "twice as many where z > 0", lambda z, _: 2.0 * (z > 0))
    declare(monkeypatch, "amplifying", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("amplifying", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)

    def wrong_by(ulp: float, side: int) -> oracle.Evaluate:
        change = spoilt(lambda z, g: g * (1 + ulp * np.finfo(np.float64).eps * (side * z > 0)))
        return lambda _, z, dy: change(right, z, dy)

    assert oracle.check(resolve(kernel), wrong_by(10, 1)).weaknesses == ("twice as many where z > 0",)
    assert "is wrong: at z = " in refusal(kernel, wrong_by(27, 1))
    assert "is wrong: at z = -" in refusal(kernel, wrong_by(10, -1))


def test_a_factor_that_overflows_where_it_does_not_hold_excuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.AMPLIFIES, "as many as z^2 where z < 0", lambda z, _: z * z * (z < 0))
    declare(monkeypatch, "amplifying", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = KernelId("amplifying", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    wrong_far_out = spoilt(lambda z, g: np.where(z > 1e200, 0.5, g))
    message = refusal(kernel, lambda _, z, dy: wrong_far_out(right, z, dy))
    assert float(message.split("at z = ")[1].split()[0]) > 1e200


def test_where_y_merges_with_its_value_at_a_kink_the_derivative_is_right_or_that_of_the_kink() -> None:
    kernel = KernelId("hard-sigmoid", Variant("cached"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    below = np.nextafter(3.0, 0.0)
    assert kernels.outputs(kernel, np.array([below]))[-1].tolist() == [0.0]
    assert oracle.check(resolve(kernel), kernels.evaluate).worst_z == below
    refusal(kernel, spoilt(lambda z, g: np.where(z == below, 0.1, g)))
    refusal(kernel, spoilt(lambda z, g: np.where(z == 2.75, 0.0, g)))


def test_a_bound_that_is_no_number_allows_what_is_stated() -> None:
    weakness = Weakness(Flaw.INACCURATE, "0 times inf", lambda z, _: np.where(z > 1, np.nan, 20.0))
    assert flaws.allowed((weakness,), np.array([0.5, 1.5])).tolist() == [20.0, STATED_ULP]


def test_bands_of_z_mirror_one_another_up_to_their_ends() -> None:
    ends = np.array([high for _, high in BANDS if 0 < high < np.inf])
    errors = np.arange(1.0, 1.0 + ends.size)
    right = [*by_band(ends, errors)]
    assert right[-ends.size :] == errors.tolist(), "a band begins where the one before it ends"
    assert [*by_band(-ends, errors)] == right[::-1]


@pytest.mark.parametrize("dtype", WIDE)
def test_of_sech_a_y_that_is_rounded_to_the_number_below_1_loses_what_is_declared(dtype: Dtype) -> None:
    kernel = resolution.kernel(KernelId("sech", Variant("pair"), "numpy", Op.DERIVATIVE, dtype))
    z = np.geomspace(1e-12, 0.1, 200).astype(dtype.value)
    exact = z.astype(np.longdouble)
    y = np.minimum(1 / np.cosh(exact), np.nextafter(z.dtype.type(1), z.dtype.type(0))).astype(z.dtype)
    slope, computed = np.tanh(exact) / np.cosh(exact), y * np.sqrt((1 - y) * (1 + y))
    error = abs(computed - slope) / np.spacing(slope.astype(z.dtype))
    assert np.all(error <= flaws.allowed(kernel.weaknesses, z))
