"""Pipes, devices and directories in place of files that actbench reads are refused at once."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actbench.host import regular
from tests.conftest import Actbench
from tests.support.selections import names


def link_to_a_pipe(path: Path) -> None:
    os.mkfifo("pipe")
    path.symlink_to(Path("pipe").absolute())


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "it is not a regular file"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
    "a link to a pipe": (link_to_a_pipe, "it is not a regular file"),
    "a directory": (Path.mkdir, "it is a directory"),
}


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """End what hangs."""

    def give_up(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def replaced(path: Path, kind: str) -> str:
    """Put something else in a file's place; return what is said of it."""
    path.unlink(missing_ok=True)
    make, said = KINDS[kind]
    make(path)
    return said


def refused(actbench: Actbench, *arguments: str, code: int = 2) -> str:
    result = actbench(*arguments)
    assert result.exit_code == code, result.exception
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["run.json", "values.csv", "journal.jsonl"])
@pytest.mark.parametrize("reader", [("compare",), ("run", "--resume")], ids=lambda reader: reader[-1])
def test_a_run_s_file_is_a_regular_one(
    actbench: Actbench, small_runs: Path, reader: tuple[str, ...], name: str, kind: str
) -> None:
    run = Path(shutil.copytree(small_runs / "one", "here"))
    said = replaced(run / name, kind)
    message = refused(actbench, *reader, "here")
    assert said in message
    assert "here" in message


@pytest.mark.parametrize("kind", KINDS)
def test_a_suite_and_a_baseline_are_regular_files(actbench: Actbench, small_runs: Path, kind: str) -> None:
    shutil.copytree(small_runs / "one", "here")
    replaced(Path("suite.json"), kind)
    if kind != "a directory":
        assert "suite.json is not a run (it is neither a directory nor a regular file)" in refused(
            actbench, "compare", "suite.json"
        )
    assert "suite.json is not a run" in refused(actbench, "compare", "suite.json")
    assert "suite.json is not a run" in refused(actbench, "check", "here", "--baseline", "suite.json", code=5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["pyperf.json", "cases.csv", "summary.md", ".run.json.part"])
def test_nothing_is_written_into_what_is_no_regular_file(
    actbench: Actbench, small_runs: Path, name: str, kind: str
) -> None:
    run = Path(shutil.copytree(small_runs / "one", "here"))
    replaced(run / name, kind)
    result = actbench("run", "--resume", "here", "--rounds", "3")
    assert result.exit_code in {0, 2, 74}, result.exception
    if result.exit_code:
        assert name in result.stderr
    if not name.startswith(".") and kind != "a directory":
        assert f"cannot write here/{name}: it is not a regular file; remove it" in result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_settings_and_code_are_regular_files(actbench: Actbench, kind: str) -> None:
    replaced(Path("mine.py"), kind)
    assert "mine.py" in refused(actbench, "list", "--load", "mine.py")
    Path("pipe").unlink(missing_ok=True)
    replaced(Path("actbench.toml"), kind)
    assert "actbench.toml cannot be read (it is " in refused(actbench, "list")


@pytest.mark.parametrize("kind", KINDS)
def test_what_asv_knows_is_a_regular_file(actbench: Actbench, small_runs: Path, kind: str) -> None:
    shutil.copytree(small_runs / "one", "here")
    Path("results-of-asv").mkdir()
    said = replaced(Path("results-of-asv/benchmarks.json"), kind)
    message = refused(actbench, "export", "here", "--to", "asv", "--commit", "0" * 40, "-o", "results-of-asv")
    assert said in message
    assert names(Path("results-of-asv")) >= {"benchmarks.json"}


def test_a_file_beyond_all_bounds_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(regular.LARGEST_FILE + 1)
    with pytest.raises(OSError, match="it has more than 2 GiB"):
        regular.read(path)
