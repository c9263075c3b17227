from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbench.analysis.interval import Interval
from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.engine.stopping import BlockProgress, Stopping
from actbench.model.cases import Case

NARROW, WIDE, TARGET = 0.01, 0.5, 0.02
NEVER = float("inf")
SECONDS = st.floats(0, 1e6)


def test_the_target_is_enough_from_six_rounds_on() -> None:
    rule = Stopping(TARGET, budget=None)
    assert [rule.enough(done, NARROW, 0.0, 1.0) for done in range(9)] == [False] * 6 + [True] * 3


def test_a_target_just_reached_is_reached() -> None:
    rule = Stopping(TARGET, budget=None)
    assert rule.enough(MIN_ROUNDS, TARGET, 0.0, 1.0)
    assert not rule.enough(MIN_ROUNDS, TARGET * 1.001, 0.0, 1.0)


@pytest.mark.parametrize("done", [6, 100, 100_000])
def test_without_a_budget_only_the_target_ends_a_run(done: int) -> None:
    assert not Stopping(TARGET, budget=None).enough(done, WIDE, 1e9, 1e9)


def test_an_interval_that_does_not_exist_is_never_narrow() -> None:
    assert not Stopping(TARGET, budget=None).enough(MIN_ROUNDS, NEVER, 0.0, 1.0)


def test_a_round_that_does_not_fit_into_the_budget_is_not_begun() -> None:
    rule = Stopping(TARGET, budget=100.0)
    assert not rule.enough(10, WIDE, elapsed=90.0, next_round=10.0)
    assert rule.enough(10, WIDE, elapsed=90.0, next_round=10.1)
    assert rule.enough(10, WIDE, elapsed=101.0, next_round=0.0)


@pytest.mark.parametrize("least", [1, 3, 6, 10])
def test_the_least_rounds_are_measured_whatever_the_budget(least: int) -> None:
    rule = Stopping(TARGET, budget=1.0, min_rounds=least)
    assert not any(rule.enough(done, WIDE, 1e9, 1e9) for done in range(least))
    assert rule.enough(least, WIDE, 1e9, 1e9)


def test_the_least_rounds_are_measured_however_narrow_the_intervals() -> None:
    rule = Stopping(TARGET, budget=None, min_rounds=10)
    assert not rule.enough(9, NARROW, 0.0, 1.0)
    assert rule.enough(10, NARROW, 0.0, 1.0)


