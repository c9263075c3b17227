from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actbench.analysis.audit import audit
from actbench.analysis.check_live import LiveTimes, judge
from actbench.analysis.regression import Margins
from actbench.errors import OutputError
from actbench.model.cases import Block, Case
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.runs import files
from tests.conftest import Actbench
from tests.support.compared import BLOCK
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, edit

MARGIN = 0.05


def measured(
    rounds: int, *, placement: float = 0.0, process: float = 0.0, run: float = 0.0, slowdown: float = 0.1, seed: int = 0
) -> LiveTimes:
    """Return rounds of three processes whose times scatter on three levels, ten rounds a run; the third is slower."""
    rng = np.random.default_rng(seed)
    sides = LiveTimes(Plan((BLOCK,), seed=1))
    drift = 0.0
    for number in range(1, rounds + 1):
        drift = rng.normal(0, run) if number % 10 == 1 else drift
        for times, factor in zip(sides.all_three, (1.0, 1.0, 1.0 + slowdown), strict=True):
            deviation = drift + rng.normal(0, process)
            seconds = factor * np.exp(deviation + rng.normal(0, placement, size=(2, 25)))
            yardstick = np.ones(25)
            times.add(BlockTimes(BLOCK, number, (*map(tuple, seconds.tolist()), tuple(yardstick.tolist()))))
    return sides


def injected(share: float = 0.1) -> dict[Case, float]:
    return dict.fromkeys(BLOCK.cases, share)


# What the rounds say


def test_the_variance_of_times_is_split_by_its_source() -> None:
    audited = audit(measured(400, placement=0.02, process=0.01, run=0.03), MARGIN, 10, injected())
    for case in audited.cases:
        over = case.over_yardstick
        assert (over.placement, over.round, over.run) == pytest.approx((0.02, 0.01, 0.03), rel=0.25)
        side_by_side = case.side_by_side
        assert side_by_side.placement == pytest.approx(0.02 * 2**0.5, rel=0.25)
        assert side_by_side.round == pytest.approx(0.01 * 2**0.5, rel=0.25)
        assert side_by_side.run < 0.005, "what both processes share cancels"


def test_the_smallest_slowdown_seen_is_where_a_check_begins_to_call_it() -> None:
    sides = measured(20, process=0.01)
    audited = audit(sides, MARGIN, 20, injected())
    (_, cached) = audited.cases
    for factor, verdict in ((1.001, "regressed"), (0.999, "inconclusive")):
        moved = LiveTimes(Plan((BLOCK,), seed=1))
        for of, times in zip(sides.all_three, moved.all_three, strict=True):
            slower = factor * (1 + cached.smallest_slowdown) if times is moved.candidate else 1.0
            for block_times in of.finished():
                (recompute, second, yardstick) = block_times.seconds
                times.add(
                    BlockTimes(BLOCK, block_times.round, (recompute, tuple(slower * s for s in second), yardstick))
                )
        assert judge(moved, Margins(MARGIN)).changes[1].verdict == verdict


def test_a_quiet_host_raises_no_alarm_and_sees_what_was_put_in() -> None:
    audited = audit(measured(100, process=0.005), MARGIN, 20, injected())
    assert (audited.checks, audited.alarmed_checks, audited.judged, audited.called) == (5, 0, 10, 0)
    assert (audited.injected, audited.detected) == (10, 10)
    assert 0.05 < audited.smallest_slowdown < 0.08
    assert all(case.measured.contains(1.1) for case in audited.cases)


def test_a_host_on_which_no_difference_looks_like_one_raises_alarms() -> None:
    sides = measured(20)
    for times in (sides.candidate,):
        for block_times in list(times.finished()):
            times.add(
                BlockTimes(BLOCK, block_times.round, tuple(tuple(1.2 * s for s in arm) for arm in block_times.seconds))
            )
    audited = audit(sides, MARGIN, 20, injected())
    assert (audited.alarmed_checks, audited.called) == (1, 2)


def test_an_alarm_before_the_last_round_counts_where_it_decides_the_block() -> None:
    """A check measures a block no further once all of its cases are decided, as after eight rounds here."""
    sides = LiveTimes(Plan((BLOCK,), seed=1))
    for number in range(1, 21):
        for times in sides.all_three:
            factor = 1.2 if times is sides.candidate and number <= 8 else 1.0
            times.add(BlockTimes(BLOCK, number, ((factor,) * 5, (factor,) * 5, (1.0,) * 5)))
    audited = audit(sides, MARGIN, 20, injected(0.0))
    assert (audited.alarmed_checks, audited.called) == (1, 2)


def test_where_slices_have_too_few_calls_nothing_is_put_in() -> None:
    audited = audit(measured(20, slowdown=0.0), MARGIN, 20, injected(0.0))
    assert (audited.injected, audited.detected) == (0, 0)


