"""A process killed at any moment keeps all finished blocks, and what it leaves is cleaned up at the next touch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from actbench.model.events import Calibrated, Event, Measured, RoundDone
from actbench.model.outcomes import BlockTimes
from actbench.runs import archive, files, writer
from actbench.runs.record import Record, Status
from actbench.runs.values import HEADER
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, names, record
from tests.support.tiers import exhaustive_but


class Killed(BaseException):
    """What nothing in actbench catches, and after which it does no more."""


class Killer:
    """Ends the process at the n-th step that changes something on disk, before it, in its midst or after it."""

    def __init__(self, at: int) -> None:
        """Count from 0."""
        self.left = at

    def __call__(self) -> None:
        """Note a step."""
        self.left -= 1
        if self.left < 0:
            raise Killed

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for the step."""
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in ((Path, "replace"), (Path, "unlink")):
                patch.setattr(owner, name, self._before(getattr(owner, name)))
            patch.setattr(os, "fsync", lambda _: self())  # a disk takes its time
            for name in ("_synced", "append"):
                patch.setattr(files, name, self._in_the_midst(getattr(files, name)))
            yield

    def _before(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            self()
            return real(*arguments, **options)

        return step

    def _in_the_midst(self, real: Callable[[Path, Any], None]) -> Callable[[Path, Any], None]:
        def step(path: Path, data: Any) -> None:
            if self.left == 0:
                with path.open("ab") as file:
                    file.write((data.encode() if isinstance(data, str) else data)[: len(data) // 2])
            self()
            real(path, data)
            self()

        return step


@pytest.fixture(scope="module")
def measured(small_runs: Path) -> archive.Run:
    """Two rounds of two blocks."""
    return archive.load(small_runs / "two")


def as_new(run: archive.Run) -> Record:
    """Return the record of the same run before anything was measured."""
    assert run.record is not None
    return replace(run.record, calibrations={}, digests={}, rounds=0, saves=0, losses=[], status=Status.RUNNING)


def events(run: archive.Run) -> list[Event]:
    """Return what happens in it, with a block that is measured again."""
    assert run.record is not None
    finished = [*run.times.finished()]
    happens: list[Event] = [Calibrated(*calibrated, 1, 1) for calibrated in run.record.calibrations.items()]
    for number in (1, 2):
        happens += [Measured(times, 1, 1) for times in finished if times.round == number]
        happens += [Measured(finished[0], 1, 1)] * (number == 2)
        happens.append(RoundDone(number, 0.0, "", 0.0, None))
    return happens


def happen(going: writer.Writer, event: Event) -> None:
    """Do as an engine does: what was measured is among the times when it is told."""
    if isinstance(event, Measured):
        going.times.add(event.times)
    going.take(event)


def written(directory: Path, run: archive.Run, finished: list[BlockTimes], at: int) -> bool:
    """Write the run until it is killed, noting the finished blocks; say whether it came to its end."""
    with suppress(Killed), Killer(at).waiting(), writer.create(directory, as_new(run)) as going:
        for event in events(run):
            happen(going, event)
            finished += [event.times] if isinstance(event, Measured) else []
        going.close(Status.COMPLETE, 1.0)
        return True
    return False


@pytest.mark.parametrize("every", exhaustive_but([1, 3], (3).__eq__))
def test_a_kill_at_any_step_loses_no_finished_block_and_leaves_nothing_behind(
    tmp_path: Path, measured: archive.Run, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setattr(writer, "process_metadata", dict)
    for step in count(step=every):
        directory, finished = tmp_path / str(step), list[BlockTimes]()
        if written(directory, measured, finished, step):
            break
        if not (directory / "run.json").exists():
            assert not finished
            with writer.create(directory, as_new(measured)):
                assert names(directory) == {"run.json", "values.csv"}
            continue
        loaded = archive.load(directory)
        assert loaded.record is not None
        assert record(directory)["status"] == loaded.record.status != Status.RUNNING
        assert not [name for name in names(directory) if name.endswith(".part")]
        with writer.reopen(directory) as going:
            going.save()
        for times in (loaded.times, archive.load(directory).times):
            kept = {(block_times.block, block_times.round): block_times.seconds for block_times in times.finished()}
            assert all(kept[block_times.block, block_times.round] == block_times.seconds for block_times in finished)
    assert step > 90
    assert (directory / "values.csv").read_bytes() == (measured.path / "values.csv").read_bytes()


def test_ctrl_c_a_second_time_leaves_a_run_that_is_interrupted_and_clean(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, pressed = os.fsync, 0

    def again(handle: int) -> None:
        if pressed:
            raise KeyboardInterrupt
        sync(handle)

    def on_time(_: object) -> None:
        nonlocal pressed
        if bench.workers_started == 5:
            pressed = 1
            raise KeyboardInterrupt

    bench.on_time = on_time
    monkeypatch.setattr(os, "fsync", again)
    assert actbench("run", *SMALL, "-o", "here").exit_code == 130
    assert record(Path("here"))["status"] == "running"
    assert ".run.json.part" in names(Path("here"))
    monkeypatch.setattr(os, "fsync", sync)
    assert actbench("compare", "here").exit_code == 0
    assert record(Path("here"))["status"] == "interrupted"
    assert not [name for name in names(Path("here")) if name.startswith(".")]


@pytest.mark.parametrize("name", [".report.html.part", ".probe.part", ".summary.md.part"])
def test_what_a_killed_command_leaves_beside_a_complete_run_is_cleaned_up_by_who_reads_it(
    actbench: Actbench, name: str
) -> None:
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "1").exit_code == 0
    Path("here", name).write_text("a half")
    assert actbench("compare", "here").exit_code == 0
    assert name not in names(Path("here"))


def test_ctrl_c_while_a_file_is_written_leaves_the_old_one_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "table.md").write_text("old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "table.md", "new")
    assert names(tmp_path) == {"table.md"}
    assert (tmp_path / "table.md").read_text() == "old"


def test_a_run_that_goes_on_is_left_alone_by_who_reads_it(actbench: Actbench, measured: archive.Run) -> None:
    with writer.create(Path("here"), as_new(measured)) as going:
        for event in events(measured)[:-1]:
            happen(going, event)
        before = {path.name: path.read_bytes() for path in Path("here").iterdir()}
        assert actbench("compare", "here").exit_code == 0
        assert {path.name: path.read_bytes() for path in Path("here").iterdir()} == before
        assert archive.load(Path("here")).record.status is Status.RUNNING  # type: ignore[union-attr]


def test_a_run_killed_before_anything_was_timed_gives_way_or_goes_on(actbench: Actbench, bench: FakeBench) -> None:
    def kill(_: object) -> None:
        raise Killed

    for go_on in (("-o", "here"), ("--resume", "here")):
        bench.on_time = kill
        assert actbench("run", *SMALL, "-o", "here").exit_code == 70
        bench.on_time = lambda _: None
        assert actbench("run", *(SMALL if "-o" in go_on else ()), *go_on, "--rounds", "1").exit_code == 0
        for path in Path("here").iterdir():
            path.unlink()


@pytest.mark.parametrize("name", [".run.json.part", ".values.csv.part", ".probe.part", "values.csv"])
def test_what_a_process_leaves_that_is_killed_at_once_is_no_obstacle(actbench: Actbench, name: str) -> None:
    Path("here").mkdir()
    Path("here", name).write_text(HEADER)
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "1").exit_code == 0
    assert not [name for name in names(Path("here")) if name.startswith(".")]
