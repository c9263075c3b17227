"""Plans with operands that come from memory: what is measured in which state, and what there is no room for."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import product

import pytest

from actbench.backends.numpy import Numpy
from actbench.engine.working.prepared import PreparedBlock
from actbench.errors import InputError
from actbench.host import caches
from actbench.kernels import resolution, sets
from actbench.model.cases import Block, Case
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import Op, OperandState
from actbench.model.plan import Plan
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning import presets, suite
from actbench.planning.presets import Axes
from actbench.planning.selection import CaseQuery, Room
from tests.conftest import Actbench
from tests.support.planned import PLENTY, SMALL
from tests.support.registered import register
from tests.support.tiers import exhaustive_but

MIB = 1 << 20

EVERY_STATE = tuple(OperandState)


def planned(axes: Axes, memory: int = PLENTY, cache: int = 32 * MIB) -> Plan:
    return suite.plan(axes, Room(memory, cache), seed=1)


def by_state(plan: Plan) -> dict[OperandState, set[int]]:
    """Return the sizes that are measured in each state."""
    measured: dict[OperandState, set[int]] = {}
    for case in plan.cases:
        measured.setdefault(case.operands, set()).add(case.size)
    return measured


# Ids


@pytest.mark.parametrize("state", EVERY_STATE)
def test_an_id_names_the_state_unless_it_is_warm(state: OperandState) -> None:
    case = replace(Case.parse("tanh/cached/numpy/step/float32/100"), operands=state)
    suffix = "" if state is OperandState.WARM else f"/{state}"
    assert case.id == f"tanh/cached/numpy/step/float32/100{suffix}"
    assert Case.parse(case.id) == case


def test_an_id_that_says_warm_is_refused() -> None:
    with pytest.raises(InputError, match="ids leave out the state of operands where it is 'warm'"):
        Case.parse("tanh/cached/numpy/step/float32/100/warm")


# What is measured


def test_states_are_blocks_of_their_own_in_the_order_of_tables() -> None:
    plan = planned(replace(SMALL, sizes=sizes(100_000), operands=EVERY_STATE[::-1]))
    assert [block.operands for block in plan.blocks] == [*EVERY_STATE]
    assert len({block.id for block in plan.blocks}) == 3
    assert plan.cache == 32 * MIB
    assert {probe.operands for probe in plan.probes} == {OperandState.WARM}


def test_the_default_preset_measures_one_size_in_all_states_and_the_others_warm() -> None:
    measured = by_state(planned(presets.get("default").axes))
    assert measured[OperandState.WARM] == {1_000, 100_000, 4_000_000}
    assert measured[OperandState.COLD] == measured[OperandState.RESIDUALS_COLD] == {100_000}


def test_the_default_preset_leaves_out_of_memory_what_that_would_not_change_unless_it_is_named() -> None:
    def cold_arms(axes: Axes) -> set[tuple[str, str]]:
        cases = (case for case in planned(axes).cases if case.operands is OperandState.COLD)
        return {(case.backend, case.strategy) for case in cases}

    axes = presets.get("default").axes
    assert cold_arms(axes) == {(backend, name) for backend in ("numpy", "numba") for name in ("recompute", "cached")}
    assert cold_arms(axes.with_named({"backends": ("python",)})) == {("python", "recompute"), ("python", "cached")}
    named = axes.with_named({"strategies": (Variant("complement"),)})
    assert cold_arms(named) == {("numpy", "complement"), ("numba", "complement")}


def test_sizes_that_are_named_are_warm_and_states_that_are_named_are_for_all_sizes() -> None:
    axes = presets.get("default").axes
    assert by_state(planned(axes.with_named({"sizes": sizes(100_000)}))) == {OperandState.WARM: {100_000}}
    named = by_state(planned(axes.with_named({"operands": (OperandState.COLD,), "sizes": sizes(20_000, 100_000)})))
    assert named == {OperandState.COLD: {20_000, 100_000}}


def test_another_environment_is_offered_states() -> None:
    query = CaseQuery("smoke", {"operands": ("cold", "lukewarm"), "sizes": (100_000,)}, "*", Room(PLENTY, MIB))
    assert {case.operands for case in suite.offered(query)} == {OperandState.COLD}


def test_an_unknown_state_is_refused(actbench: Actbench) -> None:
    result = actbench("list", "cases", "--operands", "cool")
    assert result.exit_code == 2
    assert "unknown state of operands 'cool': did you mean 'cold'?" in result.stderr


# What there is no room for


@pytest.mark.parametrize("op", Op)
def test_sets_pass_the_cache_twice(op: Op) -> None:
    count = sets.needed(32 * MIB, 8000, op)
    passes = 2 if op is Op.STEP else 1  # a step comes to each set twice
    assert (count // passes - 1) * 8000 >= 2 * 32 * MIB
    assert sets.needed(32 * MIB, 1 << 40, op) == 2 * passes, "there is always another set between"


def left_out(axes: Axes, memory: int, cache: int) -> str:
    """Return why there is no case."""
    with pytest.raises(InputError) as raised:
        planned(axes, memory, cache)
    return str(raised.value)


def reason(axes: Axes, memory: int = PLENTY, cache: int = 32 * MIB) -> str:
    """Return why the only case is left out."""
    return left_out(replace(axes, operands=(OperandState.COLD,)), memory, cache)


def test_arrays_that_are_too_small_are_left_out() -> None:
    assert f"with more than {sets.MOST_SETS} the Python objects" in reason(replace(SMALL, sizes=sizes(100)))


@pytest.mark.parametrize("state", EVERY_STATE[1:])
@pytest.mark.parametrize("op", Op)
def test_a_block_has_no_more_sets_than_python_s_objects_allow(op: Op, state: OperandState) -> None:
    """With dy and the result in cache a yardstick touches less than a step, and thus takes more sets."""
    axes = replace(SMALL, ops=(op,), operands=(state,), sizes=sizes(*range(500, 9000, 500)))
    blocks = planned(axes).blocks
    assert 1 < len(blocks) < len(axes.sizes), "some arrays are too small, and some are not"
    for block in blocks:
        subjects = [*resolution.subjects(block.timed).values()]
        assert sets.count(subjects, state, block.size, 32 * MIB) <= sets.MOST_SETS


def needed_bytes(block: Block, cache: int) -> int:
    """Return what planning takes the sets of a block for."""
    return sum(
        sets.count(sharing, block.operands, block.size, cache) * sets.set_bytes(sharing, block.operands, block.size)
        for sharing in sets.sharing(resolution.subjects(block.timed).values()).values()
    )


def test_sets_may_take_an_eighth_of_the_memory_and_no_more() -> None:
    axes = replace(SMALL, sizes=sizes(100_000), operands=(OperandState.COLD,))
    (block,) = planned(axes).blocks
    needed = needed_bytes(block, 32 * MIB)
    assert planned(axes, memory=8 * needed).blocks == (block,)
    assert "more than an eighth of the" in reason(axes, memory=8 * needed - 1)
    query = CaseQuery("smoke", {"operands": ("cold",), "sizes": (100_000,)}, "*", Room(8 * needed - 1, 32 * MIB))
    assert not suite.offered(query), "a baseline is not offered what there is no memory for"


@pytest.mark.parametrize(
    ("op", "state"),
    exhaustive_but(product(Op, EVERY_STATE[1:]), lambda of: ([*Op].index(of[0]) + EVERY_STATE.index(of[1])) % 2 == 0),
)
def test_the_memory_of_a_block_is_that_of_all_its_cases(op: Op, state: OperandState) -> None:
    """Every kernel of a backend that allocates keeps the results of its own forward passes."""
    variants = tuple(Variant(f"{name}{of}") for name in ("recompute", "cached") for of in ("", ":float16"))
    backends = ("numpy", "numpy-blocked", "python")
    axes = replace(SMALL, ops=(op,), operands=(state,), sizes=sizes(5_000), strategies=variants, backends=backends)
    (block,) = planned(axes, cache=MIB).blocks
    arms = resolution.subjects(block.timed)
    for subject in arms.values():
        assert subject.bound
    tracemalloc.start()
    try:
        _prepared = PreparedBlock(arms, 1, STANDARD_NORMAL, MIB, whole=False)
        allocated = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert needed_bytes(block, MIB) == pytest.approx(allocated, rel=0.1)


def on_a_device(cache: int) -> Numpy:
    """Return a backend whose operands do not lie in numpy's memory, behind a cache of so many bytes."""

    class OnDevice(Numpy):
        name = "device"
        places = False

        def cache_bytes(self) -> int:
            return cache

    return OnDevice()


