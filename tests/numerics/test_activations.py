from __future__ import annotations

import math
import re
from itertools import product
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

from actbench import activations, registry
from actbench.errors import InputError
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import Op
from actbench.model.rule import Dialect, names_used
from actbench.model.variants import Variant
from actbench.planning import suite
from actbench.planning.selection import CaseQuery, Room
from actbench.registry import STRATEGIES
from actbench.verification import oracle
from tests.conftest import Actbench
from tests.support import definitions, kernels
from tests.support.tiers import exhaustive_but


def test_every_activation_file_is_discovered_and_summarised() -> None:
    files = {path.stem.replace("_", "-") for path in Path(activations.__file__).parent.glob("[!_]*.py")}
    assert set(registry.activations()) == files
    assert all(activation.summary for activation in registry.activations().values())


def test_every_strategy_is_one_of_the_vocabulary() -> None:
    for activation in registry.activations().values():
        assert set(activation.strategies) <= set(STRATEGIES)
        assert "recompute" in activation.strategies


def test_an_independent_truth_is_known_for_every_activation() -> None:
    assert set(definitions.TRUTH) == set(registry.elementwise())


def test_an_unknown_activation_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown activation 'logistc': did you mean 'logistic'"):
        registry.activation("logistc")


@pytest.mark.parametrize(
    ("activation", "strategy", "residuals"),
    [
        ("identity", "recompute", ("z",)),
        ("logistic", "textbook", ("z",)),
        ("logistic", "recompute", ("z",)),
        ("logistic", "cached", ("y",)),
        ("logistic", "complement", ("c",)),
        ("tanh", "textbook", ("z",)),
        ("tanh", "recompute", ("z",)),
        ("tanh", "cached", ("y",)),
        ("tanh", "complement", ("c",)),
        ("silu", "intermediate", ("z", "s")),
        ("silu", "pair", ("z", "y")),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_the_name_of_its_parameter_is_what_a_strategy_keeps(
    activation: str, strategy: str, residuals: tuple[str, ...], dialect: Dialect
) -> None:
    assert registry.activation(activation).rule(strategy, dialect, math).residuals == residuals


# What is known of an activation


def test_every_activation_has_a_reference_with_its_year() -> None:
    for activation in registry.activations().values():
        assert re.search(r'^[^"]+, ".+", (18|19|20)\d\d', activation.reference), activation.name


def test_an_activation_can_be_had_from_y_or_says_why_not() -> None:
    for activation in registry.activations().values():
        cached = activation.rule("cached", Dialect.ARRAY, None).residuals if "cached" in activation.strategies else ()
        assert ("y" in cached) != bool(activation.formulas.uncached), activation.name


def test_what_a_kink_is_taken_to_be_is_the_derivative_on_one_of_its_sides() -> None:
    for activation in registry.elementwise().values():
        _, slope = definitions.TRUTH[activation.name]
        for z, convention in activation.formulas.kinks.items():
            left, right = (float(slope(mpmath.mpf(z) + side)) for side in (-1e-9, 1e-9))
            assert left != pytest.approx(right)
            assert convention == pytest.approx(left) or convention == pytest.approx(right)  # unhashable


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        (lambda m: lambda z: m.exp(z) + m.where(z < 0.0, m.sqrt(z), 0.0), {"exp", "where", "sqrt"}),
        (lambda m: lambda z: abs(z) + m.inf, {"inf"}),
        (lambda _: lambda z: z.exp + math.exp(0.0), set()),
    ],
    ids=["functions", "a constant", "nothing"],
)
def test_what_a_formula_looks_up_in_its_namespace_is_read_off_its_code(formula: Any, names: set[str]) -> None:
    assert names_used(formula(None)) == names


def test_every_function_of_a_formula_exists_where_a_backend_does_not_say_that_it_lacks_it() -> None:
    usable = [backend for backend in registry.backends().values() if not backend.unavailable]
    for backend, activation in product(usable, registry.elementwise().values()):
        for strategy in activation.strategies:
            rule = activation.rule(strategy, backend.dialect, backend.namespace())
            executed = [formula for formula in (rule.forward, rule.save, rule.derivative) if formula]
            needed = {name for formula in executed for name in names_used(formula)}
            missing = {name for name in needed if not hasattr(backend.namespace(), name)}
            assert missing <= {*backend.lacks}, f"{activation.name} on {backend.name}"