def test_fewer_least_rounds_do_not_let_the_target_end_a_run_before_there_is_an_interval() -> None:
    rule = Stopping(TARGET, budget=None, min_rounds=1)
    assert not rule.enough(MIN_ROUNDS - 1, 0.0, 0.0, 1.0)
    assert rule.enough(MIN_ROUNDS, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("rounds", [1, 3, 20])
@pytest.mark.parametrize("widest", [0.0, NEVER])
def test_a_number_of_rounds_holds_whatever_the_target(rounds: int, widest: float) -> None:
    rule = Stopping(TARGET, budget=None, rounds=rounds)
    assert not any(rule.enough(done, widest, 1e9, 1e9) for done in range(rounds))
    assert rule.enough(rounds, widest, 0.0, 0.0)


def test_a_number_of_rounds_ends_at_the_budget_even_before_the_least_rounds() -> None:
    rule = Stopping(TARGET, budget=10.0, rounds=20)
    assert not rule.enough(1, WIDE, elapsed=5.0, next_round=5.0)
    assert rule.enough(1, WIDE, elapsed=5.0, next_round=5.1)


@given(st.integers(0, 50), st.floats(0, 1), SECONDS, SECONDS, st.integers(1, 50))
def test_a_run_that_had_enough_never_wants_more(
    done: int, widest: float, elapsed: float, next_round: float, rounds: int
) -> None:
    for rule in (Stopping(TARGET, 100.0), Stopping(TARGET, None), Stopping(TARGET, 100.0, rounds)):
        if rule.enough(done, widest, elapsed, next_round):
            assert rule.enough(done + 1, widest / 2, elapsed + 1, next_round)


def test_what_is_left_is_unknown_where_only_the_target_ends_the_run() -> None:
    assert Stopping(TARGET, budget=None).left(10, 50.0, 5.0) is None


def test_what_is_left_of_the_budget_is_left() -> None:
    rule = Stopping(TARGET, budget=100.0)
    assert rule.left(10, 30.0, 5.0) == 70.0
    assert rule.left(10, 130.0, 5.0) == 0.0


def test_the_least_rounds_are_left_though_the_budget_is_spent() -> None:
    rule = Stopping(TARGET, budget=100.0, min_rounds=6)
    assert rule.left(2, 130.0, 5.0) == 20.0
    assert rule.left(2, 90.0, 5.0) == 20.0
    assert rule.left(2, 10.0, 5.0) == 90.0


def test_a_number_of_rounds_is_left_unless_the_budget_ends_it() -> None:
    assert Stopping(TARGET, budget=None, rounds=20).left(5, 1e9, 2.0) == 30.0
    assert Stopping(TARGET, budget=100.0, rounds=20).left(5, 10.0, 2.0) == 30.0
    assert Stopping(TARGET, budget=30.0, rounds=20).left(5, 20.0, 2.0) == 10.0


def test_nothing_is_left_of_a_number_of_rounds_that_is_reached() -> None:
    assert Stopping(TARGET, budget=None, rounds=20).left(20, 1e9, 2.0) == 0.0


@given(st.integers(0, 20), SECONDS, SECONDS)
def test_what_is_left_is_never_negative(done: int, elapsed: float, next_round: float) -> None:
    for rule in (Stopping(TARGET, 100.0), Stopping(TARGET, 100.0, rounds=20), Stopping(TARGET, None, rounds=20)):
        left = rule.left(done, elapsed, next_round)
        assert left is not None
        assert left >= 0


@pytest.mark.parametrize("elapsed", [50.0, 91.0, 130.0])
def test_with_a_number_of_rounds_no_more_than_the_budget_is_left(elapsed: float) -> None:
    left = Stopping(TARGET, budget=100.0, rounds=30).left(0, elapsed, 10.0)
    assert left == max(100.0 - elapsed, 0.0)


# Which blocks go on


REFERENCE, CANDIDATE = (
    Case.parse(f"logistic/{which}/numpy/derivative/float64/10") for which in ("recompute", "cached")
)


def wide(
    width: float, *, rounds: int = 10, seconds: float = 1.0, probes: Mapping[str, float] | None = None
) -> BlockProgress:
    """Return a block with such an interval."""
    pairs = [Speedup(REFERENCE, CANDIDATE, Interval(1.0, 1 - half, 1 + half), rounds, 0.0) for half in (NARROW, width)]
    return BlockProgress(rounds, tuple(pairs), seconds, probes or {})


def test_a_block_is_skipped_once_its_intervals_meet_the_target() -> None:
    rule = Stopping(TARGET, budget=100.0)
    progress = {"there": wide(0.999 * TARGET), "alone": BlockProgress(10, (), 1.0), "wide": wide(1.001 * TARGET)}
    assert rule.worthwhile(10, progress, elapsed=50.0) == ["wide"]
    assert Stopping(TARGET, budget=None).worthwhile(10, progress, elapsed=50.0) == ["wide"]


def test_time_goes_first_to_the_block_that_has_had_least() -> None:
    rule = Stopping(TARGET, budget=100.0)
    progress = {"seldom": wide(WIDE, rounds=6), "short": wide(WIDE, rounds=12, seconds=0.4), "often": wide(WIDE)}
    assert rule.worthwhile(10, progress, elapsed=50.0) == ["short"]
    assert rule.worthwhile(10, progress | {"short": wide(WIDE, rounds=20, seconds=0.4)}, elapsed=50.0) == ["seldom"]


def test_where_a_round_takes_long_to_start_more_blocks_take_part() -> None:
    rule = Stopping(TARGET, budget=100.0)
    progress = {"long": wide(WIDE, seconds=9.0), "usual": wide(WIDE, seconds=3.0), "short": wide(WIDE)}
    assert rule.worthwhile(10, progress, 50.0, starting=1.5) == ["short"]
    assert rule.worthwhile(10, progress, 50.0, starting=2.5) == ["usual", "short"]
    assert rule.worthwhile(10, progress, 50.0, starting=20.0) == ["long", "usual", "short"]


def test_what_does_not_fit_in_the_time_left_is_skipped() -> None:
    rule = Stopping(TARGET, budget=100.0)
    progress = {"short": wide(WIDE, rounds=60), "long": wide(WIDE, seconds=5.0)}
    assert rule.worthwhile(10, progress, elapsed=90.0) == ["long"]
    assert rule.worthwhile(10, progress, elapsed=96.0) == ["short"]
    assert rule.worthwhile(10, progress, elapsed=99.5) == ["long"], "which does not fit either: the run ends"


def test_probes_that_blocks_share_take_their_time_once() -> None:
    rule = Stopping(TARGET, budget=30.0)
    progress = {number: wide(WIDE, seconds=5.1, probes={"shared": 4.0}) for number in range(14)}
    assert rule.worthwhile(10, progress, elapsed=0.0, starting=0.3) == [*range(14)]
    assert rule.worthwhile(10, progress, elapsed=23.0, starting=0.3) == [0, 1], "4.3 s and 1.1 s for each block"


def test_probes_of_different_blocks_take_their_time_for_each() -> None:
    rule = Stopping(TARGET, budget=30.0)
    progress = {number: wide(WIDE, seconds=5.1, probes={f"of {number}": 4.0}) for number in range(14)}
    assert rule.worthwhile(10, progress, elapsed=0.0, starting=9.0) == [0, 1, 2, 3]


def test_time_is_shared_evenly_however_far_blocks_are_from_the_target() -> None:
    rule = Stopping(TARGET, budget=1000.0)
    widths, seconds = {"near": 0.03, "hopeless": 100.0, "dear": 0.2}, {"near": 1.0, "hopeless": 1.0, "dear": 8.0}
    rounds, elapsed = dict.fromkeys(widths, 6), 0.0
    while elapsed < 990:
        progress = {name: wide(width, rounds=rounds[name], seconds=seconds[name]) for name, width in widths.items()}
        for name in rule.worthwhile(6, progress, elapsed, starting=0.1):
            rounds[name] += 1
            elapsed += seconds[name]
        elapsed += 0.1
    assert [rounds[name] * seconds[name] for name in widths] == pytest.approx([350] * 3, abs=20)


def test_without_a_budget_every_wide_block_goes_on() -> None:
    progress = {"there": wide(0.999 * TARGET), "near": wide(1.5 * TARGET), "far": wide(WIDE)}
    assert Stopping(TARGET, budget=None).worthwhile(10, progress, elapsed=1e9) == ["near", "far"]


def test_every_block_takes_part_until_the_least_rounds_and_until_it_has_intervals() -> None:
    rule = Stopping(TARGET, budget=100.0, min_rounds=8)
    progress = {"there": wide(NARROW), "late": wide(NEVER, rounds=2), "far": wide(WIDE)}
    assert rule.worthwhile(7, progress, elapsed=99.0) == ["there", "late", "far"]
    assert rule.worthwhile(8, progress, elapsed=99.0) == ["late", "far"]


def test_a_number_of_rounds_is_for_every_block() -> None:
    progress = {"there": wide(NARROW), "far": wide(WIDE)}
    assert Stopping(TARGET, 100.0, rounds=20).worthwhile(10, progress, elapsed=99.0) == ["there", "far"]


def test_nothing_goes_on_when_everything_is_narrow() -> None:
    assert Stopping(TARGET, budget=100.0).worthwhile(10, {"there": wide(NARROW)}, elapsed=0.0) == []
