from __future__ import annotations

import itertools
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from math import nan
from pathlib import Path
from typing import Any

import pyperf
import pytest

from actbench.analysis.estimates import Estimate, Round
from actbench.model import Case, Dtype, Op
from actbench.report.export import asv, benchstat, bmf, github_action_benchmark
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.fake import FakeBench, crash, exact_seconds
from tests.selections import PAIR, SMALL, names, rows

TOOLS = ("github-action-benchmark", "bmf", "benchstat", "asv")

COMMIT = "0123456789abcdef0123456789abcdef01234567"

CASE = Case("logistic", "cached", "numpy", Op.DERIVATIVE, Dtype.FLOAT32, 1000)

HOSTILE = Case("a b/-1\n=.é", '"c"\t=/d', "nump\\y%", Op.STEP, Dtype.FLOAT64, 7)
"""Names as nobody writes them, but as a file could have them."""

HOST = {
    "cpu_model": "Intel(R) Xeon(R) CPU @ 2.00GHz",
    "logical_cpus": 2,
    "memory": 16 * 2**30,
    "architecture": "x86_64",
    "kernel": "Linux 6.1.0-rc1",
    "python": "CPython 3.11.7",
    "libraries": {"numpy": "2.4.6", "numba": "0.68.1", "pyperf": "2.10.0"},
    "variables": {"OMP_NUM_THREADS": "1"},
}


def edit(run: Path, change: Callable[[Any], object]) -> None:
    record = json.loads((run / "run.json").read_text())
    change(record)
    (run / "run.json").write_text(json.dumps(record))


def on_known_host(record: Any) -> None:
    record["environment"].update(HOST)
    record["created"] = "2026-01-02T03:04:05+00:00"


@pytest.fixture
def run(actbench: Actbench) -> Path:
    """Six rounds of recompute and cached, 4000 and 1000 ns a call, on a known host."""
    assert actbench("run", *SMALL, "-o", "here").exit_code == 0
    edit(Path("here"), on_known_host)
    return Path("here")


