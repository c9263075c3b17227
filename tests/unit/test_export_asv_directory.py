"""What is written into asv's results directory, where asv looks for it, and what stays there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.exports import COMMIT, export, finite, read_by_asv, refused
from tests.support.selections import edit, names


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


def test_the_directory_is_made_where_it_is_not_there(actbench: Actbench, run: Path, results: Path) -> None:
    assert export(actbench, run, "asv", "-o", "of/another/results") == ""
    assert names(Path("of/another/results")) == names(results)
    assert export(actbench, run, "asv", "-o", "plain.json") == ""
    assert Path("plain.json").is_file()


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


# What its files are named


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


def test_benchmarks_in_copies_say_so(actbench: Actbench, run: Path) -> None:
    export(actbench, run, "asv", "--relative", "-o", "relative")
    benchmarks = finite(Path("relative/benchmarks.json").read_text())
    units = {
        name: (benchmark["type"], benchmark["unit"]) for name, benchmark in benchmarks.items() if name != "version"
    }
    assert units == {
        "logistic.numpy.time_derivative": ("time", "seconds"),
        "logistic.numpy.track_derivative_in_copies": ("track", "copies"),
    }
