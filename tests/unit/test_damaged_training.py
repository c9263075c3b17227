"""Fields of training steps in run.json that no run has are damage, told with the field."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Actbench, run_in
from tests.support.damage import refused
from tests.support.selections import edit

SELECTED = ("mlp:8-6-4-2", "--batch", "64", "--operands", "warm", "-a", "logistic", "-b", "numpy")
BLOCK = "logistic/mlp:8-6-4-2/float32/64"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two rounds of one block of training steps, to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("trained")
    run_in(directory, "train", *SELECTED, "-s", "recompute,cached,free", "--rounds", "2", "-o", "here")
    return directory / "here"


@pytest.fixture
def run(actbench: Actbench, trained: Path) -> Path:
    """Two rounds of one block of training steps, in ``here``."""
    del actbench  # it has made an empty directory the current one
    here = Path("here")
    here.mkdir()
    for path in trained.iterdir():
        (here / path.name).write_bytes(path.read_bytes())
    return here


def parts(record: Any) -> Any:
    """Return the parts of the first round."""
    return record["parts"][BLOCK]["1"]


DAMAGE: list[tuple[Callable[[Any], object], str]] = [
    (lambda record: record["plan"].pop("training"), "plan.training belongs to blocks of training steps, and these to"),
    (
        lambda record: record["plan"]["blocks"][0].update(op="backward"),
        "plan.training belongs to blocks of training steps, and these to it",
    ),
    (
        lambda record: record["plan"]["blocks"][0].update(op="ffn:3-4"),
        "plan.training.activated is not of the networks that the blocks have",
    ),
    (
        lambda record: record["plan"]["training"]["activated"].update({"mlp:8-6-4-2": [6, 0]}),
        "plan.training.activated['mlp:8-6-4-2'] has no widths, or one below 1",
    ),
    (
        lambda record: record["plan"]["training"]["predictors"][0].update(op="derivative"),
        "plan.training.predictors: logistic/derivative/float32/384 is no backward pass or step of an activation",
    ),
    (
        lambda record: record["plan"]["training"].update(predictors=2 * record["plan"]["training"]["predictors"]),
        "plan.training.predictors has a block twice",
    ),
    (
        lambda record: record["step_checks"].append(record["step_checks"][0]),
        "step_checks[0] is of no step in the plan, or of one that is checked twice",
    ),
    (lambda record: record["step_checks"][1].update(batch=65), "step_checks[1] is of no step in the plan, or of one"),
    (lambda record: record["step_checks"][1].update(error=-1.0), "step_checks[1].error is -1, and can be 0 to"),
    (lambda record: record["step_checks"][1].update(kept=-4), "step_checks[1].kept is -4, and can be 0 to"),
    (lambda record: record["step_checks"][1].update(peak=10**400), "step_checks[1].peak is inf, and can be 0 to"),
    (lambda record: record["step_checks"][1].update(worst="W\n"), "do not print, in step_checks[1].worst"),
    (
        lambda record: record["parts"].update({"nothing": record["parts"][BLOCK]}),
        "parts has nothing, which is no block of training steps in the plan",
    ),
    (
        lambda record: record["parts"][BLOCK].update({"9": parts(record)}),
        f"parts['{BLOCK}'], round 9: that round was not measured",
    ),
    (
        lambda record: parts(record).pop(),
        f"parts['{BLOCK}'], round 1: it is not for as many arms as the block has, or not for as many parts",
    ),
    (lambda record: parts(record)[0].pop(), "or not for as many parts as a step has"),
    (
        lambda record: parts(record)[0].__setitem__(0, -1.0),
        f"parts['{BLOCK}'], round 1: a part can be 0 to 604800 seconds",
    ),
]


@pytest.mark.parametrize(("change", "said"), DAMAGE, ids=[said for _, said in DAMAGE])
def test_a_field_of_training_steps_that_no_run_has_is_damage(
    actbench: Actbench, run: Path, change: Callable[[Any], object], said: str
) -> None:
    edit(run, change)
    assert said in refused(actbench, run)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["step_checks"][0].update(error=0.125),
        lambda record: record["step_checks"].pop(),
        lambda record: parts(record)[0].__setitem__(0, 0.125),
        lambda record: record["parts"].clear(),
        lambda record: record["plan"]["training"].update(optimizer="adam"),
    ],
)
def test_what_was_measured_of_training_steps_is_sealed(
    actbench: Actbench, run: Path, change: Callable[[Any], object]
) -> None:
    edit(run, change)
    assert "what it says of what was measured is not as it was written" in refused(actbench, run)


def test_an_arm_without_parts_and_a_round_without_them_are_fine(actbench: Actbench, run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert [len(of_arm) for of_arm in parts(record)] == [8, 8, 8]
    assert actbench("compare", "here").exit_code == 0
