"""Bytes kept for the backward pass, of both sides of a check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actbench.model.cases import Case
from actbench.planning.costs import kept_bytes
from tests.conftest import Actbench
from tests.support.checked import CACHED, CASES, slower
from tests.support.damage import resealed
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, edit

MORE = f"{CACHED} keeps 8 bytes per element for the backward pass, 4 in the baseline"


def fewer(case: Case) -> float:
    """Let `cached` keep half as much there."""
    return kept_bytes(case) // (2 if case.id == CACHED else 1)


def test_more_bytes_than_in_the_baseline_are_a_regression_of_memory(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_keeps = fewer
    reports = [f"--report={form}=check.{form}" for form in ("markdown", "junit", "json", "github")]
    result = actbench(*CASES, *reports)
    assert result.exit_code == 1
    assert f"{CACHED} regressed in memory +0.00 % ± 0.00 %" in " ".join(result.stdout.split())
    assert "4 cases, margin 5 %: 1 regressed in memory, 3 unchanged" in result.stdout
    assert MORE in result.stdout
    report = json.loads(Path("check.json").read_text())
    (case,) = (case for case in report["cases"] if case["case"] == CACHED)
    assert (case["verdict"], case["kept"]) == ("regressed in memory", {"baseline": 4, "candidate": 8})
    assert (report["verdict"], report["exit_code"]) == ("regressed", 1)
    assert 'failures="1"' in Path("check.junit").read_text()
    assert "::error title=actbench%3A regressed in memory::" in Path("check.github").read_text()
    assert MORE in Path("check.markdown").read_text()


def test_fewer_bytes_are_named_and_no_regression(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_keeps = lambda case: 2 * kept_bytes(case)
    result = actbench(*CASES)
    assert result.exit_code == 0
    assert f"{CACHED} keeps 8 bytes per element for the backward pass, 16 in the baseline" in result.stdout


def test_a_case_that_is_slower_as_well_has_regressed(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_keeps, bench.seconds = fewer, slower(1.1)
    result = actbench(*CASES)
    assert result.exit_code == 1
    assert "1 regressed, 3 unchanged" in result.stdout
    assert MORE in result.stdout


def test_memory_is_decided_even_where_time_is_not(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_keeps = fewer
    result = actbench(*CASES, "--budget", "1ms")
    assert result.exit_code == 1
    assert "1 regressed in memory, 3 inconclusive" in result.stdout


@pytest.mark.parametrize("command", ["run", "train"])
def test_runs_are_held_to_what_they_recorded(actbench: Actbench, command: str) -> None:
    selection = SMALL if command == "run" else ("mlp:4-8-2", "--batch", "16", "-b", "numpy", "-s", "recompute,cached")
    for name in ("old", "new"):
        assert actbench(command, *selection, "--rounds", "6", "-o", name).exit_code == 0
    assert actbench("check", "new", "--baseline", "old").exit_code == 0

    def halved(record: dict[str, list[dict[str, int]]]) -> None:
        name, field = ("checks", "kept_bytes") if command == "run" else ("step_checks", "kept")
        for check in record[name]:
            check[field] //= 2

    edit(Path("old"), halved)
    resealed(Path("old"))
    result = actbench("check", "new", "--baseline", "old")
    assert result.exit_code == 1
    assert "regressed in memory" in result.stdout
    assert f"bytes per {'element' if command == 'run' else 'step'} for the backward pass" in result.stdout
