"""pyperf.json: what pyperf makes of it, and which suites are no run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyperf
import pytest

from tests.conftest import Actbench
from tests.support.damage import refused
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import SMALL
from tests.support.tiers import EXHAUSTIVE


@pytest.fixture
def run(one_block: Path) -> Path:
    """Two rounds of one block."""
    return one_block


@pytest.mark.parametrize("command", [["stats"], ["show"], ["hist"], ["check"], ["metadata"], ["dump"]])
def test_pyperf_reads_the_suite(two_blocks: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", *command, str(two_blocks / "pyperf.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "logistic/cached/numpy/derivative/float64/1000" in done.stdout or command == ["check"]


def test_the_suite_is_what_pyperf_writes(two_blocks: Path) -> None:
    pyperf.BenchmarkSuite.load(str(two_blocks / "pyperf.json")).dump("by pyperf")
    by_pyperf, ours = (json.loads(path.read_text()) for path in (Path("by pyperf"), two_blocks / "pyperf.json"))
    assert ours == by_pyperf


def test_a_pyperf_run_is_a_round(run: Path) -> None:
    suite = pyperf.BenchmarkSuite.load(str(run / "pyperf.json"))
    benchmark = suite.get_benchmark("logistic/cached/numpy/derivative/float64/1000")
    assert [pyperf_run.get_metadata()["actbench_round"] for pyperf_run in benchmark.get_runs()] == [1, 2]
    assert benchmark.mean() == pytest.approx(1e-6)


@pytest.mark.parametrize(
    "selection",
    [
        ["-a", "logistic", "-n", "1000"],
        pytest.param(["-a", "logistic", "-n", "1000,2000"], marks=EXHAUSTIVE),
        pytest.param(["-a", "logistic,tanh", "-n", "1000"], marks=EXHAUSTIVE),
        ["-a", "logistic,tanh", "-n", "1000,2000", "--op", "derivative,backward"],
    ],
)
def test_a_lone_pyperf_json_says_the_same_as_its_run(actbench: Actbench, selection: list[str]) -> None:
    common = ("-b", "numpy,numpy-blocked", "-s", "recompute,cached", "-d", "float32,float64", "--rounds", "6")
    assert actbench("run", *selection, *common, "-o", "here").exit_code == 0
    Path("elsewhere").mkdir()
    shutil.copy("here/pyperf.json", "elsewhere/mine.json")
    alone = actbench("compare", "elsewhere/mine.json")
    assert alone.exit_code == 0, alone.stderr
    assert alone.stdout == actbench("compare", "here").stdout
    assert alone.stdout


@pytest.mark.parametrize("keep", [0, 1, 500, -10])
def test_a_truncated_suite_is_refused(actbench: Actbench, run: Path, keep: int) -> None:
    lone = run.parent / "lone.json"
    lone.write_bytes((run / "pyperf.json").read_bytes()[:keep])
    assert str(lone) in refused(actbench, lone)


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"version": "1.0"}', '{"version": "1.0", "benchmarks": [7]}'])
def test_other_json_is_no_suite(actbench: Actbench, tmp_path: Path, text: str) -> None:
    lone = tmp_path / "lone.json"
    lone.write_text(text)
    assert str(lone) in refused(actbench, lone)


@pytest.mark.parametrize("name", ["telco", "logistic/cached/numpy/derivative/float64/1000"])
def test_a_foreign_suite_is_refused(actbench: Actbench, tmp_path: Path, name: str) -> None:
    lone = tmp_path / "lone.json"
    foreign = pyperf.Run([1.0, 1.5], metadata={"name": name}, collect_metadata=False)
    pyperf.BenchmarkSuite([pyperf.Benchmark([foreign])]).dump(str(lone))
    assert str(lone) in refused(actbench, lone)


def test_a_suite_with_a_round_missing_from_one_case_is_refused(actbench: Actbench, run: Path) -> None:
    lone = run.parent / "lone.json"
    suite = json.loads((run / "pyperf.json").read_text())
    del suite["benchmarks"][0]["runs"][0]
    lone.write_text(json.dumps(suite))
    assert str(lone) in refused(actbench, lone)


def changed_suite(run: Path, change: Callable[[Any], object]) -> Path:
    """Return a lone suite with one thing changed."""
    suite = json.loads((run / "pyperf.json").read_text())
    change(suite)
    lone = run.parent / "lone.json"
    lone.write_text(json.dumps(suite))
    return lone


def of_runs(suite: Any, **changed: object) -> None:
    """Change the metadata of all runs."""
    for benchmark in suite["benchmarks"]:
        for pyperf_run in benchmark["runs"]:
            pyperf_run["metadata"] = pyperf_run.get("metadata", {}) | changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda suite: of_runs(suite, actbench_round=1), "is not as it was measured"),
        (lambda suite: of_runs(suite, actbench_round=-1), "actbench_round of"),
        (
            lambda suite: of_runs(suite, actbench_block="tanh/derivative/float64/1000"),
            "whose blocks shared a yardstick",
        ),
        (lambda suite: of_runs(suite, unit="byte"), "is in 'byte', and times are in 'second'"),
        (lambda suite: of_runs(suite, loops=10**9), "is not as it was measured"),
        (lambda suite: suite["benchmarks"][0]["runs"][0]["values"].append(1e-6), "is not as it was measured"),
        (lambda suite: suite["benchmarks"][0]["runs"][0]["values"].pop(), "is not as it was measured"),
        (lambda suite: suite["benchmarks"][0]["runs"][0].update(values=[1e300]), "that is no time"),
        (lambda suite: suite["benchmarks"][0]["runs"][0].update(values=[-1.0]), "values must be"),
        (lambda suite: suite["benchmarks"][0]["runs"].reverse(), ""),
    ],
    ids=[
        "one number",
        "negative",
        "an older suite",
        "unit",
        "loops",
        "more",
        "fewer",
        "absurd",
        "below 0",
        "order of rounds",
    ],
)
def test_a_suite_that_is_not_as_it_was_written_is_refused(
    actbench: Actbench, run: Path, change: Callable[[Any], object], said: str
) -> None:
    lone = changed_suite(run, change)
    if said:
        assert said in refused(actbench, lone)
    else:
        goes_on = ": 'actbench run --resume here --rounds 6' measures the others"
        of_the_run = actbench("compare", "here").stdout
        assert goes_on in of_the_run
        assert actbench("compare", str(lone)).stdout == of_the_run.replace(goes_on, "")


def test_a_unit_that_all_runs_share_is_read_as_well(actbench: Actbench, run: Path) -> None:
    lone = changed_suite(run, lambda suite: suite["metadata"].update(unit="byte"))
    assert "is in 'byte', and times are in 'second'" in refused(actbench, lone)


def test_two_runs_joined_into_one_suite_are_refused_wherever_it_lies(actbench: Actbench, small_runs: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(small_runs / "one", name)
    for joined in ("both.json", "a/both.json"):
        command = ["convert", "a/pyperf.json", "--add", "b/pyperf.json", "-o", joined]
        subprocess.run([sys.executable, "-m", "pyperf", *command], check=True, capture_output=True)
        said = refused(actbench, Path(joined))
        assert f"{joined} has round 1 of " in said
        assert "twice: runs that were joined into one suite cannot be distinguished; name each by itself" in said


def test_the_suite_of_another_run_is_refused(actbench: Actbench, bench: FakeBench, run: Path) -> None:
    bench.seconds = lambda case: 2 * exact_seconds(case)
    assert actbench("run", *SMALL, "-o", "other", "--rounds", "2").exit_code == 0
    shutil.copy("other/pyperf.json", run / "pyperf.json")
    assert "is not of the run in " in refused(actbench, run / "pyperf.json")
    assert actbench("compare", str(run)).exit_code == 0
