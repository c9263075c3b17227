"""Which directories are the sides of a live check, and which are runs that only have the names of sides."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.compared import scaled
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, edit

SIDES = ("baseline", "candidate")


@pytest.fixture
def two_named_as_sides(actbench: Actbench, bench: FakeBench) -> Actbench:
    """Two runs of two days, of which the later one is twice as fast and has more rounds."""
    for side, factor, rounds, day in zip(SIDES, (1.0, 0.5), ("6", "7"), ("01", "02"), strict=True):
        bench.seconds = scaled(cached=factor)
        actbench("run", *SMALL, "--rounds", rounds, "-o", f"results/{side}")
        edit(Path("results", side), partial(dict.update, created=f"2026-01-{day}T12:00:00+00:00"))
    return actbench


@pytest.mark.parametrize("figure", ["time", "speedup"])
def test_runs_that_are_named_as_sides_of_a_check_are_runs(two_named_as_sides: Actbench, figure: str) -> None:
    pytest.importorskip("asv", reason="steps are found by asv, the extra history")
    shown = two_named_as_sides("history", "results", "--of", figure, "-s", "cached", "--format", "json")
    assert shown.exit_code == 0, shown.stderr
    (series,) = json.loads(shown.stdout)["series"]
    assert [point["run"] for point in series["points"]] == [*SIDES]
    assert [point["ratio"] for point in series["points"]] == pytest.approx(
        {"time": [2.0, 1.0], "speedup": [4.0, 8.0]}[figure]
    )


def test_hosts_are_compared_by_all_runs_whatever_their_names(two_named_as_sides: Actbench) -> None:
    shown = two_named_as_sides("compare", "--by", "host", "results")
    assert shown.exit_code == 0, shown.stderr
    assert all(f"{side}: " in shown.stdout for side in SIDES)


def test_a_check_of_which_a_side_was_resumed_is_no_check_any_more(actbench: Actbench) -> None:
    for number in range(3):
        actbench("check", "--against", "there", *SMALL, "-o", f"checks/{number}")
    assert actbench("run", "--resume", "checks/1/candidate", "--rounds", "9").exit_code == 0
    shown = actbench("history", "checks")
    assert shown.exit_code == 0, shown.stderr
    why = "checks/1/candidate and checks/1/baseline were not measured together to the end"
    assert f"left out: {why}" in shown.stdout
    assert "over 2 runs" in shown.stdout
    refused = actbench("history", "checks/0", "checks/1")
    assert (refused.exit_code, why in refused.stderr) == (2, True)


def test_a_side_that_cannot_be_read_is_one_of_a_check(actbench: Actbench) -> None:
    actbench("check", "--against", "there", *SMALL, "-o", "check")
    Path("check/baseline/run.json").write_text("{")
    refused = actbench("history", "check")
    assert (refused.exit_code, "check/baseline/run.json is damaged" in refused.stderr) == (2, True)
