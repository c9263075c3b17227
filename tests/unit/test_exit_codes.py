"""1 is a regression's exit code alone, whatever happens to the streams, and no error is a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from actbench.cli import main, streams
from actbench.errors import ClosedPipeError, ExitCode, OutputError
from tests.conftest import Actbench, run_in
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, record
from tests.support.tiers import EXHAUSTIVE

ROOT = Path(__file__).parents[2]

FULL = (
    "actbench: cannot write to stdout (No space left on device): send it to an open file, on a disk with free space\n"
)
CLOSED = FULL.replace("No space left on device", "Bad file descriptor")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two runs of one thing."""
    directory = tmp_path_factory.mktemp("runs")
    for name in ("run", "other"):
        run_in(directory, "run", *SMALL, "-o", name)
    return directory


@pytest.mark.parametrize(
    ("command", "streams", "code", "message"),
    [
        ("--help", ">/dev/full", 74, FULL),
        ("--help", "| true", 141, ""),
        ("list", ">&-", 74, CLOSED),
        ("list", "<&- >&- 2>&-", 74, ""),
        ("list", ">/dev/full 2>&1", 74, ""),
        ("list", "2>&-", 0, ""),
        ("compare nothing", "2>/dev/full", 2, ""),
        pytest.param("compare", "2>/dev/full", 2, "", marks=EXHAUSTIVE),
        pytest.param("check run --baseline other", "2>/dev/full", 0, "", marks=EXHAUSTIVE),
        pytest.param("check run --baseline other", ">/dev/full", 74, FULL, marks=EXHAUSTIVE),
    ],
)
def test_data_that_is_lost_ends_with_74_and_a_message_that_is_lost_changes_nothing(
    runs: Path, command: str, streams: str, code: int, message: str
) -> None:
    if "/dev/full" in streams and not Path("/dev/full").exists():
        pytest.skip("the system has no full device")
    line = f"'{sys.executable}' -m actbench {command} {streams}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=runs, capture_output=True, text=True, check=False)  # noqa: S607
    assert (done.returncode, done.stderr) == (code, message)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_only_the_first_failure_of_stdout_is_raised_and_none_of_stderr() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device
        data = streams._Data(full.fileno(), "w", closefd=False)
        with pytest.raises(OutputError, match="No space left on device"):
            data.write(b"1")
        assert data.write(b"22") == 2
        assert streams._Messages(full.fileno(), "w", closefd=False).write(b"333") == 3


def test_a_pipe_that_nobody_reads_is_no_os_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe, pytest.raises(ClosedPipeError):
        streams._Data(pipe.fileno(), "w", closefd=False).write(b"1")


def test_a_stream_that_does_not_block_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    script = "import sys, time; time.sleep(0.1); print(len(sys.stdin.buffer.read()))"
    with (
        os.fdopen(reading) as source,
        os.fdopen(writing, "wb") as pipe,
        subprocess.Popen([sys.executable, "-c", script], stdin=source, stdout=subprocess.PIPE) as reader,
    ):
        stream = streams._text(streams._Data(pipe.fileno(), "w", closefd=False), None)
        stream.write("x" * 300_000)
        stream.flush()
        pipe.close()
        assert reader.stdout is not None
        assert int(reader.stdout.read()) == 300_000


# What is kept and told


def unwritable(*_: object, **__: object) -> None:
    raise OutputError("cannot write to stdout")


