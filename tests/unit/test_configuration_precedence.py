"""What holds where the command line, the environment, the file and a resumed run say different things."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import PAIR, SMALL, record
from tests.support.settings import cases, part, prediction, settings, write


def test_the_command_line_beats_the_environment_beats_the_table_beats_the_file(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('activation = "logistic"\nstrategy = "cached"\nsize = 1000\n')
    assert part(cases(actbench), 5) == {"1000"}
    write('activation = "logistic"\nstrategy = "cached"\nsize = 1000\n[list]\nsize = 2000\n')
    assert part(cases(actbench), 5) == {"2000"}
    monkeypatch.setenv("ACTBENCH_SIZE", "3000")
    assert part(cases(actbench), 5) == {"3000"}
    selected = cases(actbench, "-n", "4000")
    assert [part(selected, index) for index in (0, 1, 5)] == [{"logistic"}, {"cached"}, {"4000"}]


def test_a_table_holds_for_its_command_alone(actbench: Actbench) -> None:
    write("[run]\nsize = 2000\n")
    assert "2000" not in part(cases(actbench), 5)
    planned = actbench("run", "--dry-run").stdout.partition("\n\n")[0]
    assert part(set(planned.splitlines()), 5) == {"2000"}


def test_a_list_on_the_command_line_replaces_the_list_of_the_file(actbench: Actbench) -> None:
    write('backend = ["python", "numpy"]\nsize = [1000]\n')
    assert part(cases(actbench, "-b", "numba"), 2) == {"numba"}


def test_an_empty_variable_sets_nothing(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTBENCH_SIZE", "")
    assert len(part(cases(actbench), 5)) == 3


def test_a_baseline_of_the_file_need_not_be_named(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "old")
    shutil.copytree("old", "new")
    write("[check]\nbaseline = 'old'\nmargin = 7\n")
    result = actbench("check", "new")
    assert result.exit_code == 0, result.stderr
    assert "margin 7 %" in result.stdout
    assert "margin 8 %" in actbench("check", "new", "--margin", "8").stdout


# Settings that exclude each other


def test_rounds_on_the_command_line_replace_target_and_budget_of_the_file(actbench: Actbench) -> None:
    write("budget = '1ms'\ntarget = 1\n")
    assert ", 6 rounds: " in prediction(actbench, "--rounds", "6")
    assert actbench("run", *SMALL, "--rounds", "4", "-o", "here").exit_code == 0
    recorded = record(Path("here"))["settings"]
    assert (recorded["rounds"], recorded["budget"]) == (4, None)


@pytest.mark.parametrize("option", [("--budget", "10s"), ("--target", "1")])
def test_a_target_or_a_budget_on_the_command_line_replaces_rounds_of_the_file(
    actbench: Actbench, option: tuple[str, str]
) -> None:
    write("rounds = 3\n")
    assert "rounds or more" in prediction(actbench, *option).replace("round or more", "rounds or more")


def test_a_budget_of_the_environment_replaces_rounds_of_the_file_but_not_those_of_the_command_line(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("rounds = 3\n")
    monkeypatch.setenv("ACTBENCH_BUDGET", "10s")
    assert [line.split()[0] for line in settings(actbench)[1:]] == ["budget"]
    assert ", 5 rounds: " in prediction(actbench, "--rounds", "5")


def test_stock_pyperf_on_the_command_line_passes_over_limits_that_it_does_not_have(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("budget = '30s'\n")
    monkeypatch.setenv("ACTBENCH_TARGET", "1")
    assert prediction(actbench, "--engine", "pyperf").startswith("20 processes a case")


@pytest.mark.parametrize("text", ["engine = 'pyperf'\nbudget = 30\n", "engine = 'pyperf'\n"])
def test_a_budget_for_stock_pyperf_is_refused_with_the_origin_of_the_engine(actbench: Actbench, text: str) -> None:
    write(text)
    result = actbench("run", "--dry-run", *(() if "budget" in text else ("--budget", "30s")))
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "--target and --budget do not apply to stock pyperf (--engine pyperf)" in said
    assert "engine is from actbench.toml" in said


# resume


def test_settings_do_not_stand_in_the_way_of_a_resume(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "2")
    write("preset = 'full'\nsize = 4000\nseed = 9\nengine = 'pyperf'\nrounds = 1\n")
    monkeypatch.setenv("ACTBENCH_STRATEGY", "textbook")
    started = bench.workers_started
    result = actbench("run", "--resume", "here", "--rounds", "3")
    assert result.exit_code == 0, result.stderr
    assert bench.workers_started > started
    recorded = record(Path("here"))["settings"]
    assert (recorded["rounds"], recorded["engine"]) == (3, "interleaved")


def test_a_resume_keeps_the_limits_of_its_run_whatever_the_file_says(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--target", "3", "--budget", "40s", "--timeout", "50s")
    before = record(Path("here"))["settings"]
    write("rounds = 1\ntimeout = 9\n")
    assert actbench("run", "--resume", "here").exit_code == 0
    assert record(Path("here"))["settings"] == before


def test_a_selection_given_again_with_resume_is_completed_by_the_file_as_before(actbench: Actbench) -> None:
    write("size = 1000\n")
    actbench("run", *PAIR, "-o", "here", "--rounds", "1")
    assert actbench("run", *PAIR, "--resume", "here", "--rounds", "2").exit_code == 0
