"""Hosts that measured on different inputs, by different engines or with different threads are not compared."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from actbench.analysis.conditions import distinctions
from tests.conftest import Actbench
from tests.support.histories import CACHED, crossing, runs

SKEWED = "normal:2,1"


@pytest.fixture
def hosts(actbench: Actbench, two_runs: Path, tmp_path: Path) -> Path:
    """Four runs, of which the last two have other inputs, another crossover and another speedup."""

    def drawn(number: int, record: Any) -> None:
        if number > 1:
            record["plan"]["inputs"]["parameters"] = [2.0, 1.0]

    del actbench
    fleet = runs(two_runs / "run", tmp_path / "fleet", (1.0, 1.0, 3.0, 3.0), change=drawn)
    for number in range(4):
        crossing(fleet / f"run{number:02}", 1000 if number < 2 else 3000)
    return fleet


def test_figures_of_different_conditions_are_apart_by_what_differs() -> None:
    both = [("x", (("threads", "1"), ("on", "a"))), ("x", (("threads", "2"), ("on", "a"))), ("y", (("threads", "1"),))]
    assert [*distinctions(both).values()] == ["threads 1", "threads 2", ""]


def test_crossovers_of_different_inputs_are_not_compared(actbench: Actbench, hosts: Path) -> None:
    shown = json.loads(actbench("compare", "--by", "host", str(hosts), "--format", "json").stdout)
    assert [[one["host"] for one in crossover["on"]] for crossover in shown["crossovers"]] == [
        ["run00", "run01"],
        ["run02", "run03"],
    ]
    assert not any(crossover["differs"] for crossover in shown["crossovers"])
    assert [SKEWED in crossover["conditions"] for crossover in shown["crossovers"]] == [False, True]


def test_rows_that_differ_in_conditions_alone_name_these(actbench: Actbench, hosts: Path) -> None:
    markdown = actbench("compare", "--by", "host", str(hosts), "--format", "markdown").stdout
    labels = [line.split(" | ")[0] for line in markdown.splitlines() if line.startswith(f"| {CACHED} ")]
    assert len({*labels}) == 2
    assert all("(inputs from normal:" in label and "engine" not in label for label in labels)
    curves = [line for line in markdown.splitlines() if line.startswith("| logistic/cached/numpy/derivative/float64 (")]
    assert len({line.split(" | ")[0] for line in curves}) == 2


def test_the_heat_map_names_them_too(actbench: Actbench, hosts: Path) -> None:
    assert actbench("compare", "--by", "host", str(hosts), "--format", "html", "-o", "hosts.html").exit_code == 0
    heat = Path("hosts.html").read_text().partition('id="heat"')[2].partition("</section>")[0]
    labels = [label for label in re.findall(r'<th scope="row">([^<]*)<', heat) if label.startswith(f"{CACHED} ")]
    assert len({*labels}) == len(labels) == 2


def test_rows_without_others_of_their_name_have_no_conditions(actbench: Actbench, hosts: Path) -> None:
    two = (str(hosts / "run00"), str(hosts / "run01"))
    markdown = actbench("compare", "--by", "host", *two, "--format", "markdown").stdout
    assert f"| {CACHED} | recompute |" in markdown
    table = actbench("compare", "--by", "host", *two, "--format", "csv").stdout
    assert all("threads 1" in row["conditions"] for row in csv.DictReader(io.StringIO(table)))
