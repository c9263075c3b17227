"""What is said of a race that a budget leaves open, or in which strategies failed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from actbench.errors import ExitCode
from actbench.model.cases import Block
from tests.support.fake import FakeBench, crash
from tests.support.races import Recommend, one_loses, taking, unwrapped

THREE = ("-s", "recompute,cached,complement", "--budget", "10s")


def crashing(*strategies: str) -> Callable[[Block], None]:
    """Let strategies crash the worker when they are timed."""

    def on_time(block: Block) -> None:
        if any(case.strategy in strategies for case in block.cases):
            crash("gone")

    return on_time


def test_of_an_open_race_the_one_that_is_ahead_is_compared_although_a_tie_keeps_less(
    recommend: Recommend, bench: FakeBench
) -> None:
    seconds = one_loses(bench, "cached", "recompute", 1.005)
    result = recommend(seconds, *THREE, "--format", "json")
    assert result.exit_code == ExitCode.INCONCLUSIVE, result.output
    answer = json.loads(result.stdout)
    assert answer["choice"]["strategy"] == "recompute"
    assert [one["strategy"] for one in answer["ties"]] == ["cached"]
    text = unwrapped(recommend(seconds, *THREE))
    assert "z (recompute) is ahead" in text
    assert "In comparison, y (cached) takes 1.00" in text
    assert "With recompute, g' is off by" in text


@pytest.mark.parametrize(
    ("failing", "options", "sentence"),
    [
        (
            "recompute",
            ("-s", "recompute,cached"),
            "keep y (cached): nothing else could be compared. Nothing is known of recompute, which could not",
        ),
        (
            "complement",
            ("-s", "recompute,cached,complement", "--max-ulp", "1000"),
            "keep z (recompute): nothing else could be compared. Nothing is known of complement, which could not",
        ),
        (
            "complement",
            ("-s", "recompute,cached,complement"),
            (
                "keep y (cached), the fastest with 95 % confidence of those that could be compared. Nothing is known "
                "of complement, which could not be measured, or lost to what could not."
            ),
        ),
    ],
    ids=["one is left", "one is left that meets the bounds", "several are left"],
)
def test_what_failed_is_named_and_is_no_reason_to_be_sure(
    recommend: Recommend, bench: FakeBench, failing: str, options: tuple[str, ...], sentence: str
) -> None:
    bench.on_time = crashing(failing)
    result = recommend(taking(cached=0.5), *options)
    assert result.exit_code == ExitCode.FAILED, result.output
    assert sentence in unwrapped(result)


def test_an_arm_that_failed_counts_among_the_comparisons_by_which_rounds_are_too_few(
    recommend: Recommend, bench: FakeBench
) -> None:
    bench.on_time = crashing("complement", "textbook")
    text = unwrapped(recommend(taking(cached=0.5), "--budget", "1ms"))
    assert "nothing can be said yet: 1 round of the 10 that it takes at least" in text


def test_an_arm_that_lost_to_one_which_failed_later_is_unknown(recommend: Recommend, bench: FakeBench) -> None:
    """The leader fails once two have lost to it; the one that is left was compared with neither."""
    crash_now = crashing("recompute")
    seconds = one_loses(bench, "cached", "recompute", 3.0)

    def on_time(block: Block) -> None:
        if not any(case.strategy == "cached" for case in block.cases):
            crash_now(block)

    bench.on_time = on_time
    result = recommend(seconds, "-s", "recompute,cached,complement")
    assert result.exit_code == ExitCode.FAILED, result.output
    sentence = "Nothing is known of recompute and cached, which could not be measured, or lost to what could not."
    assert sentence in unwrapped(result)
