"""What many runs show together: series, their steps, and which runs belong together."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from actbench.analysis.history import Figure, history
from actbench.analysis.history_runs import measurements, positions
from actbench.analysis.step_detection import finder
from actbench.report.charts.history import history as chart
from actbench.runs.collection import collect
from tests.conftest import Actbench
from tests.support.compared import on_another_host, scaled
from tests.support.fake import FakeBench
from tests.support.histories import CACHED, STEADY, STEP, in_json, rewrite, runs
from tests.support.selections import SMALL, edit
from tests.support.vega_lite import forbidden

pytest.importorskip("asv", reason="steps are found by asv, the extra history")


def at_commit(number: int, record: Any) -> None:
    """Let later runs be of earlier commits."""
    record["commit"] = {"hash": f"{number:<040x}", "date": f"2025-01-{28 - number:02}T00:00:00+00:00", "dirty": False}


def with_numpy(*versions: str) -> Any:
    def change(number: int, record: Any) -> None:
        record["environment"]["libraries"]["numpy"] = versions[number % len(versions)]

    return change


@pytest.mark.parametrize(("figure", "size"), [("time", 1.05), ("speedup", 1 / 1.05)])
def test_a_step_is_shown_with_its_size_its_interval_and_the_runs_beside_it(
    actbench: Actbench, run: Path, figure: str, size: float
) -> None:
    result = actbench("history", str(runs(run, Path("all"), STEP)), "--of", figure, "--format", "json")
    assert result.exit_code == 0, result.stderr
    (step,) = in_json(result.stdout)[CACHED]["steps"]
    assert step["ratio"] == pytest.approx(size, rel=2e-3)
    assert step["low"] < size < step["high"]
    assert (step["before"], step["after"], step["runs"]) == ("run07", "run08", [8, 8])
    assert (step["for_the_worse"], step["is_of_copy"]) == (True, False)
    assert step["p_value"] < 1e-3


def test_runs_that_scatter_have_no_step(actbench: Actbench, run: Path) -> None:
    result = actbench("history", str(runs(run, Path("all"), STEADY * 2)), "--fail-on-step")
    assert result.exit_code == 0
    assert "2 cases over 16 runs, by date: 0 steps\n" in result.stdout


def test_one_run_that_is_off_is_no_step(actbench: Actbench, run: Path) -> None:
    factors = (*STEADY, 1.3, *STEADY, 1.3, 1.3)
    assert "0 steps" in actbench("history", str(runs(run, Path("all"), factors))).stdout


@pytest.mark.parametrize(("factors", "code"), [(STEP, 1), (STEP[::-1], 0)])
def test_fail_on_step_ends_with_1_where_a_case_got_slower(
    actbench: Actbench, run: Path, factors: tuple[float, ...], code: int
) -> None:
    result = actbench("history", str(runs(run, Path("all"), factors)), "--fail-on-step")
    assert result.exit_code == code
    assert "1 step, 1 slower, 0 faster" in result.stdout or code == 0


def test_a_step_that_the_time_itself_does_not_have_is_of_the_copy(actbench: Actbench, run: Path) -> None:
    copies = ("copies", "copies_low", "copies_high")
    result = actbench("history", str(runs(run, Path("all"), STEP, scaled=copies)), "--fail-on-step")
    assert result.exit_code == 0
    assert "1 step, 0 slower, 0 faster, 1 of the copy\n" in result.stdout
    assert "the copy seems to have changed, and not the case" in result.stdout


@pytest.mark.parametrize(("copies", "seconds"), [(1.36, 0.95), (0.7, 1.05)])
def test_a_step_is_of_the_copy_where_the_time_itself_changed_the_other_way(
    actbench: Actbench, run: Path, copies: float, seconds: float
) -> None:
    later = tuple(copies * factor for factor in STEADY)
    directory = runs(run, Path("all"), (*STEADY, *later), scaled=("copies", "copies_low", "copies_high"))
    for number in range(len(STEADY), 2 * len(STEADY)):
        rewrite(directory / f"run{number:02}" / "cases.csv", "strategy", seconds, ("seconds",))
    result = actbench("history", str(directory), "--fail-on-step")
    assert "1 step, 0 slower, 0 faster, 1 of the copy\n" in result.stdout
    assert result.exit_code == 0, "1 means a regression and nothing else"


def test_a_step_of_a_case_is_not_hidden_by_the_host_s_drift(actbench: Actbench, run: Path) -> None:
    drift = [1.0 + 0.3 * (number % 3) for number in range(len(STEP))]
    directory = runs(run, Path("all"), STEP)
    for number, factor in enumerate(drift):
        rewrite(directory / f"run{number:02}" / "cases.csv", "strategy", factor, ("seconds",))
    result = actbench("history", str(directory), "--fail-on-step")
    assert "1 step, 1 slower, 0 faster\n" in result.stdout
    assert "in 1 step the time itself drifts too much to tell" in result.stdout
    assert result.exit_code == 3, "1 means a regression and nothing else"


def test_runs_of_other_hosts_are_series_of_their_own(actbench: Actbench, run: Path) -> None:
    directory = runs(run, Path("all"), STEP)
    for number in range(8, 16):
        on_another_host(f"all/run{number:02}")
    shown = json.loads(actbench("history", str(directory), "--format", "json").stdout)
    assert len(shown["hosts"]) == 2
    lengths = [(series["host"], len(series["points"]), series["steps"]) for series in shown["series"]]
    assert sorted(lengths) == [(1, 8, []), (1, 8, []), (2, 8, []), (2, 8, [])]


def test_runs_are_in_the_order_of_their_commits(actbench: Actbench, run: Path) -> None:
    directory = runs(run, Path("all"), STEP, at_commit)
    result = actbench("history", str(directory), "--by", "commit", "--format", "json")
    (step,) = in_json(result.stdout)[CACHED]["steps"]
    assert (step["before"], step["after"], step["for_the_worse"]) == ("run08", "run07", False)
    assert step["changed"] == "commit was 800000000000, is 700000000000"


def test_runs_are_in_the_order_of_a_library_s_versions(actbench: Actbench, run: Path) -> None:
    directory = runs(run, Path("all"), STEADY, with_numpy("2.10.0", "2.9.1", "2.10.0rc1", "2.9.1.post1"))
    result = actbench("history", str(directory), "--by", "numpy", "--format", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(result.stdout)) if row["case"] == CACHED]
    assert [row["position"] for row in rows[::2]] == ["2.9.1", "2.9.1.post1", "2.10.0rc1", "2.10.0"]


def test_a_step_names_the_software_that_changed_with_it(actbench: Actbench, run: Path) -> None:
    def change(number: int, record: Any) -> None:
        record["environment"]["libraries"]["numpy"] = "2.3.5" if number < 8 else "2.4.0"

    (step,) = in_json(actbench("history", str(runs(run, Path("all"), STEP, change)), "--format", "json").stdout)[
        CACHED
    ]["steps"]
    assert step["changed"] == "numpy was 2.3.5, is 2.4.0"


def loaded(number: int, record: Any) -> None:
    """Let later runs have loaded another version of a file."""
    record["loaded"] = [{"kind": "file", "name": "mine.py", "sha256": f"{number // 8}" * 64}]


def test_a_step_names_the_loaded_code_that_changed_with_it(actbench: Actbench, run: Path) -> None:
    shown = actbench("history", str(runs(run, Path("all"), STEP, loaded)), "--format", "json").stdout
    (step,) = in_json(shown)[CACHED]["steps"]
    assert step["changed"] == "loaded code mine.py was sha256 000000000000, is sha256 111111111111"


def test_csv_has_every_point_with_its_interval(actbench: Actbench, run: Path) -> None:
    result = actbench("history", str(runs(run, Path("all"), STEP)), "--format", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(result.stdout)) if row["case"] == CACHED]
    assert [float(row["ratio"]) for row in rows] == pytest.approx([2 * factor for factor in STEP])
    assert all(float(row["low"]) <= float(row["ratio"]) <= float(row["high"]) for row in rows)
    assert [number for number, row in enumerate(rows) if row["step"]] == [8]
    assert "1 step" in result.stderr


def test_the_text_says_what_markdown_says(actbench: Actbench, run: Path) -> None:
    directory = str(runs(run, Path("all"), STEP))
    text, markdown = (actbench("history", directory, "--format", form).stdout for form in ("text", "markdown"))
    assert (
        "| logistic/cached/numpy/derivative/float64/1000 | 2026-01-08 12:00 | 2026-01-09 12:00 | slower | +5.0 % ± "
        in (markdown)
    )
    for shown in (text, markdown):
        assert "2 cases over 16 runs, by date: 1 step, 1 slower, 0 faster" in shown


def test_only_what_is_selected_is_followed(actbench: Actbench, run: Path) -> None:
    directory = str(runs(run, Path("all"), STEADY))
    result = actbench("history", directory, "-s", "recompute", "--format", "json")
    assert [*in_json(result.stdout)] == ["logistic/recompute/numpy/derivative/float64/1000"]
    assert actbench("history", directory, "-s", "textbook").exit_code == 2


def test_the_page_has_every_point_and_loads_nothing(actbench: Actbench, run: Path) -> None:
    result = actbench("history", str(runs(run, Path("all"), STEP)), "--format", "html", "-o", "history.html")
    assert result.exit_code == 0, result.output
    page = Path("history.html").read_text()
    assert "1 step, 1 slower, 0 faster" in page
    assert 'data-kind="history"' in page
    assert "src=" not in page.partition("<script")[0]


@pytest.mark.parametrize(("axis", "hosts"), [("date", 1), ("numpy", 2)])
def test_the_chart_is_what_vega_lites_schema_allows(run: Path, axis: str, hosts: int) -> None:
    directory = runs(run, Path("all"), STEP, with_numpy("2.10.0", "2.9.0"))
    if hosts > 1:
        on_another_host("all/run00")
    collection = collect([directory])
    placed, _ = positions(collection.runs, axis)
    measured = [(one, position, measurements(one, Figure.TIME)) for one, position in placed]
    shown = chart(history(Figure.TIME, axis, measured, finder()))
    assert not forbidden(shown.spec)
    assert [param["name"] for param in shown.spec["params"]] == ["chosen_host"] * (hosts > 1) + ["chosen_case"]
    assert {*shown.rows["layer"]} >= {"run", "level"}
    if axis == "numpy":
        assert shown.spec["layer"][0]["encoding"]["x"]["scale"] == {"domain": ["2.9.0", "2.10.0"]}


def test_a_run_in_a_repository_records_its_commit(actbench: Actbench) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607

    git("init", "-q")
    Path("file").write_text("1")
    git("add", "file")
    git("commit", "-q", "-m", "first")
    actbench("run", *SMALL, "--rounds", "1", "-o", "clean")
    Path("file").write_text("2")
    actbench("run", *SMALL, "--rounds", "1", "-o", "dirty")
    commits = [json.loads(Path(name, "run.json").read_text())["commit"] for name in ("clean", "dirty")]
    assert [commit["hash"] for commit in commits] == [git("rev-parse", "HEAD")] * 2
    assert [commit["dirty"] for commit in commits] == [False, True]
    rows = actbench("history", "clean", "dirty", "--by", "commit", "--format", "csv").stdout
    assert rows.count(" with changes,") == 2


# Checks


def test_checks_are_followed_by_their_ratio_to_the_baseline_that_they_share(
    actbench: Actbench, bench: FakeBench
) -> None:
    for number, factor in enumerate((1.0, 1.2)):
        bench.seconds = scaled(cached=factor)
        actbench("check", "--against", "there", *SMALL, "-o", f"checks/{number}")
    bench.baseline_versions["numpy"] = "2.0.0"
    actbench("check", "--against", "there", *SMALL, "-o", "checks/2")
    result = actbench("history", "checks", "-s", "cached", "--format", "json")
    assert result.exit_code == 0, result.stderr
    same, other = json.loads(result.stdout)["series"]
    assert [point["ratio"] for point in same["points"]] == pytest.approx([1.0, 1.2])
    assert [point["ratio"] for point in other["points"]] == pytest.approx([1.2])
    assert "numpy 2.0.0" in other["conditions"]
    assert "numpy 2.0.0" not in same["conditions"]


def test_checks_against_baselines_of_different_code_are_apart(actbench: Actbench) -> None:
    for number in (0, 8, 9):
        actbench("check", "--against", "there", *SMALL, "-o", f"checks/{number}")
        edit(Path(f"checks/{number}/baseline"), partial(loaded, number))
    shown = json.loads(actbench("history", "checks", "-s", "cached", "--format", "json").stdout)
    points = {series["conditions"].partition("mine.py ")[2]: len(series["points"]) for series in shown["series"]}
    assert points == {"sha256 000000000000": 1, "sha256 111111111111": 2}


def test_speedups_of_checks_are_those_of_the_candidate(actbench: Actbench, bench: FakeBench) -> None:
    for number, factor in enumerate((1.0, 0.5)):
        bench.seconds = scaled(cached=factor)
        actbench("check", "--against", "there", *SMALL, "-o", f"checks/{number}")
    result = actbench("history", "checks", "--of", "speedup", "--format", "json")
    (series,) = json.loads(result.stdout)["series"]
    assert [point["ratio"] for point in series["points"]] == pytest.approx([4.0, 8.0])