def test_a_run_whose_summary_cannot_be_printed_is_kept_and_reported(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("actbench.report.terminal.show", unwritable)
        result = actbench("run", *SMALL, "-o", "here")
    assert (result.exit_code, result.stderr) == (74, "\nwritten to here\nactbench: cannot write to stdout\n")
    assert record(Path("here"))["status"] == "complete"


@pytest.mark.parametrize(("factor", "code"), [(1.1, ExitCode.REGRESSED), (1.0, ExitCode.UNWRITABLE)])
def test_verdicts_that_cannot_be_printed_are_written_and_kept_and_hide_no_regression(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch, factor: float, code: int
) -> None:
    bench.seconds = lambda case: exact_seconds(case) * factor
    monkeypatch.setattr("actbench.cli.check_output.CheckOutput._print", unwritable)
    chosen = ("-a", "logistic", "-b", "numpy", "-s", "cached", "-n", "1000", "-d", "float64")
    result = actbench("check", "--against", "x", *chosen, "--report", "json=check.json", "-o", "kept")
    assert result.exit_code == code
    assert result.stderr.endswith("actbench: cannot write to stdout\n")
    assert Path("check.json").is_file()
    assert {path.name for path in Path("kept").iterdir()} == {"baseline", "candidate", "control"}


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 2, "there is not enough memory: take smaller sizes, or end what else needs it"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "x"), 74, "the operating system refuses x: Disk quota exceeded"),
        (OSError(errno.EMFILE, "Too many open files"), 2, "refuses what is needed: Too many open files; mend that"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (KeyboardInterrupt(), 130, "actbench: interrupted"),
        (click.Abort(), 130, "actbench: interrupted"),
        (click.ClickException("no"), 2, "Error: no"),
        (GeneratorExit(), 70, "this is a fault of actbench itself"),
    ],
)
def test_whatever_is_raised_has_its_exit_code_and_its_line(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, message: str
) -> None:
    def raising() -> None:
        raise error

    monkeypatch.setattr("actbench.host.memory.usable", raising)
    result = actbench("run", "--dry-run")
    assert result.exit_code == code
    assert message in result.stderr
    assert ("Traceback" in result.stderr) == (code == ExitCode.FAULT)
    assert result.stderr.count("\n") <= 1 or code == ExitCode.FAULT


def test_a_current_directory_that_was_removed_is_named(actbench: Actbench, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    result = actbench("run", *SMALL)
    os.chdir(tmp_path)
    assert (result.exit_code, result.stderr) == (
        2,
        "actbench: the current directory cannot be used (No such file or directory): change to one that exists\n",
    )


def test_a_name_that_is_not_utf_8_is_reported_and_recorded_as_escapes(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = os.fsdecode(b"x\xff.py")
    Path(name).write_text("x = 1\n")
    message = "actbench: --load x\\udcff.py: its name is not valid UTF-8: rename it\n"
    assert actbench("list", "--load", name).stderr == message
    monkeypatch.setenv("OMP_PLACES", os.fsdecode(b"\xff"))
    assert '"OMP_PLACES": "\\\\xff"' in actbench("env", "--format", "json").stdout


def test_the_exit_codes_are_those_that_are_documented() -> None:
    assert main.help is not None
    words = main.help.partition("Exit codes:")[2].split()
    assert [word for word in words if word.isdecimal()] == [str(int(code)) for code in ExitCode]


@pytest.mark.parametrize(("code", "for_git"), [(0, 0), (1, 1), (2, 255), (3, 125), (4, 125), (5, 125), (70, 255)])
def test_for_git_bisect_a_commit_is_skipped_where_nothing_is_decided_and_no_mistake_is_a_bad_commit(
    code: int, for_git: int
) -> None:
    assert ExitCode(code).for_bisect() == for_git


@pytest.mark.parametrize(
    ("arguments", "factor", "code"),
    [
        (("--against", "x"), 1.0, 0),
        (("--against", "x"), 1.1, 1),
        (("--against", "x", "--budget", "1ms"), 1.0, 125),
        (("--against", "x", "--no-such-option"), 1.0, 255),
        (("--against", "x", "--margin", "much"), 1.0, 255),
        (("run", "--baseline", "nowhere"), 1.0, 255),
    ],
)
def test_a_check_for_git_bisect_ends_with_codes_that_git_understands(
    actbench: Actbench, bench: FakeBench, arguments: tuple[str, ...], factor: float, code: int
) -> None:
    bench.seconds = lambda case: exact_seconds(case) * factor
    chosen = ("-a", "logistic", "-b", "numpy", "-s", "cached", "-n", "1000", "-d", "float64")
    result = actbench("check", *arguments, "--for-bisect", *(chosen if "--against" in arguments else ()))
    assert result.exit_code == code


@pytest.mark.parametrize("group", ["fleet", "cache"])
def test_a_group_without_a_command_prints_its_help_on_lines(actbench: Actbench, group: str) -> None:
    result = actbench(group)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "\nCommands:\n" in result.stderr
    assert "\\n" not in result.stderr
