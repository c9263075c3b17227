"""What two runs look like side by side, on one host and on two, and which are not compared."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.damage import resealed
from tests.support.fake import FakeBench, exact_seconds
from tests.support.selections import PAIR, SMALL, TWO_BLOCKS

OLD, NEW = "old", "new"
RECOMPUTE = "logistic/recompute/numpy/derivative/float64/1000"
CACHED = "logistic/cached/numpy/derivative/float64/1000"


def scaled(**factors: float) -> Callable[[Case], float]:
    """Return exact times in which strategies take so many times as long."""
    return lambda case: exact_seconds(case) * factors.get(case.strategy, 1.0)


@pytest.fixture
def two_runs(actbench: Actbench, bench: FakeBench) -> Actbench:
    """A baseline, and a candidate in which `cached` takes 0.8 times as long."""
    assert actbench("run", *SMALL, "-o", OLD).exit_code == 0
    bench.seconds = scaled(cached=0.8)
    assert actbench("run", *SMALL, "-o", NEW).exit_code == 0
    return actbench


def edited(directory: str, old: str, new: str) -> None:
    path = Path(directory, "run.json")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def on_another_host(directory: str) -> None:
    environment = json.loads(Path(directory, "run.json").read_text())["environment"]
    edited(directory, f'"cpu_model": "{environment["cpu_model"]}"', '"cpu_model": "Abacus 3000"')


def figures(actbench: Actbench, *arguments: str) -> list[dict[str, Any]]:
    result = actbench("compare", *arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["figures"]
    return found


def words(text: str) -> str:
    return " ".join(text.split())


# One host

NOTE = (
    "± is the longer side of the 95 % interval over rounds; an interval is shown as (low to high) where one side is at "
    "least 1.5 times the other, or where ± would misleadingly include 1. ≈ marks an interval that includes 1. "
    "Differences between whole runs, often a few percent, are not in the interval. Up to 5 % of the differences named "
    "may be false."
)

ONE_HOST = f"""\
**2 cases in both runs: 1 faster, 1 undecided**

### Times, one host: baseline / candidate

Times in copies, over that of the block's yardstick, and their ratio, beside that of the time itself: above 1 the \
candidate, the second run, is faster. A difference is named only where the time itself shows it as well. {NOTE}

