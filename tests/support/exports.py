"""What the tests of all exports share: the command, estimates, and how each tool reads what it gets."""

from __future__ import annotations

import json
import math
import re
from math import nan
from pathlib import Path
from typing import Any

import pytest

from actbench.analysis.estimates import Estimate, Round
from actbench.analysis.interval import Interval
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.selections import rows

COMMIT = "0123456789abcdef0123456789abcdef01234567"

CASE = Case("logistic", Variant("cached"), "numpy", Op.DERIVATIVE, Dtype.FLOAT32, 1000)

HOSTILE = Case("a b/-1\n=.é", Variant('"c"\t=/d'), "nump\\y%", Op.STEP, Dtype.FLOAT64, 7)
"""Names as nobody writes them, but as a file could have them."""


def export(actbench: Actbench, run: Path | str, tool: str, *options: str) -> str:
    """Return what is exported to stdout, by which nothing is said on stderr but that no repository has the commit."""
    commit = ("--commit", COMMIT) if tool == "asv" else ()
    result = actbench("export", str(run), "--to", tool, *commit, *options)
    assert result.exit_code == 0, result.stderr
    assert re.fullmatch(rf"--commit {COMMIT}: no repository here .*\n" if commit else "", result.stderr)
    return result.stdout


def refused(actbench: Actbench, *arguments: str) -> str:
    """Return the one sentence with which an export is refused."""
    result = actbench("export", *arguments)
    assert result.exit_code == 2, result.exception
    assert result.stdout == ""
    assert result.stderr.startswith("actbench: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def estimate(case: Case = CASE, *seconds: float, interval: bool = True) -> Estimate:
    """Return an estimate with such rounds, its interval from 10 % below to 20 % above."""
    rounds = tuple(Round(value, 100) for value in seconds or (1e-6,) * 6)
    middle = sorted(one.seconds for one in rounds)[len(rounds) // 2]
    low, high = (0.9 * middle, 1.2 * middle) if interval else (nan, nan)
    return Estimate(case, Interval(middle, low, high), 10, rounds)


def calls(run: Path, strategy: str) -> int:
    """Return the calls in a round."""
    return sum(
        int(row["loops"]) for row in rows(run / "values.csv") if (row["strategy"], row["round"]) == (strategy, "1")
    )


def finite(text: str) -> Any:
    """Read JSON strictly: no NaN, no infinity, no name twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"), object_pairs_hook=once)


# How the tools read


def read_by_the_action(text: str) -> list[dict[str, Any]]:
    """Read as extractCustomBenchmarkResult and BenchmarkResult in the action's src/extract.ts have it."""
    entries = finite(text)
    assert isinstance(entries, list)
    assert entries, "the action refuses an empty array"
    for entry in entries:
        assert entry.keys() <= {"name", "value", "unit", "range", "extra"}
        assert entry.keys() >= {"name", "value", "unit"}
        assert isinstance(entry["value"], float | int)
        assert all(isinstance(entry[key], str) for key in entry.keys() - {"value"})
    return entries


def read_by_bencher(text: str) -> dict[str, dict[str, dict[str, float]]]:
    """Read by the schema in Bencher's documentation, https://bencher.dev/docs/reference/bencher-metric-format."""
    benchmarks: dict[str, dict[str, dict[str, float]]] = finite(text)
    for name, measures in benchmarks.items():
        assert 0 < len(name) <= 1024
        for measure, metric in measures.items():
            assert 0 < len(measure) <= 64
            assert {"value"} <= metric.keys() <= {"value", "lower_value", "upper_value"}
            assert all(isinstance(value, float | int) for value in metric.values())
    return benchmarks


CONFIGURATION = re.compile(r"(?P<key>[^\sA-Z:][^\sA-Z:]*):[ \t]+(?P<value>[^\n]*)")
"""A configuration line as the design has it; a key begins with a lower-case letter."""

RESULT = re.compile(r"(?P<name>Benchmark[A-Z%]\S*) (?P<iterations>[1-9]\d*) (?P<value>\d+\.\d+) (?P<unit>ns/op)")

NAME = re.compile(r"Benchmark(?P<base>[^/]+)(?P<parts>(?:/[^/=]+=[^/=]+)*)-(?P<gomaxprocs>\d+)")


def read_by_benchstat(text: str) -> tuple[dict[str, str], list[tuple[str, dict[str, str], int, float]]]:
    """Read by the grammar of golang.org/design/14313-benchmark-format, and no line that it would ignore.

    Returns the configuration, and by line the base name, the key=value parts, iterations and nanoseconds.
    """
    assert text.endswith("\n")
    configuration, results = {}, []
    for line in text.removesuffix("\n").split("\n"):
        if match := RESULT.fullmatch(line):
            name = NAME.fullmatch(match["name"])
            assert name, line
            assert name["gomaxprocs"] == "1"
            parts = dict(part.split("=") for part in name["parts"].split("/")[1:])
            results.append((name["base"], parts, int(match["iterations"]), float(match["value"])))
        else:
            setting = CONFIGURATION.fullmatch(line)
            assert setting, f"benchstat would ignore or refuse {line!r}"
            assert not results, "the header describes all results"
            configuration[setting["key"]] = setting["value"]
    return configuration, results


REQUIRED = {"params", "requirements", "commit_hash", "date", "python", "env_name", "env_vars", "result_columns"}


def read_by_asv(text: str) -> dict[str, dict[str, Any]]:
    """Return each benchmark's columns, read as Results.load in asv 0.6's asv/results.py reads them."""
    data = finite(text)
    assert data["version"] == 2
    assert data.keys() == REQUIRED | {"results", "durations", "version"}
    benchmarks = {}
    for name, row in data["results"].items():
        assert row[-1] is not None
        columns = dict(zip(data["result_columns"], row, strict=False))
        assert columns.keys() <= {
            *("result", "params", "version", "started_at", "duration", "samples", "profile"),
            *("stats_ci_99_a", "stats_ci_99_b", "stats_q_25", "stats_q_75", "stats_number", "stats_repeat"),
        }
        combinations = math.prod(map(len, columns["params"]))
        for column in columns.keys() & {"result", "samples", *(key for key in columns if key.startswith("stats_"))}:
            assert len(columns[column]) == combinations
        benchmarks[name] = columns
    return benchmarks
