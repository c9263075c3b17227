from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

import numpy as np
import pytest

from actbench import plugins
from actbench.errors import BenchmarkError, WrongKernelError
from actbench.kernels.operands import Array
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant
from actbench.verification import causes, oracle
from actbench.verification.oracle import Evaluation
from tests.support.kernels import evaluate
from tests.support.tiers import exhaustive_but

HEAD = """\
import math
import numpy as np
from scipy.special import expit
from actbench.formula import Formulas, Piecewise, Strategy, activation, strategy
"""


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plugins.unload()


def load(text: str) -> None:
    Path("mine.py").write_text(HEAD + dedent(text))
    plugins.load("mine.py")


def declared(activation: str, body: str, name: str = "mine") -> str:
    """Return the code that declares a strategy of that name."""
    code = indent(dedent(body), "    ")
    return (
        f"@strategy('{activation}', name='{name}')\ndef {name.replace('-', '_')}(m):\n{code}\n    return derivative\n"
    )


def load_strategy(activation: str, body: str) -> None:
    load(declared(activation, body))


def refusal(
    activation: str,
    op: Op = Op.DERIVATIVE,
    dtype: Dtype = Dtype.FLOAT64,
    *,
    strategy: str = "mine",
    backend: str = "numpy",
) -> str:
    """Return what is said of the kernel after its name."""
    kernel = KernelId(activation, Variant(strategy), backend, op, dtype)
    with pytest.raises(WrongKernelError) as raised:
        oracle.check(resolve(kernel), evaluate)
    return str(raised.value).removeprefix(f"{kernel.id} is wrong: ")


TWICE = "it seems to expect z, not the output y: g is applied twice"
EXPECTS_Y = "it seems to expect the output y, not z"

CLASSICS = [
    ("logistic", "def derivative(z): return z * (1.0 - z)", "z = 0 it gives 0 where g' = 0.25", EXPECTS_Y),
    ("tanh", "def derivative(z): return 1.0 - z * z", "z = 1 it gives 0 where g' = 0.419974342", EXPECTS_Y),
    (
        "logistic",
        "def derivative(y):\n    s = 1.0 / (1.0 + m.exp(-y))\n    return s * (1.0 - s)",
        "z = 0 it gives 0.235003712 where g' = 0.25",
        TWICE,
    ),
    (
        "tanh",
        "def derivative(y): return 1.0 - m.tanh(y) * m.tanh(y)",
        "z = 1 it gives 0.58781675 where g' = 0.419974342",
        TWICE,
    ),
    (
        "tanh",
        "def derivative(z):\n    t = m.tanh(m.tanh(z))\n    return 1.0 - t * t",
        "z = 1 it gives 0.58781675 where g' = 0.419974342",
        "it seems to be g' of the output y, not of z: g is applied twice",
    ),
    (
        "softplus",
        "def derivative(z): return m.log1p(m.exp(-abs(z))) + m.where(z > 0.0, z, 0.0)",
        "z = 0 it gives 0.693147181 where g' = 0.5",
        "it seems to return g, not g'",
    ),
    ("tanh", "def derivative(y): return y * y - 1.0", "z = 0 it gives -1 where g' = 1", "the wrong sign"),
    (
        "tanh",
        "def derivative(y): return 0.5 * (1.0 - y) * (1.0 + y)",
        "z = 0 it gives 0.5 where g' = 1",
        "it seems to be off by a factor of 0.5",
    ),
    ("relu", "def derivative(z): return 0.0 * z + 1.0", "z = 0 it gives 1 where g' = 0", "it is right for z > 0 only"),
    ("relu", "def derivative(z): return 0.0 * z", "z = 1 it gives 0 where g' = 1", "it is right for z < 0 only"),
    (
        "logistic",
        "def derivative(y): return y - y * y",
        "z = 10 it gives 4.53958077359e-05 where g' = 4.5395807736e-05",
        "digits cancel there: compute it another way",
    ),
]


@pytest.mark.parametrize("dtype", exhaustive_but(WIDE, Dtype.FLOAT64.__eq__))
def test_classic_mistakes_are_reported_in_words_at_a_z_where_they_show(dtype: Dtype) -> None:
    """All are loaded at once: the truth about an activation is known until something else is loaded."""
    load("".join(declared(activation, body, f"mine-{n}") for n, (activation, body, _, _) in enumerate(CLASSICS)))
    for number, (activation, body, where, explanation) in enumerate(CLASSICS):
        message = refusal(activation, dtype=dtype, strategy=f"mine-{number}")
        assert explanation in message, body
        assert ("ULP" in message) == ("digits" in explanation), body
        if dtype is Dtype.FLOAT64:
            assert where in message, body


