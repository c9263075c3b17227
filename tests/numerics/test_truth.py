"""The truth is true: against FLINT, at roots, kinks and jumps, and where it is not known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flint
import mpmath
import numpy as np
import pytest
from mpmath import libmp

from actbench import plugins, registry
from actbench.formula import Activation, Formulas
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.checks import Check
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.rule import Formula
from actbench.model.variants import Variant
from actbench.verification import oracle, truth
from actbench.verification.truth import balls, differentiated, exact
from actbench.verification.truth.exact import Exact
from actbench.verification.truth.functions import RULES
from benchmarks import truth as figure
from tests.support.declaring import declare
from tests.support.kernels import evaluate
from tests.support.tiers import exhaustive_but

SUBJECTS = {activation.name: activation for activation in figure.subjects()}
FEW = figure.points(100)


@pytest.fixture(autouse=True)
def unloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plugins.unload()


def kernel(dtype: Dtype = Dtype.FLOAT64) -> KernelId:
    return KernelId("mine", Variant("recompute"), "numpy", Op.DERIVATIVE, dtype)


def checked(dtype: Dtype = Dtype.FLOAT64) -> Check:
    return oracle.check(resolve(kernel(dtype)), evaluate)


def exactly(definition: Formula) -> Exact:
    """Return what is known of a definition, a function of a namespace and z."""
    return Exact(Activation("mine", "mine", lambda m: Formulas(forward=lambda z: definition(m, z))))


def near(value: mpmath.mpf, reference: mpmath.mpf) -> bool:
    with mpmath.workdps(40):
        return bool(abs(value - reference) <= abs(reference) * mpmath.mpf(10) ** -20)


@pytest.mark.parametrize("name", exhaustive_but(SUBJECTS, {*[*SUBJECTS][::3]}.__contains__))
def test_it_is_that_of_1200_digits_for_the_catalogue_and_what_is_printed(name: str) -> None:
    assert not figure.mismatches(SUBJECTS[name], FEW)


def test_the_comparison_notices_the_17th_digit() -> None:
    activation = SUBJECTS["tanh"]
    point = Exact(activation).at(np.array([0.75]))[0]
    with flint.ctx.workprec(figure.PRECISION_BITS):
        reference = figure.slope(activation.build(figure.Reference()).definition, 0.75)
        with mpmath.workdps(40):
            assert figure.same(point.slope, reference)
            assert not figure.same(point.slope * (1 + mpmath.mpf(10) ** -16), reference)
            assert not figure.same(None, reference)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_the_derivative_of_its_function(name: str) -> None:
    points = [z for z in (-2.75, -0.375, 1e-40, 0.625, 4.125) if z > 0 or name not in {"ln", "log1p", "sqrt"}]
    for z, point in zip(points, exactly(lambda m, z: getattr(m, name)(z)).at(np.array(points)), strict=True):
        with mpmath.workdps(160):
            function = getattr(mpmath.mp, name, None) or mpmath.mp.log
            assert near(point.output, function(mpmath.mpf(z)))
            slope = mpmath.diff(function, mpmath.mpf(z), h=mpmath.mpf(10) ** -80)
        assert near(point.slope, slope) or abs(point.slope - slope) < mpmath.mpf(10) ** -60


@pytest.mark.parametrize(
    ("definition", "slope"),
    [
        (lambda m, z: m.besselj(0, z), lambda z: -mpmath.besselj(1, z)),
        (lambda m, z: m.ncdf(z * m.mpf("0.1")), lambda z: mpmath.npdf(z / 10) / 10),
        (lambda m, z: m.log(m.ncdf(z)), lambda z: mpmath.npdf(z) / mpmath.ncdf(z)),
        (lambda m, z: m.log10(1 + z * z), lambda z: 2 * z / (1 + z * z) / mpmath.log(10)),
        (lambda m, z: m.besselj(0, 1) * z, lambda _: mpmath.besselj(0, 1)),
    ],
)
def test_functions_without_a_rule_are_differentiated_as_well(definition: Formula, slope: Formula) -> None:
    z = np.array([-20.5, -1.0, 1e-200, 2.5])
    for number, point in zip(z.tolist(), exactly(definition).at(z), strict=True):
        with mpmath.workdps(300):
            assert near(point.slope, slope(mpmath.mpf(number)))


@pytest.mark.parametrize(
    "definition",
    [
        lambda _, z: abs(z) ** 1.5,
        lambda m, z: m.power(1 + z * z, -0.3) - 1,
        lambda _, z: 2.0**z,
        lambda _, z: (1 + z * z) ** z,
        lambda m, z: m.sign(z) * z * z + m.fabs(z),
        lambda m, z: z or m.mpf(0),
    ],
    ids=["|z|^1.5", "(1 + z^2)^-0.3", "2^z", "(1 + z^2)^z", "sign", "truth value"],
)
def test_powers_and_signs_have_both_derivatives(definition: Formula) -> None:
    z = np.array([-2.75, -0.375, 0.625, 4.125])
    mine = Activation("mine", "mine", lambda m: Formulas(forward=lambda z: definition(m, z)))
    for number, point, second in zip(z.tolist(), Exact(mine).at(z), Exact(mine.second).at(z), strict=True):
        with mpmath.workdps(160):
            right = [mpmath.diff(lambda x: definition(mpmath, x), number, order, h=1e-40) for order in (1, 2)]
            assert near(point.output, definition(mpmath, mpmath.mpf(number)))
            assert near(point.slope, right[0])
            assert near(second.slope, right[1])


def test_where_a_function_is_complex_it_is_unknown() -> None:
    below, above = exactly(lambda m, z: m.lambertw(z)).at(np.array([-1.0, 1.0]))
    assert (below.output, below.slope) == (None, None)
    with mpmath.workdps(40):
        assert near(above.slope, 1 / (1 + mpmath.lambertw(1)) / mpmath.exp(mpmath.lambertw(1)))


def test_noise_that_1_plus_tiny_leaves_is_not_taken_for_a_derivative() -> None:
    declare("0.5 * z * (1.0 + m.erf(z * 0.7071067811865476))")
    slope, _ = truth.truth_at(registry.activation("mine"), np.array([-19.75, -37.0, -38.5, -100.0]))
    assert f"{slope.nearest[0]:.9g}" == "-1.56447816e-84"
    assert slope.nearest[-1] == 0
    assert slope.known.all()


def test_what_no_number_of_digits_shows_counts_as_unknown() -> None:
    few, more, many = exactly(lambda m, z: m.log(1 + m.exp(z)) * m.exp(-z)).at(np.array([-100.0, -1000.0, -1e5]))
    assert more.slope is not None
    with mpmath.workdps(30):
        assert near(few.slope, -mpmath.exp(-100) / 2 + 2 * mpmath.exp(-200) / 3)
        assert abs(more.slope) < mpmath.ldexp(1, -1074), "as it is: e^-1000 / 2"
    assert many.slope is None


@pytest.mark.parametrize("forward", ["mpmath.log(1 + mpmath.exp(z))", "z / 2 + mpmath.log(2 * mpmath.cosh(z / 2))"])
def test_a_definition_by_mpmath_s_own_functions_counts_where_two_precisions_agree(forward: str) -> None:
    declare("np.logaddexp(0.0, z)", more=f", definition=lambda z: {forward}")
    z = np.array([-745.0, -110.0, -1.0, -1e-200, 0.0, 5e-324, 2.0, 50.0, 700.0, 1e10])
    slope, _ = truth.truth_at(registry.activation("mine"), z)
    reference, _ = truth.truth_at(registry.activation("softplus"), z)
    assert slope.digits is None
    assert slope.nearest.tolist() == reference.nearest.tolist()


ROOTS = [
    ("z * z * z * z / 4.0", "z * z * z"),
    ("z - m.sin(z)", "2.0 * m.sin(0.5 * z) * m.sin(0.5 * z)"),
    ("(z - abs(z)) * (z - abs(z)) / 8.0", "0.5 * z - 0.5 * abs(z)"),
    ("abs(z) * abs(z) * abs(z) / 3.0", "z * abs(z)"),
]


@pytest.mark.parametrize("dtype", exhaustive_but(WIDE, Dtype.FLOAT64.__eq__))
@pytest.mark.parametrize(("forward", "derivative"), ROOTS)
def test_a_right_derivative_passes_at_roots_of_any_order(forward: str, derivative: str, dtype: Dtype) -> None:
    declare(forward, derivative)
    assert checked(dtype).max_ulp <= 4
    assert truth.sides_at(registry.activation("mine"), 0.0) is not None


@pytest.mark.parametrize("backend", ["m", "np"])
@pytest.mark.parametrize(
    ("forward", "z"),
    [
        ("0.5 * z * z", 0.0),
        ("z * z * z / 3.0", 0.0),
        ("1000.0 + (z - 1.5) * (z - 1.5)", 1.5),
        ("1e-30 * (z - {m}.tanh(z))", 0.0),
        ("{m}.cos(z)", 0.0),
    ],
)
def test_a_root_of_the_derivative_is_no_kink(forward: str, z: float, backend: str) -> None:
    body = forward.format(m=backend)
    declare(body if backend == "m" else f"np.asarray({body}, dtype=float)")
    assert (truth.unsupported(registry.activation("mine")) is None) == (backend == "m")
    sides = truth.sides_at(registry.activation("mine"), z)
    assert sides is not None
    assert not sides.words(z)


@pytest.mark.parametrize("backend", ["m", "np"])
@pytest.mark.parametrize(
    ("forward", "z", "said"),
    [
        ("abs(z)", 0.0, "a kink at z = 0, with slope -1 before and 1 after"),
        ("1e-30 * abs(z - 0.5)", 0.5, "a kink at z = 0.5, with slope -1e-30 before and 1e-30 after"),
        ("z + 1e-3 * abs(z)", 0.0, "with slope 0.999 before and 1.001 after"),
        ("1e-20 * (z > 0.0)", 0.0, "jumps at z = 0, from 0 to 1e-20"),
        ("z + 3.0 * (z > 2.0)", 2.0, "jumps at z = 2, from 2 to 5"),
    ],
)
def test_a_kink_or_jump_is_reported_however_small_the_function(forward: str, z: float, said: str, backend: str) -> None:
    declare(forward if backend == "m" else f"np.asarray({forward}, dtype=float)")
    sides = truth.sides_at(registry.activation("mine"), z)
    assert sides is not None
    assert said in sides.words(z)


def test_slopes_are_shown_in_the_digits_in_which_they_differ() -> None:
    sides = exactly(lambda _, z: z + 1e-10 * abs(z)).sides(0.0)
    assert sides is not None
    assert "with slope 0.9999999999 before and 1.0000000001 after" in sides.words(0.0)


def test_a_value_of_its_own_at_one_point_does_not_hide_the_derivative() -> None:
    (point,) = exactly(lambda m, z: m.sin(z) / z * z if z != 0 else 0.0).at(np.array([0.0]))
    assert near(point.slope, mpmath.mpf(1))
    jumping = exactly(lambda _, z: 1.0 if z == 0 else z)
    assert mpmath.isinf(jumping.at(np.array([0.0]))[0].slope)
    sides = jumping.sides(0.0)
    assert sides is not None
    assert "jumps at z = 0, from -1" in sides.words(0.0)


def test_residuals_are_saved_in_as_many_digits_as_they_need() -> None:
    declare(
        "m.tanh(z)", more=", small=Strategy(lambda w: w * (2.0 - w), save=lambda z: (m.tanh(z), 1.0 - m.tanh(abs(z))))"
    )
    z = np.array([-350.0, 150.0, 1.0])
    mine = registry.activation("mine")
    saved = truth.residuals_at(mine, "small", z, lambda: truth.truth_at(mine, z)[1])
    with mpmath.workdps(400):
        right = [float(1 - mpmath.tanh(abs(number))) for number in z.tolist()]
    assert saved["w"].tolist() == right


def test_a_definition_that_only_numbers_of_mpmath_suit_is_distinguished_from_one_for_jets() -> None:
    assert differentiated.unsupported(exact.built(SUBJECTS["tanh"]), exact.PROBES) is None
    direct = Activation("direct", "direct", lambda _: Formulas(forward=mpmath.tanh))
    assert differentiated.unsupported(exact.built(direct), exact.PROBES) is not None
    assert exact.unsupported(direct) is None


class WholeNumber(int):
    """An integer as gmpy2 has it, with which mpmath computes where it is installed: what is added to one is another."""

    def __radd__(self, other: int) -> WholeNumber:
        """Add."""
        return WholeNumber(int(self) + other)


def test_exponents_are_those_of_python_whatever_mpmath_computes_with(monkeypatch: pytest.MonkeyPatch) -> None:
    to_int = libmp.to_int
    monkeypatch.setattr(libmp, "to_int", lambda *arguments: WholeNumber(to_int(*arguments)))
    (_, _, exponent, _), _ = balls.exponential((libmp.from_int(100), balls.EXACT), 100)
    assert type(exponent) is int