def test_too_few_rounds_make_no_check() -> None:
    audited = audit(measured(5), MARGIN, 8, injected())
    assert (audited.checks, audited.smallest_slowdown) == (0, float("inf"))


# The command


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def scattered(spread: float) -> Callable[[Case], float]:
    generator = random.Random(1)  # noqa: S311
    return lambda case: exact_seconds(case) * (1 + spread * generator.uniform(-1, 1))


def test_the_audit_of_exact_times_sees_everything_above_the_margin(actbench: Actbench) -> None:
    result = actbench("selfcheck", *SMALL, "--budget", "20s", "--check-budget", "10s")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].endswith("rounds, which 10 s allow for; margin 5 %.")
    assert lines[1].endswith("called a case regressed.")
    assert lines[3] == "Smallest slowdown that is called regressed in 95 % of cases and checks: 5 %."
    assert lines[5] == "Their measured ratios are 100.00 % (100.00 % to 100.00 %) of the true ones."
    assert "Sources of variance" in result.stdout
    assert "What makes timings vary here, and what to do:" in result.stdout


def test_a_noisy_host_needs_larger_slowdowns(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = scattered(0.5)
    arguments = ("--budget", "30s", "--check-budget", "10s", "--format", "json")
    report = json.loads(actbench("selfcheck", *SMALL, *arguments).stdout)
    assert report["smallest_change"] > 0.06
    assert report["false_alarms"]["cases"]["hits"] == 0


def test_an_audit_can_be_kept_with_a_run(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "kept")
    result = actbench("selfcheck", *SMALL, "--budget", "20s", "--store", "kept", "--format", "json")
    assert result.stderr == "written to kept/selfcheck.json\n"
    assert json.loads(Path("kept/selfcheck.json").read_text()) == json.loads(result.stdout)
    assert actbench("compare", "kept").exit_code == 0


@pytest.mark.parametrize(
    ("store", "message"),
    [("nowhere", "nowhere is not a run"), ("alone.json", "--store alone.json: name the directory")],
)
def test_where_it_is_to_be_kept_is_looked_at_before_measuring(
    actbench: Actbench, bench: FakeBench, small_runs: Path, store: str, message: str
) -> None:
    shutil.copy(small_runs / "one" / "pyperf.json", "alone.json")
    result = actbench("selfcheck", *SMALL, "--store", store)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"actbench: {message}")
    assert bench.workers_started == 0


def test_a_run_on_a_full_disk_is_refused_before_measuring(
    actbench: Actbench, bench: FakeBench, one_block: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full)
    result = actbench("selfcheck", *SMALL, "--store", str(one_block))
    assert result.exit_code == 74
    assert result.stderr.startswith(f"actbench: --store {one_block}: cannot write there (No space left on device)")
    assert bench.workers_started == 0


def test_a_run_of_a_different_host_is_refused_before_measuring(
    actbench: Actbench, bench: FakeBench, one_block: Path
) -> None:
    edit(one_block, lambda run: run["environment"].update(cpu_model="Z80"))
    result = actbench("selfcheck", *SMALL, "--store", str(one_block))
    assert result.exit_code == 5
    assert "the run is from another host (cpu model: Z80 there, " in result.stderr
    assert bench.workers_started == 0


def test_an_audit_that_cannot_be_kept_is_printed(
    actbench: Actbench, one_block: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, _: str) -> None:
        raise OutputError(f"cannot write {path}")

    monkeypatch.setattr(files, "write", refused)
    result = actbench("selfcheck", *SMALL, "--budget", "20s", "--check-budget", "10s", "--store", str(one_block))
    assert result.exit_code == 74
    assert "Smallest slowdown that is called regressed" in result.stdout


def test_an_audit_without_time_for_a_check_says_so(actbench: Actbench) -> None:
    result = actbench("selfcheck", *SMALL, "--budget", "1ms")
    assert result.exit_code == 3
    assert result.stdout.startswith("0 rounds: too few for one check of ")
    assert " allow for; --budget " in result.stdout


def test_ctrl_c_says_what_the_rounds_so_far_say(actbench: Actbench, bench: FakeBench) -> None:
    def interrupt(_: Block) -> None:
        if bench.workers_started > 40:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    result = actbench("selfcheck", *SMALL)
    assert result.exit_code == 130
    assert "interrupted: this is what the rounds so far say" in result.stderr
    assert result.stdout.splitlines()[0].startswith("12 rounds: ")


def test_ctrl_c_in_the_first_round_ends_as_ctrl_c_does(actbench: Actbench, bench: FakeBench) -> None:
    def interrupt(_: Block) -> None:
        if bench.workers_started > 3:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    assert actbench("selfcheck", *SMALL).exit_code == 130
