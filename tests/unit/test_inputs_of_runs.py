"""`--inputs`: which cases such inputs leave out, and runs on them, resumed and compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.conftest import Actbench
from tests.support.checked import CACHED, OTHER, slower
from tests.support.fake import FakeBench
from tests.support.inputs import refused, saved
from tests.support.selections import PAIR, SMALL, record

# What cannot be measured


def test_a_dtype_that_has_no_such_numbers_is_left_out_with_the_reason(actbench: Actbench) -> None:
    both = ("-a", "logistic", "-b", "numpy", "-s", "cached", "-d", "float32,float64", "-n", "1000", "--dry-run")
    for inputs, why in (("normal:0,1e+100", "overflow"), ("uniform:-1e-310,1e-310", "are all 0")):
        shown = actbench("run", *both, "--inputs", inputs).stdout
        assert "left out 1 case, e.g. logistic/cached/numpy/derivative/float32/1000: " in shown
        assert f": such inputs {why} in float32\n" in shown
        message = refused(actbench, "run", *both, "-d", "float32", "--filter", "*/float32/*", "--inputs", inputs)
        assert message == f"--inputs {inputs}: no case is left to measure, because such inputs {why} in float32"


def test_what_raises_in_pure_python_is_left_out_and_its_block_is_measured(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "python,numpy", "-s", "textbook,cached", "-d", "float64", "-n", "1000")
    result = actbench("run", *selection, "--inputs", "uniform:-800,800", "-o", "here", "--op", "derivative")
    assert result.exit_code == 0, result.output
    left_out = record(Path("here"))["plan"]["left_out"]
    assert [item["case"] for item in left_out] == ["logistic/textbook/python/derivative/float64/1000"]
    assert left_out[0]["reason"].startswith("on such inputs python raises OverflowError: ")
    (block,) = record(Path("here"))["plan"]["blocks"]
    assert len(block["arms"]) == 3
    message = f"left out 1 case, e.g. {left_out[0]['case']}: {left_out[0]['reason']}\n"
    assert message in result.stdout
    assert message in actbench(*OTHER, *selection, "--inputs", "uniform:-800,800").stdout


# As it is resumed


def test_resume_goes_on_with_the_same_inputs_and_refuses_others(actbench: Actbench) -> None:
    uniform = ("--inputs", "uniform:-8,8")
    actbench("run", *SMALL, *uniform, "-o", "here", "--rounds", "1")
    for same in ((), SMALL, (*SMALL, *uniform), uniform):
        assert actbench("run", *same, "--resume", "here", "--rounds", "2").exit_code == 0
    assert record(Path("here"))["plan"]["inputs"]["parameters"] == [-8.0, 8.0]
    message = (
        "--resume here: the run there has inputs from uniform:-8,8, not normal:0,1: leave --inputs out, or start a new"
    )
    assert refused(actbench, "run", "--resume", "here", "--inputs", "normal") == f"{message} run"


def test_resume_reads_the_file_again_and_refuses_one_that_changed(actbench: Actbench, tmp_path: Path) -> None:
    saved("z.npy", np.ones(5))
    actbench("run", *SMALL, "--inputs", "z.npy", "-o", "here", "--rounds", "1")
    assert actbench("run", "--resume", "here", "--rounds", "2").exit_code == 0
    saved("z.npy", np.zeros(5))
    changed = "--resume here: z.npy changed since this run started; start a new run"
    assert refused(actbench, "run", "--resume", "here") == changed
    assert refused(actbench, "run", "--resume", "here", "--inputs", "z.npy") == changed
    Path("z.npy").unlink()
    message = (
        "--resume here: the run there has inputs from z.npy, which cannot be read any more: name that file (--inputs "
        "FILE.npy)"
    )
    assert refused(actbench, "run", "--resume", "here") == message
    (tmp_path / "elsewhere").mkdir()
    moved = saved(str(tmp_path / "elsewhere" / "moved.npy"), np.ones(5))
    assert actbench("run", "--resume", "here", "--inputs", moved, "--rounds", "3").exit_code == 0
    assert record(Path("here"))["rounds"] == 3


# As it is compared


def test_runs_on_other_inputs_are_not_checked_against_each_other(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "6", "-o", "old")
    for name in ("new", "again"):
        actbench("run", *SMALL, "--rounds", "6", "--inputs", "uniform:-8,8", "-o", name)
    message = "old was measured on inputs from normal:0,1, new from uniform:-8,8: measure both on the same"
    assert refused(actbench, "check", "new", "--baseline", "old") == message
    assert refused(actbench, "compare", "old", "new") == message
    shown = actbench("check", "new", "--baseline", "again")
    assert shown.exit_code == 0
    message = "\nInputs are drawn from uniform:-8,8.\n"
    assert all(message in printed for printed in (shown.stdout, actbench("compare", "again", "new").stdout))
    assert message in actbench("compare", "new").stdout
    as_csv = actbench("compare", "new", "--format", "csv")
    assert message not in as_csv.stdout
    assert message.lstrip() == as_csv.stderr


def test_two_files_of_one_name_are_other_inputs(actbench: Actbench) -> None:
    for name, value in (("old", 0.0), ("new", 1.0)):
        saved("z.npy", np.full(5, value))
        actbench("run", *SMALL, "--rounds", "6", "--inputs", "z.npy", "-o", name)
    assert refused(actbench, "compare", "old", "new").startswith("old was measured on inputs from z.npy (SHA-256 ")


def test_a_check_has_the_same_inputs_on_all_sides_and_when_it_measures_again(
    actbench: Actbench, bench: FakeBench
) -> None:
    saved("z.npy", np.linspace(-3, 3, 500))
    bench.seconds = slower(1.1)
    result = actbench(*OTHER, *PAIR, "-n", "1000", "--inputs", "z.npy", "-o", "kept")
    assert result.exit_code == 1, result.output
    assert f"{CACHED} was measured again" in result.stdout
    assert "Inputs are drawn from z.npy (SHA-256 " in result.stdout
    assert len({request.inputs.sha256 for request in bench.prepared}) == 1
    assert {request.inputs.file for request in bench.prepared} == {"z.npy"}
    assert len({request.seed for request in bench.prepared}) == 2
    assert {record(Path("kept", side))["plan"]["inputs"]["file"] for side in ("baseline", "candidate")} == {"z.npy"}


def test_inputs_of_a_stored_check_are_those_of_its_runs(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "1", "-o", "here")
    result = actbench("check", "here", "--baseline", "here", "--inputs", "uniform")
    assert result.exit_code == 2
    assert "--inputs selects what --against measures: leave it out with --baseline" in result.stderr
