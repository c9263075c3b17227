from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from actbench.runs import files
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, SPEEDUPS, rows


def test_a_directory_with_a_run_is_refused(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    before = {path.name: path.read_bytes() for path in Path("here").iterdir()}
    result = actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    assert result.exit_code == 2
    assert result.stderr == "actbench: here holds a run: go on with it (--resume here) or name another with -o\n"
    assert {path.name: path.read_bytes() for path in Path("here").iterdir()} == before


@pytest.mark.parametrize("name", ["values.csv", "pyperf.json", "cases.csv", "speedups.csv", "summary.md"])
def test_files_that_are_no_runs_are_not_replaced(actbench: Actbench, bench: FakeBench, name: str) -> None:
    Path("here").mkdir()
    Path("here", name).write_text("mine")
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 2
    assert result.stderr == (
        f"actbench: here holds {name}, which a run would replace: name another directory with -o\n"
    )
    assert bench.workers_started == 0
    assert Path("here", name).read_text() == "mine"


def test_other_files_are_no_obstacle(actbench: Actbench) -> None:
    Path("here").mkdir()
    Path("here", "accuracy.csv").write_text("mine")
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "1").exit_code == 0
    assert Path("here", "accuracy.csv").read_text() == "mine"


def test_a_directory_in_use_is_refused(actbench: Actbench, bench: FakeBench) -> None:
    Path("here").mkdir()
    with files.locked(Path("here")):
        result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: another run is writing to here")
    assert bench.workers_started == 0


def test_a_run_in_use_cannot_be_resumed(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    with files.locked(Path("here")):
        result = actbench("run", "--resume", "here", "--rounds", "2")
    assert result.exit_code == 2
    assert result.stderr == "actbench: another process is writing to here: wait for it\n"


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_way_is_found_before_measuring(actbench: Actbench, bench: FakeBench, place: str) -> None:
    Path("file").write_text("mine")
    result = actbench("run", *SMALL, "-o", place)
    assert result.exit_code == 2
    assert place in result.stderr
    assert result.stderr.count("\n") == 1
    assert bench.workers_started == 0
    assert Path("file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_directory_is_found_before_measuring(actbench: Actbench, bench: FakeBench) -> None:
    Path("here").mkdir(mode=0o500)
    result = actbench("run", *SMALL, "-o", "here/run")
    assert result.exit_code == 2
    assert "Permission denied" in result.stderr
    assert bench.workers_started == 0


def test_a_full_disk_is_found_before_measuring(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 74, "another name would not help"
    assert "No space left on device" in result.stderr
    assert result.stderr.count("\n") == 1
    assert bench.workers_started == 0
    assert not Path("here").exists()


def test_a_disk_without_room_for_the_first_files_of_a_run_is_left_as_it_was(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def filling(handle: int) -> None:
        synced.append(handle)
        if len(synced) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", filling)
    Path("there").mkdir()
    for place in ("results/new", "there"):
        synced.clear()
        assert actbench("run", *SMALL, "-o", place).exit_code == 74
    assert [str(path) for path in Path().rglob("*")] == ["there"], "which this command did not make"


def test_a_disk_that_fills_up_keeps_the_rounds_before(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def filling(handle: int) -> None:
        if bench.workers_started >= 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(os, "fsync", filling)
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 74, "another name would not help"
    assert "No space left on device" in result.stderr
    monkeypatch.setattr(os, "fsync", sync)
    assert actbench("compare", "here").exit_code == 0
    assert {row["round"] for row in rows(Path("here/values.csv"))} == {"1", "2"}
    bench.workers_started = 0
    assert actbench("run", "--resume", "here").exit_code == 0
    assert Path("here/speedups.csv").read_text() == SPEEDUPS


def test_a_name_that_is_too_long_is_one_sentence(actbench: Actbench) -> None:
    for arguments in (("run", *SMALL, "-o"), ("run", "--resume"), ("compare",)):
        result = actbench(*arguments, "x" * 300)
        assert result.exit_code == 2, result.exception
        assert result.stderr.startswith("actbench: ")


def test_the_name_latest_under_results_is_refused_or_works(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "--rounds", "1", "-o", "results/latest")
    assert result.exit_code in {0, 2}, result.exception


def test_a_file_is_no_place_for_a_run(actbench: Actbench, bench: FakeBench) -> None:
    Path("here").write_text("mine")
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 2
    assert result.stderr == "actbench: here is not a directory: name another with -o\n"
    assert bench.workers_started == 0
    assert Path("here").read_text() == "mine"