@pytest.mark.parametrize("state", EVERY_STATE[1:])
@pytest.mark.parametrize("factor", [1, 3])
def test_operands_on_a_device_pass_the_cache_of_the_device(
    monkeypatch: pytest.MonkeyPatch, factor: int, state: OperandState
) -> None:
    register(monkeypatch, on_a_device(factor * MIB))
    axes = replace(SMALL, sizes=sizes(20_000), operands=(state,), backends=("numpy", "device"))
    (block,) = planned(axes, cache=MIB).blocks
    counts = [
        sets.count(sharing, state, block.size, MIB)
        for sharing in sets.sharing(resolution.subjects(block.timed).values()).values()
    ]
    assert (counts[1] - 1) == pytest.approx(factor * (counts[0] - 1), abs=factor)
    needed = needed_bytes(block, MIB)
    assert planned(axes, memory=8 * needed, cache=MIB).blocks == (block,)
    assert f"which pass a cache of {factor} MiB twice" in left_out(axes, 8 * needed - 1, MIB)


def test_a_device_s_cache_alone_decides_whether_arrays_on_it_are_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, on_a_device(64 * MIB))
    axes = replace(SMALL, backends=("numpy", "device"), operands=(OperandState.COLD,))
    plan = planned(axes, cache=MIB)
    assert {case.backend for case in plan.cases} == {"numpy"}
    assert all("a cache of 64 MiB takes" in left.reason for left in plan.left_out)


