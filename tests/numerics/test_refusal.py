from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from actbench import plugins, registry
from actbench.errors import WrongKernelError
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.support.kernels import evaluate

CODE = """
import numpy as np
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, strategy

FACTOR = Weakness(Flaw.AMPLIFIES, "beta z is rounded", lambda z, _: 5 * abs(z))

@activation
def steep(m, beta=5.0):
    '''log(1 + exp(beta z)) / beta'''
    def many(z): return m.where(z > 0.0, z, 0.0) + m.log1p(m.exp(-abs(beta * z))) / beta
    def one(z): return max(z, 0.0) + m.log1p(m.exp(-abs(beta * z))) / beta
    def naive(z):
        e = m.exp(beta * z)
        return e / (1.0 + e)
    def stable(z):
        t = m.exp(-abs(beta * z))
        return m.where(z >= 0.0, 1.0, t) / (1.0 + t)
    forward = Piecewise(scalar=one, array=many)
    def rough(z): return m.where(z < -5.0, 1.001 * naive(z), naive(z))
    declared = Strategy(stable, weaknesses=(FACTOR,))
    return Formulas(forward=forward, naive=naive, stable=stable, rough=rough, declared=declared)

@activation
def hundred(m):
    '''a hundred logistic functions'''
    why = Weakness(Flaw.CANCELS, "it is said to cancel", lambda z, _: z > -20)
    return Formulas(
        forward=lambda z: 100.0 / (1.0 + m.exp(-z)), recompute=Strategy(lambda z: 0.0 * z, weaknesses=(why,))
    )

def strategies(name):
    '''Declare functions of m as strategies of tanh, made of an accurate derivative.'''
    def g(m, z):
        e = m.exp(-2.0 * abs(z))
        return 4.0 * e / ((1.0 + e) * (1.0 + e))
    def add(strategy_name, change, flaw=None, where=None):
        def build(m):
            def derivative(z): return change(m, z, g(m, z))
            weaknesses = (Weakness(flaw, "for a test", where),) if flaw else ()
            return Strategy(derivative, weaknesses=weaknesses)
        return strategy(name, name=strategy_name)(build)
    return add

add = strategies("tanh")
EPS = 2.0**-52
swapped = add("swapped", lambda m, z, g: (1.0 - z) * (1.0 + z))
hole = add("hole", lambda m, z, g: g * z / z)
alone = add("alone", lambda m, z, g: m.where(z == 0.0, 0.0, g))
far = add("far", lambda m, z, g: g * (1.0 + 1e6 * EPS * (abs(z) > 30.0)))
nearly = add("nearly", lambda m, z, g: g * (1.0 + 1e-4 * (1.0 - g)))
cancelling = add("cancelling", lambda m, z, g: g + 8.04 * EPS * (z < 0.0), Flaw.CANCELS, lambda z, _: z < 0)
amplified = add("amplified", lambda m, z, g: g * (1 + 90 * EPS * (z > 3)), Flaw.AMPLIFIES, lambda z, _: 2.0 * (z > 0))
lossy = add("lossy", lambda m, z, g: g * (1.0 + 1e-4 * (1.0 - g)), Flaw.INACCURATE, lambda z, _: z == z)
bounded = add("bounded", lambda m, z, g: g * (1.0 + 1e-4 * (1.0 - g)), Flaw.INACCURATE, lambda z, _: 2e12 + 0 * z)
exceeding = add("exceeding", lambda m, z, g: g * (1.0 + 1e-4 * (1.0 - g)), Flaw.INACCURATE, lambda z, _: 1e3 + 0 * z)
elsewhere = add("elsewhere", lambda m, z, g: g * (1.0 + 1e-4 * (1.0 - g)), Flaw.INACCURATE, lambda z, _: z < 0)
numberless = add("numberless", lambda m, z, g: g / (z != 1.0), Flaw.INACCURATE, lambda z, _: z == z)
complex_ones = add("complex", lambda m, z, g: z ** 0.5)

@strategy("silu")
def by_sigmoid(m):
    def derivative(z):
        s = 1.0 / (1.0 + m.exp(-z))
        return s * (1.0 + z * (1.0 - s))
    return derivative

@strategy("silu")
def from_y(m): return lambda y: 0.5 + 0.5 * y

@strategy("leaky-relu")
def from_sign(m, slope=0.01): return lambda y: m.where(y > 0.0, m.ones_like(y), slope)

@strategy("elu")
def from_sum(m, alpha=1.0): return lambda y: m.where(y > 0.0, 1.0, y + alpha)

@strategy("hard-sigmoid")
def merging(m): return lambda y: m.where((y > 0.0) & (y < 1.0), 1.0 / 6.0 * m.ones_like(y), 0.0)

@strategy("logistic")
def line(m): return lambda y: 0.3 + 0.1 * y
"""


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Load everything once: the truth about an activation is known until something else is loaded."""
    file = tmp_path_factory.mktemp("refusal") / "mine.py"
    file.write_text(CODE)
    plugins.load(str(file))
    yield
    plugins.unload()


def refusal(activation: str, strategy: str, dtype: Dtype = Dtype.FLOAT64, backend: str = "numpy") -> str:
    """Return what is said of a kernel after its name."""
    kernel = KernelId(activation, Variant(strategy), backend, Op.DERIVATIVE, dtype)
    with pytest.raises(WrongKernelError) as raised:
        oracle.check(resolve(kernel), evaluate)
    return str(raised.value).removeprefix(f"{kernel.id} is wrong: ")


# No number

AMPLIFIED = (
    "the rounding of an exponent is multiplied by its size, about 5 * abs(z): compute it exactly, or declare "
    "Weakness(Flaw.AMPLIFIES, why, lambda z, _: 5 * abs(z))"
)


def test_where_there_is_no_number_is_reported_first_and_every_other_kind_after_it() -> None:
    first, second = refusal("steep", "rough", Dtype.FLOAT32).split("; at z")
    assert first == (
        "at z = 17.75 it gives nan where g' = 1, and no number for z >= 17.75: an intermediate underflows or "
        "overflows: compute it another way, or declare Weakness(Flaw.OVERFLOWS, why, where)"
    )
    assert "ULP; 8 are allowed" in second
    assert refusal("steep", "naive", Dtype.FLOAT32) == first


def test_no_number_at_one_z_is_reported() -> None:
    assert refusal("tanh", "hole") == "at z = 0 it gives nan where g' = 1"


def test_what_explains_everything_is_reported_alone_though_some_results_overflow() -> None:
    assert refusal("tanh", "swapped") == (
        "at z = 1 it gives 0 where g' = 0.419974342: it seems to expect the output y, not z"
    )


def test_complex_numbers_are_called_that() -> None:
    assert refusal("tanh", "complex", backend="python") == (
        "it returns complex numbers for z <= -4.941e-324: return float64"
    )


# Rounding


@pytest.mark.parametrize("dtype", WIDE)
def test_a_rounded_exponent_is_named_and_no_mistake(dtype: Dtype) -> None:
    check = oracle.check(resolve(KernelId("steep", Variant("stable"), "numpy", Op.DERIVATIVE, dtype)), evaluate)
    assert check.weaknesses == (f"not declared: {AMPLIFIED}",)
    assert check.max_ulp > 20


@pytest.mark.parametrize("dtype", WIDE)
def test_a_rounded_exponent_passes_when_it_is_declared_as_advised(dtype: Dtype) -> None:
    assert (
        oracle.check(resolve(KernelId("steep", Variant("declared"), "numpy", Op.DERIVATIVE, dtype)), evaluate).max_ulp
        > 8
    )


def test_an_error_that_does_not_grow_is_no_rounded_exponent() -> None:
    said = refusal("tanh", "far")
    assert "ULP; 8 are allowed" in said
    assert "exponent" not in said


def test_zero_where_g_prime_is_normal_is_reported() -> None:
    said = refusal("silu", "by-sigmoid")
    assert "at z = -711.077206 it gives 0 where g' = -1.08242765e-306, and 0 for z from -713.6 to -711.1" in said


def test_a_single_wrong_z_is_reported_as_such() -> None:
    assert refusal("tanh", "alone") == (
        "at z = 0 it gives 0 where g' = 1 (4.5e+15 ULP; 8 are allowed; wrong at z = 0 alone)"
    )


def test_y_that_rounds_to_its_value_at_a_kink_is_reported() -> None:
    said = refusal("hard-sigmoid", "merging")
    assert said.startswith("at z = 2.9999999999999996 it gives 0 where g' = 0.166666667")
    assert said.endswith("y rounds to its value at the kink z = 3: declare Weakness(Flaw.MERGES, why, where)")


def test_an_approximation_is_reported_with_the_way_to_time_it() -> None:
    assert refusal("tanh", "nearly").endswith(
        "it is nearly right: to time it anyway, declare Weakness(Flaw.INACCURATE, why, where)"
    )


# Two z with one y


@pytest.mark.parametrize(
    ("activation", "strategy", "said"),
    [
        ("leaky-relu:slope=-2", "from-sign", "z = -1 and z = 2 both give y = 2, with g' = -2 and 1"),
        (
            "elu:alpha=-2",
            "from-sum",
            "z = -1 and z = 1.26424112 both give y = 1.26424112, with g' = -0.735758882 and 1",
        ),
        ("silu", "from-y", "z = -1 and z = -1.59691841 both give y = -0.268941421, with g' = 0.0723294881 and -0.0552"),
    ],
)
def test_two_z_with_one_y_and_different_slopes_are_reported(activation: str, strategy: str, said: str) -> None:
    assert refusal(activation, strategy).startswith(f"y is not enough: {said}")


def test_where_y_is_enough_it_is_not_blamed() -> None:
    assert "not enough" not in refusal("logistic", "line")


# Declared weaknesses


def test_a_declared_weakness_that_is_exceeded_is_reported_by_how_much() -> None:
    said = refusal("tanh", "cancelling")
    assert said.endswith("eps where 8 are allowed, more than the declared weakness 'for a test' (cancels)")
    assert 8 < float(said.split("off by ")[1].split()[0]) < 10


def test_an_absolute_error_is_known_where_that_in_ulp_is_beyond_all_numbers() -> None:
    truth = oracle.truth_at(registry.activation("tanh"), np.array([400.0]))[0]
    assert truth.error(np.array([12.0 * 2.0**-52])).tolist() == [np.inf]
    assert truth.absolute(np.array([12.0 * 2.0**-52])).tolist() == [12.0]
    assert truth.absolute(np.array([np.nan])).tolist() == [np.inf]


def test_an_amplified_error_is_reported_with_what_is_allowed_there() -> None:
    said = refusal("tanh", "amplified")
    assert said.endswith("ULP where 24 are allowed, more than the declared weakness 'for a test' (amplifies)")


def test_a_declared_cancellation_allows_no_less_than_none_at_all() -> None:
    """3 ULP of a g' of 25 are 48 eps."""
    slope, _ = oracle.truth(registry.activation("hundred"), Dtype.FLOAT64)
    kernel = KernelId("hundred", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    with pytest.raises(WrongKernelError, match="is declared to be wrong where 'it is said to cancel', but is not"):
        oracle.check(resolve(kernel), lambda *_: Evaluation(slope.nearest * (1 + 3 * 2.0**-52), None))


@pytest.mark.parametrize("strategy", ["lossy", "bounded"])
def test_a_lossy_strategy_passes_where_it_is_declared_inaccurate_and_its_error_is_known(strategy: str) -> None:
    check = oracle.check(resolve(KernelId("tanh", Variant(strategy), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)), evaluate)
    assert 1e11 < check.max_ulp < 2e12
    assert check.weaknesses == ("for a test",)


def test_more_than_the_inaccuracy_that_is_declared_is_reported_by_how_much() -> None:
    said = refusal("tanh", "exceeding")
    assert said.endswith("ULP where 1e+03 are allowed, more than the declared weakness 'for a test' (inaccurate)")


def test_no_number_is_no_inaccuracy_that_is_allowed() -> None:
    assert refusal("tanh", "numberless") == "at z = 1 it gives inf where g' = 0.419974342"


def test_what_is_inaccurate_elsewhere_than_declared_is_refused() -> None:
    assert "at z = -" not in refusal("tanh", "elsewhere")
