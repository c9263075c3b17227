"""`--inputs`: what pre-activations are drawn from, as it is written and recorded."""

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
from tests.support.checked import OTHER
from tests.support.inputs import refused, saved
from tests.support.selections import SMALL, record

RESULTS = Path(__file__).parents[2] / "results"

FORMS = "write normal:MEAN,SD, uniform:LOW,HIGH or FILE.npy"
FAR = "it reaches beyond the largest float64: write smaller parameters"


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
    ("text", "message"),
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
def test_what_nothing_can_be_drawn_from_is_refused(actbench: Actbench, text: str, message: str) -> None:
    assert refused(actbench, "run", *SMALL, "--inputs", text) == message


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
    data, message = UNUSABLE[what]
    Path("z.npy").write_bytes(data)
    assert refused(actbench, "run", *SMALL, "--inputs", "z.npy") == f"--inputs z.npy: {message}"


def test_a_file_that_is_damaged_missing_or_none_is_refused(actbench: Actbench) -> None:
    assert (
        refused(actbench, "run", *SMALL, "--inputs", "z.npy", "--dry-run")
        == "--inputs z.npy: there is no such file: name one that numpy.save wrote"
    )
    Path("z.npy").write_bytes(written(np.ones(100))[:-8])
    assert refused(actbench, "run", *SMALL, "--inputs", "z.npy").startswith("--inputs z.npy: numpy cannot load it (")
    Path("directory.npy").mkdir()
    message = "--inputs directory.npy: it cannot be read (it is a directory): name another file"
    assert refused(actbench, *OTHER, *SMALL, "--inputs", "directory.npy") == message
    assert refused(actbench, "run", *SMALL, "--inputs", "z\n.npy").endswith("do not print: give it another")


# As it is recorded


def test_a_run_records_what_its_inputs_were_drawn_from_and_names_it(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "--inputs", "uniform:-20,20", "-o", "here", "--rounds", "1")
    assert result.exit_code == 0, result.output
    inputs = record(Path("here"))["plan"]["inputs"]
    assert inputs == {"distribution": "uniform", "parameters": [-20.0, 20.0], "file": "", "sha256": ""}
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
    inputs = record(Path("here"))["plan"]["inputs"]
    assert (inputs["distribution"], inputs["file"], len(inputs["sha256"])) == (
        "file",
        ".../z.npy",
        64,
    )
    for file in Path("here").iterdir():
        assert str(tmp_path) not in file.read_text()
    assert f"; inputs from z.npy (SHA-256 {inputs['sha256'][:12]}), seed 1." in Path("here/summary.md").read_text()


def test_a_run_from_before_inputs_were_recorded_is_one_of_the_standard_normal_distribution() -> None:
    plan = json.loads((RESULTS / "cuda" / "run.json").read_text())["plan"]
    assert "inputs" not in plan
    assert read_record(RESULTS / "cuda").plan.inputs == STANDARD_NORMAL


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
    message = "inputs from environment ACTBENCH_INPUTS: 'normal:0,-1' cannot be drawn from"
    assert refused(actbench, "run", *SMALL).startswith(message)


@pytest.mark.parametrize(("value", "message"), [("normal", "inputs from normal:0,1"), ("", "'' is neither a known")])
def test_a_directory_beside_the_settings_is_no_file_of_inputs(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, value: str, message: str
) -> None:
    Path("below").mkdir()
    Path("normal").mkdir()
    Path("actbench.toml").write_text(f'inputs = "{value}"\n')
    monkeypatch.chdir("below")
    result = actbench("run", *SMALL, "--dry-run")
    assert message in result.stdout + result.stderr
