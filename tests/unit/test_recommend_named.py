"""Runs that are named for a race, and those of further backends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from actbench.errors import ExitCode
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.races import Recommend, outcome, taking, undecided
from tests.support.selections import edit

JSON = ("--format", "json")

MEASURED = ("-a", "logistic", "-n", "1000", "--operands", "warm", "--op", "backward", "-d", "float32", "-q")


def runs() -> list[Path]:
    """Return the runs in the order in which they were measured."""
    return sorted(Path("results").glob("*-default*"), key=lambda path: path.stat().st_mtime)


def of_a_further_library(record: Any) -> None:
    record["environment"]["libraries"]["torch"] = "2.9.0"


def with_two_threads(record: Any) -> None:
    record["settings"]["threads"] = 2


def of_a_host_and_a_python_of_before(record: Any) -> None:
    record["environment"] |= {"cpu_model": "an old one", "python": "CPython 2.7"}


def test_a_run_of_further_libraries_counts_and_is_not_called_foreign(recommend: Recommend) -> None:
    assert recommend(taking(cached=0.5)).exit_code == 0
    (run,) = runs()
    edit(run, of_a_further_library)
    for named in ((), ("--from", str(run))):
        later = recommend(taking(recompute=0.1), *named, fresh=False)
        assert "nothing was measured now" in later.stdout
        assert "torch" not in later.stdout


def test_a_run_with_a_backend_of_several_threads_counts_for_those_of_one(
    actbench: Actbench, bench: FakeBench, recommend: Recommend
) -> None:
    bench.seconds = taking(cached=0.5)
    measured = actbench("run", *MEASURED, "-b", "numpy,numba-parallel", "--rounds", "12", "-o", "results/run")
    assert measured.exit_code == 0, measured.stderr
    edit(Path("results/run"), with_two_threads)
    assert "nothing was measured now" in recommend(taking(recompute=0.1), fresh=False).stdout


def test_of_several_named_runs_those_are_listed_that_say_nothing(recommend: Recommend) -> None:
    assert recommend(taking(cached=0.5), "-d", "float64").exit_code == 0
    assert recommend(taking(cached=0.5)).exit_code == 0
    useless, useful = runs()
    shutil.copytree(useful, "copy")
    named = [word for path in (useful, useless, "copy") for word in ("--from", str(path))]
    remarks = outcome(recommend(taking(), *named, *JSON, fresh=False))["remarks"]
    assert f"--from {useless} says nothing about it: it has no dtype float32, but float64." in remarks
    assert "--from copy: others that are named have its rounds." in remarks
    assert sum(remark.startswith("--from ") for remark in remarks) == 2


def test_what_differs_in_a_run_that_does_not_decide_it_is_a_remark(recommend: Recommend, bench: FakeBench) -> None:
    assert recommend(undecided(bench), "--budget", "4s").exit_code == ExitCode.INCONCLUSIVE
    (run,) = runs()
    edit(run, of_a_host_and_a_python_of_before)
    (remark, *_) = outcome(recommend(taking(cached=0.5), "--from", str(run), *JSON, fresh=False))["remarks"]
    assert remark.startswith(f"Without {run}, made ")
    assert ", which does not decide it: cpu model was an old one, is " in remark
    assert "; python was CPython 2.7, is " in remark


def test_rounds_of_a_named_run_of_here_are_continued_beside_one_of_elsewhere_that_does_not_decide_it(
    recommend: Recommend,
) -> None:
    for _ in range(2):
        assert recommend(taking(cached=0.5), "--budget", "1ms").exit_code == ExitCode.INCONCLUSIVE
    elsewhere, here = runs()
    edit(elsewhere, of_a_host_and_a_python_of_before)
    named = ("--from", str(elsewhere), "--from", str(here), "--budget", "1ms")
    later = recommend(taking(cached=0.5), *named, *JSON, fresh=False)
    assert later.exit_code == ExitCode.INCONCLUSIVE
    assert json.loads(later.stdout)["rounds"] == 2
    assert f"the same command with --from {here} --from {runs()[-1]} goes on" in later.stderr


def test_names_of_runs_are_shown_with_escapes_and_quoted_in_commands(recommend: Recommend, bench: FakeBench) -> None:
    first = Path("results", "a run\x1b[31m")
    assert recommend(undecided(bench), "--budget", "1ms").exit_code == 3
    Path("results/latest").resolve().rename(first)
    result = recommend(undecided(bench), "--budget", "1ms", "--from", str(first), fresh=False)
    assert result.exit_code == 3, result.output
    assert "\x1b" not in result.output
    assert r"From results/a run\x1b[31m, made " in " ".join(result.stdout.split())
    assert r"--from $'results/a run\033[31m' --from results/" in " ".join(result.output.split())
