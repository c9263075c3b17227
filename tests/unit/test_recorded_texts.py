"""Texts from outside that do not print are refused before anything is measured, or escaped: a run can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, record

MINE = """\
from actbench import Flaw, Strategy, Weakness, strategy

@strategy("logistic")
def mine(m):
    def derivative(y):
        return y * (1.0 - y)
    return Strategy(derivative, weaknesses=(Weakness(Flaw.CANCELS, "1 - y loses\\nits bits", lambda z, _: z > 1),))
"""

MEASURED = ("-a", "logistic", "-b", "numpy", "-n", "1000", "--rounds", "6", "-o", "here")


def test_a_variable_of_several_lines_is_recorded_with_escapes(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--one\n--two")
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "1").exit_code == 0
    assert record(Path("here"))["environment"]["variables"]["XLA_FLAGS"] == r"--one\n--two"
    assert actbench("compare", "here").exit_code == 0
    assert actbench("run", "--resume", "here", "--rounds", "2").exit_code == 0


def test_a_weakness_in_several_lines_is_recorded_with_escapes(actbench: Actbench) -> None:
    Path("mine.py").write_text(MINE)
    assert actbench("run", "--load", "mine.py", "-s", "recompute,mine", *MEASURED).exit_code == 0
    assert actbench("compare", "here").exit_code == 0
    assert r"1 - y loses\\nits bits" in json.dumps(record(Path("here"))["checks"])


def test_a_module_in_a_directory_whose_name_does_not_print_is_recorded_with_escapes(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a\x07b").mkdir()
    Path("a\x07b", "beside_it.py").write_text("")
    Path("mine.py").write_text(f"import beside_it\n{MINE}")
    monkeypatch.syspath_prepend(str(Path("a\x07b").absolute()))
    assert actbench("run", "--load", "mine.py", "-s", "recompute,mine", *MEASURED).exit_code == 0
    assert actbench("compare", "here").exit_code == 0


def test_a_file_whose_name_does_not_print_is_not_loaded(actbench: Actbench, bench: FakeBench) -> None:
    Path("a\x07b.py").write_text(MINE)
    result = actbench("run", "--load", "a\x07b.py", "-s", "recompute,mine", *MEASURED)
    assert result.exit_code == 2
    assert result.stderr == "actbench: --load a\\x07b.py: its name has characters that do not print: rename it\n"
    assert bench.workers_started == 0