| case | finding | baseline | candidate | ratio | of the time itself | rounds |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
| {RECOMPUTE} | undecided | 8.00 ± 0.00 | 8.00 ± 0.00 | 1.00 ± 0.00 ≈ | 1.00 ± 0.00 ≈ | 6, 6 |
| {CACHED} | faster | 2.00 ± 0.00 | 1.60 ± 0.00 | 1.25 ± 0.00 | 1.25 ± 0.00 | 6, 6 |
| geometric mean of 2 cases | faster | 4.00 ± 0.00 | 3.58 ± 0.00 | 1.12 ± 0.00 | 1.12 ± 0.00 | 6, 6 |
"""

CSV = """\
figure,by,name,cases,finding,ratio,low,high,seconds_ratio,seconds_ratio_low,seconds_ratio_high,\
baseline,baseline_low,baseline_high,candidate,candidate_low,candidate_high,chance,baseline_rounds,candidate_rounds
time,case,logistic/recompute/numpy/derivative/float64/1000,1,undecided,1,1,1,1,1,1,8,8,8,8,8,8,1,6,6
time,case,logistic/cached/numpy/derivative/float64/1000,1,faster,\
1.25,1.25,1.25,1.25,1.25,1.25,2,2,2,1.6,1.6,1.6,0.00432900433,6,6
time,all,all,2,faster,\
1.11803399,1.11803399,1.11803399,1.11803399,1.11803399,1.11803399,4,4,4,3.57770876,3.57770876,3.57770876,\
0.00216450216,6,6
"""


def test_markdown_shows_every_case_and_the_geometric_mean_of_all(two_runs: Actbench) -> None:
    result = two_runs("compare", OLD, NEW, "--format", "markdown")
    assert result.exit_code == 0
    assert result.stdout == ONE_HOST


def test_the_table_says_what_the_markdown_says(two_runs: Actbench) -> None:
    shown = words(two_runs("compare", OLD, NEW).stdout)
    for line in ONE_HOST.splitlines():
        if not line.startswith("| ---"):
            assert words(line.strip("*# ").replace("|", "")) in shown
    assert shown.endswith("2 cases in both runs: 1 faster, 1 undecided")


def test_csv_has_a_row_a_figure(two_runs: Actbench) -> None:
    result = two_runs("compare", OLD, NEW, "--format", "csv")
    assert result.stdout == CSV
    assert not result.stderr


def test_json_has_the_figures_of_the_csv(two_runs: Actbench) -> None:
    result = two_runs("compare", OLD, NEW, "--format", "json")
    found = json.loads(result.stdout)
    assert (found["basis"], found["by"], found["remarks"]) == ("one host", None, [])
    rows = list(csv.DictReader(io.StringIO(CSV)))
    assert [list(figure) for figure in found["figures"]] == [list(row) for row in rows]
    for figure, row in zip(found["figures"], rows, strict=True):
        for name, value in figure.items():
            assert value == (row[name] if isinstance(value, str) else pytest.approx(float(row[name])))


def test_above_1_the_second_run_is_faster(two_runs: Actbench) -> None:
    (_, forth, _), (_, back, _) = figures(two_runs, OLD, NEW), figures(two_runs, NEW, OLD)
    assert (forth["ratio"], forth["finding"]) == (pytest.approx(1.25), "faster")
    assert (back["ratio"], back["finding"]) == (pytest.approx(0.8), "slower")


def test_slower_is_no_failure(two_runs: Actbench) -> None:
    assert two_runs("compare", NEW, OLD).exit_code == 0


def test_a_run_is_no_different_from_its_copy(two_runs: Actbench) -> None:
    shutil.copytree(NEW, "copy")
    assert {figure["finding"] for figure in figures(two_runs, NEW, "copy")} == {"undecided"}


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
        f"the time itself does not show that, so nothing is named there, e.g. {RECOMPUTE}: "
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
    found = figures(actbench, OLD, NEW, "--by", "strategy")
    assert {figure["finding"] for figure in found} == {"undecided"}


def test_other_software_is_compared_and_told(two_runs: Actbench) -> None:
    edited(OLD, f'"numpy": "{version("numpy")}"', '"numpy": "1.0.0"')
    assert two_runs("compare", OLD, NEW).stdout.endswith(f"\nnumpy was 1.0.0, is {version('numpy')}\n")
    as_csv = two_runs("compare", OLD, NEW, "--format", "csv")
    assert (as_csv.stdout, as_csv.stderr) == (CSV, f"numpy was 1.0.0, is {version('numpy')}\n")


# Two hosts

TWO_HOSTS = f"""\
### Times, two hosts: baseline / candidate

Times in copies, over that of the block's yardstick, and their ratio: above 1 the candidate, the second run, is \
faster. A yardstick that behaves differently on the other host moves all cases of its block alike. {NOTE}

| case | finding | baseline | candidate | ratio | rounds |
| --- | --- | ---: | ---: | ---: | ---: |
| {RECOMPUTE} | undecided | 8.00 ± 0.00 | 8.00 ± 0.00 | 1.00 ± 0.00 ≈ | 6, 6 |
| {CACHED} | faster | 2.00 ± 0.00 | 1.60 ± 0.00 | 1.25 ± 0.00 | 6, 6 |
| geometric mean of 2 cases | faster | 4.00 ± 0.00 | 3.58 ± 0.00 | 1.12 ± 0.00 | 6, 6 |

### Speedups, two hosts: candidate / baseline

Times faster than the reference strategy beside it on the same backend, and their ratio: above 1 the strategy is worth \
more in the candidate, the second run. {NOTE}

| case | speedup | finding | baseline | candidate | ratio | rounds |
| --- | --- | --- | ---: | ---: | ---: | ---: |
| {CACHED} | cached / recompute | larger | 4.00 ± 0.00 | 5.00 ± 0.00 | 1.25 ± 0.00 | 6, 6 |

