"""What asv gets: a results file with statistics and samples, filed under a commit."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actbench.analysis.estimates import Estimate
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.model.sizes import Size
from actbench.model.variants import Variant
from actbench.report.export import asv
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.exports import CASE, COMMIT, HOSTILE, calls, estimate, export, read_by_asv, refused
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, edit


def cells(columns: dict[str, Any], column: str = "result") -> dict[tuple[str, ...], Any]:
    """Return a column by parameters."""
    return dict(zip(itertools.product(*columns["params"]), columns[column], strict=True))


def asv_columns(*estimates: Estimate) -> dict[str, Any]:
    """Return the columns of the only benchmark."""
    (group,) = asv.groups(estimates)
    return dict(zip(asv.RESULT_COLUMNS, asv._row(group[1], 0), strict=False))


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
    results = read_by_asv(export(actbench, "here", "asv"))
    assert list(results) == ["logistic.numpy.time_derivative", "logistic.python.time_derivative"]
    numpy = cells(results["logistic.numpy.time_derivative"])
    assert len(numpy) == 8
    assert numpy["'cached'", "'float32'", "2000"] == 2e-6
    assert numpy["'recompute'", "'float64'", "1000"] == 4e-6
    assert cells(results["logistic.python.time_derivative"])["'cached'", "'float64'", "1000"] == 1e-4


def test_asv_gets_null_for_what_was_not_measured() -> None:
    other = Case("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT32, 2000)
    columns = asv_columns(estimate(), estimate(other))
    assert cells(columns) == {
        ("'cached'", "'float32'", "1000"): 1e-6,
        ("'cached'", "'float32'", "2000"): None,
        ("'recompute'", "'float32'", "1000"): None,
        ("'recompute'", "'float32'", "2000"): 1e-6,
    }
    assert [samples is None for samples in columns["samples"]] == [False, True, True, False]


def test_sizes_of_one_row_and_of_several_are_in_the_order_of_their_elements() -> None:
    kernel = Case("softmax", Variant("cached"), "numpy", Op.BACKWARD, Dtype.FLOAT32, 32).kernel
    sizes = [kernel.of(Size(elements), rows=rows) for elements, rows in ((128, 16), (32, 1), (128, 4), (64, 1))]
    columns = asv_columns(*map(estimate, sizes))
    assert [size for *_, size in cells(columns)] == ["32", "64", "'4x32'", "'16x8'"]


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


def test_no_name_breaks_asv_s_names() -> None:
    ((name, _),) = asv.groups([estimate(HOSTILE)])
    assert re.fullmatch(r"[\w%-]+\.[\w%-]+\.time_step", name, re.ASCII)


# What asv's file cannot do without


def test_a_lone_pyperf_json_does_not_tell_asv_its_host(actbench: Actbench, run: Path) -> None:
    shutil.copy(run / "pyperf.json", "mine.json")
    said = refused(actbench, "mine.json", "--to", "asv", "--commit", COMMIT)
    assert said == ("actbench: mine.json does not name its host, which asv needs: name the directory of the run\n")


def test_asv_needs_a_commit(actbench: Actbench, run: Path) -> None:
    said = refused(actbench, str(run), "--to", "asv")
    assert said == (
        'actbench: asv files results under the commit that was measured: add --commit "$(git rev-parse HEAD)"\n'
    )


@pytest.mark.parametrize("commit", ["", "HEAD", "main", "0123abc", COMMIT.upper(), COMMIT + "0", f"{COMMIT}\n", "../x"])
def test_a_commit_is_a_full_hash(actbench: Actbench, run: Path, commit: str) -> None:
    said = refused(actbench, str(run), "--to", "asv", "--commit", commit)
    assert "is not a full hash: give what 'git rev-parse HEAD' prints" in said


@pytest.mark.parametrize("created", ["", "yesterday", "9999999"])
def test_a_run_that_began_at_no_time_is_damaged(actbench: Actbench, run: Path, created: str) -> None:
    edit(run, lambda record: record.update(created=created))
    said = refused(actbench, str(run), "--to", "asv", "--commit", COMMIT)
    assert said == (
        f"actbench: here/run.json is damaged: created is '{created}', and not a time; restore it from a copy, or "
        "measure again\n"
    )


def in_a_repository(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Make the current directory a repository with a commit and a tag, and return git there."""
    for name, value in {"AUTHOR": "a", "COMMITTER": "a"}.items():
        monkeypatch.setenv(f"GIT_{name}_NAME", value)
        monkeypatch.setenv(f"GIT_{name}_EMAIL", f"{value}@example.org")

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "one")
    git("tag", "--annotate", "--message", "first", "v1")
    return git


def test_an_annotated_tag_stands_for_its_commit(actbench: Actbench, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = in_a_repository(monkeypatch)
    tag, commit, tree = (git("rev-parse", name) for name in ("v1", "HEAD", "HEAD^{tree}"))
    result = actbench("export", str(run), "--to", "asv", "--commit", tag)
    assert json.loads(result.stdout)["commit_hash"] == commit != tag
    assert result.stderr == f"--commit {tag} is an annotated tag: {commit}, its commit, stands for it\n"
    assert actbench("export", str(run), "--to", "asv", "--commit", commit).stderr == ""
    said = refused(actbench, str(run), "--to", "asv", "--commit", tree)
    assert said.startswith(f"actbench: --commit {tree} is a tree: give the hash of a commit")


def test_a_hash_that_no_repository_knows_is_taken_with_a_remark(actbench: Actbench, run: Path) -> None:
    result = actbench("export", str(run), "--to", "asv", "--commit", COMMIT)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["commit_hash"] == COMMIT
    assert result.stderr.startswith(f"--commit {COMMIT}: no repository here knows it; ")


# Times in copies, and the commit that a run records


def test_relative_times_are_benchmarks_of_their_own(actbench: Actbench, bench: FakeBench, run: Path) -> None:
    shown = []
    for name, drift in (("one", 1.0), ("two", 1.4)):
        bench.seconds = lambda case, drift=drift: drift * exact_seconds(case)  # type: ignore[misc]
        actbench("run", *SMALL, "-o", name)
        shown.append(read_by_asv(export(actbench, name, "asv", "--relative")))
    times, copies = "logistic.numpy.time_derivative", "logistic.numpy.track_derivative_in_copies"
    assert [*shown[0]] == [*shown[1]] == [times, copies]
    assert [results[times]["result"] for results in shown] == [[4e-6, 1e-6], [5.6e-6, 1.4e-6]]
    assert [results[copies]["result"] for results in shown] == [[8, 2], [8, 2]]
    assert shown[1][copies]["samples"] == [[8.0] * 6, [2.0] * 6]
    assert "takes times alone" in refused(actbench, str(run), "--to", "bmf", "--relative")


def test_a_run_is_filed_under_the_commit_that_it_records(actbench: Actbench, run: Path) -> None:
    commit = {"hash": "a" * 40, "date": "2026-01-01T00:00:00+00:00", "dirty": False}
    edit(run, lambda record: record.update(commit=commit))
    result = actbench("export", str(run), "--to", "asv")
    assert json.loads(result.stdout)["commit_hash"] == "a" * 40
    assert result.stderr == f"filed under {'a' * 40}, the commit that the run was made at\n"
    edit(run, lambda record: record.update(commit=commit | {"dirty": True}))
    assert "add --commit" in refused(actbench, str(run), "--to", "asv")
