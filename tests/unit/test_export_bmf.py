"""What Bencher gets: latencies in nanoseconds, with the bounds of their intervals."""

from __future__ import annotations

from pathlib import Path

from actbench.report.export import bmf
from tests.conftest import Actbench
from tests.support.exports import CASE, estimate, export, read_by_bencher
from tests.support.selections import SMALL


def test_bencher_gets_latencies_in_nanoseconds_with_their_intervals(actbench: Actbench, run: Path) -> None:
    assert export(actbench, run, "bmf") == (
        """\
{
  "logistic/recompute/numpy/derivative/float64/1000": {
    "latency": {
      "value": 4000.0,
      "lower_value": 4000.0,
      "upper_value": 4000.0
    }
  },
  "logistic/cached/numpy/derivative/float64/1000": {
    "latency": {
      "value": 1000.0,
      "lower_value": 1000.0,
      "upper_value": 1000.0
    }
  }
}
"""
    )


def test_bencher_s_bounds_are_those_of_the_interval() -> None:
    results = read_by_bencher(bmf.text([estimate()]))
    assert results == {CASE.id: {"latency": {"value": 1000.0, "lower_value": 900.0, "upper_value": 1200.0}}}


def test_too_few_rounds_leave_the_bounds_out(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "5", "-o", "here")
    results = read_by_bencher(export(actbench, "here", "bmf"))
    assert {tuple(measures["latency"]) for measures in results.values()} == {("value",)}
