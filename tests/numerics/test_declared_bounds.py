"""What is declared of gates and of rows bounds their errors, as it does those of elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from actbench import plugins, registry
from actbench.backends.jax import ADDED_IN_TURN
from actbench.backends.torch_compile import ADDED_IN_VECTORS
from actbench.errors import LoadedCodeError, WrongKernelError
from actbench.formula import Activation, Flaw, Formulas, Strategy, Weakness
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.row_kernel import RowKernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.verification import flaws, oracle
from actbench.verification.evaluation import Evaluation
from tests.support import along_rows, gates, kernels
from tests.support.registered import register

EVERYWHERE = [
    (Weakness(Flaw.AMPLIFIES, "rounding", lambda z, *_: 1.0 + 0.0 * z), "16 are allowed"),
    (Weakness(Flaw.INACCURATE, "it is fast", lambda z, *_: 1e4 + 0.0 * z), "1e.04 are allowed"),
    (Weakness(Flaw.CANCELS, "digits cancel", lambda z, *_: abs(z) >= 0), "8 are allowed"),
]
"""Weaknesses, and what the message states of their bounds."""

ENDLESS = """\
from actbench.formula import Flaw, Strategy, Weakness, strategy
def where(z, fmt):
    while True:
        pass
@strategy("sine")
def mine(m):
    '''cos'''
    return Strategy(lambda z: m.cos(z), weaknesses=(Weakness(Flaw.CANCELS, "digits cancel", where),))
"""


@pytest.fixture
def unloaded() -> Iterator[None]:
    yield
    plugins.unload()


def halved(*weaknesses: Weakness) -> RowKernel:
    """Return softmax with half its gradient."""
    right = registry.activation("softmax").build

    def build(m: object) -> Formulas:
        cached = right(m).strategies["cached"].derivative
        half = Strategy(lambda dy, y: 0.5 * cached(dy, y), weaknesses=weaknesses)  # type: ignore[operator]
        return Formulas(forward=right(m).forward, cached=half)

    identity = KernelId("halved", Variant("cached"), "numpy", Op.BACKWARD, Dtype.FLOAT64)
    return RowKernel(identity, registry.backend("numpy"), Activation("halved", "softmax, off", build), "cached", None)


def proportional(*weaknesses: Weakness) -> Kernel:
    """Return y = a b with a gradient of a that is off by 1 %."""

    def build(m: object) -> Formulas:
        del m
        wrong = Strategy(lambda a, b: (1.01 * b, 1.0 * a), weaknesses=weaknesses)
        return Formulas(forward=lambda a, b: a * b, recompute=wrong, uncached="no")

    identity = KernelId("proportional", Variant("recompute"), "numpy", Op.BACKWARD, Dtype.FLOAT64)
    return Kernel(identity, registry.backend("numpy"), Activation("proportional", "a b", build), "recompute", None)


def kernel(name: str, strategy: str, backend: str = "numpy") -> Kernel:
    return resolution.kernel(KernelId(name, Variant(strategy), backend, Op.BACKWARD, Dtype.FLOAT64))


@pytest.mark.parametrize(("weakness", "allowed"), EVERYWHERE, ids=["amplifies", "inaccurate", "cancels"])
def test_a_gradient_along_rows_that_is_off_by_more_than_is_declared_is_refused(
    weakness: Weakness, allowed: str
) -> None:
    wrong = halved(weakness)
    with pytest.raises(WrongKernelError, match=allowed):
        oracle.check(wrong, along_rows.answers(wrong))


def test_a_gradient_of_a_gate_that_is_off_by_more_than_is_declared_is_refused() -> None:
    weakness, allowed = EVERYWHERE[1]
    wrong = proportional(weakness)
    with pytest.raises(WrongKernelError, match=allowed):
        oracle.check(wrong, gates.answers(wrong))


def test_the_gradient_of_logsumexp_from_y_has_the_digits_that_y_has_behind_the_point() -> None:
    one = kernel("logsumexp", "pair")

    def evaluate(identity: KernelId, z: Array, dy: Array) -> Evaluation:
        return Evaluation((1.0 + 1e-9) * along_rows.answers(one)(identity, z, dy).derivative, None)

    oracle.check(one, along_rows.answers(one))
    with pytest.raises(WrongKernelError, match="its gradient is"):
        oracle.check(one, evaluate)


@pytest.mark.parametrize("weakness", [ADDED_IN_TURN, ADDED_IN_VECTORS], ids=["jax", "torch-compile"])
def test_the_sums_of_a_long_row_are_off_by_no_more_than_all_of_its_roundings(weakness: Weakness) -> None:
    z = np.zeros((1, 4096), dtype=np.float32)
    assert 8 < flaws.allowed((weakness,), z).max() <= 8 + z.size


@pytest.mark.parametrize(("name", "strategy"), [("softmax", "recompute"), ("swiglu", "recompute")])
def test_a_call_that_raises_is_wrong_where_no_overflow_is_declared(name: str, strategy: str) -> None:
    def raising(_: KernelId, z: Array, dy: Array) -> Evaluation:
        del dy
        return Evaluation(np.full_like(z, np.nan), None, "OverflowError('math range error')")

    with pytest.raises(WrongKernelError, match="is nan where"):
        oracle.check(kernel(name, strategy), raising)
    with pytest.raises(WrongKernelError, match="is nan where"):
        oracle.check_calls(kernel(name, strategy), raising)


BESIDE_INPUTS = np.ones((3, 2))


@pytest.mark.parametrize(
    ("where", "gives"),
    [
        (lambda *_: BESIDE_INPUTS[:, :1] > 0, r"gives the shape \(3, 1\) where z has the shape"),
        (lambda *_: [[True], [True, False]], "gives lists where z has the shape"),
        (lambda *_: [], r"gives lists where z has the shape"),
        (lambda *_: 0.5, "gives 0.5 and not True or False"),
    ],
    ids=["shape", "ragged", "empty", "number"],
)
@pytest.mark.parametrize("inputs", [(np.ones(7),), (np.ones(7), np.zeros(7)), (np.ones((4, 5)),)])
def test_a_region_that_has_not_one_truth_value_for_each_element_is_refused_in_one_line(
    where: Callable[..., object], gives: str, inputs: tuple[Array, ...]
) -> None:
    weakness = Weakness(Flaw.CANCELS, "digits cancel", where)
    with pytest.raises(WrongKernelError, match=f"where= of 'digits cancel' {gives}.*: return True or False for each z"):
        flaws.region(weakness, *inputs)


def test_one_truth_value_counts_for_all_elements_also_beside_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.CANCELS, "it is a difference", lambda *_: True)
    cubic = Formulas(
        forward=lambda z: z * (z * z - 3.0), recompute=Strategy(lambda z: 3.0 * (z * z - 1.0), weaknesses=(weakness,))
    )
    register(monkeypatch, Activation("cubic", "for a test", lambda _: cubic))
    one = resolution.kernel(KernelId("cubic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64))
    oracle.check(one, kernels.evaluate)


def test_a_region_that_never_ends_is_reported_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unloaded: None
) -> None:
    del unloaded
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(ENDLESS)
    plugins.load("mine.py")
    plugins.allow(0.2)
    one = resolution.kernel(KernelId("sine", Variant("mine"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64))
    with pytest.raises(LoadedCodeError, match=r"where= of 'digits cancel': line [34] was still running after"):
        flaws.region(one.weaknesses[0], np.ones(3))
