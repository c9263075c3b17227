"""What two runs look like side by side, on one host and on two, and which are not compared."""

from __future__ import annotations

import csv
import io
import json
import shutil
from importlib.metadata import version

import pytest

from tests.conftest import Actbench
from tests.support.compared import CACHED, NEW, NOTE, OLD, RECOMPUTE, edited, figures, scaled, words
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, TWO_BLOCKS

ONE_HOST = f"""\
**2 cases in both runs: 1 faster, 1 undecided**

### Times, one host: baseline / candidate

Times in copies, over that of the block's yardstick, and their ratio, then that of the time itself: above 1 the \
candidate, the second run, is faster. A row is faster or slower only where the time itself is as well. {NOTE}

| case | finding | baseline | candidate | ratio | of the time itself | rounds |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
| {RECOMPUTE} | undecided | 8.00 ± 0.00 | 8.00 ± 0.00 | 1.00 ± 0.00 ≈ | 1.00 ± 0.00 ≈ | 6, 6 |
| {CACHED} | faster | 2.00 ± 0.00 | 1.60 ± 0.00 | 1.25 ± 0.00 | 1.25 ± 0.00 | 6, 6 |
| geometric mean of 2 cases | faster | 4.00 ± 0.00 | 3.58 ± 0.00 | 1.12 ± 0.00 | 1.12 ± 0.00 | 6, 6 |
"""

CSV = """\
figure,by,name,operands,cases,finding,ratio,low,high,seconds_ratio,seconds_ratio_low,seconds_ratio_high,\
baseline,baseline_low,baseline_high,candidate,candidate_low,candidate_high,chance,baseline_rounds,candidate_rounds
time,case,logistic/recompute/numpy/derivative/float64/1000,warm,1,undecided,1,1,1,1,1,1,8,8,8,8,8,8,1,6,6
time,case,logistic/cached/numpy/derivative/float64/1000,warm,1,faster,\
1.25,1.25,1.25,1.25,1.25,1.25,2,2,2,1.6,1.6,1.6,0.00432900433,6,6
time,all,all,warm,2,faster,\
1.11803399,1.11803399,1.11803399,1.11803399,1.11803399,1.11803399,4,4,4,3.57770876,3.57770876,3.57770876,\
0.00216450216,6,6
"""


def test_markdown_shows_every_case_and_the_geometric_mean_of_all(old_and_new: Actbench) -> None:
    result = old_and_new("compare", OLD, NEW, "--format", "markdown")
    assert result.exit_code == 0
    assert result.stdout == ONE_HOST


def test_the_table_says_what_the_markdown_says(old_and_new: Actbench) -> None:
    shown = words(old_and_new("compare", OLD, NEW).stdout)
    for line in ONE_HOST.splitlines():
        if not line.startswith("| ---"):
            assert words(line.strip("*# ").replace("|", "")) in shown
    assert shown.endswith("2 cases in both runs: 1 faster, 1 undecided")


def test_csv_has_a_row_a_figure(old_and_new: Actbench) -> None:
    result = old_and_new("compare", OLD, NEW, "--format", "csv")
    assert result.stdout == CSV
    assert not result.stderr


def test_json_has_the_figures_of_the_csv(old_and_new: Actbench) -> None:
    result = old_and_new("compare", OLD, NEW, "--format", "json")
    report = json.loads(result.stdout)
    assert (report["basis"], report["by"], report["remarks"]) == ("one host", None, [])
    rows = list(csv.DictReader(io.StringIO(CSV)))
    assert [list(figure) for figure in report["figures"]] == [list(row) for row in rows]
    for figure, row in zip(report["figures"], rows, strict=True):
        for name, value in figure.items():
            assert value == (row[name] if isinstance(value, str) else pytest.approx(float(row[name])))


def test_above_1_the_second_run_is_faster(old_and_new: Actbench) -> None:
    (_, forth, _), (_, back, _) = figures(old_and_new, OLD, NEW), figures(old_and_new, NEW, OLD)
    assert (forth["ratio"], forth["finding"]) == (pytest.approx(1.25), "faster")
    assert (back["ratio"], back["finding"]) == (pytest.approx(0.8), "slower")


def test_slower_is_no_failure(old_and_new: Actbench) -> None:
    assert old_and_new("compare", NEW, OLD).exit_code == 0


def test_a_run_is_no_different_from_its_copy_which_is_named_as_one(old_and_new: Actbench) -> None:
    shutil.copytree(NEW, "copy")
    assert "copy is a copy of new, with the same measurements\n" in old_and_new("compare", NEW, "copy").stdout
    assert {figure["finding"] for figure in figures(old_and_new, NEW, "copy")} == {"undecided"}


def test_a_drift_of_the_host_shows_in_the_time_itself_only(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = lambda case: 1.4 * exact_seconds(case)
    actbench("run", *SMALL, "-o", NEW)
    for figure in figures(actbench, OLD, NEW):
        assert (figure["ratio"], figure["finding"]) == (pytest.approx(1.0), "undecided")
        assert figure["seconds_ratio"] == pytest.approx(1 / 1.4)


def test_a_yardstick_that_moved_makes_no_case_faster(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = scaled(yardstick=1.25, cached=1.001)
    actbench("run", *SMALL, "-o", NEW)
    for figure in figures(actbench, OLD, NEW):
        assert figure["ratio"] == pytest.approx(1.25, rel=2e-3)
        assert figure["finding"] == "undecided"
    shown = actbench("compare", OLD, NEW).stdout
    assert (
        "\nthe yardstick seems to have moved between the runs, not the case: 3 rows would differ relative to it, but "
        f"the time itself does not show that, so they are undecided, e.g. {RECOMPUTE}: "
        "1.25 ± 0.00 relative to the yardstick, 1.00 ± 0.00 ≈ of the time itself\n"
    ) in shown


def test_a_difference_that_the_time_itself_shows_is_named_though_the_yardstick_moved(
    actbench: Actbench, bench: FakeBench
) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = scaled(yardstick=1.25, cached=0.5, recompute=2.0)
    actbench("run", *SMALL, "-o", NEW)
    recompute, cached, mean = figures(actbench, OLD, NEW)
    assert (recompute["finding"], cached["finding"], mean["finding"]) == ("slower", "faster", "undecided")
    assert "the yardstick seems to have moved between the runs, not the case: 1 row would differ" in (
        actbench("compare", OLD, NEW).stdout
    )


def test_a_group_is_held_to_its_time_itself_as_well(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *TWO_BLOCKS, "-o", OLD)
    bench.seconds = scaled(yardstick=0.5)
    actbench("run", *TWO_BLOCKS, "-o", NEW)
    groups = figures(actbench, OLD, NEW, "--by", "strategy")
    assert {figure["finding"] for figure in groups} == {"undecided"}


def test_other_software_is_compared_and_reported(old_and_new: Actbench) -> None:
    edited(OLD, f'"numpy": "{version("numpy")}"', '"numpy": "1.0.0"')
    assert old_and_new("compare", OLD, NEW).stdout.endswith(f"\nnumpy was 1.0.0, is {version('numpy')}\n")
    as_csv = old_and_new("compare", OLD, NEW, "--format", "csv")
    assert (as_csv.stdout, as_csv.stderr) == (CSV, f"numpy was 1.0.0, is {version('numpy')}\n")
