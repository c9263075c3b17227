"""What github-action-benchmark gets: an entry a case, with a range where there is an interval."""

from __future__ import annotations

import re
from pathlib import Path

from actbench.report.export import github_action_benchmark
from tests.conftest import Actbench
from tests.support.exports import CASE, estimate, export, read_by_the_action
from tests.support.selections import rows


def loops(run: Path) -> dict[str, str]:
    """Return the calls in a value by strategy."""
    return {row["strategy"]: row["loops"] for row in rows(run / "cases.csv")}


def test_github_action_benchmark_gets_an_entry_a_case(actbench: Actbench, run: Path) -> None:
    of = loops(run)
    assert export(actbench, run, "github-action-benchmark") == (
        f"""\
[
  {{
    "name": "logistic/recompute/numpy/derivative/float64/1000",
    "unit": "ns/iter",
    "value": 4000.0,
    "range": "± 0",
    "extra": "rounds: 6\\nloops: {of["recompute"]}"
  }},
  {{
    "name": "logistic/cached/numpy/derivative/float64/1000",
    "unit": "ns/iter",
    "value": 1000.0,
    "range": "± 0",
    "extra": "rounds: 6\\nloops: {of["cached"]}"
  }}
]
"""
    )


def test_the_action_can_convert_the_range() -> None:
    (entry,) = read_by_the_action(github_action_benchmark.text([estimate()]))
    match = re.fullmatch(r"(?:\+-|±)\s*(\d.+)", entry["range"])  # src/extractRangeInfo.ts
    assert match
    assert float(match[1]) == 200.0, "the longer side of the interval"


def test_the_action_is_given_a_unit_that_it_knows() -> None:
    (entry,) = read_by_the_action(github_action_benchmark.text([estimate()]))
    assert entry["unit"] in {"s/iter", "ms/iter", "us/iter", "ns/iter"}  # src/normalizeValueByUnit.ts
    assert entry["value"] == 1000.0


def test_without_an_interval_the_action_gets_no_range() -> None:
    (entry,) = read_by_the_action(github_action_benchmark.text([estimate(CASE, 1e-6, 2e-6, interval=False)]))
    assert "range" not in entry
    assert entry["extra"] == "rounds: 2\nloops: 10"
