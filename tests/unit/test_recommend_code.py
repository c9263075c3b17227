"""Runs of kernels whose code has changed since, under the same version."""

from __future__ import annotations

import shutil
from pathlib import Path

from actbench.errors import ExitCode
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.races import Recommend, since, taking, undecided

WITHIN = ("recommend", "-a", "logistic", "--within", "dense:16-8", "--batch", "8", "-q")


def test_a_run_of_other_code_under_the_same_version_counts_only_where_it_is_named(
    recommend: Recommend, bench: FakeBench
) -> None:
    bench.code = since()
    assert recommend(taking(cached=0.5)).exit_code == 0
    assert "nothing was measured now" in recommend(taking(recompute=0.1), fresh=False).stdout
    bench.code = since("recompute")
    named = " ".join(recommend(taking(recompute=0.1), "--from", "latest", fresh=False).stdout.split())
    assert "keep y (cached)" in named
    assert "the code of logistic/recompute/numpy/backward/float32 is not that of then" in named
    assert "keep z (recompute)" in recommend(taking(recompute=0.1), fresh=False).stdout


def test_an_arm_that_lost_before_its_code_changed_is_measured(recommend: Recommend, bench: FakeBench) -> None:
    bench.code = since()
    assert recommend(undecided(bench), "--budget", "8s").exit_code == ExitCode.INCONCLUSIVE
    bench.code = since("recompute")
    assert "keep z (recompute)" in recommend(taking(recompute=0.1), fresh=False).stdout


def test_an_arm_that_lost_by_the_rounds_of_an_earlier_run_is_measured_once_its_code_has_changed(
    actbench: Actbench, recommend: Recommend, bench: FakeBench
) -> None:
    bench.code, bench.seconds = since(), undecided(bench)
    options = ("-a", "logistic", "-b", "numpy", "-n", "1000", "--operands", "warm", "--op", "backward", "-q")
    assert actbench("run", *options, "--rounds", "12", "-o", "results/first").exit_code == 0
    assert recommend(undecided(bench), "--budget", "1ms", fresh=False).exit_code == ExitCode.INCONCLUSIVE
    shutil.rmtree("results/first")
    (later,) = Path("results").glob("*-default*")
    assert {one.code for one in load(later).plan.left_out if one.lost} == {
        "recompute as it was",
        "textbook as it was",
    }
    bench.code = since("recompute")
    assert "keep z (recompute)" in recommend(taking(recompute=0.1), fresh=False).stdout


def test_training_steps_count_until_their_code_changes(actbench: Actbench, bench: FakeBench) -> None:
    bench.code, bench.seconds = since(), taking(cached=0.5)
    assert actbench(*WITHIN).exit_code == 0
    bench.seconds = taking(recompute=0.1)
    assert "nothing was measured now" in actbench(*WITHIN).stdout
    bench.code = since("recompute")
    assert "keep z (recompute)" in actbench(*WITHIN).stdout
