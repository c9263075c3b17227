from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from actbench.analysis.bottlenecks import Bottleneck, Parts, bottleneck
from actbench.analysis.figures import Figures, figures
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.medians import medians_per_round
from actbench.analysis.speedups import ratios
from actbench.model.calibration import Calibration
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.checks import Check
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import IN_CACHE_SIZE, Plan
from actbench.model.times import Times
from actbench.model.variants import Variant

LARGE = 100_000


def sure(ratio: float) -> Interval:
    return Interval(ratio, ratio, ratio)


COMPUTING = Parts(sure(0.1), moving=sure(0.1), copy_call=sure(0.1), call_in_cache=sure(0.5), slowed=sure(1.0))
"""Of a case bound by computing."""


def of_parts(size: int = LARGE, *, preallocates: bool = False, **others: Interval) -> Bottleneck | None:
    """Apply the rule where some of the ratios are others."""
    return bottleneck(size, COMPUTING._replace(**others), preallocates=preallocates)


def test_half_of_the_time_spent_on_one_element_too_is_dispatch() -> None:
    assert of_parts(call=sure(0.5)) is Bottleneck.DISPATCH
    assert of_parts(call=sure(0.499)) is Bottleneck.COMPUTE


def test_half_of_the_time_that_a_copy_takes_is_memory() -> None:
    assert of_parts(moving=sure(0.5)) is Bottleneck.MEMORY
    assert of_parts(moving=sure(0.499)) is Bottleneck.COMPUTE


def test_a_copy_that_is_hardly_more_than_its_call_says_nothing_of_memory() -> None:
    assert of_parts(moving=sure(0.6), copy_call=sure(0.66)) is Bottleneck.MEMORY
    assert of_parts(moving=sure(0.6), copy_call=sure(0.67)) is Bottleneck.COMPUTE


@pytest.mark.parametrize(("preallocates", "expected"), [(False, Bottleneck.ALLOCATION), (True, Bottleneck.MEMORY)])
def test_half_as_slow_again_as_in_cache_is_allocation_where_results_are_allocated(
    *, preallocates: bool, expected: Bottleneck
) -> None:
    assert of_parts(preallocates=preallocates, slowed=sure(1.51)) is expected
    assert of_parts(preallocates=preallocates, slowed=sure(1.49)) is Bottleneck.COMPUTE


def test_what_fits_the_cache_has_not_left_it() -> None:
    assert of_parts(IN_CACHE_SIZE, call_in_cache=NO_ESTIMATE, slowed=NO_ESTIMATE) is Bottleneck.COMPUTE
    assert of_parts(IN_CACHE_SIZE + 1, call_in_cache=NO_ESTIMATE, slowed=NO_ESTIMATE) is None


def test_where_a_call_hides_what_elements_take_in_cache_larger_arrays_are_bound_by_the_call_or_the_copy_alone() -> None:
    assert of_parts(call_in_cache=sure(0.67), slowed=sure(9.0)) is None
    assert of_parts(call_in_cache=sure(0.67), moving=sure(0.5)) is Bottleneck.MEMORY
    assert of_parts(call_in_cache=sure(0.67), call=sure(0.5)) is Bottleneck.DISPATCH
    assert of_parts(call_in_cache=sure(0.66), slowed=sure(9.0)) is Bottleneck.ALLOCATION


AROUND = {"call": 0.5, "moving": 0.5, "copy_call": 2 / 3, "call_in_cache": 2 / 3, "slowed": 1.5}
"""Where each ratio decides."""


@pytest.mark.parametrize("name", AROUND)
def test_a_ratio_whose_interval_holds_what_decides_gives_no_word(name: str) -> None:
    limit = AROUND[name]
    parts = COMPUTING._replace(moving=sure(0.6)) if name == "copy_call" else COMPUTING
    around, below = Interval(limit, 0.9 * limit, 1.1 * limit), Interval(0.95 * limit, 0.9 * limit, 0.99 * limit)
    assert bottleneck(LARGE, parts._replace(**{name: around}), preallocates=False) is None
    assert bottleneck(LARGE, parts._replace(**{name: below}), preallocates=False) is not None


def test_a_copy_that_may_be_all_call_matters_only_where_moving_may_take_half_of_the_time() -> None:
    assert of_parts(copy_call=Interval(0.6, 0.5, 0.7)) is Bottleneck.COMPUTE
    assert of_parts(moving=Interval(0.5, 0.4, 0.6), copy_call=sure(0.7)) is Bottleneck.COMPUTE


def test_operands_from_memory_have_left_the_cache_which_tells_nothing_of_what_is_allocated() -> None:
    slow = COMPUTING._replace(slowed=sure(9.0))
    assert bottleneck(LARGE, slow, preallocates=True, warm=False) is Bottleneck.MEMORY
    assert bottleneck(LARGE, slow, preallocates=False, warm=False) is None
    assert bottleneck(LARGE, COMPUTING, preallocates=False, warm=False) is Bottleneck.COMPUTE
    assert bottleneck(IN_CACHE_SIZE, COMPUTING, preallocates=True, warm=False) is None


