"""`actbench train`: its options, settings, and how a run of training steps goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from actbench.engine.training import LONGEST_ARM_SECONDS, SELECTING
from actbench.model.cases import Block
from actbench.planning.costs import LEAST_MEASURED
from actbench.planning.training import TrainingSelection
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import record

STEPS = ("mlp:8-6-4-2", "--batch", "64", "--operands", "warm", "-a", "tanh", "-b", "numpy", "-s", "recompute,cached")


def planned(actbench: Actbench, *arguments: str, **options: object) -> list[str]:
    """Return the ids that a dry run prints."""
    result = actbench("train", *arguments, "--dry-run", **options)
    assert result.exit_code == 0, result.output
    return result.stdout.partition("\n\n")[0].splitlines()


def begin(actbench: Actbench, *arguments: str) -> None:
    """Measure two rounds in ``here``."""
    assert actbench("train", *STEPS, "--rounds", "2", "-o", "here", *arguments).exit_code == 0


def interrupting(after: int) -> Callable[[Block], None]:
    """Return what raises as Ctrl-C does when so many blocks have been timed."""
    timed = count(1)

    def on_time(_: Block) -> None:
        if next(timed) > after:
            raise KeyboardInterrupt

    return on_time


def test_networks_and_options_repeat_or_take_commas(actbench: Actbench) -> None:
    ids = planned(actbench, "dense:2-3,ffn:2-3", "mlp:2-3-4", *STEPS[3:], "--batch", "1,2", "--batch", "4")
    assert len(ids) == 3 * 3 * 2
    assert ids[0] == "tanh/recompute/numpy/dense:2-3/float32/1"


def test_settings_may_say_what_options_do(actbench: Actbench) -> None:
    Path("actbench.toml").write_text(
        'threads = "all"\n[train]\nbatch = [2, 4]\nbackend = ["numpy"]\noptimizer = "adam"\n'
    )
    ids = planned(actbench, "dense:2-3", "-a", "tanh", "-s", "cached", env={"ACTBENCH_DTYPE": "float64"})
    assert ids == [f"tanh/cached/numpy/dense:2-3/float64/{batch}" for batch in (2, 4)]
    assert actbench("run", "--preset", "smoke", "--dry-run").exit_code == 0, "every command takes all threads"
    Path("actbench.toml").write_text('[train]\nmax-call = "1s"\n')
    assert "unknown setting of train 'max-call'" in actbench("train", "--dry-run").stderr


def test_inputs_are_those_of_the_network(actbench: Actbench) -> None:
    assert "What the input of the network is drawn from" in " ".join(actbench("train", "--help").stdout.split())
    assert "What z is drawn from" in " ".join(actbench("run", "--help").stdout.split())


def test_the_number_of_threads_is_recorded_and_bounded(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    for threads, recorded in (("all", 2), ("2", 2), ("1", 1)):
        begin(actbench, "--threads", threads, "-o", threads)
        assert record(Path(threads))["settings"]["threads"] == recorded
    refused = actbench("train", *STEPS, "--threads", "3")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "actbench: --threads 3: this process may run on 2 processors: ask for at most as many threads\n",
    )
    assert "'0' is not a number of threads: write for example 1, or all" in actbench("train", "--threads", "0").stderr


def test_every_option_that_selects_is_refused_by_its_name_where_a_run_goes_on(actbench: Actbench) -> None:
    assert {field.name for field in fields(TrainingSelection)} - {"inputs"} < SELECTING.keys()
    begin(actbench)
    named = ("dense:2-3", "-a", "tanh", "--batch", "2", "--filter", "*", "--operands", "warm", "--threads", "1")
    result = actbench("train", "--resume", "here", *named)
    assert (result.exit_code, result.stderr) == (
        5,
        (
            "actbench: --resume here: what is measured is that run's: leave NETWORK, --activation, --batch, "
            "--operands, --filter, --threads out, or start a new run\n"
        ),
    )


def test_a_run_goes_on_to_more_rounds_with_the_checks_that_it_has(actbench: Actbench) -> None:
    begin(actbench)
    before = record(Path("here"))
    assert actbench("train", "--resume", "here", "--rounds", "3").exit_code == 0
    after = record(Path("here"))
    assert after["rounds"] == 3
    assert after["step_checks"] == before["step_checks"]
    (rounds,) = after["parts"].values()
    assert [*rounds] == ["1", "2", "3"]


def test_a_run_goes_on_with_the_command_that_began_it(actbench: Actbench) -> None:
    begin(actbench)
    result = actbench("run", "--resume", "here")
    assert (result.exit_code, result.stderr) == (
        5,
        "actbench: --resume here: the run there has training steps: write actbench train --resume here\n",
    )
    chosen = ("-a", "tanh", "-b", "numpy", "-n", "100", "-s", "cached", "--rounds", "1")
    assert actbench("run", *chosen, "-o", "other").exit_code == 0
    result = actbench("train", "--resume", "other")
    assert (result.exit_code, result.stderr) == (
        5,
        "actbench: --resume other: the run there has no training steps: write actbench run --resume other\n",
    )


def test_a_run_goes_on_with_the_file_of_its_inputs_where_that_is_now(actbench: Actbench) -> None:
    np.save("x.npy", np.linspace(-1, 1, 64))
    begin(actbench, "--inputs", "x.npy")
    assert (
        "not normal:0,1: leave --inputs out" in actbench("train", "--resume", "here", "--inputs", "normal:0,1").stderr
    )
    Path("x.npy").rename("moved.npy")
    assert "name that file (--inputs FILE.npy)" in actbench("train", "--resume", "here", "--rounds", "3").stderr
    assert actbench("train", "--resume", "here", "--rounds", "3", "--inputs", "moved.npy").exit_code == 0


def test_a_budget_that_is_shorter_than_a_round_gets_one(actbench: Actbench) -> None:
    assert actbench("train", *STEPS, "--budget", "1ms", "-o", "here").exit_code == 0
    assert record(Path("here"))["rounds"] == 1


def test_what_is_finished_when_ctrl_c_comes_is_kept(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = interrupting(after=5)
    result = actbench("train", *STEPS, "-o", "here")
    assert result.exit_code == 130
    assert "interrupted: what is finished is kept; actbench train --resume here goes on" in result.stderr
    assert record(Path("here"))["status"] == "interrupted"
    bench.on_time = lambda _: None
    assert actbench("train", "--resume", "here", "--rounds", "6").exit_code == 0
    assert record(Path("here"))["status"] == "complete"


def test_a_batch_of_one_row_is_measured_beside_larger_ones(actbench: Actbench) -> None:
    chosen = ("dense:1-1", "--batch", "1,4", *STEPS[5:], "--rounds", "6", "-o", "here")
    result = actbench("train", *chosen)
    assert result.exit_code == 0, result.output


def test_a_budget_for_more_than_enough_rounds_is_spent_on_longer_ones(actbench: Actbench) -> None:
    seconds = []
    for number, limit in enumerate([("--rounds", "2"), ("--budget", "1s"), ("--budget", "60s"), ("--budget", "1h")]):
        assert actbench("train", *STEPS, *limit, "-o", str(number)).exit_code == 0
        seconds.append(record(Path(str(number)))["settings"]["arm_seconds"])
    shortest, _, longer, longest = seconds
    assert seconds[1] == shortest == pytest.approx(LEAST_MEASURED / 3)
    assert shortest < longer < longest == LONGEST_ARM_SECONDS


def test_steps_that_are_all_slow_take_what_they_take(actbench: Actbench) -> None:
    result = actbench("train", "--batch", "1024", "-a", "logistic", "-b", "numpy", "--dry-run")
    assert result.exit_code == 0, result.output
