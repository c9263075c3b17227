"""A stored check where the yardstick moved, or blocks differ, so that times cannot be compared."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Actbench
from tests.support.checked import slower_strategy
from tests.support.compared import NEW, OLD, RECOMPUTE
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import SMALL


@pytest.mark.parametrize(("before", "after", "shown"), [(OLD, NEW, "+100.00 %"), (NEW, OLD, "-50.00 %")])
def test_a_yardstick_that_moved_makes_no_case_regress_or_improve(
    actbench: Actbench, bench: FakeBench, before: str, after: str, shown: str
) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = slower_strategy(0.5, "yardstick")
    actbench("run", *SMALL, "-o", NEW)
    result = actbench("check", after, "--baseline", before)
    assert result.exit_code == 3
    assert "2 cases, margin 5 %: 2 inconclusive\n" in result.stdout
    assert (
        "the yardstick seems to have moved between the runs, not the case: 2 cases inconclusive because the "
        f"time itself does not show the change, e.g. {RECOMPUTE}: {shown} ± 0.00 % relative to the yardstick, "
        "+0.00 % ± 0.00 % of the time itself; measure both again\n"
    ) in result.stdout
    assert f"::warning title=actbench%3A inconclusive::{RECOMPUTE}: " in (
        annotations := actbench("check", after, "--baseline", before, "--format", "github").stdout
    )
    assert "margin 5 %25: the time itself does not show it, +0.00 %25 ± 0.00 %25: the yardstick moved" in annotations


def test_a_case_whose_own_time_is_above_the_margin_does_not_pass_where_the_yardstick_is_slower_too(
    actbench: Actbench, bench: FakeBench
) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = lambda case: 1.4 * exact_seconds(case)
    actbench("run", *SMALL, "-o", NEW)
    result = actbench("check", NEW, "--baseline", OLD)
    assert result.exit_code == 3
    assert "2 cases, margin 5 %: 2 inconclusive\n" in result.stdout
    assert (
        "the yardstick became slower as well between the runs, by itself or with the host: 2 cases inconclusive "
        f"because the time itself is above the margin, e.g. {RECOMPUTE}: +0.00 % ± 0.00 % relative to the yardstick, "
        "+40.00 % ± 0.00 % of the time itself; measure side by side (--against)\n"
    ) in result.stdout
    annotations = actbench("check", NEW, "--baseline", OLD, "--format", "github").stdout
    assert "the time itself is above the margin, +40.00 %25 ± 0.00 %25: the yardstick moved as well" in annotations


def test_the_yardstick_s_own_time_moves_every_case(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = slower_strategy(0.5, "yardstick")
    actbench("run", *SMALL, "-o", NEW)
    reported = json.loads(actbench("check", NEW, "--baseline", OLD, "--format", "json").stdout)["cases"]
    assert [case["ratio"] for case in reported] == pytest.approx([2.0, 2.0])
    assert [case["absolute"]["ratio"] for case in reported] == pytest.approx([1.0, 1.0])


def test_a_case_that_shared_its_block_with_others_is_not_decided(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = slower_strategy(1.5)
    actbench("run", *SMALL, "-s", "recompute,cached,complement", "-o", NEW)
    result = actbench("check", NEW, "--baseline", OLD)
    assert result.exit_code == 3
    assert "2 inconclusive, 1 new" in result.stdout
    assert "2 cases inconclusive: their blocks have other cases in the baseline" in result.stdout
