"""A live check of training steps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from actbench.engine.protocol_training import CheckedStep, CheckStep
from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import record
from tests.support.steps import checked

STEPS = ("--network", "mlp:8-6-4", "--batch", "16", "-a", "tanh", "-b", "numpy", "-s", "recompute,cached")

CHECK = ("check", "--against", "other", *STEPS)

CACHED = "tanh/cached/numpy/mlp:8-6-4/float32/16"


def slower(case: Case) -> float:
    """Let `cached` take 10 % longer."""
    return exact_seconds(case) * (1.1 if case.strategy == "cached" else 1.0)


def test_steps_of_one_speed_are_unchanged(actbench: Actbench, bench: FakeBench) -> None:
    result = actbench(*CHECK, "-o", "kept")
    assert result.exit_code == 0, result.output
    assert "2 cases, margin 5 %: 2 unchanged" in result.stdout
    assert bench.opened == ["other"]
    assert actbench("check", "kept/candidate", "--baseline", "kept/baseline").exit_code == 0


def test_a_round_is_predicted_by_the_steps_that_are_made_in_it(actbench: Actbench) -> None:
    assert actbench(*CHECK, "-o", "kept").exit_code == 0
    run = ("train", *STEPS[1:], "--operands", "warm", "--rounds", "1", "-o", "run")
    assert actbench(*run).exit_code == 0
    arms = [f"tanh/{arm}/numpy/mlp:8-6-4/float32/16" for arm in ("recompute", "cached", "yardstick")]
    seconds = [exact_seconds(Case.parse(arm)) for arm in arms]
    for directory, beside in (("kept/candidate", 0), ("run", 1)):
        calibration = record(Path(directory))["calibrations"]["tanh/mlp:8-6-4/float32/16"]
        arms_of = zip(calibration["values"], calibration["loops"], seconds, strict=True)
        made = [values * calibration["slices"] * ((1 + beside) * loops + 1) * one for values, loops, one in arms_of]
        assert calibration["round_seconds"] == pytest.approx(sum(made)), directory


def test_a_slower_step_is_measured_again_and_ends_with_1(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower
    result = actbench(*CHECK)
    assert result.exit_code == 1
    assert f"{CACHED} was measured again: +10.00 % ± 0.00 %, regressed again" in result.stdout


def test_a_step_that_keeps_more_has_regressed_in_memory(actbench: Actbench, bench: FakeBench) -> None:
    def lean(request: CheckStep) -> CheckedStep:
        check = checked(request).check
        assert check is not None
        return CheckedStep(replace(check, kept=check.kept - 4, alive=check.alive - 4))

    bench.baseline_check_step = lean
    result = actbench(*CHECK, "--format", "json")
    assert result.exit_code == 1
    cases = json.loads(result.stdout)["cases"]
    assert {case["verdict"] for case in cases} == {"regressed in memory"}
    assert all(case["kept"]["candidate"] == case["kept"]["baseline"] + 4 for case in cases)


def test_a_step_that_is_wrong_in_the_baseline_is_named_so(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_check_step = lambda request: CheckedStep(None, f"{request.case} is wrong: W1 is off")
    result = actbench(*CHECK)
    assert result.exit_code == 4
    assert "in the baseline, " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--batch", "16"), "--batch is about training steps: name a --network"),
        (("--optimizer", "adam"), "--optimizer is about training steps: name a --network"),
        (("--network", "mlp:2-3-4", "-n", "100"), "--size selects derivatives, not training steps of --network"),
        (("--network", "mlp:2-x"), "'mlp:2-x' is not a network"),
    ],
)
def test_what_does_not_go_together_is_refused(actbench: Actbench, arguments: tuple[str, ...], said: str) -> None:
    result = actbench("check", "--against", "other", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
