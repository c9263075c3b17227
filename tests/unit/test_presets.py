"""The presets."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from actbench import registry
from actbench.errors import InputError
from actbench.kernels import resolution
from actbench.model.cases import Case, KernelId
from actbench.model.names import FIRST_ORDER, WIDE, Dtype, Op, OperandState
from actbench.model.plan import Plan
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.planning import durations, presets
from actbench.planning.resolved import resolved
from tests.support.planned import planned
from tests.support.tiers import exhaustive_but

PRESETS = list(presets.catalogue())


@cache
def preset(name: str) -> Plan:
    return planned(presets.get(name).axes)


def ids(plan: Plan) -> list[str]:
    return [case.id for case in plan.cases]


def test_the_default_preset_has_eighty_cases_or_more() -> None:
    plan = preset("default")
    assert len(plan.cases) >= 80
    assert {case.size for case in plan.cases} == {1_000, 100_000, 4_000_000}
    assert {case.activation for case in plan.cases} == {"logistic", "tanh"}
    assert {case.strategy for case in plan.cases} == {"textbook", "recompute", "cached", "complement"}
    assert {case.dtype for case in plan.cases} == set(WIDE)
    assert {case.op for case in plan.cases} == {Op.DERIVATIVE}


def test_pure_python_is_left_out_at_four_million_elements_with_the_reason() -> None:
    plan = preset("default")
    assert not [case for case in plan.cases if case.backend == "python" and case.size == 4_000_000]
    assert [case for case in plan.cases if case.backend == "python" and case.size == 100_000]
    reasons = {left.reason for left in plan.left_out if left.case.endswith("/python/derivative/float64/4000000")}
    assert reasons == {"one call would take about 0.8 s, above the cap of 0.5 s (--max-call)"}


def test_pure_python_is_left_out_in_float32_with_the_reason() -> None:
    reasons = {left.reason for left in preset("default").left_out if "/python/" in left.case and "float32" in left.case}
    assert reasons == {"python computes in float64 only"}


def test_the_smoke_preset_is_a_handful_of_small_cases() -> None:
    plan = preset("smoke")
    assert {case.size for case in plan.cases} == {1000}
    assert {case.strategy for case in plan.cases} == {"recompute", "cached"}
    assert {case.dtype for case in plan.cases} == {Dtype.FLOAT64}
    assert len(plan.cases) <= 20
    assert not plan.left_out


@pytest.mark.parametrize(
    ("activation", "strategies"),
    [
        ("swiglu", {"recompute", "intermediate", "pair"}),
        ("reglu", {"recompute", "cached"}),
        ("gaussian", {"recompute", "pair"}),
        ("logsumexp", {"recompute", "intermediate", "pair"}),
        ("identity", {"recompute"}),
    ],
)
def test_what_has_no_cached_strategy_has_another_one_unless_strategies_are_named(
    activation: str, strategies: set[str]
) -> None:
    axes = presets.get("smoke").axes.with_named({"activations": (activation,)})
    assert {case.strategy for case, _ in resolved(axes).cases("*")} == strategies
    named = axes.with_named({"strategies": (Variant("recompute"), Variant("cached"))})
    assert {case.strategy for case, _ in resolved(named).cases("*")} == {"recompute", "cached"} & strategies


def test_the_same_holds_for_operands_from_memory() -> None:
    axes = presets.get("default").axes.with_named({"activations": ("swiglu",)})
    cold = {case.strategy for case, _ in resolved(axes).cases("*") if case.operands is OperandState.COLD}
    assert cold == {"recompute", "intermediate", "pair"}


def test_the_full_preset_spans_everything_from_16_to_16_million_elements() -> None:
    axes = presets.get("full").axes
    elements = [size.elements for size in axes.sizes]
    assert (elements[0], elements[-1]) == (16, 16_000_000)
    assert elements == sorted(elements)
    plan = preset("full")
    assert {case.activation for case in plan.cases} == set(registry.activations())
    assert {case.op for case in plan.cases} == set(FIRST_ORDER)
    assert {case.size for case in plan.cases} == set(elements)
    assert len(plan.cases) > 1000


@pytest.mark.parametrize("name", PRESETS)
def test_presets_use_the_plain_backends_and_those_for_comparing_more_of_what_is_available(name: str) -> None:
    usable = {name: backend for name, backend in registry.backends().items() if not backend.unavailable}
    core = {*usable} & {"python", "numpy", "numba"}
    expected = {
        "check": core - {"python"},
        "overhead": core | {"numba-parallel"},
        "peers": {*usable} - {*presets.ONLY_BY_NAME},
        "sweep": {*usable} & {"numpy", "numba", "numba-simd"},
        "full": {name for name, backend in usable.items() if not backend.optional},
    }
    assert {*presets.get(name).axes.backends} == expected.get(name, core)


@pytest.mark.parametrize("name", exhaustive_but(PRESETS, lambda name: name != "full"))
def test_no_preset_asks_for_a_backend_that_is_not_available(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.backends()["numba"]), "requires", "no_such_distribution")
    assert "numba" not in presets.get(name).axes.backends
    assert not [case for case in preset.__wrapped__(name).cases if case.backend == "numba"]


@pytest.mark.parametrize("name", PRESETS)
def test_cases_of_a_preset_are_distinct_and_their_ids_can_be_read(name: str) -> None:
    cases = preset(name).cases
    assert [Case.parse(case.id) for case in cases] == list(cases)
    assert Counter(cases).most_common(1)[0][1] == 1


@pytest.mark.parametrize("name", PRESETS)
def test_every_case_asked_for_is_measured_or_left_out_with_a_reason(name: str) -> None:
    axes = presets.get(name).axes
    requested = {
        KernelId(activation, strategy, backend, op, dtype).of(size, operands).id
        for activation in axes.activations
        for strategy in axes.strategies
        for backend in axes.backends
        if strategy in resolution.activation_or_ladder(activation).strategies
        or (strategy == SHIPPED and not registry.backends()[backend].unshipped(activation))
        for op in axes.ops_of(resolution.activation_or_ladder(activation))
        for dtype in axes.dtypes
        for size in axes.sizes
        for operands in axes.states
        if axes.include(operands, size, backend, strategy)
    }
    plan = preset(name)
    measured, left = set(ids(plan)), {item.case for item in plan.left_out}
    assert measured | left == requested
    assert not measured & left
    assert all(item.reason for item in plan.left_out)


@pytest.mark.parametrize("name", ["smoke", "default", "overhead"])
def test_a_round_of_a_preset_is_predicted_to_fit_its_budget_several_times(name: str) -> None:
    chosen = presets.get(name)
    predicted = durations.predicted_round(planned(chosen.axes), chosen.arm_seconds)
    assert 0 < 3 * predicted < chosen.budget


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown preset 'defualt': did you mean 'default'"):
        presets.get("defualt")
