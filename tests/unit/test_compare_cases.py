"""Comparison of the cases of one run."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench, crash
from tests.support.selections import SMALL
from tests.unit.conftest import MeasuredOnce

EVERY_AXIS = (
    *("-a", "logistic", "-b", "numpy,numba", "-s", "recompute,cached,complement", "-n", "1000,8000"),
    *("-d", "float32,float64", "--seed", "1"),
)


@pytest.fixture
def measured(actbench: Actbench, measured_once: MeasuredOnce) -> Actbench:
    """Leave a run with every axis behind: exact times."""
    measured_once({}, *EVERY_AXIS)
    return actbench


Rows = dict[tuple[str, str], tuple[Any, int]]


def ratios(actbench: Actbench, *arguments: str) -> Rows:
    """Return ratio and number of cases by group and candidate, after a look at the intervals."""
    result = actbench("compare", "latest", *arguments, "--format", "csv")
    assert result.exit_code == 0, result.stderr
    lines = list(csv.DictReader(io.StringIO(result.stdout)))
    for row in lines:
        for name in ("low", "high", "least", "most"):
            assert float(row[name]) == pytest.approx(float(row["ratio"]))
        assert row["rounds"] == "6"
    return {(row["group"], row["candidate"]): (pytest.approx(float(row["ratio"])), int(row["cases"])) for row in lines}


def test_by_strategy_every_strategy_is_set_against_recompute(measured: Actbench) -> None:
    assert ratios(measured) == {
        ("numpy", "cached"): (4.0, 4),
        ("numpy", "complement"): (2.0, 4),
        ("numba", "cached"): (4.0, 4),
        ("numba", "complement"): (2.0, 4),
    }


def test_by_backend_the_first_is_the_reference(measured: Actbench) -> None:
    assert ratios(measured, "--by", "backend") == {
        (strategy, "numba"): (2.0, 4) for strategy in ("recompute", "cached", "complement")
    }


def test_by_dtype_and_by_size_figures_are_per_element(measured: Actbench) -> None:
    groups = [
        f"{strategy}/{backend}" for strategy in ("recompute", "cached", "complement") for backend in ("numpy", "numba")
    ]
    assert ratios(measured, "--by", "dtype") == {(group, "float64"): (1.0, 2) for group in groups}
    assert ratios(measured, "--by", "size") == {(group, "8000"): (1.0, 2) for group in groups}


def test_another_reference_turns_the_ratios_round(measured: Actbench) -> None:
    assert ratios(measured, "--reference", "cached")["numpy", "recompute"] == (0.25, 4)
    assert ratios(measured, "--by", "backend", "--reference", "numba")["cached", "numpy"] == (0.5, 4)
    assert ratios(measured, "--by", "size", "--reference", "8000")["cached/numpy", "1000"] == (1.0, 2)


def test_the_geometric_mean_is_over_cases(actbench: Actbench, bench: FakeBench) -> None:
    slow = "logistic/cached/numpy/derivative/float64/8000"
    bench.seconds = lambda case: exact_seconds(case) * (4 if case.id == slow else 1)
    assert actbench("run", *EVERY_AXIS).exit_code == 0
    result = actbench("compare", "latest", "--format", "json")
    (row,) = [row for row in json.loads(result.stdout) if (row["group"], row["candidate"]) == ("numpy", "cached")]
    assert row["ratio"] == pytest.approx((4 * 4 * 4 * 1) ** 0.25)
    assert (row["least"], row["most"]) == (pytest.approx(1.0), pytest.approx(4.0))


def test_the_table_and_the_markdown_say_the_same(measured: Actbench) -> None:
    table = measured("compare", "latest").stdout
    assert "By strategy" in table
    (line,) = [line.split() for line in table.splitlines() if "cached / recompute" in line and " numpy " in line]
    assert line[:6] == ["logistic", "derivative", "numpy", "cached", "/", "recompute"]
    assert line[6:] == ["4.00", "±", "0.00", "4.00", "to", "4.00", "4", "6"]
    markdown = measured("compare", "latest", "--format", "markdown").stdout
    assert "| logistic | derivative | numpy | cached / recompute | 4.00 ± 0.00 | 4.00 to 4.00 | 4 | 6 |" in markdown


def test_the_answer_of_the_run_comes_first_where_strategies_are_compared_as_in_its_summary(measured: Actbench) -> None:
    answer = Path("results/latest/summary.md").read_text(encoding="utf-8").split("\n\n")[1]
    assert answer.startswith("logistic, derivative: reusing the cached output is faster than recomputing in")
    assert " ".join(measured("compare", "latest").stdout.split()).startswith(answer)
    assert measured("compare", "latest", "--format", "markdown").stdout.startswith(f"{answer}\n\n### By strategy")
    for options in (("--by", "backend"), ("--reference", "cached")):
        assert "faster than recomputing" not in measured("compare", "latest", *options).stdout


def test_a_comparison_without_intervals_has_null_bounds_and_question_marks(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "-n", "1000", "-d", "float64")
    assert actbench("run", *selection, "--rounds", "2").exit_code == 0
    (row,) = json.loads(actbench("compare", "latest", "--format", "json").stdout)
    assert (row["ratio"], row["low"], row["high"]) == (pytest.approx(4.0), None, None)
    assert "4.00 ?" in actbench("compare", "latest").stdout


def test_nothing_to_compare_is_said(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "numpy", "-s", "cached", "-n", "1000", "-d", "float64")
    assert actbench("run", *selection, "--rounds", "1").exit_code == 0
    for axis, value in (("strategy", "cached"), ("backend", "numpy"), ("dtype", "float64"), ("size", "1000")):
        result = actbench("compare", "latest", "--by", axis)
        assert result.exit_code == 2
        (reason,) = result.stderr.splitlines()
        assert reason.startswith("actbench: results/")
        assert reason.endswith(f": it has nothing to compare by {axis}: it measured {value} only")


def test_a_run_without_a_finished_round_is_named(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = lambda _: crash("lost")
    assert actbench("run", *SMALL, "-o", "here").exit_code == 4
    result = actbench("compare", "here")
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: here: it has no finished round: go on with it (--resume)")


def test_an_unknown_reference_names_those_there_are(measured: Actbench) -> None:
    result = measured("compare", "latest", "--reference", "textbook")
    assert result.exit_code == 2
    assert result.stderr == (
        "actbench: --reference 'textbook': the run has the strategy values recompute, cached, complement\n"
    )