def test_without_intervals_there_is_no_word() -> None:
    assert of_parts(call=Interval(0.9, *NO_ESTIMATE[1:])) is None


# From times


def plan_of(backend: str) -> Plan:
    return Plan((Block("tanh", Op.DERIVATIVE, Dtype.FLOAT64, LARGE, (Arm(Variant("cached"), backend),)),), seed=1)


def of_rounds(
    rounds: Sequence[float],
    *,
    call: Callable[[float], float] = lambda _: 1e-6,
    in_cache: Callable[[float], float] = lambda _: 1e-6 + 1e-9 * IN_CACHE_SIZE,
    processor: float = 1.0,
    probed: int | None = None,
    backend: str = "numpy",
    checks: Sequence[Check] = (),
) -> Figures:
    """Return the figures of a case that took so long in each round; `call` and `in_cache` give what its probes took."""
    plan = plan_of(backend)
    (block,), (single, cached) = plan.blocks, plan.probes
    finished = []
    for number, seconds in enumerate(rounds, start=1):
        finished.append(BlockTimes(block, number, ((seconds,), (1e-6,)), ((processor,), (1.0,))))
        if probed is None or number <= probed:
            for probe, probe_seconds in ((single, call(seconds)), (cached, in_cache(seconds))):
                finished.append(BlockTimes(probe, number, ((probe_seconds,), (1e-7,)), ((1.0,), (1.0,))))
    times = Times(plan, finished)
    calibration = Calibration((1, 1), (1, 1), 1, 1.0)
    (case, _) = figures(times, medians_per_round(times), ratios(times, times.blocks), {block.id: calibration}, checks)
    return case


@pytest.mark.parametrize(("preallocates", "expected"), [(False, Bottleneck.ALLOCATION), (True, Bottleneck.MEMORY)])
def test_a_backend_that_is_not_loaded_is_known_by_the_record(*, preallocates: bool, expected: Bottleneck) -> None:
    kernel = KernelId("tanh", Variant("cached"), "not-loaded-here", Op.DERIVATIVE, Dtype.FLOAT64)
    check = Check(kernel, 1.0, 0.0, kept_bytes=8, moved_bytes=16, preallocates=preallocates)
    assert of_rounds([2.01e-4] * 6, backend=kernel.backend, checks=[check]).bottleneck is expected


def test_elements_that_take_as_long_as_in_cache_are_computed_and_more_is_allocation() -> None:
    assert of_rounds([1.01e-4] * 6).bottleneck is Bottleneck.COMPUTE
    assert of_rounds([1.50e-4] * 6).bottleneck is Bottleneck.COMPUTE
    case = of_rounds([2.01e-4] * 6)
    assert case.bottleneck is Bottleneck.ALLOCATION
    assert case.parts is not None
    assert case.parts.call == pytest.approx((1 / 201,) * 3)
    assert case.parts.computing == pytest.approx((100 / 201,) * 3)
    assert case.parts.beyond == pytest.approx((100 / 201,) * 3)
    assert case.parts.moving == pytest.approx(((1e-6 - 1e-7) / 2.01e-4,) * 3)
    assert case.parts.copy_call == pytest.approx((0.1,) * 3)


def test_ratios_are_paired_in_rounds() -> None:
    slow_and_fast = [1e-4, 3e-4, 2e-4, 5e-4, 1e-4, 4e-4]
    assert of_rounds(slow_and_fast, call=lambda seconds: 0.6 * seconds).bottleneck is Bottleneck.DISPATCH
    assert of_rounds(slow_and_fast, call=lambda _: 1.5e-4).bottleneck is None, (
        "half of the time in some rounds, not in all"
    )
    case = of_rounds(slow_and_fast, call=lambda seconds: 0.1 * seconds, in_cache=lambda seconds: 0.16 * seconds)
    assert case.bottleneck is Bottleneck.COMPUTE


def test_five_rounds_say_nothing_and_neither_do_six_of_which_one_has_no_probe() -> None:
    for case in (of_rounds([2.01e-4] * 5), of_rounds([2.01e-4] * 6, probed=5)):
        assert case.bottleneck is None
        assert case.parts is not None
        assert not case.parts.known
        assert case.parts.call.value == pytest.approx(1 / 201)


def test_a_run_without_probes_says_nothing() -> None:
    assert of_rounds([2.01e-4] * 6, probed=0).parts is None


def test_where_no_time_is_seen_for_elements_in_cache_nothing_is_said_of_larger_arrays() -> None:
    assert of_rounds([1e-4] * 6, in_cache=lambda _: 0.9e-6).bottleneck is None


def test_what_other_processes_took_is_no_bottleneck() -> None:
    assert of_rounds([1.01e-4] * 6, processor=0.2).bottleneck is Bottleneck.COMPUTE, "processor time has none of it"
    unknown = of_rounds([6e-4] * 6, processor=0.0)
    assert unknown.parts is None
    assert unknown.bottleneck is None
    assert unknown.processor_pct != unknown.processor_pct
