"""What failed in an earlier run of a race, and would again: the rounds of the others count."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.errors import ExitCode
from actbench.model.cases import Block
from tests.support.fake import FakeBench, crash
from tests.support.races import Recommend, one_loses, since, taking

WRONG = """
import numpy as np
from actbench import kernel

@kernel("logistic", "wrong", keeps=("z",), backends=("numpy",), dtypes=("float32",))
def wrong(dy, z):
    e = np.exp(-abs(z))
    return dy * e
"""

NOT_MEASURED = "nothing was measured now"

NOT_TRIED = "What failed in an earlier run is not tried again (--fresh tries it)."


@pytest.fixture
def complement_crashes(bench: FakeBench) -> FakeBench:
    """Let a strategy crash the worker when it is timed."""

    def on_time(block: Block) -> None:
        if any(case.strategy == "complement" for case in block.cases):
            crash("gone")

    bench.on_time = on_time
    return bench


def test_rounds_count_beside_a_kernel_of_the_user_s_that_is_wrong_until_it_is_mended(recommend: Recommend) -> None:
    Path("mine.py").write_text(WRONG, encoding="utf-8")
    loaded = ("--load", "mine.py")
    assert recommend(taking(cached=0.5), *loaded, fresh=False).exit_code == ExitCode.FAILED
    later = recommend(taking(recompute=0.1), *loaded, fresh=False)
    assert later.exit_code == ExitCode.FAILED, later.output
    words = " ".join(later.stdout.split())
    assert "keep y (cached)" in words
    assert NOT_MEASURED in words
    assert NOT_TRIED in words
    assert "FAILED: left out 1 case, e.g. logistic/wrong/numpy/backward/float32/1000:" in words
    assert NOT_MEASURED not in recommend(taking(recompute=0.1), *loaded).stdout
    Path("mine.py").write_text(WRONG.replace("dy * e", "dy * e / (1 + e) ** 2"), encoding="utf-8")
    mended = recommend(taking(wrong=0.1), *loaded, fresh=False)
    assert mended.exit_code == 0, mended.output
    assert "(wrong), the fastest" in mended.stdout


def test_a_strategy_that_crashed_is_measured_once_its_code_has_changed(
    recommend: Recommend, complement_crashes: FakeBench
) -> None:
    complement_crashes.code = since()
    assert recommend(taking(cached=0.5)).exit_code == ExitCode.FAILED
    complement_crashes.on_time = lambda _: None
    later = recommend(taking(complement=0.1), fresh=False)
    assert later.exit_code == ExitCode.FAILED, later.output
    assert NOT_MEASURED in later.stdout
    complement_crashes.code = since("complement")
    mended = recommend(taking(complement=0.1), fresh=False)
    assert mended.exit_code == 0, mended.output
    assert "(complement), the fastest" in mended.stdout


def test_a_strategy_of_actbench_whose_code_is_not_known_is_tried_anew(
    recommend: Recommend, complement_crashes: FakeBench
) -> None:
    assert recommend(taking(cached=0.5)).exit_code == ExitCode.FAILED
    complement_crashes.on_time = lambda _: None
    assert "(complement), the fastest" in recommend(taking(complement=0.1), fresh=False).stdout


def test_what_a_race_leaves_open_goes_on_without_what_failed(
    recommend: Recommend, complement_crashes: FakeBench
) -> None:
    complement_crashes.code = since()
    assert recommend(taking(cached=0.5), "--budget", "1ms").exit_code == ExitCode.FAILED
    complement_crashes.on_time = lambda _: None
    later = recommend(taking(cached=0.5, complement=0.1), fresh=False)
    assert later.exit_code == ExitCode.FAILED, later.output
    assert "keep y (cached), the fastest" in later.stdout
    assert "it counts, too" in later.stdout


def test_what_lost_to_a_strategy_that_failed_later_is_measured_with_it_anew(
    recommend: Recommend, bench: FakeBench
) -> None:
    def on_time(block: Block) -> None:
        strategies = {case.strategy.name for case in block.cases}
        if "recompute" in strategies and "cached" not in strategies:
            crash("gone")

    three = ("-s", "recompute,cached,complement")
    bench.code, bench.on_time = since(), on_time
    assert recommend(one_loses(bench, "cached", "recompute", 3.0), *three).exit_code == ExitCode.FAILED
    bench.on_time = lambda _: None
    later = recommend(taking(cached=0.1), *three, fresh=False)
    assert later.exit_code == 0, later.output
    assert "keep y (cached), the fastest" in later.stdout


def test_the_digest_of_a_kernel_that_is_refused_is_kept(recommend: Recommend, bench: FakeBench) -> None:
    Path("mine.py").write_text(WRONG, encoding="utf-8")
    bench.code = since()
    assert recommend(taking(cached=0.5), "--load", "mine.py").exit_code == ExitCode.FAILED
    assert NOT_MEASURED in recommend(taking(), "--load", "mine.py", fresh=False).stdout
    bench.code = since("wrong")
    assert NOT_MEASURED not in recommend(taking(), "--load", "mine.py", fresh=False).stdout


def test_where_all_that_is_to_be_measured_failed_before_no_run_is_written_and_it_ends_with_4(
    recommend: Recommend,
) -> None:
    Path("mine.py").write_text(WRONG, encoding="utf-8")
    loaded = ("--load", "mine.py")
    assert recommend(taking(cached=0.5), *loaded).exit_code == ExitCode.FAILED
    latest = Path("results/latest").resolve()
    alone = recommend(taking(), *loaded, "-s", "wrong", fresh=False)
    assert alone.exit_code == ExitCode.FAILED, alone.output
    assert "nothing could be timed: logistic/wrong/numpy/backward/float32/1000:" in alone.stderr
    assert NOT_TRIED in " ".join(alone.stdout.split())
    assert Path("results/latest").resolve() == latest
