"""What is at a path while a file is written there and after it: the old text or the new, whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from actbench.errors import InputError, OutputError
from actbench.runs import files
from tests.support.selections import names

WAY_OUT = "mend that, and go on with --resume"


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    files.write(path, "old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left on device; the old file is intact"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"file"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_files_that_are_committed_but_not_synced_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_: Path) -> None:
        raise OSError(number, "refused", "disk")

    monkeypatch.setattr(files, "_sync", fail)
    with pytest.raises(OutputError, match=f"cannot write disk: refused; the run is intact: {WAY_OUT} {tmp_path}"):
        files.commit(tmp_path, {"one": b"1", "two": b"2"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one": "1", "two": "2"}


def test_directories_that_were_made_and_cannot_be_written_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path, data: bytes) -> None:
        raise OSError(errno.EACCES, f"{len(data)} refused")

    (tmp_path / "old").mkdir()
    monkeypatch.setattr(files, "_synced", fail)
    with pytest.raises(InputError, match="1 refused"):
        files.probe(tmp_path / "old" / "new" / "below", 1)
    assert names(tmp_path) == {"old"}
    assert names(tmp_path / "old") == set()


def test_what_was_not_there_is_not_said_to_be_intact(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No such file or directory$"):
        files.write(tmp_path / "nowhere" / "file", "new")


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"File name too long$"):
        files.write(tmp_path / ("x" * 300), "new")


def test_a_file_is_never_seen_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    files.write(path, "old")
    contents: list[str] = []
    sync = os.fsync

    def look(handle: int) -> None:
        contents.append(path.read_text())
        sync(handle)

    monkeypatch.setattr(os, "fsync", look)
    files.write(path, "new")
    assert contents == ["old"]
    assert path.read_text() == "new"


def test_what_is_no_plain_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    files.write(link, "new")
    assert (link.is_symlink(), target.read_text()) == (True, "new")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()


def commit_killed_before_its_first_file_was_moved(directory: Path) -> None:
    (directory / "values").write_text("old")
    for name in ("values", "record"):
        files.part(directory / name).write_text("new")


def test_a_commit_whose_first_file_was_not_moved_is_undone(tmp_path: Path) -> None:
    commit_killed_before_its_first_file_was_moved(tmp_path)
    assert files.current(tmp_path, "values", "record").read_text() == "old"
    files.recover(tmp_path, ("record", "values"), ())
    assert names(tmp_path) == {"values"}
    assert (tmp_path / "values").read_text() == "old"


def test_a_commit_whose_first_file_was_moved_is_completed(tmp_path: Path) -> None:
    commit_killed_before_its_first_file_was_moved(tmp_path)
    files.part(tmp_path / "record").replace(tmp_path / "record")
    assert files.current(tmp_path, "values", "record").read_text() == "new"
    files.recover(tmp_path, ("record", "values"), ())
    assert names(tmp_path) == {"values", "record"}
    assert (tmp_path / "values").read_text() == "new"


def test_a_directory_is_free_again_after_it_was_held(tmp_path: Path) -> None:
    for _ in range(2):
        with files.locked(tmp_path), pytest.raises(InputError, match="another run"), files.locked(tmp_path):
            pass


def test_files_are_ordered_by_age_without_those_that_are_removed_meanwhile(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "old", "older")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 1000 - age))
    paths = [*tmp_path.iterdir(), tmp_path / "removed"]
    assert [path.name for path in files.oldest_first(paths)] == ["older", "old", "new"]
