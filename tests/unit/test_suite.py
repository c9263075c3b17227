from __future__ import annotations

from dataclasses import replace

import pytest

from actbench import registry
from actbench.errors import InputError
from actbench.host import speed
from actbench.kernels import reference_library
from actbench.kernels.resolution import resolve
from actbench.model.cases import Case
from actbench.model.names import WIDE, Dtype, Op, OperandState
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning import costs, durations, suite
from actbench.planning.presets import Axes
from actbench.planning.resolved import refuse_unknown
from actbench.planning.selection import CaseQuery, Room
from actbench.registry import STRATEGIES
from tests.support.planned import PLENTY, SMALL, planned


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activations": ("logistic", "tahn")}, "unknown activation 'tahn': did you mean 'tanh'?"),
        ({"strategies": (Variant("cashed"),)}, "unknown strategy 'cashed': did you mean 'cached'?"),
        (
            {"strategies": (Variant("nosuch"),)},
            "unknown strategy 'nosuch': known are cached, complement, intermediate, pair, recompute, shipped, textbook",
        ),
        ({"strategies": (Variant("dispach"),)}, "unknown strategy 'dispach': did you mean 'dispatch'?"),
        ({"backends": ("numpie",)}, "unknown backend 'numpie': did you mean 'numpy'?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(InputError) as refused:
        planned(replace(SMALL, **wrong))  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_a_backend_asked_for_by_name_must_be_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.backends()["numba"]), "requires", "no_such_distribution")
    with pytest.raises(InputError, match="no_such_distribution is not installed"):
        planned(replace(SMALL, backends=("numpy", "numba")))


def test_a_name_that_only_another_environment_knows_is_not_refused() -> None:
    query = CaseQuery("check", {"activations": ("logistic", "tahn")}, "*", Room(PLENTY))
    refuse_unknown(query, [Case.parse("tahn/cached/numpy/derivative/float64/1000")])
    with pytest.raises(InputError, match="unknown activation 'tahn'"):
        refuse_unknown(query, [])


def test_a_block_holds_the_cases_of_one_activation_op_dtype_and_size() -> None:
    axes = replace(
        SMALL,
        activations=("logistic", "tanh"),
        backends=("numpy", "numba"),
        ops=tuple(Op),
        dtypes=WIDE,
        sizes=sizes(10, 20),
    )
    plan = planned(axes)
    assert len(plan.blocks) == 2 * len(Op) * 2 * 2
    assert len({block.id for block in plan.blocks}) == len(plan.blocks)
    for block in plan.blocks:
        assert len(block.arms) == 4
        assert {(case.activation, case.op, case.dtype, case.size) for case in block.timed[:-1]} == {
            (block.activation, block.op, block.dtype, block.size)
        }


@pytest.mark.parametrize("activation", ["logistic", "silu", "gelu"])
def test_strategies_and_backends_keep_the_order_of_tables_however_they_were_asked_for(activation: str) -> None:
    reverse = tuple(map(Variant, reversed([*STRATEGIES])))
    axes = replace(SMALL, activations=(activation,), strategies=reverse, backends=("numba", "numpy", "python"))
    arms = [(arm.backend, arm.strategy) for arm in planned(axes).blocks[0].arms]
    existing = [name for name in STRATEGIES if name in registry.activation(activation).strategies]
    assert arms == [(backend, strategy) for backend in ("python", "numpy", "numba") for strategy in existing]


def test_sizes_are_measured_in_order() -> None:
    assert [block.size for block in planned(replace(SMALL, sizes=sizes(30, 10, 20))).blocks] == [10, 20, 30]


def test_repeating_a_value_on_an_axis_repeats_no_case() -> None:
    doubled = Axes(
        activations=SMALL.activations * 2,
        strategies=SMALL.strategies * 2,
        backends=SMALL.backends * 2,
        ops=SMALL.ops * 2,
        dtypes=SMALL.dtypes * 2,
        sizes=SMALL.sizes * 2,
    )
    assert planned(doubled) == planned(SMALL)
    too_slow = replace(doubled, backends=("python", "numpy") * 2, sizes=sizes(4_000_000) * 2)
    left = [item.case for item in planned(too_slow).left_out]
    assert len(left) == len(set(left)) == 2


def test_a_strategy_that_an_activation_lacks_is_passed_over_in_silence() -> None:
    plan = planned(replace(SMALL, activations=("identity", "logistic")))
    assert [case.strategy for case in plan.cases if case.activation == "identity"] == ["recompute"]
    assert not plan.left_out


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("*", {"recompute", "cached"}),
        ("*/cached/*", {"cached"}),
        ("logistic/re*/1000", {"recompute"}),
        ("*/[cr]*/numpy/*", {"recompute", "cached"}),
        ("logistic/cached/numpy/derivative/float64/1000", {"cached"}),
    ],
)
def test_a_filter_keeps_the_cases_whose_id_matches(pattern: str, kept: set[str]) -> None:
    plan = planned(pattern=pattern)
    assert {case.strategy for case in plan.cases} == kept
    assert not plan.left_out


