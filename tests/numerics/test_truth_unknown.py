"""What is not known of an activation is said; what cannot be known, and what is no function of one z, is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from actbench import plugins, registry
from actbench.errors import BenchmarkError, InputError, WrongKernelError
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.checks import Check
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report.remarks import _with_unknown
from actbench.runs import archive
from actbench.verification import oracle
from actbench.verification.oracle import _stretches
from tests.conftest import Actbench
from tests.support.declaring import declare
from tests.support.kernels import evaluate


@pytest.fixture(autouse=True)
def unloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plugins.unload()


def kernel() -> KernelId:
    return KernelId("mine", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)


def checked() -> Check:
    return oracle.check(resolve(kernel()), evaluate)


def refusal() -> str:
    with pytest.raises(WrongKernelError) as refused:
        checked()
    return str(refused.value)


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        ("[][1]", "the forward function raises IndexError: list index out of range"),
        (
            "m.sqrt(-1.0 - z * z)",
            r"g' of mine is known at 0 of \d+ z: the forward function raises ValueError at z = 0.75",
        ),
        ("z * m.nan", r"g' of mine is known at 0 of \d+ z: the forward function gives no real number elsewhere"),
        ("m.sqrt(z * z - 1e300)", r"g' of mine is known at \d+ of \d+ z: "),
    ],
)
def test_an_activation_of_which_next_to_nothing_is_known_is_refused(forward: str, said: str) -> None:
    declare(forward)
    with pytest.raises(BenchmarkError, match=said):
        checked()


@pytest.mark.parametrize("forward", ["m.log(z) * 0.0 + z", "np.log(z) * 0.0 + z"])
def test_where_g_is_unknown_is_counted_and_said(forward: str, actbench: Actbench) -> None:
    declare(forward)
    check = checked()
    assert check.points == oracle.points(registry.activation("mine"), Dtype.FLOAT64).size
    assert 0.4 < check.unknown / check.points < 0.6
    (low, high), *_ = check.unknown_at
    assert low == -np.finfo(np.float64).max
    assert -1e-6 < high < 1e-6
    said = actbench("run", "--load", "mine.py", "-a", "mine", "-b", "numpy", "-d", "float64", "-n", "100", "-o", "x")
    expected = f"mine: g' is not known at {check.unknown} of {check.points} z, from {low:.3g} to {high:.3g}"
    assert expected in " ".join(said.output.split())
    record = archive.load(Path("x")).record
    assert record is not None
    assert record.checks[0].unknown_at == check.unknown_at


def test_where_g_is_unknown_is_reported_in_few_stretches() -> None:
    z = np.array([-1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, -0.0, 0.0])
    there = np.isin(z, [-1.0, 1.0, 3.0, 6.0, 7.0, 11.0])
    assert [*_stretches(z, there)] == [(-1.0, -1.0), (1.0, 3.0), (6.0, 7.0), (11.0, 11.0)]
    assert [*_stretches(z, z == 0)] == [(0.0, 0.0)]
    assert [*_stretches(z, z > 100)] == []


def test_of_several_kernels_that_with_the_least_knowledge_is_reported() -> None:
    few, many, none = (Check(kernel(), 1.0, 0.0, unknown=number) for number in (3, 7, 0))
    assert _with_unknown([few, many, none]) == {"mine": many}
    assert _with_unknown([none]) == {}


DEPENDENT = [
    ("z - m.mean(z)", ""),
    ("m.cumsum(z)", ""),
    ("m.sort(z)", ""),
    ("z / m.sqrt(m.mean(z * z))", ", definition=lambda z: z"),
]


@pytest.mark.parametrize(("forward", "more"), DEPENDENT)
def test_a_function_of_the_other_elements_is_refused(forward: str, more: str) -> None:
    declare(forward, more=more)
    with pytest.raises(BenchmarkError, match=r"the output of mine at z = \S+ depends on the other elements"):
        checked()


def test_a_function_of_a_row_is_referred_to_activations_along_rows() -> None:
    with pytest.raises(InputError, match=r"works along rows, by m.sum or m.max, .* let it take dy first"):
        declare("m.exp(z - m.max(z)) / m.sum(m.exp(z - m.max(z)))")


@pytest.mark.parametrize("derivative", ["z / m.max(abs(z))", "m.where(z > m.mean(z), 1.0, 0.0)", "z[::-1]"])
def test_a_derivative_from_the_other_elements_is_refused(derivative: str) -> None:
    declare("0.5 * z * z", derivative)
    assert "g' by the strategy 'recompute' of mine at z = " in refusal()
    assert "depends on the other elements" in refusal()
