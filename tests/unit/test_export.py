"""What holds for every export: where it is written, what it is of, and what cannot be exported."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyperf
import pytest

from actbench.report.export import bmf, github_action_benchmark
from actbench.runs import archive, pyperf_suite
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.exports import (
    COMMIT,
    HOSTILE,
    estimate,
    export,
    finite,
    read_by_asv,
    read_by_bencher,
    read_by_benchstat,
    read_by_the_action,
    refused,
)
from tests.support.fake import FakeBench, crash
from tests.support.selections import PAIR, SMALL, rows

TOOLS = ("github-action-benchmark", "bmf", "benchstat", "asv")

READERS = (read_by_the_action, read_by_bencher, read_by_benchstat, read_by_asv)


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
    results = read_by_bencher(export(actbench, "here", "bmf"))
    for row in rows(Path("here/cases.csv"))[:2]:
        name = "/".join(row[key] for key in ("activation", "strategy", "backend", "op", "dtype", "size"))
        latency = results[name]["latency"]
        columns = {"value": "seconds", "lower_value": "low", "upper_value": "high"}
        assert latency == {key: pytest.approx(1e9 * float(row[column])) for key, column in columns.items()}
        assert latency["lower_value"] < latency["value"] < latency["upper_value"]


@pytest.mark.parametrize("tool", ["github-action-benchmark", "bmf", "benchstat"])
def test_a_lone_pyperf_json_says_the_same_as_its_run(actbench: Actbench, run: Path, tool: str) -> None:
    Path("elsewhere").mkdir()
    shutil.copy(run / "pyperf.json", "elsewhere/mine.json")
    of_run = re.sub(r"^(goos|goarch|cpu): .*\n", "", export(actbench, run, tool), flags=re.MULTILINE)
    assert export(actbench, "elsewhere/mine.json", tool) == of_run


def test_a_suite_of_the_stock_engine_s_kind_counts_one_loop_where_it_names_none(actbench: Actbench, run: Path) -> None:
    measured = archive.load(run)
    assert measured.record is not None
    calibrations = {
        name: replace(calibration, loops=(1,) * len(calibration.loops), slices=1)
        for name, calibration in measured.record.calibrations.items()
    }
    suite = json.loads(pyperf_suite.to_json(measured.times, calibrations, {}, pyperf_suite.runs()))
    for metadata in [suite["metadata"], *(benchmark["metadata"] for benchmark in suite["benchmarks"])]:
        metadata.pop("loops", None)
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
    assert "here: it has no finished block yet" in refused(actbench, "here", "--to", "bmf")


@pytest.mark.parametrize(
    ("place", "reason"),
    [("nowhere/out", "No such file or directory"), (".", "Is a directory"), ("file/out", "Not a directory")],
)
def test_a_place_that_cannot_be_written_is_named(actbench: Actbench, run: Path, place: str, reason: str) -> None:
    Path("file").touch()
    said = refused(actbench, str(run), "--to", "bmf", "-o", place)
    assert said == f"actbench: cannot write {place}: {reason}; name another file with -o\n"


def test_a_full_disk_leaves_the_old_file(actbench: Actbench, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Path("out").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    result = actbench("export", str(run), "--to", "bmf", "-o", "out")
    assert result.exit_code == 74
    assert result.stderr.endswith("No space left on device; the old file is intact; name another file with -o\n")
    assert Path("out").read_text() == "old"


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "asv"])
def test_a_commit_that_would_be_dropped_is_refused(actbench: Actbench, run: Path, tool: str) -> None:
    said = refused(actbench, str(run), "--to", tool, "--commit", COMMIT)
    assert said == f"actbench: --commit: {tool} has no place for it; leave it out\n"


def test_the_format_must_be_named(actbench: Actbench, run: Path) -> None:
    result = actbench("export", str(run))
    assert result.exit_code == 2
    assert "Missing option '--to'" in result.stderr


# The command's help


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
