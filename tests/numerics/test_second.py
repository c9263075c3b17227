"""g'': its truth, its forms, and what is refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import mpmath
import numpy as np
import pytest

from actbench import plugins, registry
from actbench.errors import BenchmarkError, InputError, WrongKernelError
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report.numbers import significant
from actbench.verification import oracle
from actbench.verification.truth import nearest_to, truth_at
from tests.conftest import Actbench
from tests.support import definitions, documents
from tests.support.declaring import declare
from tests.support.kernels import by_kernel, evaluate, every_kernel

Z = np.array([-31.7, -6.3, -2.256, -0.75, -1e-9, 1e-300, 0.3, 0.7071, 2.4, 11.9, 70.3])


def smooth() -> list[str]:
    return [name for name, one in registry.elementwise().items() if not one.formulas.without_second]


def kernel(activation: str, strategy: str, backend: str = "numpy", op: Op = Op.SECOND) -> Kernel:
    return resolution.kernel(KernelId(activation, Variant(strategy), backend, op, Dtype.FLOAT64))


@pytest.mark.parametrize("activation", smooth())
def test_the_truth_of_g2_is_the_slope_of_a_derivative_written_independently(activation: str) -> None:
    _, slope = definitions.TRUTH[activation]
    with mpmath.workdps(400):
        right = nearest_to([mpmath.diff(slope, mpmath.mpf(z), h=mpmath.mpf(10) ** -340) for z in Z.tolist()], Z.dtype)
    second, first = truth_at(registry.activation(activation).second, Z)
    np.testing.assert_allclose(second.nearest, right.nearest, rtol=1e-15, atol=1e-300)
    assert np.array_equal(first.nearest, truth_at(registry.activation(activation), Z)[0].nearest)


def test_every_activation_has_a_form_of_g2_from_z_or_says_why_not() -> None:
    for activation in registry.elementwise().values():
        assert ("recompute" in activation.second.strategies) != bool(activation.formulas.without_second)


def test_a_form_of_g2_keeps_what_the_form_of_g1_keeps() -> None:
    for activation in registry.elementwise().values():
        for strategy in activation.second.strategies:
            pair = [kernel(activation.name, strategy, op=op) for op in (Op.DERIVATIVE, Op.SECOND)]
            assert pair[0].residuals == pair[1].residuals
            assert pair[0].traffic == pair[1].traffic


def test_g2_of_frameworks_gated_activations_and_strategies_without_a_form_does_not_exist() -> None:
    assert "g' is piecewise constant" in str(kernel("relu", "cached").unsupported)
    assert "as have textbook, recompute, cached" in str(kernel("tanh", "complement").unsupported)
    assert "is gated" in str(kernel("swiglu", "recompute").unsupported)
    assert "not g''" in str(kernel("tanh", "shipped", "torch").unsupported)


@pytest.fixture
def unloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plugins.unload()


def declared(second: str, forward: str = "z * z * z", more: str = "") -> None:
    declare(forward, more=f"{more}, keep=Strategy(lambda z: 3.0 * z * z, second={second})")


@by_kernel(every_kernel((Op.SECOND,)), "form")
def test_a_form_of_g2_is_held_to_its_truth(form: KernelId) -> None:
    assert oracle.check(resolution.resolve(form), evaluate).kernel == form


@pytest.mark.usefixtures("unloaded")
def test_a_right_g2_of_a_user_passes() -> None:
    declared("lambda z: 6.0 * z")
    check = oracle.check(kernel("mine", "keep"), evaluate)
    assert check.max_ulp is not None
    assert check.max_ulp < 2


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("lambda z: 5.0 * z", "it seems to be off by a factor of 0.833333333"),
        ("lambda z: 3.0 * z * z", "it seems to return g', not g''"),
        ("lambda z: -6.0 * z", "it seems to have the wrong sign"),
        ("lambda z: 6.0 * z + (z == 1.0)", "at z = 1 it gives 7 where g'' = 6"),
    ],
)
def test_a_wrong_g2_is_refused_and_named(second: str, words: str) -> None:
    declared(second)
    with pytest.raises(WrongKernelError) as refused:
        oracle.check(kernel("mine", "keep"), evaluate)
    assert words in str(refused.value)


@pytest.mark.usefixtures("unloaded")
def test_a_jump_of_g1_that_is_not_declared_is_named_and_what_to_declare() -> None:
    declared("lambda z: 2.0 * (z > 0.0)", forward="z * z if z > 0.0 else 0.0 * z")
    with pytest.raises(WrongKernelError, match=r"g' itself has a kink at z = 0, .*: declare second_kinks=\{0: 0\}"):
        oracle.check(kernel("mine", "keep"), evaluate)


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize(
    ("forward", "why"),
    [
        ("np.power(z, 3)", r".*definition=\.\.\."),
        ("m.log10(1.0 + z * z)", "TypeError: m.log10 has no second derivative here"),
    ],
)
def test_a_g2_of_what_mpmath_cannot_evaluate_is_not_known(forward: str, why: str) -> None:
    declared("lambda z: 6.0 * z", forward=forward)
    with pytest.raises(BenchmarkError, match=rf"g'' of mine is not known: mpmath cannot evaluate it \({why}"):
        oracle.check(kernel("mine", "keep"), evaluate)


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("lambda y: y", r"has a second of \(y\): let it take what is kept, \(z\)"),
        ("3.0", "has a second that is a float: write a Python function"),
    ],
)
def test_a_second_that_cannot_be_called_is_refused_where_it_is_loaded(second: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        declared(second)


def test_keeping_y_loses_g2_of_the_logistic_where_g1_is_known_to_the_last_digit(actbench: Actbench) -> None:
    options = ("accuracy", "-a", "logistic", "-b", "numpy", "-s", "cached", "-d", "float64", "--format", "csv")
    rows = list(csv.DictReader(actbench(*options, "--of", "derivative,second", "--points", "60").stdout.splitlines()))
    near = {row["of"]: float(row["max_relative"]) for row in rows if (row["part"], row["high"]) == ("left", "1")}
    assert near["derivative"] < 1e-15
    assert near["second"] > 0.01


@pytest.mark.exhaustive
def test_the_table_of_the_documents_has_what_is_lost(actbench: Actbench) -> None:
    page = (documents.ROOT / "docs" / "explanation" / "accuracy.md").read_text()
    table = [line.strip("|").split("|") for line in page.split("## Second derivatives")[1].split("\n") if "| `" in line]
    quoted = {(row[0].strip(" `"), row[1].strip()): row[4].strip() for row in table}
    names = ",".join(dict.fromkeys(name for name, _ in quoted))
    options = ("-s", "cached,intermediate,pair", "-b", "numpy", "-d", "float32", "--residuals", "exact")
    shown = actbench("accuracy", "--of", "second", "-a", names, *options, "--points", "100", "--format", "csv").stdout
    rows = [row for row in csv.DictReader(shown.splitlines()) if row["part"] == "normal"]
    assert {(row["activation"], row["strategy"]): significant(float(row["p99_ulp"]), 2) for row in rows} == quoted


def test_show_prints_the_form_of_g2_and_its_weaknesses(actbench: Actbench) -> None:
    shown = actbench("show", "tanh/cached/numpy/second/float64/10").stdout
    assert "second derivative, from y" in shown
    assert "return -2.0 * y * ((1.0 - y) * (1.0 + y))" in shown
    assert "known weakness: cancels: 1 - |y|" in shown
