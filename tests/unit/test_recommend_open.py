"""What is said of a race that a budget leaves open, or in which strategies failed."""

from __future__ import annotations

import json

from actbench.errors import ExitCode
from tests.support.fake import FakeBench
from tests.support.races import Recommend, one_loses, unwrapped

THREE = ("-s", "recompute,cached,complement", "--budget", "10s")


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