def test_a_backend_that_cannot_separate_passes_has_no_cold_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Numpy, "separates", False)
    assert "numpy cannot call a step's forward pass alone" in reason(
        replace(SMALL, ops=(Op.STEP,), sizes=sizes(100_000))
    )


def test_the_overhead_ladder_is_warm() -> None:
    ladder = replace(presets.get("overhead").axes, sizes=sizes(100_000), backends=("numpy",))
    assert "it has warm operands" in reason(ladder)


# The capacity of the cache


def test_a_credible_capacity_is_taken_as_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "seconds_per_line", lambda _: pytest.fail("nothing needs measuring"))
    assert caches.last_level({"L1d": 32 << 10, "L2": MIB, "L3": 36 * MIB}, PLENTY) == 36 * MIB


@pytest.mark.parametrize("reported", [{}, {"L2": 2 * MIB, "L3": 480 * MIB}])
def test_a_capacity_that_is_missing_or_not_credible_is_measured(
    monkeypatch: pytest.MonkeyPatch, reported: dict[str, int]
) -> None:
    monkeypatch.setattr(caches, "seconds_per_line", lambda nbytes: 1e-9 if nbytes <= 32 * MIB else 8e-9)
    assert caches.last_level(reported, PLENTY) == 64 * MIB


def test_a_line_takes_longer_from_memory_than_from_a_cache() -> None:
    assert caches.seconds_per_line(256 << 10) < caches.seconds_per_line(128 * MIB)