@pytest.mark.parametrize("pattern", ["cached", "*/CACHED/*", "", "*/float32/*"])
def test_a_filter_matches_the_whole_id_as_it_is_written_or_nothing_is_left(pattern: str) -> None:
    with pytest.raises(InputError, match="the selection leaves no case to measure"):
        planned(pattern=pattern)


def test_what_a_filter_drops_is_not_listed_as_left_out() -> None:
    axes = replace(SMALL, backends=("python", "numpy"), sizes=sizes(1000, 4_000_000))
    assert planned(axes).left_out
    assert not planned(axes, pattern="*/1000").left_out


def test_nothing_left_to_measure_is_an_error_with_the_first_reason() -> None:
    with pytest.raises(InputError, match="leaves no case to measure: python computes in float64 only"):
        planned(replace(SMALL, backends=("python",), dtypes=(Dtype.FLOAT32,)))


def test_a_strategy_that_none_of_the_activations_has_leaves_nothing() -> None:
    with pytest.raises(InputError, match="leaves no case to measure"):
        planned(replace(SMALL, activations=("identity",), strategies=(Variant("cached"),)))


def test_the_cap_on_a_single_call_can_be_moved() -> None:
    axes = replace(SMALL, backends=("python",), sizes=sizes(4_000_000))
    assert planned(axes, max_call=1.0).cases
    with pytest.raises(InputError, match=r"above the cap of 0\.7 s"):
        planned(axes, max_call=0.7)


def test_a_block_may_need_half_of_the_memory_and_no_more() -> None:
    needed = suite.ARRAYS_PER_BLOCK * 1000 * 8
    assert planned(memory=2 * needed).cases
    with pytest.raises(InputError, match="more than half of the"):
        planned(memory=2 * needed - 1)


def test_what_does_not_fit_into_memory_is_left_out_and_the_rest_is_measured() -> None:
    axes = replace(SMALL, sizes=sizes(1000, 10_000_000), dtypes=WIDE)
    plan = planned(axes, memory=suite.ARRAYS_PER_BLOCK * 10_000_000 * 4 * 2)
    assert {(case.dtype, case.size) for case in plan.cases} == {
        (Dtype.FLOAT32, 1000),
        (Dtype.FLOAT32, 10_000_000),
        (Dtype.FLOAT64, 1000),
    }
    assert {item.reason for item in plan.left_out} == {
        "the block needs about 0.96 GB, more than half of the 0.96 GB that there are"
    }


def test_the_plan_keeps_the_seed_and_says_what_inputs_are_drawn_from() -> None:
    plan = suite.plan(SMALL, Room(PLENTY), seed=42)
    assert plan.seed == 42
    assert str(plan.inputs) == "normal:0,1"


def test_every_kernel_of_a_plan_is_checked_once_for_all_its_sizes() -> None:
    plan = planned(replace(SMALL, sizes=sizes(10, 20, 30)))
    assert len(plan.cases) == 6
    assert [kernel.strategy for kernel in plan.kernels] == ["recompute", "cached"]


def test_what_is_held_to_a_library_that_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_library, "lacks_library", lambda: True)
    plan = planned(replace(SMALL, activations=("gelu", "tanh")))
    assert {case.activation for case in plan.cases} == {"tanh"}
    assert {item.reason for item in plan.left_out} == {"gelu is held to functions of scipy, which is not installed"}


def test_more_elements_take_longer_by_prediction_and_pure_python_longest() -> None:
    case = planned().cases[0]
    assert costs.predicted_call(resolve(case), 2000) == 2 * costs.predicted_call(resolve(case), 1000)
    slowest = max(registry.backends(), key=lambda name: costs.predicted_call(resolve(replace(case, backend=name)), 1))
    assert slowest == "python"


def test_a_round_is_predicted_to_take_longer_the_more_there_is_to_measure() -> None:
    few, many = planned(), planned(replace(SMALL, sizes=sizes(1000, 2000)))
    assert durations.WORKER < durations.predicted_round(few, 0.04) < durations.predicted_round(many, 0.04)
    assert durations.predicted_round(few, 0.04) < durations.predicted_round(few, 0.08)


def test_cold_operands_are_predicted_to_take_longer_the_larger_the_cache_that_they_pass() -> None:
    cold = replace(SMALL, operands=(OperandState.COLD,), sizes=sizes(100_000))
    plan = suite.plan(cold, Room(PLENTY, cache=1 << 25), pattern="*", seed=1)
    small, large = (durations.predicted_round(replace(plan, cache=cache), 0.04) for cache in (1 << 25, 1 << 29))
    assert large - small == pytest.approx(2 * durations.COLD * ((1 << 29) - (1 << 25)))


def test_all_but_the_time_of_arms_is_predicted_to_take_longer_where_python_does() -> None:
    plan = planned()
    fast, slow = (durations.predicted_round(plan, 0.04, slowness) for slowness in (1.0, 3.0))
    arms = durations.STRETCHED * 0.04 * sum(len(block.timed) for block in plan.blocks)
    assert slow - arms == pytest.approx(3 * (fast - arms))
    assert durations.preparation(plan, 3.0) == pytest.approx(3 * durations.preparation(plan))


def test_this_machine_is_neither_a_hundred_times_faster_nor_slower_than_the_one_of_the_figures() -> None:
    assert 0.01 < speed.slowness() < 100