# Parameters


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("elu", "elu"),
        ("elu:alpha=1", "elu"),
        ("elu:alpha=1.0", "elu"),
        ("elu:alpha=0.50", "elu:alpha=0.5"),
        ("elu:alpha=2.0", "elu:alpha=2"),
        ("elu:alpha=5e-1", "elu:alpha=0.5"),
        ("squareplus:b=4", "squareplus"),
        ("leaky-relu:slope=1e-5", "leaky-relu:slope=1e-05"),
    ],
)
def test_a_name_says_the_parameters_that_are_not_the_defaults(spelling: str, name: str) -> None:
    assert registry.activation(spelling).name == name
    assert registry.activation(name).name == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("elu:beta=2", "elu has no parameter 'beta' (its parameters: alpha)"),
        ("tanh:alpha=2", "tanh has no parameter 'alpha' (its parameters: none)"),
        ("elu:alpha=1e-21", "alpha must be 0, or between 1e-20 and 1e+20 in size"),
        ("celu:alpha=-1", "alpha must be between 1e-20 and 1e+20"),
        ("leaky-relu:slope=-1e30", "slope must be 0, or between 1e-20 and 1e+20 in size"),
        ("squareplus:b=1e7", "b must be between 1e-6 and 1e6"),
        ("elu:alpha=nan", "alpha must be a finite number"),
        ("elu:alpha=inf", "alpha must be a finite number"),
        ("elu:alpha", "write parameters as in elu:alpha=0.5, not 'alpha'"),
        ("elu:alpha=", "write parameters as in elu:alpha=0.5, not 'alpha='"),
        ("elu:", "write parameters as in elu:alpha=0.5, not ''"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(name: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        registry.activation(name)
    assert str(refused.value) == f"'{name}' is no activation: {said}"


@pytest.mark.parametrize("command", [("run", "--dry-run"), ("list", "cases")], ids=" ".join)
def test_commands_refuse_such_a_parameter_in_one_line(actbench: Actbench, command: tuple[str, ...]) -> None:
    for name in ("elu:beta=2", "elu:alpha=nan", "elu:"):
        with pytest.raises(InputError) as refused:
            registry.activation(name)
        result = actbench(*command, "-a", name)
        assert (result.exit_code, result.stderr) == (2, f"actbench: {refused.value}\n")


def test_an_unknown_activation_with_parameters_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown activation 'ela': did you mean 'elu'"):
        registry.activation("ela:alpha=2")


WITH_PARAMETERS: dict[str, tuple[Any, Any]] = {
    "elu:alpha=0.5": (
        lambda z: z if z > 0 else mpmath.expm1(z) / 2,
        lambda z: mpmath.mpf(1) if z > 0 else mpmath.exp(z) / 2,
    ),
    "celu:alpha=2": (
        lambda z: z if z > 0 else 2 * mpmath.expm1(z / 2),
        lambda z: mpmath.mpf(1) if z > 0 else mpmath.exp(z / 2),
    ),
    "celu:alpha=0.3": (
        lambda z: z if z > 0 else mpmath.mpf(0.3) * mpmath.expm1(z / mpmath.mpf(0.3)),
        lambda z: mpmath.mpf(1) if z > 0 else mpmath.exp(z / mpmath.mpf(0.3)),
    ),
    "leaky-relu:slope=0.25": (lambda z: z if z > 0 else z / 4, lambda z: mpmath.mpf(1 if z > 0 else 0.25)),
    "squareplus:b=0.1": (
        lambda z: (z + mpmath.sqrt(z * z + mpmath.mpf(0.1))) / 2,
        lambda z: (1 + z / mpmath.sqrt(z * z + mpmath.mpf(0.1))) / 2,
    ),
}


@pytest.mark.parametrize(
    ("name", "backend"),
    exhaustive_but(
        product(WITH_PARAMETERS, ("python", "numpy", "numba")),
        lambda pair: pair[1] != "numba" or pair[0] == "elu:alpha=0.5",
    ),
)
def test_an_activation_with_parameters_is_what_it_says(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(definitions.TRUTH, name, WITH_PARAMETERS[name])
    dtypes = registry.backend(backend).dtypes
    for strategy, dtype in product(registry.activation(name).strategies, dtypes[:1] if backend == "numba" else dtypes):
        kernel = KernelId(name, Variant(strategy), backend, Op.STEP, dtype)
        assert oracle.check(resolve(kernel), kernels.evaluate).kernel == kernel
        z = np.linspace(-3.0, 3.0, 61).astype(dtype)
        y, slope = kernels.outputs(kernel, z)
        few = 32 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(y, kernels.rounded(kernels.output(name, z), dtype), rtol=few, atol=few)
        np.testing.assert_allclose(slope, kernels.rounded(kernels.slope(name, z), dtype), rtol=few, atol=few)


def test_parameters_are_measured_under_their_canonical_name(actbench: Actbench) -> None:
    selection = ("-b", "numpy", "-s", "cached", "-d", "float64", "-n", "100")
    shown = actbench("list", "cases", *selection, "-a", "elu:alpha=1,elu,elu:alpha=0.50").stdout
    assert shown.splitlines() == [
        "elu/cached/numpy/derivative/float64/100",
        "elu:alpha=0.5/cached/numpy/derivative/float64/100",
    ]
    assert actbench("run", *selection, "-s", "recompute", "-a", "elu:alpha=0.50", "-o", "here").exit_code == 0
    assert "elu:alpha=0.5" in Path("here/cases.csv").read_text()
    assert actbench("compare", "here").exit_code == 0


def test_another_environment_is_offered_activations_with_parameters() -> None:
    axes = {"activations": ("elu:alpha=0.50", "elu:beta=1", "no-such"), "backends": ("numpy",), "sizes": (100,)}
    cases = suite.offered(CaseQuery("smoke", axes, "*", Room(1 << 33, max_call=1.0)))
    assert {case.activation for case in cases} == {"elu:alpha=0.5"}


def accepted(seed: int, count: int) -> list[str]:
    """Return activations with parameters of many magnitudes, and of either sign where that is accepted."""
    rng = np.random.default_rng(seed)

    def drawn(low: float, high: float, *signs: int) -> str:
        return f"{float(rng.choice(signs) * 10.0 ** rng.uniform(low, high)):.3g}"

    ranges = {"elu:alpha": (-20, 20, 1, -1), "celu:alpha": (-20, 20, 1), "leaky-relu:slope": (-20, 20, 1, -1)}
    ranges |= {"squareplus:b": (-6, 6, 1)}
    return [f"{name}={drawn(*limits)}" for _ in range(count) for name, limits in ranges.items()]


@pytest.mark.parametrize("name", [*accepted(seed=19, count=2), "elu:alpha=100", "celu:alpha=1e4", "elu:alpha=0"])
def test_every_parameter_that_is_accepted_passes(name: str) -> None:
    usable = [registry.backend(backend) for backend in ("python", "numpy")]
    for strategy, backend in product(registry.activation(name).strategies, usable):
        for dtype in backend.dtypes:
            kernel = KernelId(name, Variant(strategy), backend.name, Op.STEP, dtype)
            assert oracle.check(resolve(kernel), kernels.evaluate).kernel == kernel


@pytest.mark.parametrize("name", ["leaky-relu:slope=-2", "elu:alpha=-2"])
def test_where_y_is_not_enough_there_is_recompute_alone_and_the_reason(actbench: Actbench, name: str) -> None:
    assert actbench("list", "cases", "-a", name, "-b", "numpy", "-d", "float64", "-n", "10").stdout == (
        f"{name}/recompute/numpy/derivative/float64/10\n"
    )
    result = actbench("run", "-a", name, "-s", "cached")
    assert result.exit_code == 2
    assert "has the strategies recompute, and no cached, because " in result.stderr
    assert "comes from two different z" in result.stderr
