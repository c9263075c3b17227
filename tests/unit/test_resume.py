from __future__ import annotations

import errno
import json
import os
import shutil
from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from actbench.host import environment
from actbench.model.cases import Block, Case
from actbench.runs import files
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import FILES, PAIR, SMALL, SPEEDUPS, TWO_BLOCKS, names, record, rows


class Interrupted:
    """Ctrl-C while the n-th worker times its n-th block; the first two workers check and calibrate."""

    def __init__(self, bench: FakeBench, *, round_number: int, blocks_before: int) -> None:
        self._bench = bench
        self._worker = round_number + 2
        self._blocks_before = blocks_before
        self._timed_blocks: list[str] = []

    def __call__(self, block: Block) -> None:
        """Interrupt when it is time."""
        if self._bench.workers_started == self._worker:
            if block.id not in self._timed_blocks:
                self._timed_blocks.append(block.id)
            if len(self._timed_blocks) > self._blocks_before:
                raise KeyboardInterrupt


def test_ctrl_c_keeps_finished_rounds_and_leaves_readable_files(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = Interrupted(bench, round_number=3, blocks_before=0)
    result = actbench("run", *TWO_BLOCKS, "-o", "here")
    assert result.exit_code == 130
    assert "interrupted: what is finished is kept; actbench run --resume here goes on" in result.stderr
    assert "Traceback" not in result.output
    assert names(Path("here")) == FILES
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {"2"}
    assert record(Path("here"))["status"] == "interrupted"
    bench.on_time = lambda _: None
    assert actbench("compare", "here").exit_code == 0
    assert actbench("compare", "here/pyperf.json").exit_code == 0


def test_ctrl_c_before_the_first_round_leaves_a_run_that_can_go_on(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = Interrupted(bench, round_number=0, blocks_before=0)
    assert actbench("run", *SMALL, "-o", "here").exit_code == 130
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "here").exit_code == 0
    assert Path("here/speedups.csv").read_text() == SPEEDUPS


def fail_at_the_fourth_line(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let a run's journal fail to grow once, by an error of the system."""
    append, calls = files.append, count(1)

    def append_or_fail(path: Path, line: bytes) -> None:
        if next(calls) == 4:
            raise OSError(number, os.strerror(number))
        append(path, line)

    monkeypatch.setattr(files, "append", append_or_fail)


def test_a_disk_that_fills_up_keeps_the_rounds_before(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at_the_fourth_line(monkeypatch, errno.ENOSPC)
    result = actbench("run", *SMALL, "-o", "here")
    intact = "the rounds before this one are intact there: mend that, and go on with --resume here"
    message = f"cannot write to here: No space left on device; {intact}"
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (74, f"actbench: {message}")
    assert actbench("run", "--resume", "here").exit_code == 0
    assert Path("here/speedups.csv").read_text() == SPEEDUPS


def test_a_directory_that_cannot_be_written_any_more_keeps_the_rounds_before(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at_the_fourth_line(monkeypatch, errno.ESTALE)
    result = actbench("run", *SMALL, "-o", "here")
    assert (result.exit_code, "the rounds before this one are intact there" in result.stderr) == (74, True)
    assert record(Path("here"))["status"] == "interrupted"
    assert actbench("compare", "here").exit_code == 0
    assert actbench("run", "--resume", "here").exit_code == 0
    assert Path("here/speedups.csv").read_text() == SPEEDUPS


def test_a_directory_that_is_removed_while_rounds_go_on_is_named_as_gone(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(_: object) -> None:
        if bench.workers_started == 5:
            shutil.rmtree("here", ignore_errors=True)

    bench.on_time = on_time
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 74
    assert result.stderr.splitlines()[-1].endswith(
        "; its directory has gone, and with it what was measured: begin anew"
    )
    assert ".part" not in result.stderr


def test_what_a_strategy_costs_is_reported_for_what_was_not_measured_yet(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = Interrupted(bench, round_number=1, blocks_before=3)  # a probe of either dtype, and one block
    chosen = ("-a", "tanh", "-s", "recompute,cached", "-b", "numpy", "-n", "1000")
    assert actbench("run", *chosen, "-d", "float32,float64", "-o", "here").exit_code == 130
    assert len({row["dtype"] for row in rows(Path("here/cases.csv"))}) == 1
    table = Path("here/summary.md").read_text().partition("### What a strategy costs")[2]
    costs = [line.split(" | ")[:4] for line in table.splitlines() if line.startswith("| tanh")]
    assert {(dtype, kept) for _, dtype, _, kept in costs} == {("float32", "4"), ("float64", "8")}


def test_resume_goes_on_to_the_same_result(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *TWO_BLOCKS, "-o", "whole")
    bench.workers_started = 0
    bench.on_time = Interrupted(bench, round_number=3, blocks_before=0)
    assert actbench("run", *TWO_BLOCKS, "-o", "parts").exit_code == 130
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "parts").exit_code == 0
    for name in ("cases.csv", "speedups.csv", "values.csv"):
        assert Path("parts", name).read_text() == Path("whole", name).read_text()
    assert record(Path("parts"))["status"] == "complete"


def test_a_round_interrupted_half_way_is_finished_on_resume(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = Interrupted(bench, round_number=3, blocks_before=2)  # the probe, and one block
    assert actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6").exit_code == 130
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "here").exit_code == 0
    assert {(row["size"], row["rounds"]) for row in rows(Path("here/speedups.csv"))} == {("1000", "6"), ("2000", "6")}


def test_a_round_that_a_resume_finishes_counts_as_complete(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = Interrupted(bench, round_number=6, blocks_before=1)
    assert actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6").exit_code == 130
    assert record(Path("here"))["rounds"] == 5
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "here").exit_code == 0
    assert record(Path("here"))["rounds"] == 6


def test_resume_with_more_rounds_adds_rounds(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "2")
    assert actbench("run", "--resume", "here", "--rounds", "7").exit_code == 0
    assert rows(Path("here/speedups.csv"))[0]["rounds"] == "7"


def test_resume_measures_the_rounds_that_the_budget_of_before_left_out(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "6", "--budget", "1ms")
    assert rows(Path("here/speedups.csv"))[0]["rounds"] == "1"
    result = actbench("run", "--resume", "here", "--rounds", "6")
    assert rows(Path("here/speedups.csv"))[0]["rounds"] == "6"
    assert "too short" not in result.stdout


def test_a_resume_keeps_to_the_budget_that_the_user_named_before(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--budget", "1ms")
    assert actbench("run", "--resume", "here").exit_code == 0
    assert rows(Path("here/speedups.csv"))[0]["rounds"] == "1"


def test_resume_of_a_complete_run_measures_nothing_more(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", "here")
    timed: list[Block] = []
    bench.on_time = timed.append
    assert actbench("run", "--resume", "here").exit_code == 0
    assert not timed


@pytest.mark.parametrize("name", ["latest", "results/latest"])
def test_the_latest_run_can_be_resumed(actbench: Actbench, name: str) -> None:
    actbench("run", *SMALL, "--rounds", "1")
    result = actbench("run", "--resume", name, "--rounds", "2")
    assert result.exit_code == 0, result.exception
    assert rows(Path("results/latest/cases.csv"))[0]["rounds"] == "2"


def test_resume_takes_the_same_selection_and_refuses_another(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    assert actbench("run", *SMALL, "--resume", "here", "--rounds", "2").exit_code == 0
    for other in (("-n", "2000"), ("--seed", "2"), ("--engine", "pyperf"), ("--filter", "*/cached/*")):
        result = actbench("run", *PAIR, "-n", "1000", *other, "--resume", "here")
        assert result.exit_code == 5, other
        assert "has another plan" in result.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cpu_model": "Z80"}, "cpu model: Z80"),
        ({"kernel": "Linux 2.4"}, "kernel: Linux 2.4"),
        ({"caches": {"L1d": 1}}, "caches: L1d 1"),
        ({"libraries": {"numpy": "1.0"}}, "libraries: numpy 1.0"),
        ({"actbench": "0.0.0"}, "actbench: 0.0.0"),
        ({"python": "CPython 2.7"}, "python: CPython 2.7"),
        ({"variables": {"OMP_NUM_THREADS": "3"}}, "variables: OMP_NUM_THREADS 3"),
    ],
)
def test_resume_on_another_host_or_library_is_refused(
    actbench: Actbench, bench: FakeBench, changed: dict[str, Any], said: str
) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    resumed = record(Path("here"))
    resumed["environment"] |= changed
    Path("here/run.json").write_text(json.dumps(resumed))
    before = {path.name: path.read_bytes() for path in Path("here").iterdir()}
    bench.workers_started = 0
    result = actbench("run", "--resume", "here")
    assert result.exit_code == 5
    assert result.stderr.startswith(f"actbench: the run cannot go on here ({said} then, ")
    assert bench.workers_started == 0
    assert {path.name: path.read_bytes() for path in Path("here").iterdir()} == before


def test_more_memory_and_another_processor_of_the_same_kind_do_not_make_another_host() -> None:
    here = environment.collect(None, {})
    environment.refuse_other(replace(here, memory=here.memory + 1, affinity=7), here)


@pytest.mark.parametrize("place", ["nowhere", "empty", "file"])
def test_what_is_no_run_cannot_be_resumed(actbench: Actbench, place: str) -> None:
    Path("empty").mkdir()
    Path("file").write_text("")
    result = actbench("run", "--resume", place)
    assert result.exit_code == 2
    assert place in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_block_that_rested_is_not_measured_again_by_a_resume(actbench: Actbench, bench: FakeBench) -> None:

    def seconds(case: Case) -> float:
        process = bench.workers_started * 7 % 11 / 100 if (case.size, case.strategy) == (2000, "cached") else 0.0
        return exact_seconds(case) * (1 + process)

    bench.seconds = seconds
    actbench("run", *TWO_BLOCKS, "-o", "here", "--budget", "30s")
    before = Counter(row["round"] for row in rows(Path("here/values.csv")) if row["size"] == "1000")
    assert len(before) == 6, "this block rests after six rounds"
    last = max(int(row["round"]) for row in rows(Path("here/values.csv")))
    assert last > 6
    workers = bench.workers_started
    assert actbench("run", "--resume", "here", "--budget", "1ms").exit_code == 0
    assert bench.workers_started == workers
    assert Counter(row["round"] for row in rows(Path("here/values.csv")) if row["size"] == "1000") == before
