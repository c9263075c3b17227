"""Runs that have their measurements and no tables, as where a process was killed before it wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.exact_times import NANOSECOND
from tests.support.fake import FakeBench
from tests.support.selections import PAIR

TABLES = ("cases.csv", "speedups.csv", "crossovers.csv", "summary.md")


@pytest.fixture
def two(actbench: Actbench, bench: FakeBench) -> Actbench:
    """Two runs of four sizes, whose strategies cross."""
    bench.seconds = lambda case: (
        NANOSECOND * case.size * ((case.size / 8000) ** -0.5 if case.strategy == "recompute" else 1.0)
    )
    for name in ("first", "second"):
        assert actbench("run", *PAIR, "-n", "1k,4k,16k,64k", "-o", f"all/{name}").exit_code == 0
    return actbench


def without_tables(directory: str) -> None:
    for name in TABLES:
        Path(directory, name).unlink()


@pytest.mark.parametrize("figure", ["time", "speedup"])
def test_a_history_takes_a_run_without_tables_by_its_values(two: Actbench, figure: str) -> None:
    without_tables("all/second")
    shown = two("history", "all", "--of", figure, "--format", "json")
    assert shown.exit_code == 0, shown.stderr
    for series in json.loads(shown.stdout)["series"]:
        first, second = series["points"]
        assert second["ratio"] == pytest.approx(first["ratio"])


def test_hosts_are_compared_by_the_values_of_a_run_without_tables(two: Actbench) -> None:
    without_tables("all/second")
    compared = two("compare", "--by", "host", "all", "--format", "json")
    assert compared.exit_code == 0, compared.stderr
    figures = json.loads(compared.stdout)
    assert len(figures["speedups"]) == 4
    for speedup in figures["speedups"]:
        first, second = speedup["on"]
        assert second["speedup"] == pytest.approx(first["speedup"])
    (crossover,) = figures["crossovers"]
    assert [host["n"] for host in crossover["on"]] == pytest.approx([8000, 8000], rel=0.01)


def test_a_run_without_tables_and_values_is_refused(two: Actbench) -> None:
    without_tables("all/second")
    Path("all/second/values.csv").unlink()
    refused = two("compare", "--by", "host", "all/first", "all/second")
    assert refused.exit_code == 2
    assert "all/second" in refused.stderr
