"""`--inputs`: what pre-activations are drawn from, as it is written, recorded, resumed and compared."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.runs.archive import read_record
from tests.conftest import Actbench
from tests.support.checked import CACHED, OTHER, slower
from tests.support.fake import FakeBench
from tests.support.selections import PAIR, SMALL, record

RESULTS = Path(__file__).parents[2] / "results"

FORMS = "write normal:MEAN,SD, uniform:LOW,HIGH or FILE.npy"
FAR = "it reaches beyond the largest float64: write smaller parameters"


def saved(name: str, array: Any) -> str:
    """Write an array to a file in the current directory."""
    np.save(name, array)
    return name


def refused(actbench: Actbench, *arguments: str) -> str:
    """Return the one line with which a command refuses its input, or its run."""
    result = actbench(*arguments)
    assert result.exit_code in {2, 5}, result.output
    assert not result.stdout
    line = result.stderr.splitlines()[-1]
    return line.removeprefix("actbench: ").removeprefix("Error: Invalid value for '--inputs': ")


# As it is written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("normal", "normal:0,1"),
        ("normal:0.0,1e0", "normal:0,1"),
        ("normal:-2,0.5", "normal:-2,0.5"),
        ("uniform", "uniform:-1,1"),
        ("uniform:-800, 800", "uniform:-800,800"),
        ("uniform:-1e-310,1e-310", "uniform:-1e-310,1e-310"),
        ("data/z.npy", "z.npy"),
    ],
)
def test_what_inputs_are_drawn_from_is_written_in_one_way(text: str, written: str) -> None:
    assert str(Inputs.parse(text)) == written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cauchy:0,1", f"'cauchy:0,1' is neither a known distribution nor a .npy file: {FORMS}"),
        ("z.txt", f"'z.txt' is neither a known distribution nor a .npy file: {FORMS}"),
        ("", f"'' is neither a known distribution nor a .npy file: {FORMS}"),
        ("normal:1", f"'normal:1' cannot be drawn from: it needs 2 parameters, not 1: {FORMS}"),
        ("uniform:1,2,3", f"'uniform:1,2,3' cannot be drawn from: it needs 2 parameters, not 3: {FORMS}"),
        ("normal:", f"'normal:' has a parameter that is not a number: {FORMS}"),
        ("normal:zero,1", f"'normal:zero,1' has a parameter that is not a number: {FORMS}"),
        ("normal:nan,1", "'normal:nan,1' cannot be drawn from: its parameters must be finite numbers"),
        ("uniform:0,inf", "'uniform:0,inf' cannot be drawn from: its parameters must be finite numbers"),
        ("normal:0,0", "'normal:0,0' cannot be drawn from: its standard deviation is 0: write one above 0"),
        ("normal:0,-1", "'normal:0,-1' cannot be drawn from: its standard deviation is -1: write one above 0"),
        ("uniform:8,-8", "'uniform:8,-8' cannot be drawn from: LOW is 8 and HIGH -8: write the lower one first"),
        ("uniform:1,1", "'uniform:1,1' cannot be drawn from: LOW is 1 and HIGH 1: write the lower one first"),
        ("uniform:-1e308,1e308", f"'uniform:-1e308,1e308' cannot be drawn from: {FAR}"),
        ("normal:0,1e308", f"'normal:0,1e308' cannot be drawn from: {FAR}"),
    ],
)
def test_what_nothing_can_be_drawn_from_is_refused(actbench: Actbench, text: str, said: str) -> None:
    assert refused(actbench, "run", *SMALL, "--inputs", text) == said


def archived(**arrays: Any) -> bytes:
    """Return an archive of arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def written(array: Any) -> bytes:
    """Return an array as numpy.save writes it."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


UNUSABLE = {
    "text": (b"1.0\n2.0\n", "it is not a .npy file: write one with numpy.save"),
    "an archive": (archived(z=np.ones(3)), "it is not a .npy file: write one with numpy.save"),
    "a pickle": (pickle.dumps(np.ones(3)), "it is not a .npy file: write one with numpy.save"),
    "objects": (
        written(np.array([1.0, None])),
        "numpy cannot load it (Object arrays cannot be loaded when allow_pickle=False): write it again with numpy.save",
    ),
    "integers": (written(np.arange(3)), "it is an array of int64: save one of floats"),
    "complex numbers": (written(np.ones(3, complex)), "it is an array of complex128: save one of floats"),
    "nothing": (written(np.ones((0, 3))), "its array has no elements: save one that has some"),
    "NaN and infinity": (
        written(np.array([[0.0, np.nan], [np.inf, 1.0]])),
        "2 of its 4 elements are NaN or infinite, where activations may have no derivative: save finite numbers",
    ),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_file_that_nothing_can_be_drawn_from_is_refused(actbench: Actbench, what: str) -> None:
    data, said = UNUSABLE[what]
    Path("z.npy").write_bytes(data)
    assert refused(actbench, "run", *SMALL, "--inputs", "z.npy") == f"--inputs z.npy: {said}"


def test_a_file_that_is_damaged_missing_or_none_is_refused(actbench: Actbench) -> None:
    assert (
        refused(actbench, "run", *SMALL, "--inputs", "z.npy", "--dry-run")
        == "--inputs z.npy: there is no such file: name one that numpy.save wrote"
    )
    Path("z.npy").write_bytes(written(np.ones(100))[:-8])
    assert refused(actbench, "run", *SMALL, "--inputs", "z.npy").startswith("--inputs z.npy: numpy cannot load it (")
    Path("directory.npy").mkdir()
    said = "--inputs directory.npy: it cannot be read (it is a directory): name another file"
    assert refused(actbench, *OTHER, *SMALL, "--inputs", "directory.npy") == said
    assert refused(actbench, "run", *SMALL, "--inputs", "z\n.npy").endswith("do not print: give it another")


# As it is recorded


def test_a_run_records_what_its_inputs_were_drawn_from_and_names_it(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "--inputs", "uniform:-20,20", "-o", "here", "--rounds", "1")
    assert result.exit_code == 0, result.output
    found = record(Path("here"))["plan"]["inputs"]
    assert found == {"distribution": "uniform", "parameters": [-20.0, 20.0], "file": "", "sha256": ""}
    assert "Inputs are drawn from uniform:-20,20." in result.stdout
    assert "; inputs from uniform:-20,20, seed 1." in Path("here/summary.md").read_text()
    assert actbench("report", "here").exit_code == 0
    assert "Inputs are drawn from uniform:-20,20, seed 1." in Path("here/report.html").read_text()
    assert "Inputs are drawn" not in actbench("run", *SMALL, "-o", "usual", "--rounds", "1").stdout


def test_a_run_records_the_digest_of_a_file_and_its_name_without_directories(
    actbench: Actbench, tmp_path: Path
) -> None:
    path = saved(str(tmp_path / "z.npy"), np.linspace(-3, 3, 7, dtype=np.float32))
    assert actbench("run", *SMALL, "--inputs", path, "-o", "here", "--rounds", "1").exit_code == 0
    found = record(Path("here"))["plan"]["inputs"]
    assert (found["distribution"], found["file"], len(found["sha256"])) == ("file", ".../z.npy", 64)
    for file in Path("here").iterdir():
        assert str(tmp_path) not in file.read_text()
    assert f"; inputs from z.npy (SHA-256 {found['sha256'][:12]}), seed 1." in Path("here/summary.md").read_text()


def test_a_run_from_before_inputs_were_recorded_is_one_of_the_standard_normal_distribution() -> None:
    found = json.loads((RESULTS / "sweep" / "run.json").read_text())["plan"]
    assert "inputs" not in found
    assert read_record(RESULTS / "sweep").plan.inputs == STANDARD_NORMAL


def test_a_dry_run_names_the_inputs(actbench: Actbench) -> None:
    saved("z.npy", np.ones(5))
    assert "\ninputs from z.npy (SHA-256 " in actbench("run", *SMALL, "--inputs", "z.npy", "--dry-run").stdout


def test_inputs_can_be_set_and_a_file_is_seen_from_the_settings(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("actbench.toml").write_text('[run]\ninputs = "uniform:-8,8"\n')
    assert "\ninputs from uniform:-8,8\n" in actbench("run", *SMALL, "--dry-run").stdout
    Path("actbench.toml").write_text('inputs = "z.npy"\n')
    saved("z.npy", np.ones(5))
    (tmp_path / "below").mkdir()
    monkeypatch.chdir("below")
    assert "\ninputs from z.npy (" in actbench("run", *SMALL, "--dry-run").stdout
    monkeypatch.setenv("ACTBENCH_INPUTS", "normal:0,-1")
    said = "inputs from environment ACTBENCH_INPUTS: 'normal:0,-1' cannot be drawn from"
    assert refused(actbench, "run", *SMALL).startswith(said)


# What cannot be measured


def test_a_dtype_that_has_no_such_numbers_is_left_out_with_the_reason(actbench: Actbench) -> None:
    both = ("-a", "logistic", "-b", "numpy", "-s", "cached", "-d", "float32,float64", "-n", "1000", "--dry-run")
    for inputs, why in (("normal:0,1e+100", "overflow"), ("uniform:-1e-310,1e-310", "are all 0")):
        shown = actbench("run", *both, "--inputs", inputs).stdout
        assert "left out 1 case, e.g. logistic/cached/numpy/derivative/float32/1000: " in shown
        assert f": such inputs {why} in float32\n" in shown
        said = refused(actbench, "run", *both, "-d", "float32", "--filter", "*/float32/*", "--inputs", inputs)
        assert said == f"--inputs {inputs}: no case is left to measure, because such inputs {why} in float32"


def test_what_raises_in_pure_python_is_left_out_and_its_block_is_measured(actbench: Actbench) -> None:
    chosen = ("-a", "logistic", "-b", "python,numpy", "-s", "textbook,cached", "-d", "float64", "-n", "1000")
    result = actbench("run", *chosen, "--inputs", "uniform:-800,800", "-o", "here", "--op", "derivative")
    assert result.exit_code == 0, result.output
    left_out = record(Path("here"))["plan"]["left_out"]
    assert [item["case"] for item in left_out] == ["logistic/textbook/python/derivative/float64/1000"]
    assert left_out[0]["reason"].startswith("on such inputs python raises OverflowError: ")
    (block,) = record(Path("here"))["plan"]["blocks"]
    assert len(block["arms"]) == 3
    said = f"left out 1 case, e.g. {left_out[0]['case']}: {left_out[0]['reason']}\n"
    assert said in result.stdout
    assert said in actbench(*OTHER, *chosen, "--inputs", "uniform:-800,800").stdout


# As it is resumed


def test_resume_goes_on_with_the_same_inputs_and_refuses_others(actbench: Actbench) -> None:
    uniform = ("--inputs", "uniform:-8,8")
    actbench("run", *SMALL, *uniform, "-o", "here", "--rounds", "1")
    for same in ((), SMALL, (*SMALL, *uniform), uniform):
        assert actbench("run", *same, "--resume", "here", "--rounds", "2").exit_code == 0
    assert record(Path("here"))["plan"]["inputs"]["parameters"] == [-8.0, 8.0]
    said = (
        "--resume here: the run there has inputs from uniform:-8,8, not normal:0,1: leave --inputs out, or start a new"
    )
    assert refused(actbench, "run", "--resume", "here", "--inputs", "normal") == f"{said} run"


def test_resume_reads_the_file_again_and_refuses_one_that_changed(actbench: Actbench, tmp_path: Path) -> None:
    saved("z.npy", np.ones(5))
    actbench("run", *SMALL, "--inputs", "z.npy", "-o", "here", "--rounds", "1")
    assert actbench("run", "--resume", "here", "--rounds", "2").exit_code == 0
    saved("z.npy", np.zeros(5))
    changed = "--resume here: z.npy changed since this run started; start a new run"
    assert refused(actbench, "run", "--resume", "here") == changed
    assert refused(actbench, "run", "--resume", "here", "--inputs", "z.npy") == changed
    Path("z.npy").unlink()
    said = (
        "--resume here: the run there has inputs from z.npy, which cannot be read any more: name that file (--inputs "
        "FILE.npy)"
    )
    assert refused(actbench, "run", "--resume", "here") == said
    (tmp_path / "elsewhere").mkdir()
    moved = saved(str(tmp_path / "elsewhere" / "moved.npy"), np.ones(5))
    assert actbench("run", "--resume", "here", "--inputs", moved, "--rounds", "3").exit_code == 0
    assert record(Path("here"))["rounds"] == 3


# As it is compared


def test_runs_on_other_inputs_are_not_checked_against_each_other(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "6", "-o", "old")
    for name in ("new", "again"):
        actbench("run", *SMALL, "--rounds", "6", "--inputs", "uniform:-8,8", "-o", name)
    said = "old was measured on inputs from normal:0,1, new from uniform:-8,8: measure both on the same"
    assert refused(actbench, "check", "new", "--baseline", "old") == said
    assert refused(actbench, "compare", "old", "new") == said
    shown = actbench("check", "new", "--baseline", "again")
    assert shown.exit_code == 0
    said = "\nInputs are drawn from uniform:-8,8.\n"
    assert all(said in printed for printed in (shown.stdout, actbench("compare", "again", "new").stdout))
    assert said in actbench("compare", "new").stdout
    as_csv = actbench("compare", "new", "--format", "csv")
    assert said not in as_csv.stdout
    assert said.lstrip() == as_csv.stderr


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


@pytest.mark.parametrize(("value", "said"), [("normal", "inputs from normal:0,1"), ("", "'' is neither a known")])
def test_a_directory_beside_the_settings_is_no_file_of_inputs(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    Path("below").mkdir()
    Path("normal").mkdir()
    Path("actbench.toml").write_text(f'inputs = "{value}"\n')
    monkeypatch.chdir("below")
    result = actbench("run", *SMALL, "--dry-run")
    assert said in result.stdout + result.stderr
