"""Which runs a history reads, what it leaves out, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.compared import on_another_host
from tests.support.histories import STEADY, STEP, runs
from tests.support.selections import SMALL

pytest.importorskip("asv", reason="steps are found by asv, the extra history")


def test_earlier_runs_without_times_in_copies_are_read_from_their_values(actbench: Actbench, run: Path) -> None:
    directory = str(runs(run, Path("all"), STEADY))
    actbench("run", *SMALL, "-o", "all/earlier")
    earlier = Path("all/earlier/cases.csv")
    table = [row.split(",") for row in earlier.read_text().splitlines()]
    at = table[0].index("copies")
    earlier.write_text("\n".join(",".join([*row[:at], *row[at + 3 :]]) for row in table) + "\n")
    points = [
        point
        for series in json.loads(actbench("history", directory, "--format", "json").stdout)["series"]
        for point in series["points"]
        if point["run"] == "earlier"
    ]
    assert [point["ratio"] for point in points] == pytest.approx([8, 2])
    assert [point["seconds"] for point in points] == pytest.approx([4e-6, 1e-6])


def test_runs_in_a_directory_that_cannot_be_read_are_left_out_and_named(actbench: Actbench, run: Path) -> None:
    directory = runs(run, Path("all"), STEADY)
    Path("all/run01/cases.csv").write_text("activation\n")
    Path("all/run02/run.json").write_text("{")
    record = json.loads(Path("all/run03/run.json").read_text())
    Path("all/run03/run.json").write_text(json.dumps(record | {"schema": 1}))
    Path("all/run04/run.json").write_text(json.dumps(record | {"status": "running"}))
    result = actbench("history", str(directory))
    assert result.exit_code == 0
    assert "over 4 runs" in result.stdout
    for number in range(1, 5):
        assert f"left out: all/run{number:02}" in result.stdout


def test_a_copy_of_a_run_counts_once_and_is_named(actbench: Actbench, run: Path) -> None:
    directory = runs(run, Path("all"), STEADY)
    shutil.copytree("all/run01", "all/run01-corrected")
    result = actbench("history", str(directory), "all/run01")
    assert result.exit_code == 0
    assert result.stdout.count("is a copy of") == 1
    assert "left out: all/run01-corrected is a copy of all/run01: both have the id " in result.stdout


def test_names_of_directories_that_are_left_out_are_escaped(actbench: Actbench, run: Path) -> None:
    directory = runs(run, Path("all"), STEADY)
    shutil.copytree("all/run01", "all/run01\x1b[2J\nand more")
    shutil.copytree("all/run01", "all/run01\x1b[2J\nwithout values")
    Path("all/run01\x1b[2J\nwithout values/run.json").write_text("{")
    for form in ("text", "markdown"):
        result = actbench("history", str(directory), "--format", form)
        assert "\x1b[2J" not in result.output
        assert result.output.count("run01\\x1b[2J\\nand more is a copy of ") == 1
        assert result.output.count("run01\\x1b[2J\\nwithout values") >= 1


def test_a_run_without_a_table_is_read_from_its_values_and_one_without_values_is_left_out(
    actbench: Actbench, run: Path
) -> None:
    directory = runs(run, Path("all"), STEADY)
    actbench("run", *SMALL, "-o", "all/whole")
    Path("all/whole/cases.csv").unlink()
    actbench("run", "-a", "logistic", "-b", "numpy", "-s", "cached", "-n", "1000", "-o", "all/alone")
    rows = csv.DictReader(io.StringIO(actbench("history", str(directory), "--format", "csv").stdout))
    assert [float(row["ratio"]) for row in rows if row["run"] == "whole"] == pytest.approx([8, 2])
    of_speedups = actbench("history", str(directory), "--of", "speedup")
    assert "left out: all/alone has no speedup to follow" in of_speedups.stdout


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (("cases.csv", "recompute,numpy", "recompute"), "all/run01/cases.csv, line 2: "),
        (("cases.csv", ",8,8,8,8,", ",8,9,8,8,"), "no estimate with its interval"),
        (("cases.csv", ",8,8,8,8,", ",8,eight,8,8,"), "line 2: it has no numbers where numbers belong"),
        (("cases.csv", "recompute", "re\x07compute"), "line 2: a name in it has characters that do not print"),
        (("cases.csv", ",1000,", ",ten,"), "write its size in digits"),
        (("run.json", '"created": "2026', '"created": "x'), "is not a time"),
        (("run.json", '"schema": 2', '"schema": 7'), "is of schema 7, this actbench reads 2"),
    ],
)
def test_a_run_that_is_named_and_damaged_is_refused(
    actbench: Actbench, run: Path, spoil: tuple[str, str, str], why: str
) -> None:
    runs(run, Path("all"), STEADY[:2])
    name, old, new = spoil
    path = Path("all/run01", name)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    result = actbench("history", "all/run00", "all/run01/run.json")
    assert result.exit_code == 2
    assert why in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("nowhere",), 2, "nowhere does not exist: name runs"),
        (("empty",), 2, "empty has no run in it"),
        (("all/run00",), 2, "a history takes two runs or more: there is one run"),
        (("all/run00", "all/run00"), 2, "a history takes two runs or more"),
        (("all", "--by", "numy"), 2, "did you mean 'numpy'?"),
        (("all", "--by", "commit"), 2, "no run was made in a repository"),
        (
            ("all", "--of", "speedup", "-s", "recompute"),
            2,
            "-s recompute: it is the reference, over which speedups are: name a strategy that has one (cached), or",
        ),
        (("all", "-s", "recompute,complement", "-a", "relu"), 2, "-a relu: no run has such a case; they have logistic"),
        (("all", "--of", "speedup", "-s", "textbook"), 2, "-s textbook: no run has such a case; they have cached"),
        (
            ("all", "--filter", "tanh/*"),
            2,
            "no run has a case that is selected: name another with",
        ),
        (("all", "--of", "speedup", "--filter", "*/recompute/*"), 2, "no run has a speedup over another strategy: "),
        (("all", "-o", "nowhere/x.csv"), 2, "cannot write nowhere/x.csv"),
    ],
)
def test_mistakes_are_named_with_the_way_out(
    actbench: Actbench, run: Path, arguments: tuple[str, ...], code: int, why: str
) -> None:
    runs(run, Path("all"), STEADY[:2])
    Path("empty").mkdir()
    result = actbench("history", *arguments)
    assert result.exit_code == code
    assert why in result.stderr
    assert result.stderr.count("\n") == 1


def test_runs_without_a_case_in_common_cannot_be_compared(actbench: Actbench, run: Path) -> None:
    directory = runs(run, Path("all"), STEADY[:2])
    on_another_host("all/run01")
    result = actbench("history", str(directory))
    assert result.exit_code == 5
    assert "no two runs have a case in common on one host" in result.stderr


def test_without_asv_there_are_no_steps_and_a_sentence_says_how_to_install_it(
    actbench: Actbench, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asv.step_detect", None)
    directory = str(runs(run, Path("all"), STEP))
    result = actbench("history", directory)
    assert result.exit_code == 0
    assert "no steps were searched" in result.stdout
    assert "python -m pip install 'actbench-derivatives[history]'" in result.stdout
    refused = actbench("history", directory, "--fail-on-step")
    assert (refused.exit_code, "python -m pip install" in refused.stderr) == (2, True)
