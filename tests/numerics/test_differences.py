from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from actbench import plugins, registry
from actbench.errors import BenchmarkError, WrongKernelError
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.checks import STATED_ULP
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.model.weakness import Flaw
from actbench.verification import oracle
from actbench.verification.truth import SAFETY, Truth, differences, unsupported
from tests.support import definitions, kernels
from tests.support.kernels import evaluate

AMPLIFIED = 32.0
"""Where a forward function amplifies a rounding error further, its values do not tell by how much they are off."""

HEAD = """\
import math
import numpy as np
from scipy.special import expit
from actbench.formula import Formulas, Piecewise, Strategy, activation, strategy
"""

EXPIT = """
@activation
def expit_of_scipy(m):
    '''expit(z)'''
    def forward(z): return {forward}
    def recompute(z):
        e = np.exp(-abs(z))
        d = 1.0 + e
        return {factor} * e / (d * d)
    return Formulas(forward=forward, recompute=recompute)
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plugins.unload()


def write(text: str) -> None:
    Path("mine.py").write_text(HEAD + dedent(text))
    plugins.load("mine.py")


@pytest.mark.parametrize("name", registry.elementwise())
def test_a_difference_is_nowhere_further_off_than_it_says(name: str) -> None:
    activation = registry.activation(name)
    z = oracle.points(activation, Dtype.FLOAT64)[::3]
    result = differences.differentiate(differences.forward(activation), z, dict(activation.formulas.kinks))
    truth, _ = oracle.truth_at(activation, z)
    known = np.isfinite(result.error)
    certain = known & (kernels.declared(activation.formulas.weaknesses, Flaw.AMPLIFIES, z) < AMPLIFIED)
    if name in definitions.PERIODIC:
        certain &= np.abs(z) < 1 / differences.EPS  # a wave that is shorter than neighbouring floats are apart is none
    assert np.all(np.abs(result.slope - truth.nearest)[certain] <= SAFETY * result.error[certain])
    assert known.mean() > 0.9
    assert result.digits is not None
    assert 11 < result.digits < 15


def test_numbers_that_are_not_known_count_as_no_error() -> None:
    one = np.ones(3)
    truth = Truth(one, 0 * one, np.full(3, 0.5), slack=np.array([0.0, 3.0, np.inf]))
    assert truth.error(np.array([3.0, 3.0, 3.0])).tolist() == [4.0, 1.0, 0.0]
    assert truth.error(np.full(3, np.nan)).tolist() == [np.inf, np.inf, 0.0]
    assert truth.at(np.array([False, True, True])).error(np.array([3.0, 3.0])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", registry.elementwise())
def test_built_in_definitions_are_evaluated_exactly(name: str) -> None:
    assert unsupported(registry.activation(name)) is None


@pytest.mark.usefixtures("load")
@pytest.mark.parametrize("forward", ["expit(z)", "1.0 / (1.0 + np.exp(-z))"])
@pytest.mark.parametrize(
    ("op", "dtype"), [(Op.DERIVATIVE, Dtype.FLOAT32), (Op.BACKWARD, Dtype.FLOAT64), (Op.STEP, Dtype.FLOAT64)]
)
def test_a_function_of_numpy_s_or_scipy_s_is_checked_by_differences(forward: str, op: Op, dtype: Dtype) -> None:
    write(EXPIT.format(forward=forward, factor=1.0))
    kernel = KernelId("expit-of-scipy", Variant("recompute"), "numpy", op, dtype)
    check = oracle.check(resolve(kernel), evaluate)
    assert check.digits is not None
    assert 12 < check.digits < 15
    assert check.max_ulp <= STATED_ULP


@pytest.mark.usefixtures("load")
@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (0.5, "it seems to be off by a factor of 0.5"),
        (-1.0, "it seems to have the wrong sign"),
        (1.0 + 1e-5, "it seems to be off by a factor of 1.00001"),
    ],
)
def test_a_wrong_derivative_of_it_is_refused(factor: float, said: str) -> None:
    write(EXPIT.format(forward="expit(z)", factor=factor))
    kernel = KernelId("expit-of-scipy", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    with pytest.raises(WrongKernelError, match=said):
        oracle.check(resolve(kernel), evaluate)


@pytest.mark.usefixtures("load")
def test_math_s_functions_are_not_taken_for_mathematics() -> None:
    write("""
        @activation
        def mine(m):
            '''exp(z)'''
            def forward(z): return math.exp(z) if z < 700.0 else math.inf
            def recompute(z): return math.exp(z) if z < 700.0 else math.inf
            return Formulas(forward=forward, recompute=recompute)
    """)
    assert unsupported(registry.activation("mine")) == "TypeError: it converts z to float"
    truth, _ = oracle.truth_at(registry.activation("mine"), np.array([1.0]))
    assert truth.nearest[0] == pytest.approx(np.e, rel=1e-12)
    assert truth.slack is not None


@pytest.mark.usefixtures("load")
def test_a_stencil_does_not_reach_over_a_declared_kink() -> None:
    write("""
        @activation
        def mine(m):
            '''max(z, 0)'''
            def forward(z): return np.maximum(np.asarray(z, dtype=float), 0.0)
            def recompute(z): return 1.0 * (z > 0.0)
            return Formulas(forward=forward, recompute=recompute, kinks={0.0: 0.0})
    """)
    z = np.array([-1e-3, -1e-9, -1e-30, 0.0, 1e-30, 1e-9, 1e-3])
    truth, _ = oracle.truth_at(registry.activation("mine"), z)
    assert truth.slack is not None
    assert truth.error(np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0])).tolist() == [0.0] * 7
    assert np.isinf(truth.slack).tolist() == [False, True, True, False, True, True, False]
    kernel = KernelId("mine", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    assert oracle.check(resolve(kernel), evaluate).digits is not None


@pytest.mark.usefixtures("load")
@pytest.mark.parametrize(
    ("forward", "said"),
    [
        ("np.floor(100.0 * np.asarray(z, dtype=float)) / 100.0", "differences of the forward function give only"),
        ("np.no_such_function(z)", "the forward function raises AttributeError: module 'numpy' has no attribute"),
        ("no_such_name(z)", "the forward function raises NameError: name 'no_such_name' is not defined"),
    ],
)
def test_what_cannot_be_differentiated_is_reported(forward: str, said: str) -> None:
    write(EXPIT.format(forward=forward, factor=1.0))
    with pytest.raises(BenchmarkError, match=said):
        oracle.truth_at(registry.activation("expit-of-scipy"), np.linspace(-3.0, 3.0, 51))
