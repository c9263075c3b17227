"""What is read of a run on disk, which damage is noticed there, and what a run does not contain."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actbench.runs import archive, writer
from tests.conftest import Actbench
from tests.support.damage import refused, resealed
from tests.support.selections import SMALL, edit


@pytest.fixture
def run(one_block: Path) -> Path:
    """Two rounds of one block."""
    return one_block


# run.json


@pytest.mark.parametrize("keep", [0, 1, 100, -3])
def test_a_truncated_run_json_is_refused(actbench: Actbench, run: Path, keep: int) -> None:
    path = run / "run.json"
    path.write_bytes(path.read_bytes()[:keep])
    said = refused(actbench, run)
    assert f"{path} is damaged: " in said
    assert "; restore it from a copy, or measure again" in said


@pytest.mark.parametrize("text", ["[]", "null", "7", '{"schema": "1"}', '{"schema": 2}', "\xff", '"run"'])
def test_other_json_is_refused(actbench: Actbench, run: Path, text: str) -> None:
    (run / "run.json").write_bytes(text.encode("latin-1"))
    assert "run.json is damaged: " in refused(actbench, run)


def test_a_future_schema_says_what_to_do(actbench: Actbench, run: Path) -> None:
    edit(run, lambda record: record.update(schema=99, plan="otherwise"))
    said = refused(actbench, run)
    assert "run.json is of schema 99, this actbench reads 2: use the actbench that wrote it" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["calibrations"].clear(),
        lambda record: next(iter(record["calibrations"].values())).update(values=[1]),
        lambda record: record["plan"]["blocks"][0]["arms"].clear(),
        lambda record: record["plan"]["blocks"].append(record["plan"]["blocks"][0]),
        lambda record: record["plan"]["blocks"].clear(),
    ],
    ids=["no calibrations", "calibration of fewer arms", "no arms", "a block twice", "no blocks"],
)
def test_a_run_json_that_contradicts_itself_is_refused(
    actbench: Actbench, run: Path, change: Callable[[Any], object]
) -> None:
    edit(run, change)
    refused(actbench, run)


@pytest.mark.parametrize("name", ["run.json", "values.csv", "cases.csv", "summary.md"])
def test_for_a_file_of_a_run_its_directory_is_named(actbench: Actbench, run: Path, name: str) -> None:
    assert refused(actbench, run / name) == (
        f"actbench: {run / name} is a file of a run: name the run's directory, {run}\n"
    )


# values.csv


def change_line(run: Path, number: int, change: Callable[[list[str]], list[str]]) -> None:
    """Change the cells of a line, counted from 1 as editors do."""
    path = run / "values.csv"
    lines = path.read_text().splitlines()
    lines[number - 1] = ",".join(change(lines[number - 1].split(",")))
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("seconds", ["-1e-6", "0", "nan", "inf", "soon", "", "0x10", "1e-6 s"])
def test_seconds_that_are_no_positive_number_are_refused_with_file_and_line(
    actbench: Actbench, run: Path, seconds: str
) -> None:
    change_line(run, 5, lambda cells: [*cells[:9], seconds, *cells[10:]])
    assert f"{run / 'values.csv'}, line 5: " in refused(actbench, run)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (5, "-1000"),
        (5, "1e99"),
        (5, "1000.5"),
        (5, "9" * 30),
        (6, "0"),
        (6, "one"),
        (6, "1.5"),
        (7, "-1"),
        (7, "0.5"),
        (8, "0"),
    ],
)
def test_other_numbers_out_of_range_are_refused(actbench: Actbench, run: Path, column: int, value: str) -> None:
    change_line(run, 7, lambda cells: [*cells[:column], value, *cells[column + 1 :]])
    assert str(run / "values.csv") in refused(actbench, run)


@pytest.mark.parametrize(
    ("column", "value"),
    [(0, "softplus"), (1, "guessed"), (2, "fortran"), (3, "integral"), (4, "float16"), (5, "1001"), (0, "")],
)
def test_a_case_that_is_not_in_the_plan_is_refused(actbench: Actbench, run: Path, column: int, value: str) -> None:
    path = run / "values.csv"
    extra = path.read_text().splitlines()[1].split(",")
    extra[column] = value
    path.write_text(path.read_text() + ",".join(extra) + "\n")
    assert str(path) in refused(actbench, run)


@pytest.mark.parametrize("column", range(11))
def test_a_missing_column_is_refused(actbench: Actbench, run: Path, column: int) -> None:
    path = run / "values.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("".join(",".join(cells[:column] + cells[column + 1 :]) + "\n" for cells in lines))
    assert str(path) in refused(actbench, run)


def only(lines: list[str], chosen: Callable[[str], bool]) -> list[str]:
    return [line for line in lines if chosen(line)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: only(lines, lambda line: ",2,3," not in line or ",cached," not in line), "line "),
        (lambda lines: only(lines, lambda line: ",recompute," not in line), "line 2: "),
        (lambda lines: only(lines, lambda line: ",1000,warm,,1,1," not in line), "line 2: "),
        (lambda lines: only(lines, lambda line: ",1000,warm,,1,2," not in line), "is incomplete: it ends before line "),
        (lambda lines: [*lines, lines[-1]], "this is more than was measured"),
        (lambda lines: [*lines[:7], lines[6], *lines[7:]], "line 8: "),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], "line 4: "),
        (lambda lines: [lines[0], *lines[:0:-1]], "line 2: "),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], "is cut short"),
        (lambda lines: [*lines[:-1], lines[-1][:-2]], "is cut short"),
        (lambda lines: [*lines[:-1], lines[-1][:-3]], "is cut short"),
        (lambda lines: [*lines[:4], lines[4].replace("e-", "1e-"), *lines[5:]], "was changed"),
        (lambda lines: [*lines[:4], lines[4].replace(",1,3,", ",1,2,"), *lines[5:]], "line 5: "),
        (lambda lines: [*lines[:4], re.sub(r",\d+(,[^,]+,[^,]+)$", r",7\1", lines[4]), *lines[5:]], "line 5: "),
        (lambda lines: [lines[0].replace("op", "on"), *lines[1:]], "does not begin with the columns"),
        (lambda lines: [lines[0].replace(",rows", ""), *lines[1:]], "line 1: "),
    ],
    ids=[
        *("a row missing", "a case missing", "the first round missing", "the last round missing", "the last row twice"),
        *("a row twice", "two rows exchanged", "backwards", "without the last byte", "without two", "without three"),
        *("another number", "a value of another number", "other loops", "another header"),
        "the header of an older version",
    ],
)
def test_values_that_are_not_as_they_were_written_are_refused_with_the_line(
    actbench: Actbench, run: Path, damage: Callable[[list[str]], list[str]], said: str
) -> None:
    path = run / "values.csv"
    before = path.read_text()
    path.write_text("".join(damage(before.splitlines(keepends=True))))
    assert path.read_text() != before
    message = refused(actbench, run)
    assert f"{path}" in message
    assert said in message
    assert message.endswith("; restore it from a copy, or measure again\n")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\xff\xfe\x00", b"a,b\n1,2\n", b'"', b"\x00\x00"],
    ids=["empty", "blank", "binary", "foreign", "open quote", "zeros"],
)
def test_another_values_file_is_refused(actbench: Actbench, run: Path, content: bytes) -> None:
    (run / "values.csv").write_bytes(content)
    assert str(run / "values.csv") in refused(actbench, run)


def test_line_ends_that_git_or_an_editor_changed_are_named(actbench: Actbench, run: Path) -> None:
    path = run / "values.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert refused(actbench, run) == (
        f"actbench: {path} has CRLF line ends, from git (core.autocrlf) or an editor, but only LF can be read: "
        "'*.csv -text' in .gitattributes keeps git from it; restore it from a copy, or measure again\n"
    )


def test_a_row_that_is_too_long_is_refused(actbench: Actbench, run: Path) -> None:
    change_line(run, 9, lambda cells: [*cells, "more"])
    assert str(run / "values.csv") in refused(actbench, run)


def test_rows_that_are_all_too_long_are_refused(actbench: Actbench, run: Path) -> None:
    path = run / "values.csv"
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *(f"{line},1" for line in lines)]) + "\n")
    assert str(path) in refused(actbench, run)


@pytest.mark.parametrize("name", ["values.csv", "run.json"])
def test_a_missing_file_is_named(actbench: Actbench, run: Path, name: str) -> None:
    (run / name).unlink()
    assert name in refused(actbench, run)


def test_a_run_whose_blocks_shared_a_yardstick_is_read(actbench: Actbench) -> None:
    assert actbench("run", "-a", "logistic,tanh", *SMALL[2:], "--rounds", "2", "-o", "here").exit_code == 0
    shown = actbench("compare", "here").stdout
    path = Path("here/values.csv")
    path.write_text(re.sub(r"^(logistic|tanh),yardstick", "copy,yardstick", path.read_text(), flags=re.MULTILINE))
    resealed(Path("here"))
    assert actbench("compare", "here").stdout == shown
    assert actbench("run", "--resume", "here", "--rounds", "3").exit_code == 0
    assert "copy" not in path.read_text()


def test_values_survive_a_round_trip(run: Path) -> None:
    loaded = archive.load(run)
    again = list(archive.load(run).times.finished())
    assert again == list(loaded.times.finished())
    with writer.reopen(run) as going:
        before = (run / "values.csv").read_bytes()
        going.save()
        assert (run / "values.csv").read_bytes() == before


# What is no run, and damage of any file


def test_results_latest_leads_nowhere_before_the_first_run(actbench: Actbench) -> None:
    assert "there is no latest run under results/" in refused(actbench, Path("latest"))


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_what_is_no_run_is_refused(actbench: Actbench, place: str) -> None:
    said = refused(actbench, Path(place))
    assert "is not a run (" in said
    assert "name a directory with a run.json" in said


def test_a_run_whose_names_do_not_print_is_damaged(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    path = Path("here/run.json")
    path.write_text(re.sub(r'"cpu_model": ".*?"', r'"cpu_model": "x\\n::error::pwned"', path.read_text()))
    result = actbench("compare", "here")
    assert result.exit_code == 2
    assert "has characters that do not print" in result.stderr


@pytest.mark.parametrize("name", ["run.json", "pyperf.json"])
def test_a_file_nested_too_deeply_is_damaged(actbench: Actbench, name: str) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    path = Path("here", name)
    path.write_text('{"schema": 1, "version": "1.0", "x": ' + "[" * 100_000 + "]" * 100_000 + "}")
    result = actbench("compare", "here" if name == "run.json" else "here/pyperf.json")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_a_run_whose_largest_error_is_at_the_largest_float_is_read(actbench: Actbench) -> None:
    selected = ("-a", "snake", "-s", "recompute", "-b", "numpy", "-d", "float64", "-n", "100", "--op", "derivative")
    assert actbench("run", *selected, "--rounds", "1", "-o", "here").exit_code == 0
    assert abs(archive.read_record(Path("here")).checks[0].worst_z) == sys.float_info.max
