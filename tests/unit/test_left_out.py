"""What reports and runs say of cases that were left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actbench import registry
from actbench.model.events import CasesLeftOut, Failed
from actbench.model.outcomes import Failure
from actbench.model.plan import LeftOut
from actbench.report.progress import Progress
from actbench.report.remarks import left_out_in_short
from actbench.runs.archive import Run
from actbench.runs.record import decode, encode
from tests.support.planned import planned

OF_USER = "\x1b[31mlost\tin /home/me/mine.py"
PUBLIC = r"\x1b[31mlost\tin .../mine.py"


def left_out(**counts: int) -> list[LeftOut]:
    """Return so many cases left out for each of these reasons."""
    return [LeftOut(f"{reason}/{index}", reason) for reason, count in counts.items() for index in range(count)]


def test_few_reasons_have_a_line_each() -> None:
    lines = left_out_in_short(left_out(memory=1, time=2))
    assert lines == ["left out 2 cases, e.g. time/0: time", "left out 1 case, e.g. memory/0: memory"]
    assert not left_out_in_short([])


def test_of_many_reasons_those_of_most_cases_are_given_and_the_others_counted() -> None:
    assert left_out_in_short(left_out(a=1, b=2, c=9, d=5, e=3)) == [
        "left out 9 cases, e.g. c/0: c",
        "left out 5 cases, e.g. d/0: d",
        "left out 3 cases, e.g. e/0: e",
        "left out 3 more cases, e.g. b/0, for 2 other reasons",
    ]


def test_every_failure_has_its_reason_however_many_there_are() -> None:
    failed = [replace(one, failed=True) for one in left_out(f=1, g=1, h=2, i=1, j=1)]
    assert left_out_in_short([*left_out(a=1, b=2, c=9, d=5), *failed]) == [
        "FAILED: left out 1 case, e.g. f/0: f",
        "FAILED: left out 1 case, e.g. g/0: g",
        "FAILED: left out 2 cases, e.g. h/0: h",
        "FAILED: left out 1 case, e.g. i/0: i",
        "FAILED: left out 1 case, e.g. j/0: j",
        "left out 9 cases, e.g. c/0: c",
        "left out 5 cases, e.g. d/0: d",
        "left out 2 cases, e.g. b/0: b",
        "left out 1 more case, e.g. a/0, for 1 other reason",
    ]


def test_a_run_holds_reasons_without_directories_and_with_escapes_for_what_does_not_print(loaded_run: Run) -> None:
    record = loaded_run.record
    assert record is not None
    record.leave_out([LeftOut(record.plan.cases[0].id, OF_USER, failed=True)])
    assert record.plan.left_out[-1].reason == PUBLIC
    assert decode(encode(record), Path("run.json")).plan == record.plan


def test_reasons_of_planning_are_as_public_as_those_of_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    numpy = type(registry.backend("numpy"))
    monkeypatch.setattr(numpy, "unsupported_strategy", lambda _, __, strategy: OF_USER * (strategy == "cached"))
    assert [one.reason for one in planned().left_out] == [PUBLIC]


def test_progress_shows_reasons_as_runs_hold_them(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=False) as progress:
        progress.show(CasesLeftOut((LeftOut("a/b", OF_USER, failed=True),)))
        progress.show(Failed(Failure("c/d", 1, OF_USER)))
    assert capsys.readouterr().err == f"FAILED: left out 1 case, e.g. a/b: {PUBLIC}\nFAILED c/d: {PUBLIC}\n"
