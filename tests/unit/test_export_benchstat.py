"""What benchstat gets: a line a round, under a header that tells the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.report.export import benchstat
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.exports import CASE, HOSTILE, calls, estimate, export, read_by_benchstat
from tests.support.selections import edit


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
    names = [(base, *parts.values()) for base, parts, *_ in results]
    assert {names.count(name) for name in names} == {2}, "one line a round"
    assert len({*names}) == len(load(Path("here")).plan.cases)


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
