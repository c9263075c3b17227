"""The journal keeps what was finished since the run was last saved, and every line that is damaged is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actbench.model.events import CasesLeftOut, Measured, PartsTimed
from actbench.model.plan import LeftOut
from actbench.runs import archive, journal, writer
from actbench.runs.record import Status
from actbench.runs.values import digest
from tests.conftest import Actbench
from tests.support.damage import finished_round, journal_line, refused
from tests.support.selections import FILES, names, record, rows
from tests.support.steps import STEP


@pytest.fixture
def run(one_block: Path) -> Path:
    """Two rounds of one block."""
    return one_block


def test_a_process_killed_between_rounds_loses_no_finished_block(two_blocks: Path) -> None:
    first, second = finished_round(3, archive.load(two_blocks))
    whole, torn = journal_line(two_blocks, first), journal_line(two_blocks, second, 2)[:-20]
    (two_blocks / "journal.jsonl").write_bytes(whole + torn)
    times = archive.load(two_blocks).times
    assert times.rounds(first.block) == (1, 2, 3)
    assert times.rounds(second.block) == (1, 2)


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


@pytest.fixture
def steps(actbench: Actbench) -> Path:
    """Two rounds of one block of training steps of two arms."""
    assert actbench("train", *STEP, "-s", "recompute,cached", "--rounds", "2", "-o", "here").exit_code == 0
    return Path("here")


def rounds_with_parts(steps: Path) -> list[int]:
    """Return the rounds of the only block of training steps that have parts."""
    loaded = archive.load(steps).record
    assert loaded is not None
    (by_round,) = loaded.parts.values()
    return [*by_round]


def test_a_process_killed_between_rounds_loses_no_parts_of_training_steps(actbench: Actbench, steps: Path) -> None:
    (third,) = finished_round(3, archive.load(steps))
    parts = ((0.25,) * 8, ())
    with writer.reopen(steps) as going:
        going.take(PartsTimed(third.block.id, 3, parts))
        going.take(Measured(third, 1, 1))
    assert rounds_with_parts(steps) == [1, 2, 3]
    assert actbench("train", "--resume", "here", "--rounds", "4").exit_code == 0
    assert rounds_with_parts(steps) == [1, 2, 3, 4]
    assert record(steps)["parts"][third.block.id]["3"] == [[0.25] * 8, []]


def test_a_line_of_training_steps_without_parts_is_one_of_a_round_without_them(steps: Path) -> None:
    (third,) = finished_round(3, archive.load(steps))
    fields = ("run", "saves", "line", "block", "round", "seconds", "processor")
    written = msgspec.json.decode(journal_line(steps, third))
    older = {name: written[name] for name in fields} | {"digest": ""}
    older["digest"] = digest(msgspec.json.encode(older))
    (steps / "journal.jsonl").write_bytes(msgspec.json.encode(older) + b"\n")
    assert archive.load(steps).times.rounds(third.block) == (1, 2, 3)
    assert rounds_with_parts(steps) == [1, 2]


def test_a_run_whose_process_was_killed_is_read_as_interrupted(run: Path) -> None:
    with writer.reopen(run) as going:
        going.save()
    assert record(run)["status"] == "running"
    killed = archive.load(run).record
    assert killed is not None
    assert killed.status is Status.INTERRUPTED


def test_a_line_from_before_the_last_save_is_skipped(run: Path) -> None:
    before = archive.load(run)
    assert before.record is not None
    (run / "journal.jsonl").write_bytes(sealed_line(run, saves=before.record.saves - 1))
    assert archive.load(run).times.rounds(before.plan.blocks[0]) == (1, 2)


def test_a_line_from_before_cases_were_left_out_is_skipped(run: Path) -> None:
    before = sealed_line(run)
    with writer.reopen(run) as going:
        going.take(CasesLeftOut((LeftOut("logistic/cached/numpy/derivative/float64/1000", "it crashed", True),)))
    (run / "journal.jsonl").write_bytes(before)
    loaded = archive.load(run)
    assert [case.strategy for case in loaded.plan.cases] == ["recompute"]
    assert loaded.times.rounds(loaded.plan.blocks[0]) == (1, 2)


def sealed_line(of: Path, **changed: Any) -> bytes:
    """Return a line with a right digest and something that is changed."""
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
        {"parts": ((0.5,) * 8,) * 2},
        {"run": "0123456789abcdef"},
        {"saves": 99},
        {"line": 2},
    ],
    ids=str,
)
def test_a_line_that_the_run_did_not_write_is_refused(actbench: Actbench, run: Path, changed: dict[str, Any]) -> None:
    (run / "journal.jsonl").write_bytes(sealed_line(run, **changed))
    assert f"{run / 'journal.jsonl'} is damaged: line 1: " in refused(actbench, run)


@pytest.mark.parametrize("parts", [((0.5,) * 8,), ((0.5,) * 7,) * 2, ((-0.5,) * 8,) * 2], ids=str)
def test_parts_that_no_training_step_has_are_refused(
    actbench: Actbench, steps: Path, parts: tuple[tuple[float, ...], ...]
) -> None:
    (steps / "journal.jsonl").write_bytes(sealed_line(steps, parts=parts))
    assert "journal.jsonl is damaged: line 1: " in refused(actbench, steps)


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
    lines = [journal_line(run, finished_round(2 + number, loaded)[0], number) for number in (1, 2, 3)]
    (run / "journal.jsonl").write_bytes(b"".join(damage(lines)))
    assert f"is damaged: line {line}: " in refused(actbench, run)
