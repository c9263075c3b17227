"""`actbench plot`: a chart as a file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from actbench.report import pictures
from actbench.report.charts.style import Picture
from actbench.runs.archive import Run, load
from tests.conftest import Actbench
from tests.support.drawn import drawn, layer
from tests.support.selections import SMALL, edit


@pytest.mark.parametrize(("form", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>")])
def test_the_command_writes_a_file(actbench: Actbench, loaded_run: Run, form: str, begins: bytes) -> None:
    result = actbench("plot", "speedup", str(loaded_run.path), "-d", "float64", "-o", f"speedup.{form}")
    assert result.exit_code == 0, result.output
    written = Path(f"speedup.{form}").read_bytes()
    assert written.startswith(begins)
    assert len(written) > 1000
    if form == "html":
        assert b'src="http' not in written, "it fetches nothing"
        assert b"vegaEmbed" in written


def test_the_options_choose_what_is_drawn(actbench: Actbench, loaded_run: Run) -> None:
    assert loaded_run.record is not None
    keep_numpy = drawn("time", loaded_run, keep=lambda case: case.backend == "numpy")
    assert set(layer(keep_numpy, "case").backend) == {"numpy"}
    result = actbench("plot", "functions", "-a", "logistic,elu:alpha=2", "-o", "functions.svg")
    assert result.exit_code == 0, result.output
    text = Path("functions.svg").read_text()
    assert "elu:alpha=2" in text
    assert "tanh" not in text


def test_two_runs_are_compared_case_by_case(actbench: Actbench, loaded_run: Run) -> None:
    other = load(Path(shutil.copytree(loaded_run.path, "copy")))
    shown = pictures.of_two(loaded_run, other)
    assert shown is not None
    assert set(shown.rows["ratio"]) == {1.0}
    assert set(shown.rows["case"]) == {case.id for case in loaded_run.plan.cases}
    result = actbench("plot", "compare", "run", "copy", "-a", "tanh", "-n", "1k", "--dark", "-o", "compare.svg")
    assert result.exit_code == 0, result.output
    words = Path("compare.svg").read_text()
    assert "tanh/cached/numpy/derivative/float64/1000" in words
    assert "logistic/" not in words
    assert "/100000" not in words


def test_two_runs_that_cannot_be_compared_are_not_drawn_either(actbench: Actbench, loaded_run: Run) -> None:
    same = actbench("plot", "compare", "run", str(loaded_run.path / "pyperf.json"), "-o", "x.svg")
    assert (same.exit_code, "both are the same run" in same.stderr) == (2, True)
    shutil.copytree(loaded_run.path, "copy")
    edit(Path("copy"), lambda record: record["settings"].update(engine="pyperf"))
    apart = actbench("plot", "compare", "run", "copy", "-o", "x.svg")
    assert (apart.exit_code, "measure both by the same" in apart.stderr) == (5, True)


@pytest.mark.parametrize("kind", pictures.OF_A_RUN)
def test_every_kind_obeys_every_option_that_chooses(
    actbench: Actbench, loaded_run: Run, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictured: list[Picture] = []
    drawing = "actbench.report.charts.render.rendered"

    def rendered(shown: Picture, *_: str) -> bytes:
        pictured.append(shown)
        return b"drawn"

    monkeypatch.setattr(drawing, rendered)
    options = ("-a", "tanh", "-b", "numpy", "-s", "cached", "-d", "float32", "--filter", "*/1000")
    assert actbench("plot", kind, str(loaded_run.path), *options, "-o", "x.svg").exit_code == 0
    (shown,) = pictured
    words = {str(value) for column in shown.rows.select_dtypes(exclude="number") for value in shown.rows[column]}
    parts = {part for word in words for part in re.split(r"[/, ]+", word)}
    assert "cached" in parts
    assert not parts & {"logistic", "python", "recompute", "complement", "float64"}
    if "n" in shown.rows:
        assert set(shown.rows["n"].dropna()) == {1000}


def test_types_of_residuals_choose_what_is_drawn(
    actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = ("-s", "cached", "--residual-dtype", "float16,bfloat16")
    actbench("run", *SMALL[:4], *kept, "-d", "float32", "-n", "1000", "--rounds", "1", "-o", "here")
    for options, expected in (
        ((), {"cached", "cached:float16", "cached:bfloat16"}),
        (("--residual-dtype", "float16"), {"cached", "cached:float16"}),
    ):
        result = actbench("plot", "rounds", "here", *options, "-o", "x.svg")
        assert result.exit_code == 0, result.output
        words = Path("x.svg").read_text()
        assert {name for name in ("cached", "cached:float16", "cached:bfloat16") if f">{name}<" in words} == expected


def test_speedups_are_over_recompute_which_is_added_or_said_to_be_missing(actbench: Actbench) -> None:
    assert actbench("run", *SMALL, "--rounds", "1", "-o", "both").exit_code == 0
    assert actbench("plot", "speedup", "both", "-s", "cached", "-o", "x.svg").exit_code == 0
    assert actbench("run", *SMALL, "--filter", "*/cached/*", "--rounds", "1", "-o", "one").exit_code == 0
    result = actbench("plot", "speedup", "one", "-s", "cached", "-o", "x.svg")
    assert result.exit_code == 2
    assert "speedups are over recompute, within a backend: the run has to have that" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("speedup", "run", "-o", "x.gif"), "-o x.gif: name a file that ends in .svg, .png, .html"),
        (("speedup", "-o", "x.svg"), "'speedup' takes one run, not 0"),
        (("functions", "run", "-o", "x.svg"), "'functions' takes no run, not 1"),
        (("functions", "-n", "100", "-o", "x.svg"), "-n: 'functions' shows activations, and no case: only -a applies"),
        (("functions", "--filter", "*", "-a", "relu", "-o", "x.svg"), "--filter: 'functions' shows activations"),
        (
            ("functions", "--residual-dtype", "float16", "-o", "x.svg"),
            "--residual-dtype: 'functions'",
        ),
        (("time", "run", "--residual-dtype", "float16", "-o", "x.svg"), "float16: the run has no such case\n"),
        (
            ("time", "run", "-d", "bfloat16", "-o", "x.svg"),
            "-d bfloat16: the run has no such case; it has float32, float64",
        ),
        (("compare", "run", "-o", "x.svg"), "'compare' takes two runs, not 1"),
        (("speedup", "run", "-a", "relu", "-o", "x.svg"), "-a relu: the run has no such case; it has logistic, tanh"),
        (("speedup", "run", "--filter", "relu*", "-o", "x.svg"), "there is nothing to draw in 'speedup'"),
        (("speedup", "nowhere", "-o", "x.svg"), "nowhere is not a run"),
        (
            ("speedup", "run", "-s", "cached:float32", "-o", "x.svg"),
            "no such case; it has textbook, recompute",
        ),
        (("speedup", "run", "-s", "cached:float8", "-o", "x.svg"), "unknown residual dtype of cached 'float8'"),
        (("functions", "-a", "relux", "-o", "x.svg"), "unknown activation 'relux': did you mean 'relu'"),
        (("speedup", "run", "-o", "no/such/x.svg"), "cannot write no/such/x.svg"),
    ],
)
@pytest.mark.usefixtures("loaded_run")
def test_bad_input_is_reported_in_one_line(actbench: Actbench, arguments: tuple[str, ...], sentence: str) -> None:
    result = actbench("plot", *arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert not Path("x.svg").exists()