- two hosts, so seconds are not compared, only what was measured side by side (cpu model Abacus 3000 against """


def test_two_hosts_share_times_in_copies_and_speedups_but_no_seconds(two_runs: Actbench) -> None:
    on_another_host(OLD)
    result = two_runs("compare", OLD, NEW, "--format", "markdown")
    assert result.exit_code == 0
    assert TWO_HOSTS in result.stdout
    assert all(figure["seconds_ratio"] is None for figure in figures(two_runs, OLD, NEW))
    assert json.loads(two_runs("compare", OLD, NEW, "--format", "json").stdout)["basis"] == "two hosts"


def test_a_host_that_is_faster_throughout_is_no_difference(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = lambda case: exact_seconds(case) / 7
    actbench("run", *SMALL, "-o", NEW)
    on_another_host(NEW)
    assert [figure["ratio"] for figure in figures(actbench, OLD, NEW)] == pytest.approx([1.0] * 4)


def test_a_quick_copy_moves_times_but_no_speedup(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = scaled(yardstick=0.5)
    actbench("run", *SMALL, "-o", NEW)
    on_another_host(NEW)
    found = [(figure["figure"], figure["finding"], figure["ratio"]) for figure in figures(actbench, OLD, NEW)]
    assert found == [
        *[("time", "slower", pytest.approx(0.5))] * 3,
        ("cached / recompute", "undecided", pytest.approx(1.0)),
    ]


def test_caches_of_another_size_make_another_host(two_runs: Actbench) -> None:
    record = json.loads(Path(OLD, "run.json").read_text())
    record["environment"]["caches"] = {"L1d": 32768, "L2": 1048576}
    Path(OLD, "run.json").write_text(json.dumps(record))
    assert "caches L1d 32 KiB, L2 1024 KiB against " in two_runs("compare", OLD, NEW).stdout


# Groups


@pytest.fixture
def grouped(actbench: Actbench, bench: FakeBench) -> Actbench:
    """Two runs of two sizes and strategies; `cached` takes half the time now, and a quarter at 2000."""
    actbench("run", *TWO_BLOCKS, "-o", OLD)

    def seconds(case: Case) -> float:
        factor = {1000: 0.5, 2000: 0.25}.get(case.size, 1.0) if case.strategy == "cached" else 1.0
        return factor * exact_seconds(case)

    bench.seconds = seconds
    actbench("run", *TWO_BLOCKS, "-o", NEW)
    return actbench


@pytest.mark.parametrize(
    ("by", "means"),
    [
        ("strategy", {"recompute": 1.0, "cached": 8**0.5}),
        ("size", {"1000": 2**0.5, "2000": 2.0}),
        ("backend", {"numpy": 8**0.25}),
        ("dtype", {"float64": 8**0.25}),
        ("activation", {"logistic": 8**0.25}),
    ],
)
def test_a_group_has_the_geometric_mean_of_its_cases(grouped: Actbench, by: str, means: dict[str, float]) -> None:
    found = figures(grouped, OLD, NEW, "--by", by)
    groups = {figure["name"]: figure for figure in found if figure["by"] == by}
    assert list(groups) == list(means)
    for name, mean in means.items():
        expected = pytest.approx(mean)
        assert (groups[name]["ratio"], groups[name]["low"], groups[name]["high"]) == (expected, expected, expected)
        assert groups[name]["cases"] == 4 / len(means)


def test_groups_are_followed_by_the_mean_of_all_where_there_are_several(grouped: Actbench) -> None:
    (*_, last) = figures(grouped, OLD, NEW, "--by", "size")
    assert (last["by"], last["cases"], last["ratio"]) == ("all", 4, pytest.approx(8**0.25))
    assert [figure["by"] for figure in figures(grouped, OLD, NEW, "--by", "backend")] == ["backend"]


def test_a_table_of_groups_counts_their_cases(grouped: Actbench) -> None:
    shown = grouped("compare", OLD, NEW, "--by", "strategy", "--format", "markdown").stdout
    assert shown.startswith("**4 cases in both runs, 2 groups: 1 faster, 1 undecided**\n")
    assert "| strategy | finding | cases | baseline | candidate | ratio | of the time itself | rounds |\n" in shown
    assert "| cached | faster | 2 | 2.00 ± 0.00 | 0.707 ± 0.000 | 2.83 ± 0.00 | 2.83 ± 0.00 | 6, 6 |\n" in shown


def test_speedups_are_grouped_by_pairs_of_strategies_as_well(grouped: Actbench) -> None:
    on_another_host(OLD)
    found = figures(grouped, OLD, NEW, "--by", "size")
    speedups = [(figure["name"], figure["ratio"]) for figure in found if figure["figure"] == "cached / recompute"]
    assert speedups == [("1000", pytest.approx(2)), ("2000", pytest.approx(4)), ("all", pytest.approx(8**0.5))]


# What limits a comparison


def test_too_few_rounds_give_a_ratio_without_interval_or_finding(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "--rounds", "3", "-o", OLD)
    bench.seconds = scaled(cached=0.5)
    actbench("run", *SMALL, "--rounds", "3", "-o", NEW)
    (_, cached, _) = figures(actbench, OLD, NEW)
    assert (cached["ratio"], cached["low"], cached["high"]) == (pytest.approx(2.0), None, None)
    assert cached["finding"] == "undecided"
    shown = actbench("compare", OLD, NEW).stdout
    assert f"{CACHED} undecided 2.00 ? 1.00 ? 2.00 ? 2.00 ? 3, 3" in words(shown)
    assert shown.endswith("\n? marks a figure without an interval: too few rounds in a run\n")


def test_different_numbers_of_rounds_are_compared(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "--rounds", "6", "-o", OLD)
    bench.seconds = scaled(cached=0.5)
    actbench("run", *SMALL, "--rounds", "9", "-o", NEW)
    (_, cached, _) = figures(actbench, OLD, NEW)
    assert (cached["finding"], cached["baseline_rounds"], cached["candidate_rounds"]) == ("faster", 6, 9)


def test_cases_of_one_run_only_are_listed_by_block(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    actbench("run", *TWO_BLOCKS, "-o", NEW)
    for runs, finding, rounds in (((OLD, NEW), "new", "0, 6"), ((NEW, OLD), "missing", "6, 0")):
        shown = actbench("compare", *runs, "--format", "markdown").stdout
        assert shown.startswith(f"**2 cases in both runs: 2 undecided; in one run only: 2 {finding}**\n")
        row = f"| logistic/derivative/float64/2000 | {finding} | recompute/numpy, cached/numpy | {rounds} |\n"
        assert row in shown
        assert [figure["ratio"] for figure in figures(actbench, *runs) if figure["finding"] == finding] == [None, None]


def test_a_case_that_shared_its_block_with_others_is_shown_but_not_decided(
    actbench: Actbench, bench: FakeBench
) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = scaled(cached=0.5)
    actbench("run", *SMALL, "-s", "recompute,cached,complement", "-o", NEW)
    (_, cached, mean, *_) = figures(actbench, OLD, NEW)
    assert (cached["ratio"], cached["finding"], cached["chance"]) == (pytest.approx(2.0), "undecided", None)
    assert mean["finding"] == "undecided"
    shown = actbench("compare", OLD, NEW).stdout
    assert "nothing is decided of 2 cases, measured beside other cases then than now" in shown


# What is refused


def refused(actbench: Actbench, *arguments: str) -> tuple[int, str]:
    result = actbench("compare", *arguments)
    assert not result.stdout
    assert result.stderr.count("\n") == 1
    return result.exit_code, result.stderr.removeprefix("actbench: ").rstrip("\n")


def test_runs_without_a_common_case_are_refused(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    actbench("run", *PAIR, "-n", "2000", "-o", NEW)
    said = "old and new have no measured case in common: measure the same selection"
    assert refused(actbench, OLD, NEW) == (5, said)


def test_runs_of_two_engines_are_refused(two_runs: Actbench) -> None:
    edited(OLD, '"engine": "interleaved"', '"engine": "pyperf"')
    said = "old was measured by engine pyperf, new by interleaved: measure both by the same"
    assert refused(two_runs, OLD, NEW) == (5, said)


def test_runs_on_other_inputs_are_refused(two_runs: Actbench) -> None:
    edited(NEW, '"normal(0, 1)"', '"uniform(0, 1)"')
    resealed(Path(NEW))
    said = "old was measured on inputs from normal(0, 1), new from uniform(0, 1): measure both on the same"
    assert refused(two_runs, OLD, NEW) == (5, said)


def test_a_suite_that_does_not_tell_its_host_is_refused(two_runs: Actbench) -> None:
    Path("alone").mkdir()
    Path("alone/pyperf.json").write_bytes(Path(OLD, "pyperf.json").read_bytes())
    code, said = refused(two_runs, "alone/pyperf.json", NEW)
    assert (code, said) == (5, "alone/pyperf.json does not tell its host: name the directory of the run")


@pytest.mark.parametrize("runs", [(OLD, "nowhere"), ("nowhere", NEW)])
def test_what_is_no_run_is_bad_input(two_runs: Actbench, runs: tuple[str, str]) -> None:
    code, said = refused(two_runs, *runs)
    assert code == 2
    assert said.startswith("nowhere is not a run")


def test_a_reference_between_two_runs_is_bad_input(two_runs: Actbench) -> None:
    said = "--reference is for one run: of two, the first is the reference; leave it out"
    assert refused(two_runs, OLD, NEW, "--reference", "cached") == (2, said)


def test_by_activation_within_one_run_is_bad_input(two_runs: Actbench) -> None:
    said = "--by activation compares two runs: name the other one as well, or another --by"
    assert refused(two_runs, OLD, "--by", "activation") == (2, said)
