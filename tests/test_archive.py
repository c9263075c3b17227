"""What is read of a run on disk, which damage is noticed there, and what a run does not tell."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pyperf
import pytest

from actbench.model import BlockTimes
from actbench.runs import archive, journal, writer
from actbench.runs.events import Measured
from tests.conftest import Actbench, run_in
from tests.fake import FakeBench, exact_seconds
from tests.selections import FILES, SMALL, TWO_BLOCKS, edit, names, rows


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two rounds of one block, and of two, to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("measured")
    run_in(directory, "run", *SMALL, "-o", "one", "--rounds", "2")
    run_in(directory, "run", *TWO_BLOCKS, "-o", "two", "--rounds", "2")
    return directory


@pytest.fixture
def run(actbench: Actbench, measured: Path) -> Path:
    """Two rounds of one block."""
    del actbench  # it has made an empty directory the current one
    return Path(shutil.copytree(measured / "one", "here")).resolve()


@pytest.fixture
def two_blocks(actbench: Actbench, measured: Path) -> Path:
    """Two rounds of two blocks."""
    del actbench
    return Path(shutil.copytree(measured / "two", "here")).resolve()


def refused(actbench: Actbench, path: Path) -> str:
    """Return the one sentence with which a run is refused."""
    result = actbench("compare", str(path))
    assert result.exit_code == 2, result.exception
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("actbench: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def finished_round(number: int, loaded: archive.Run) -> list[BlockTimes]:
    """Return blocks as if measured in another round."""
    return [BlockTimes(times.block, number, times.seconds) for times in loaded.times.finished() if times.round == 1]


def journal_line(run: Path, times: BlockTimes, number: int = 1) -> bytes:
    """Return a line of the journal as the run would write it now."""
    return journal.line(archive.read_record(run), number, times)


# The journal


def test_a_process_killed_between_rounds_loses_no_finished_block(two_blocks: Path) -> None:
    first, second = finished_round(3, archive.load(two_blocks))
    whole, torn = journal_line(two_blocks, first), journal_line(two_blocks, second, 2)[:-20]
    (two_blocks / "journal.jsonl").write_bytes(whole + torn)
    found = archive.load(two_blocks).times
    assert found.rounds(first.block) == (1, 2, 3)
    assert found.rounds(second.block) == (1, 2)


def test_a_whole_last_line_counts_and_resume_takes_the_journal_over(actbench: Actbench, run: Path) -> None:
    (third,) = finished_round(3, archive.load(run))
    (run / "journal.jsonl").write_bytes(journal_line(run, third))
    assert actbench("run", "--resume", str(run), "--rounds", "4").exit_code == 0
    assert names(run) == FILES
    assert {row["rounds"] for row in rows(run / "cases.csv")} == {"4"}


def test_killed_twice_after_a_torn_line_loses_no_finished_block(run: Path) -> None:
    (third,) = finished_round(3, archive.load(run))
    (run / "journal.jsonl").write_bytes(journal_line(run, third)[:-20])
    with writer.reopen(run) as going:
        going.take(Measured(third, 1, 1))
    assert archive.load(run).times.rounds(third.block) == (1, 2, 3)


def sealed_line(of: Path, **changed: Any) -> bytes:
    """Return a line with a right digest and one thing that cannot be."""
    (times, *_) = finished_round(3, archive.load(of))
    line = msgspec.json.decode(journal_line(of, times), type=journal.Line)
    return msgspec.json.encode(journal.sealed(replace(line, **changed))) + b"\n"


@pytest.mark.parametrize("line", [b"nonsense\n", b"{}\n", b"\xff\xfe\n", b"\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_line_of_a_journal_is_refused(actbench: Actbench, run: Path, line: bytes) -> None:
    (run / "journal.jsonl").write_bytes(line)
    said = refused(actbench, run)
    assert f"{run / 'journal.jsonl'} is damaged: line 1: " in said
    assert "; remove it: the rounds before it are in values.csv" in said


@pytest.mark.parametrize(
    "changed",
    [
        {"block": "nothing"},
        {"seconds": ((1.0,),)},
        {"seconds": ((-1.0,) * 3, (1.0,) * 3, (1.0,) * 3)},
        {"seconds": ((1e308,) * 3, (1.0,) * 3, (1.0,) * 3)},
        {"round": 0},
        {"run": "0123456789abcdef"},
        {"saves": 99},
        {"line": 2},
    ],
    ids=str,
)
def test_a_line_that_the_run_did_not_write_is_refused(actbench: Actbench, run: Path, changed: dict[str, Any]) -> None:
    (run / "journal.jsonl").write_bytes(sealed_line(run, **changed))
    assert f"{run / 'journal.jsonl'} is damaged: line 1: " in refused(actbench, run)


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda lines: [lines[0], lines[0], *lines[1:]], 2),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[0], lines[1].replace(b"e-", b"1e-", 1), lines[2]], 2),
        (lambda lines: [lines[0], lines[1].replace(b"\n", b"\r"), lines[2]], 2),
    ],
    ids=["twice", "in another order", "one missing", "a digit changed", "two joined"],
)
def test_a_journal_that_is_not_as_it_was_written_is_refused_with_the_line(
    actbench: Actbench, run: Path, damage: Callable[[list[bytes]], list[bytes]], line: int
) -> None:
    loaded = archive.load(run)
    lines = [journal_line(run, *finished_round(2 + number, loaded), number) for number in (1, 2, 3)]
    (run / "journal.jsonl").write_bytes(b"".join(damage(lines)))
    assert f"is damaged: line {line}: " in refused(actbench, run)


# run.json


@pytest.mark.parametrize("keep", [0, 1, 100, -3])
def test_a_truncated_run_json_is_refused(actbench: Actbench, run: Path, keep: int) -> None:
    path = run / "run.json"
    path.write_bytes(path.read_bytes()[:keep])
    said = refused(actbench, run)
    assert f"{path} is damaged: " in said
    assert "; restore it from a copy, or measure anew" in said


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
    change_line(run, 5, lambda cells: [*cells[:-1], seconds])
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


@pytest.mark.parametrize("column", range(10))
def test_a_missing_column_is_refused(actbench: Actbench, run: Path, column: int) -> None:
    path = run / "values.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("".join(",".join(cells[:column] + cells[column + 1 :]) + "\n" for cells in lines))
    assert str(path) in refused(actbench, run)


def seen_to(lines: list[str], chosen: Callable[[str], bool]) -> list[str]:
    return [line for line in lines if chosen(line)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: seen_to(lines, lambda line: ",2,3," not in line or ",cached," not in line), "line "),
        (lambda lines: seen_to(lines, lambda line: ",recompute," not in line), "line 2: "),
        (lambda lines: seen_to(lines, lambda line: ",1000,1," not in line), "line 2: "),
        (lambda lines: seen_to(lines, lambda line: ",1000,2," not in line), "is incomplete: it ends before line "),
        (lambda lines: [*lines, lines[-1]], "this is more than was measured"),
        (lambda lines: [*lines[:7], lines[6], *lines[7:]], "line 8: "),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], "line 4: "),
        (lambda lines: [lines[0], *lines[:0:-1]], "line 2: "),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], "is cut short"),
        (lambda lines: [*lines[:-1], lines[-1][:-2]], "is cut short"),
        (lambda lines: [*lines[:-1], lines[-1][:-3]], "is cut short"),
        (lambda lines: [*lines[:4], lines[4].replace("e-", "1e-"), *lines[5:]], "was changed"),
        (lambda lines: [*lines[:4], lines[4].replace(",1,3,", ",1,2,"), *lines[5:]], "line 5: "),
        (lambda lines: [*lines[:4], re.sub(r",\d+(,[^,]+)$", r",7\1", lines[4]), *lines[5:]], "line 5: "),
        (lambda lines: [lines[0].replace("op", "on"), *lines[1:]], "does not begin with the columns"),
    ],
    ids=[
        *("a row missing", "a case missing", "the first round missing", "the last round missing", "the last row twice"),
        *("a row twice", "two rows exchanged", "backwards", "without the last byte", "without two", "without three"),
        *("another number", "a value of another number", "other loops", "another header"),
    ],
)
def test_values_that_are_not_as_they_were_written_are_refused_with_the_line(
    actbench: Actbench, run: Path, damage: Callable[[list[str]], list[str]], said: str
) -> None:
    path = run / "values.csv"
    before = path.read_text()
    path.write_text("".join(damage(before.splitlines(keepends=True))))
    assert path.read_text() != before
    told = refused(actbench, run)
    assert f"{path}" in told
    assert said in told
    assert told.endswith("; restore it from a copy, or measure anew\n")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\xff\xfe\x00", b"a,b\n1,2\n", b'"', b"\x00\x00"],
    ids=["empty", "blank", "binary", "foreign", "open quote", "zeros"],
)
def test_another_values_file_is_refused(actbench: Actbench, run: Path, content: bytes) -> None:
    (run / "values.csv").write_bytes(content)
    assert str(run / "values.csv") in refused(actbench, run)


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


def test_values_survive_a_round_trip(run: Path) -> None:
    loaded = archive.load(run)
    again = list(archive.load(run).times.finished())
    assert again == list(loaded.times.finished())
    with writer.reopen(run) as going:
        before = (run / "values.csv").read_bytes()
        going.save()
        assert (run / "values.csv").read_bytes() == before


# pyperf.json


@pytest.mark.parametrize("command", [["stats"], ["show"], ["hist"], ["check"], ["metadata"], ["dump"]])
def test_pyperf_reads_the_suite(two_blocks: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", *command, str(two_blocks / "pyperf.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "logistic/cached/numpy/derivative/float64/1000" in done.stdout or command == ["check"]


def test_a_pyperf_run_is_a_round(run: Path) -> None:
    suite = pyperf.BenchmarkSuite.load(str(run / "pyperf.json"))
    benchmark = suite.get_benchmark("logistic/cached/numpy/derivative/float64/1000")
    assert [each.get_metadata()["actbench_round"] for each in benchmark.get_runs()] == [1, 2]
    assert benchmark.mean() == pytest.approx(1e-6)


@pytest.mark.parametrize(
    "selection",
    [
        ("-a", "logistic", "-n", "1000"),
        ("-a", "logistic", "-n", "1000,2000"),
        ("-a", "logistic,tanh", "-n", "1000"),
        ("-a", "logistic,tanh", "-n", "1000,2000", "--op", "derivative,backward"),
    ],
)
def test_a_lone_pyperf_json_says_the_same_as_its_run(actbench: Actbench, selection: tuple[str, ...]) -> None:
    common = ("-b", "numpy,numba", "-s", "recompute,cached", "-d", "float32,float64", "--rounds", "6")
    assert actbench("run", *selection, *common, "-o", "here").exit_code == 0
    Path("elsewhere").mkdir()
    shutil.copy("here/pyperf.json", "elsewhere/mine.json")
    alone = actbench("compare", "elsewhere/mine.json")
    assert alone.exit_code == 0, alone.stderr
    assert alone.stdout == actbench("compare", "here").stdout
    assert alone.stdout


@pytest.mark.parametrize("keep", [0, 1, 500, -10])
def test_a_truncated_suite_is_refused(actbench: Actbench, run: Path, keep: int) -> None:
    lone = run.parent / "lone.json"
    lone.write_bytes((run / "pyperf.json").read_bytes()[:keep])
    assert str(lone) in refused(actbench, lone)


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"version": "1.0"}', '{"version": "1.0", "benchmarks": [7]}'])
def test_other_json_is_no_suite(actbench: Actbench, tmp_path: Path, text: str) -> None:
    lone = tmp_path / "lone.json"
    lone.write_text(text)
    assert str(lone) in refused(actbench, lone)


@pytest.mark.parametrize("name", ["telco", "logistic/cached/numpy/derivative/float64/1000"])
def test_a_foreign_suite_is_refused(actbench: Actbench, tmp_path: Path, name: str) -> None:
    lone = tmp_path / "lone.json"
    foreign = pyperf.Run([1.0, 1.5], metadata={"name": name}, collect_metadata=False)
    pyperf.BenchmarkSuite([pyperf.Benchmark([foreign])]).dump(str(lone))
    assert str(lone) in refused(actbench, lone)


def test_a_suite_with_a_round_missing_from_one_case_is_refused(actbench: Actbench, run: Path) -> None:
    lone = run.parent / "lone.json"
    suite = json.loads((run / "pyperf.json").read_text())
    del suite["benchmarks"][0]["runs"][0]
    lone.write_text(json.dumps(suite))
    assert str(lone) in refused(actbench, lone)


def changed_suite(run: Path, change: Callable[[Any], object]) -> Path:
    """Return a lone suite with one thing changed."""
    suite = json.loads((run / "pyperf.json").read_text())
    change(suite)
    lone = run.parent / "lone.json"
    lone.write_text(json.dumps(suite))
    return lone


def of_runs(suite: Any, **changed: object) -> None:
    """Change the metadata of all runs."""
    for benchmark in suite["benchmarks"]:
        for each in benchmark["runs"]:
            each["metadata"] = each.get("metadata", {}) | changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda suite: of_runs(suite, actbench_round=1), "is not as it was measured"),
        (lambda suite: of_runs(suite, actbench_round=-1), "actbench_round of"),
        (lambda suite: of_runs(suite, actbench_block="tanh/derivative/float64/1000"), "is not as it was measured"),
        (lambda suite: of_runs(suite, unit="byte"), "is in 'byte', and times are in 'second'"),
        (lambda suite: of_runs(suite, loops=10**9), "is not as it was measured"),
        (lambda suite: suite["benchmarks"][0]["runs"][0]["values"].reverse(), "is not as it was measured"),
        (lambda suite: suite["benchmarks"][0]["runs"][0]["values"].pop(), "is not as it was measured"),
        (lambda suite: suite["benchmarks"][0]["runs"][0].update(values=[1e300]), "that is no time"),
        (lambda suite: suite["benchmarks"][0]["runs"][0].update(values=[-1.0]), "that is no time"),
        (lambda suite: suite["benchmarks"][0]["runs"].reverse(), ""),
    ],
    ids=["one number", "negative", "block", "unit", "loops", "order", "fewer", "absurd", "below 0", "order of rounds"],
)
def test_a_suite_that_is_not_as_it_was_written_is_refused(
    actbench: Actbench, run: Path, change: Callable[[Any], object], said: str
) -> None:
    lone = changed_suite(run, change)
    if said:
        assert said in refused(actbench, lone)
    else:
        assert actbench("compare", str(lone)).stdout == actbench("compare", "here").stdout


def test_a_unit_that_all_runs_share_is_read_as_well(actbench: Actbench, run: Path) -> None:
    lone = changed_suite(run, lambda suite: suite["metadata"].update(unit="byte"))
    assert "is in 'byte', and times are in 'second'" in refused(actbench, lone)


def test_two_runs_joined_into_one_suite_are_refused_wherever_it_lies(actbench: Actbench, measured: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(measured / "one", name)
    for joined in ("both.json", "a/both.json"):
        command = ["convert", "a/pyperf.json", "--add", "b/pyperf.json", "-o", joined]
        subprocess.run([sys.executable, "-m", "pyperf", *command], check=True, capture_output=True)
        said = refused(actbench, Path(joined))
        assert f"{joined} has round 1 of " in said
        assert "twice: runs that were joined into one suite cannot be told apart; name each by itself" in said


def test_the_suite_of_another_run_is_refused(actbench: Actbench, bench: FakeBench, run: Path) -> None:
    bench.seconds = lambda case: 2 * exact_seconds(case)
    assert actbench("run", *SMALL, "-o", "other", "--rounds", "2").exit_code == 0
    shutil.copy("other/pyperf.json", run / "pyperf.json")
    assert "is not of the run in " in refused(actbench, run / "pyperf.json")
    assert actbench("compare", str(run)).exit_code == 0


# What can be published


def test_nothing_in_a_run_names_the_user_the_host_or_a_path(run: Path) -> None:
    told = [socket.gethostname(), str(Path.home()), sys.executable, str(Path.cwd()), sys.prefix]
    user = getpass.getuser()
    told += [user] if len(user) > 4 else []
    secrets = [text for text in told if len(text) > 4]
    assert secrets
    assert names(run) == FILES
    for path in run.iterdir():
        found = [text for text in secrets if text in path.read_text()]
        assert not found, f"{path.name} names {found}"


def test_pyperf_s_metadata_of_the_machine_is_dropped(run: Path) -> None:
    text = (run / "pyperf.json").read_text()
    for key in ("hostname", "command", "python_executable", "user", "boot_time", "uptime", "python_hash_seed"):
        assert f'"{key}"' not in text


def test_a_tuning_variable_with_a_path_in_it_is_not_recorded(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(Path.cwd() / "secret-place"))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("AWS_SECRET", "hush-hush")
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    variables = json.loads(Path("here/run.json").read_text())["environment"]["variables"]
    assert variables == {"OMP_NUM_THREADS": "3"}
    assert not any("hush-hush" in path.read_text() for path in Path("here").iterdir())


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