@pytest.mark.parametrize("backend", exhaustive_but(["python", "numpy", "numba"], "numba".__ne__))
def test_a_mistake_is_reported_for_every_op_and_backend(backend: str) -> None:
    load_strategy("logistic", "def derivative(z): return z * (1.0 - z)")
    for op in (Op.DERIVATIVE, Op.BACKWARD, Op.STEP):
        explanation = refusal("logistic", op, backend=backend)
        assert explanation == f"at z = 0 it gives 0 where g' = 0.25: {EXPECTS_Y}"


@pytest.mark.parametrize(
    ("power", "explanation"), [(0, "it seems to leave out the factor dy"), (2, "it seems to multiply by dy twice")]
)
def test_a_factor_that_a_backend_forgets_or_doubles_is_reported(power: int, explanation: str) -> None:
    def wrong(kernel: KernelId, z: Array, dy: Array) -> Evaluation:
        right = evaluate(kernel, z, dy)
        return Evaluation(right.derivative / dy * dy**power, right.y)

    kernel = KernelId("tanh", Variant("recompute"), "numpy", Op.BACKWARD, Dtype.FLOAT64)
    with pytest.raises(WrongKernelError, match=explanation):
        oracle.check(resolve(kernel), wrong)


def test_what_fits_no_guess_is_reported_without_one() -> None:
    load_strategy("tanh", "def derivative(y): return (1.0 - y) * (1.0 + y) + 0.01 * y")
    assert refusal("tanh").endswith("ULP; 8 are allowed; over 1e308 at z = -340.301234)")


def test_a_formula_for_numbers_alone_is_understood() -> None:
    load_strategy("logistic", "def derivative(z):\n    if z > 1e300:\n        return 0.0\n    return z * (1.0 - z)")
    assert EXPECTS_Y in refusal("logistic", backend="python")


def test_a_formula_beyond_all_numbers_is_reported_without_warnings() -> None:
    load_strategy("logistic", "def derivative(z): return np.sqrt(z) * 1e300 * 1e300")
    assert "and no number for |z| >= 4.941e-324" in refusal("logistic")


# What is the matter with g itself

BENT = """
@activation
def bent(m):
    '''its kink or jump undeclared'''
    def forward(z): return {forward}
    def recompute(z): return {slope}
    return Formulas(forward=forward, recompute=recompute)
"""


@pytest.mark.parametrize("forward", ["0.5 * (z + abs(z))", "np.maximum(np.asarray(z, dtype=float), 0.0)"])
def test_an_undeclared_kink_is_not_blamed_on_the_kernel(forward: str) -> None:
    load(BENT.format(forward=forward, slope="1.0 * (z > 0.0)"))
    explanation = refusal("bent", strategy="recompute")
    assert "g itself has a kink at z = 0, with slope 0 before and 1 after: declare kinks={0: 0}" in explanation


def test_a_jump_is_not_blamed_on_the_kernel() -> None:
    load(BENT.format(forward="1.0 * (z > 0.0)", slope="0.0 * z"))
    assert "g itself jumps at z = 0, from 0 to 1: it has no derivative there" in refusal("bent", strategy="recompute")


def test_a_definition_that_raises_is_reported_with_its_z() -> None:
    load(BENT.format(forward="m.sinh(z) / z", slope="z"))
    kernel = KernelId("bent", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    with pytest.raises(BenchmarkError, match=r"the definition of bent raises ZeroDivisionError at z = -?0, in mpmath"):
        oracle.check(resolve(kernel), evaluate)


def test_no_guess_needs_more_than_the_kernel_gave() -> None:
    def nothing(kernel: KernelId, z: Array, dy: Array) -> Evaluation:
        del kernel, dy
        return Evaluation(np.full_like(z, np.nan), None, "ValueError()")

    kernel = KernelId("tanh", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    with pytest.raises(WrongKernelError, match="it gives nan where"):
        oracle.check(resolve(kernel), nothing)


def test_what_a_kernel_raises_is_reported() -> None:
    load_strategy("logistic", "def derivative(z):\n    raise ZeroDivisionError('on purpose')")
    for op in (Op.DERIVATIVE, Op.BACKWARD, Op.STEP):
        explanation = refusal("logistic", op, backend="python")
        assert explanation == (
            "at z = 0 it gives nan where g' = 0.25, and no number at any z: it raised ZeroDivisionError('on purpose')"
        )


def test_y_at_a_kink_explains_what_is_g_prime_there_and_nothing_else() -> None:
    z, slope = np.array([3.0, np.nextafter(3.0, 4.0)]), {3.0: 0.5}
    assert "rounds to its value at the kink z = 3" in causes.merging(z, np.full(2, 0.5), slope)
    assert not causes.merging(z, np.array([0.5, 0.25]), slope)