def export(actbench: Actbench, run: Path | str, tool: str, *options: str) -> str:
    """Return what is exported to stdout, by which nothing is said on stderr."""
    commit = ("--commit", COMMIT) if tool == "asv" else ()
    result = actbench("export", str(run), "--to", tool, *commit, *options)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
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
    rounds = tuple(Round(each, 100) for each in seconds or (1e-6,) * 6)
    middle = sorted(each.seconds for each in rounds)[len(rounds) // 2]
    low, high = (0.9 * middle, 1.2 * middle) if interval else (nan, nan)
    return Estimate(case, middle, low, high, 10, rounds)


def loops(run: Path) -> dict[str, str]:
    """Return the calls in a value by strategy."""
    return {row["strategy"]: row["loops"] for row in rows(run / "cases.csv")}


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


# github-action-benchmark


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
    found = re.fullmatch(r"(?:\+-|±)\s*(\d.+)", entry["range"])  # src/extractRangeInfo.ts
    assert found
    assert float(found[1]) == 200.0, "the longer side of the interval"


def test_the_action_is_given_a_unit_that_it_knows() -> None:
    (entry,) = read_by_the_action(github_action_benchmark.text([estimate()]))
    assert entry["unit"] in {"s/iter", "ms/iter", "us/iter", "ns/iter"}  # src/normalizeValueByUnit.ts
    assert entry["value"] == 1000.0


def test_without_an_interval_the_action_gets_no_range() -> None:
    (entry,) = read_by_the_action(github_action_benchmark.text([estimate(CASE, 1e-6, 2e-6, interval=False)]))
    assert "range" not in entry
    assert entry["extra"] == "rounds: 2\nloops: 10"


# Bencher


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
    found = read_by_bencher(bmf.text([estimate()]))
    assert found == {CASE.id: {"latency": {"value": 1000.0, "lower_value": 900.0, "upper_value": 1200.0}}}


def test_too_few_rounds_leave_the_bounds_out(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "5", "-o", "here")
    found = read_by_bencher(export(actbench, "here", "bmf"))
    assert {tuple(measures["latency"]) for measures in found.values()} == {("value",)}


# benchstat

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
        if found := RESULT.fullmatch(line):
            name = NAME.fullmatch(found["name"])
            assert name, line
            assert name["gomaxprocs"] == "1"
            parts = dict(part.split("=") for part in name["parts"].split("/")[1:])
            results.append((name["base"], parts, int(found["iterations"]), float(found["value"])))
        else:
            setting = CONFIGURATION.fullmatch(line)
            assert setting, f"benchstat would ignore or refuse {line!r}"
            assert not results, "the header describes all results"
            configuration[setting["key"]] = setting["value"]
    return configuration, results


def test_benchstat_gets_a_line_a_round(actbench: Actbench, run: Path) -> None:
    lines = [
        f"BenchmarkLogistic/strategy={strategy}/backend=numpy/op=derivative/dtype=float64/size=1000-1 "
        f"{calls(run, strategy)} {value} ns/op"
        for strategy, value in (("recompute", "4000.00"), ("cached", "1000.00"))
        for _ in range(6)
    ]
    header = ["goos: linux", "goarch: amd64", "pkg: actbench", "cpu: Intel(R) Xeon(R) CPU @ 2.00GHz"]
    assert export(actbench, run, "benchstat") == "\n".join([*header, *lines, ""])


def test_benchstat_can_set_every_axis_side_by_side(actbench: Actbench) -> None:
    options = ("-a", "logistic,tanh", "-b", "python,numpy", "-n", "1000,2000", "--op", "derivative,step")
    actbench("run", *options, "-s", "recompute,cached", "-d", "float64", "--rounds", "2", "-o", "here")
    _, results = read_by_benchstat(export(actbench, "here", "benchstat"))
    assert {base for base, *_ in results} == {"Logistic", "Tanh"}
    assert {tuple(parts) for _, parts, *_ in results} == {("strategy", "backend", "op", "dtype", "size")}
    seen = [(base, *parts.values()) for base, parts, *_ in results]
    assert {seen.count(each) for each in seen} == {2}, "one line a round"
    assert len({*seen}) == len(load(Path("here")).plan.cases)


def test_benchstat_s_value_is_the_median_of_the_round() -> None:
    _, results = read_by_benchstat(benchstat.text([estimate(CASE, 1e-6, 2e-6, 0.5, 1.5e-8)], None))
    assert [value for *_, value in results] == [1000.0, 2000.0, 5e8, 15.0]
    assert {iterations for _, _, iterations, _ in results} == {100}


def test_two_comparable_runs_have_the_same_header(actbench: Actbench, run: Path) -> None:
    before, _ = read_by_benchstat(export(actbench, run, "benchstat"))
    software = {"python": "CPython 3.13.1", "libraries": {"numpy": "2.5"}, "kernel": "Linux 6.2"}
    edit(run, lambda record: record["environment"].update(software))
    assert read_by_benchstat(export(actbench, run, "benchstat"))[0] == before


@pytest.mark.parametrize(("architecture", "goarch"), [("aarch64", "arm64"), ("arm64", "arm64"), ("s390x", "s390x")])
def test_architectures_have_go_s_names(actbench: Actbench, run: Path, architecture: str, goarch: str) -> None:
    edit(run, lambda record: record["environment"].update(architecture=architecture, kernel="Darwin 23.1.0"))
    header, _ = read_by_benchstat(export(actbench, run, "benchstat"))
    assert (header["goos"], header["goarch"]) == ("darwin", goarch)


def test_no_name_breaks_benchstat_s_grammar() -> None:
    _, results = read_by_benchstat(benchstat.text([estimate(HOSTILE)], None))
    assert len(results) == 6
    assert results[0][1]["strategy"] == "%22c%22%09%3D%2Fd"


def test_no_host_breaks_benchstat_s_grammar(actbench: Actbench, run: Path) -> None:
    hostile = {"cpu_model": "BenchmarkX 1 1 ns/op: µ", "kernel": "Unit ns/op", "architecture": "x y"}
    edit(run, lambda record: record["environment"].update(hostile))
    _, results = read_by_benchstat(export(actbench, run, "benchstat"))
    assert {base for base, *_ in results} == {"Logistic"}


# asv

REQUIRED = {"params", "requirements", "commit_hash", "date", "python", "env_name", "env_vars", "result_columns"}


def read_by_asv(text: str) -> dict[str, dict[str, Any]]:
    """Return each benchmark's columns, read as Results.load in asv 0.6's asv/results.py reads them."""
    data = finite(text)
    assert data["version"] == 2
    assert data.keys() == REQUIRED | {"results", "durations", "version"}
    found = {}
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
        found[name] = columns
    return found


def cells(columns: dict[str, Any], column: str = "result") -> dict[tuple[str, ...], Any]:
    """Return a column by parameters."""
    return dict(zip(itertools.product(*columns["params"]), columns[column], strict=True))


def asv_columns(*found: Estimate) -> dict[str, Any]:
    """Return the columns of the only benchmark."""
    (group,) = asv.groups(found)
    return dict(zip(asv.COLUMNS, asv._row(group[1], 0), strict=False))


def test_asv_gets_a_results_file_as_it_writes_them(actbench: Actbench, run: Path) -> None:
    recompute, cached = calls(run, "recompute"), calls(run, "cached")
    assert export(actbench, run, "asv") == (
        f'{{"commit_hash": "{COMMIT}", "env_name": "actbench-py3.11-numba0.68.1-numpy2.4.6-OMP_NUM_THREADS1", '
        '"date": 1767323045000, "params": {"machine": "intel-xeon-cpu-2.00ghz-x2", "os": "Linux", "arch": "x86_64", '
        '"cpu": "Intel(R) Xeon(R) CPU @ 2.00GHz", "num_cpu": "2", "ram": "16 GiB", "python": "3.11", '
        '"numpy": "2.4.6", "numba": "0.68.1"}, "python": "3.11", '
        '"requirements": {"numpy": "2.4.6", "numba": "0.68.1"}, "env_vars": {"OMP_NUM_THREADS": "1"}, '
        '"result_columns": ["result", "params", "version", "started_at", "duration", "stats_ci_99_a", '
        '"stats_ci_99_b", "stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile"], '
        '"results": {"logistic.numpy.time_derivative": [[4e-6, 1e-6], '
        """[["'recompute'", "'cached'"], ["'float64'"], ["1000"]], "1", 1767323045000, null, """
        f"[null, null], [null, null], [4e-6, 1e-6], [4e-6, 1e-6], [{recompute}, {cached}], [6, 6], "
        f"[[{', '.join(['4e-6'] * 6)}], [{', '.join(['1e-6'] * 6)}]]]}}, "
        '"durations": {}, "version": 2}\n'
    )


def test_asv_s_parameters_are_strategy_dtype_and_size(actbench: Actbench) -> None:
    options = ("-b", "python,numpy", "-s", "recompute,cached", "-n", "2000,1000", "--rounds", "1")
    actbench("run", "-a", "logistic", *options, "-o", "here")
    found = read_by_asv(export(actbench, "here", "asv"))
    assert list(found) == ["logistic.numpy.time_derivative", "logistic.python.time_derivative"]
    numpy = cells(found["logistic.numpy.time_derivative"])
    assert len(numpy) == 8
    assert numpy["'cached'", "'float32'", "2000"] == 2e-6
    assert numpy["'recompute'", "'float64'", "1000"] == 4e-6
    assert cells(found["logistic.python.time_derivative"])["'cached'", "'float64'", "1000"] == 1e-4


def test_asv_gets_null_for_what_was_not_measured() -> None:
    other = Case("logistic", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT32, 2000)
    columns = asv_columns(estimate(), estimate(other))
    assert cells(columns) == {
        ("'cached'", "'float32'", "1000"): 1e-6,
        ("'cached'", "'float32'", "2000"): None,
        ("'recompute'", "'float32'", "1000"): None,
        ("'recompute'", "'float32'", "2000"): 1e-6,
    }
    assert [each is None for each in columns["samples"]] == [False, True, True, False]


@pytest.mark.parametrize(("count", "bounds"), [(6, (None, None)), (7, (None, None)), (8, (1e-6, 8e-6))])
def test_asv_s_interval_holds_the_median_with_99_percent(count: int, bounds: tuple[float | None, ...]) -> None:
    columns = asv_columns(estimate(CASE, *(1e-6 * number for number in range(1, count + 1))))
    assert (*columns["stats_ci_99_a"], *columns["stats_ci_99_b"]) == bounds


def test_asv_s_interval_grows_narrower_with_more_rounds() -> None:
    columns = asv_columns(estimate(CASE, *(1e-6 * number for number in range(1, 21))))
    assert (columns["stats_ci_99_a"], columns["stats_ci_99_b"]) == ([4e-6], [17e-6])  # ranks 4 and 17 of 20 hold 99.7 %
    assert (columns["stats_q_25"], columns["stats_q_75"]) == ([5.75e-6], [15.25e-6])
    assert columns["stats_repeat"] == [20]


@pytest.mark.parametrize("count", [1, 5])
def test_asv_gets_no_statistics_of_too_few_rounds(count: int) -> None:
    columns = asv_columns(estimate(CASE, *[1e-6] * count, interval=False))
    assert {tuple(columns[key]) for key in columns if key.startswith("stats_")} == {(None,)}
    assert columns["samples"] == [[1e-6] * count]


def test_the_host_s_name_is_in_nothing_that_asv_gets(actbench: Actbench, run: Path) -> None:
    host = socket.gethostname()
    assert len(host) <= 4 or host not in export(actbench, run, "asv")


@pytest.mark.parametrize("cpu", ["../../etc/passwd", "..", "", "/", "a\\b c", "é"])
def test_no_processor_s_name_leads_out_of_asv_s_directory(actbench: Actbench, run: Path, cpu: str) -> None:
    edit(run, lambda record: record["environment"].update(cpu_model=cpu, variables={"OMP_X": "../../../x"}))
    Path("results").mkdir()
    export(actbench, run, "asv", "-o", "results")
    (machine,) = (path for path in Path("results").iterdir() if path.is_dir())
    assert re.fullmatch(r"[a-z0-9.-]*x2", machine.name)
    assert {path.name for path in machine.iterdir()} >= {"machine.json"}
    assert len(list(Path("results").rglob("*.json"))) == 3


def test_a_long_environment_name_becomes_a_hash_as_in_asv(actbench: Actbench, run: Path) -> None:
    variables = {f"OMP_{number}": "1" * 20 for number in range(10)}
    edit(run, lambda record: record["environment"].update(variables=variables))
    Path("results").mkdir()
    export(actbench, run, "asv", "-o", "results")
    (path,) = Path("results").rglob("01234567-*.json")
    assert re.fullmatch(r"01234567-env-[0-9a-f]{32}\.json", path.name)


def test_no_name_breaks_asv_s_names() -> None:
    ((name, _),) = asv.groups([estimate(HOSTILE)])
    assert re.fullmatch(r"[\w%-]+\.[\w%-]+\.time_step", name, re.ASCII)


# asv's results directory


@pytest.fixture
def results(actbench: Actbench, run: Path) -> Path:
    """A results directory of asv's, with the run in it."""
    directory = Path("results")
    directory.mkdir()
    assert export(actbench, run, "asv", "-o", str(directory)) == ""
    return directory


def test_in_asv_s_directory_the_file_goes_where_asv_looks_for_it(actbench: Actbench, run: Path, results: Path) -> None:
    name = "01234567-actbench-py3.11-numba0.68.1-numpy2.4.6-OMP_NUM_THREADS1.json"
    path = results / "intel-xeon-cpu-2.00ghz-x2" / name
    assert path.read_text() == export(actbench, run, "asv")
    machine = finite((path.parent / "machine.json").read_text())
    assert machine == {
        "machine": path.parent.name,
        "os": "Linux",
        "arch": "x86_64",
        "cpu": "Intel(R) Xeon(R) CPU @ 2.00GHz",
        "num_cpu": "2",
        "ram": "16 GiB",
        "version": 1,
    }
    assert names(results) == {"benchmarks.json", path.parent.name}
    assert names(path.parent) == {"machine.json", name}


def test_asv_knows_the_benchmarks_that_it_has_results_of(actbench: Actbench, run: Path, results: Path) -> None:
    benchmarks = finite((results / "benchmarks.json").read_text())
    columns = read_by_asv(export(actbench, run, "asv"))
    assert benchmarks.pop("version") == 2
    assert benchmarks.keys() == columns.keys()
    for name, benchmark in benchmarks.items():
        assert benchmark["name"] == name
        assert benchmark["params"] == columns[name]["params"]
        assert benchmark["version"] == columns[name]["version"], "asv hides results of another version"
        assert len(benchmark["param_names"]) == len(benchmark["params"])
        assert (benchmark["type"], benchmark["unit"]) == ("time", "seconds")


def test_other_benchmarks_and_commits_stay(actbench: Actbench, run: Path, results: Path) -> None:
    path = results / "benchmarks.json"
    known = finite(path.read_text()) | {"mine.time_it": {"name": "mine.time_it"}}
    path.write_text(json.dumps(known))
    done = actbench("export", str(run), "--to", "asv", "--commit", "f" * 40, "-o", str(results))
    assert done.exit_code == 0
    assert finite(path.read_text()) == known
    assert len(list(results.rglob("*-actbench-*.json"))) == 2


def test_a_damaged_benchmarks_json_is_named_and_nothing_is_written(actbench: Actbench, run: Path) -> None:
    Path("results").mkdir()
    Path("results/benchmarks.json").write_text("[")
    said = refused(actbench, str(run), "--to", "asv", "--commit", COMMIT, "-o", "results")
    assert "cannot read results/benchmarks.json: " in said
    assert names(Path("results")) == {"benchmarks.json"}


def test_a_benchmarks_json_of_another_version_is_named(actbench: Actbench, run: Path) -> None:
    Path("results").mkdir()
    Path("results/benchmarks.json").write_text('{"version": 1}')
    said = refused(actbench, str(run), "--to", "asv", "--commit", COMMIT, "-o", "results")
    assert "results/benchmarks.json is not of api_version 2" in said


def test_a_file_in_the_machine_s_place_is_named(actbench: Actbench, run: Path) -> None:
    Path("results").mkdir()
    Path("results/intel-xeon-cpu-2.00ghz-x2").touch()
    said = refused(actbench, str(run), "--to", "asv", "--commit", COMMIT, "-o", "results")
    assert said == "actbench: cannot write to results: File exists\n"


# All of them


@pytest.mark.parametrize("tool", TOOLS)
def test_a_file_gets_what_stdout_gets_and_replaces_what_was_there(actbench: Actbench, run: Path, tool: str) -> None:
    Path("out").write_text("something longer\n" * 1000)
    assert export(actbench, run, tool, "-o", "out") == ""
    assert Path("out").read_text(encoding="utf-8") == export(actbench, run, tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_yardsticks_are_left_out(actbench: Actbench, run: Path, tool: str) -> None:
    assert "yardstick" not in export(actbench, run, tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_in_json_is_without_a_number(actbench: Actbench, tool: str) -> None:
    actbench("run", *SMALL, "--rounds", "1", "-o", "here")
    text = export(actbench, "here", tool)
    assert not re.search(r"\b(nan|inf|infinity)\b", text, re.IGNORECASE)
    if tool != "benchstat":
        finite(text)


READERS = (read_by_the_action, read_by_bencher, read_by_benchstat, read_by_asv)


@pytest.mark.parametrize(("tool", "read"), [*zip(TOOLS, READERS, strict=True)], ids=TOOLS)
def test_every_reader_reads_the_latest_run(actbench: Actbench, tool: str, read: Callable[[str], object]) -> None:
    actbench("run", *PAIR, "-n", "1000,2000", "--rounds", "2")
    assert read(export(actbench, "latest", tool))


def test_stdout_is_utf_8_whatever_the_terminal_s_encoding(run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "actbench", "export", str(run), "--to", "github-action-benchmark"],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "latin-1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert read_by_the_action(done.stdout.decode("utf-8"))[0]["range"] == "± 0"


def test_hostile_names_are_escaped_in_json() -> None:
    (entry,) = read_by_the_action(github_action_benchmark.text([estimate(HOSTILE)]))
    assert entry["name"] == HOSTILE.id
    assert list(read_by_bencher(bmf.text([estimate(HOSTILE)]))) == [HOSTILE.id]


def test_a_value_is_the_estimate_of_cases_csv(actbench: Actbench, bench: FakeBench) -> None:
    drift = itertools.count(1)
    bench.seconds = lambda case: exact_seconds(case) * (1 + next(drift) / 10_000)
    actbench("run", *SMALL, "--rounds", "8", "-o", "here")
    found = read_by_bencher(export(actbench, "here", "bmf"))
    for row in rows(Path("here/cases.csv"))[:2]:
        name = "/".join(row[key] for key in ("activation", "strategy", "backend", "op", "dtype", "size"))
        latency = found[name]["latency"]
        columns = {"value": "seconds", "lower_value": "low", "upper_value": "high"}
        assert latency == {key: pytest.approx(1e9 * float(row[column])) for key, column in columns.items()}
        assert latency["lower_value"] < latency["value"] < latency["upper_value"]


@pytest.mark.parametrize("tool", ["github-action-benchmark", "bmf", "benchstat"])
def test_a_lone_pyperf_json_says_the_same_as_its_run(actbench: Actbench, run: Path, tool: str) -> None:
    Path("elsewhere").mkdir()
    shutil.copy(run / "pyperf.json", "elsewhere/mine.json")
    of_run = re.sub(r"^(goos|goarch|cpu): .*\n", "", export(actbench, run, tool), flags=re.MULTILINE)
    assert export(actbench, "elsewhere/mine.json", tool) == of_run


def test_a_lone_pyperf_json_does_not_tell_asv_its_host(actbench: Actbench, run: Path) -> None:
    shutil.copy(run / "pyperf.json", "mine.json")
    said = refused(actbench, "mine.json", "--to", "asv", "--commit", COMMIT)
    assert said == (
        "actbench: mine.json does not tell its host, which asv wants to know: name the directory of the run\n"
    )


def test_a_suite_of_the_stock_engine_s_kind_counts_one_loop_where_it_names_none(actbench: Actbench, run: Path) -> None:
    suite = json.loads((run / "pyperf.json").read_text())
    for each in [suite["metadata"], *(benchmark["metadata"] for benchmark in suite["benchmarks"])]:
        each.pop("loops", None)
    for one in (one for benchmark in suite["benchmarks"] for one in benchmark["runs"]):
        one.get("metadata", {}).pop("loops", None)
    Path("mine.json").write_text(json.dumps(suite))
    assert pyperf.BenchmarkSuite.load("mine.json").get_benchmarks()[0].get_loops() == 1
    entries = read_by_the_action(export(actbench, "mine.json", "github-action-benchmark"))
    assert {entry["extra"] for entry in entries} == {"rounds: 6\nloops: 1"}


# What cannot be exported


@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_no_run_is_refused(actbench: Actbench, tool: str) -> None:
    commit = ("--commit", COMMIT) if tool == "asv" else ()
    assert "nowhere is not a run (" in refused(actbench, "nowhere", "--to", tool, *commit)


def test_a_run_without_a_finished_block_is_refused(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = lambda _: crash("lost")
    assert actbench("run", *SMALL, "-o", "here").exit_code == 4
    assert "the run has no finished block yet" in refused(actbench, "here", "--to", "bmf")


@pytest.mark.parametrize(
    ("place", "reason"),
    [("nowhere/out", "No such file or directory"), (".", "Is a directory"), ("file/out", "Not a directory")],
)
def test_a_place_that_cannot_be_written_is_named(actbench: Actbench, run: Path, place: str, reason: str) -> None:
    Path("file").touch()
    said = refused(actbench, str(run), "--to", "bmf", "-o", place)
    assert said == f"actbench: cannot write {place}: {reason}; name another file with -o\n"


def test_asv_needs_a_commit(actbench: Actbench, run: Path) -> None:
    said = refused(actbench, str(run), "--to", "asv")
    assert said == (
        'actbench: asv files results under the commit that was measured: add --commit "$(git rev-parse HEAD)"\n'
    )


@pytest.mark.parametrize("commit", ["", "HEAD", "main", "0123abc", COMMIT.upper(), COMMIT + "0", f"{COMMIT}\n", "../x"])
def test_a_commit_is_a_full_hash(actbench: Actbench, run: Path, commit: str) -> None:
    said = refused(actbench, str(run), "--to", "asv", "--commit", commit)
    assert "is not a full hash: give what 'git rev-parse HEAD' prints" in said


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "asv"])
def test_a_commit_that_would_be_dropped_is_refused(actbench: Actbench, run: Path, tool: str) -> None:
    said = refused(actbench, str(run), "--to", tool, "--commit", COMMIT)
    assert said == f"actbench: --commit: {tool} has no place for it; leave it out\n"


@pytest.mark.parametrize("created", ["", "yesterday", "9999999"])
def test_a_run_that_began_at_no_time_is_damaged(actbench: Actbench, run: Path, created: str) -> None:
    edit(run, lambda record: record.update(created=created))
    said = refused(actbench, str(run), "--to", "asv", "--commit", COMMIT)
    assert said == f"actbench: here/run.json is damaged: '{created}' is not a time\n"


def test_the_format_must_be_named(actbench: Actbench, run: Path) -> None:
    result = actbench("export", str(run))
    assert result.exit_code == 2
    assert "Missing option '--to'" in result.stderr


def test_help_for_export_imports_nothing_heavy() -> None:
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted({'numba', 'numpy', 'pandas'} & set(sys.modules)), file=sys.stderr))\n"
        "from actbench.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "export", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
