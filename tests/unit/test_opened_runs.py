"""`actbench.open_run`: data frames, charts and the summary of a run."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import vl_convert

import actbench
from actbench.errors import InputError
from tests.conftest import run_in
from tests.support.selections import rows
from tests.support.tiers import exhaustive_but

VEGA_LITE = "application/vnd.vegalite.v5+json"


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("training")
    chosen = ("-b", "numpy", "-a", "tanh", "-s", "recompute,cached", "--rounds", "1", "-o", "steps")
    run_in(directory, "train", "mlp:8-6-4", "--batch", "4", *chosen)
    return directory / "steps"


@pytest.mark.parametrize(
    ("frame", "file"), [("cases", "cases.csv"), ("speedups", "speedups.csv"), ("values", "values.csv")]
)
def test_a_frame_has_the_columns_and_cells_of_its_file(one_block: Path, frame: str, file: str) -> None:
    table: pd.DataFrame = getattr(actbench.open_run(one_block), frame)
    written = rows(one_block / file)
    assert [*table.columns] == [*written[0]]
    for name, column in table.items():
        cells = [row[str(name)] for row in written]
        assert [f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in column] == [
            cell or ("nan" if pd.api.types.is_numeric_dtype(column) else "") for cell in cells
        ]


def test_texts_are_texts_and_numbers_are_numbers(one_block: Path) -> None:
    cases = actbench.open_run(str(one_block)).cases
    assert cases["shape"].tolist() == ["", "", ""]
    assert {cases[name].dtype.kind for name in ("seconds", "low", "max_ulp")} == {"f"}
    assert {cases[name].dtype.kind for name in ("size", "rounds", "loops")} == {"i"}


def test_parts_are_those_of_training_steps_and_of_others_there_are_none(one_block: Path, training: Path) -> None:
    parts = actbench.open_run(training).parts
    assert [*actbench.open_run(one_block).parts.columns] == [*parts.columns]
    assert len(actbench.open_run(one_block).parts) == 0
    assert parts.groupby("strategy", observed=True)["share"].sum().round(6).eq(1.0).all()


def test_the_summary_is_the_markdown_of_the_run(one_block: Path) -> None:
    run = actbench.open_run(one_block)
    written, resumed = (one_block / "summary.md").read_text(), f"--resume {one_block} --rounds"
    assert run.summary() == re.sub(r"--resume \S+ --rounds", resumed, written), "the way on names where the run is"
    assert run.summary()._repr_markdown_() == str(run.summary())


def test_a_run_shows_its_answer_and_where_it_is(two_blocks: Path) -> None:
    run = actbench.open_run(two_blocks)
    assert repr(run) == f"<run {two_blocks}: 4 cases, 2 rounds, complete>"
    assert run._repr_markdown_().startswith("No answer yet (logistic, derivative): an interval takes 6 rounds")


def test_a_notebook_gets_a_chart_as_vega_lite_and_as_images(one_block: Path) -> None:
    chart = actbench.open_run(one_block).chart("speedup")
    bundle: dict[str, Any] = chart._repr_mimebundle_(include=None, exclude=None)
    assert {*bundle} == {VEGA_LITE, "image/svg+xml", "image/png", "text/plain"}
    assert bundle["image/svg+xml"].startswith("<svg")
    assert b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"].splitlines() == [chart.title, chart.description]
    assert repr(chart) == f"<chart: {chart.title}>"


@pytest.mark.parametrize("kind", exhaustive_but(["speedup", "time", "accuracy", "rounds"], "speedup".__eq__))
def test_the_vega_lite_of_a_notebook_is_of_the_version_that_its_type_says(two_runs: Path, kind: str) -> None:
    chart = actbench.open_run(two_runs / "run").chart(kind)
    spec = chart._repr_mimebundle_()[VEGA_LITE]
    marks = [
        re.findall(r"<path[^>]* d=", vl_convert.vegalite_to_svg(spec, vl_version=version))
        for version in ("5.20", "6.1")
    ]
    assert len(marks[0]) == len(marks[1]) > 10


@pytest.mark.parametrize(
    ("suffix", "begin"),
    exhaustive_but(
        [("svg", b"<svg"), ("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>")], lambda pair: pair[0] == "png"
    ),
)
def test_a_chart_is_saved_by_the_suffix_of_the_file(one_block: Path, suffix: str, begin: bytes) -> None:
    path = actbench.open_run(one_block).chart("speedup", theme="dark").save(f"chart.{suffix}")
    assert path == Path(f"chart.{suffix}")
    assert path.read_bytes().lstrip().startswith(begin)


def test_a_chart_is_of_the_cases_that_are_selected(two_runs: Path) -> None:
    run = actbench.open_run(two_runs / "run")
    chart = run.chart("time", activations="tan*", backends=["numpy"], sizes="1k", pattern="*/cached/*")
    drawn = chart.picture.rows
    assert {*drawn["activation"].dropna()} == {"tanh"}
    assert {*drawn["strategy"].dropna()} <= {"cached", "yardstick", "copy"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "speed"}, "unknown kind 'speed': did you mean 'speedup'?"),
        ({"kind": "step"}, "'step' shows training steps"),
        ({"kind": "functions"}, "'functions' is not about one run"),
        ({"theme": "sepia"}, "unknown theme 'sepia'"),
        ({"theme": None}, "theme=None: pass a name: light, dark"),
        ({"kind": 3}, "kind=3: pass a name: functions, speedup"),
        ({"kind": ["speedup"]}, "kind=['speedup']: pass a name"),
        ({"pattern": 3}, "pattern=3: pass a text"),
        ({"activations": [1]}, "activations=[1]: pass names"),
        ({"backends": "numba"}, "backends numba: the run has no such case; it has numpy"),
        ({"sizes": "many"}, "'many' is not a size"),
        ({"strategies": "recompute"}, "there is nothing to draw in 'speedup'"),
    ],
)
def test_a_chart_that_there_is_not_is_refused(one_block: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        actbench.open_run(one_block).chart(**options)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chart.pdf", "^chart.pdf: name a file that ends in .svg, .png, .html"),
        ("no/chart.svg", "no/chart.svg"),
        (None, "path=None: pass a path"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(one_block: Path, name: Any, message: str) -> None:
    with pytest.raises((InputError, OSError), match=message):
        actbench.open_run(one_block).chart().save(name)


def test_what_is_no_run_is_refused_when_it_is_opened(one_block: Path) -> None:
    with pytest.raises(InputError, match="there is no latest run under results/"):
        actbench.open_run()
    with pytest.raises(InputError, match="nowhere is not a run"):
        actbench.open_run("nowhere")
    for wrong in (None, 5, ["latest"]):
        with pytest.raises(InputError, match=r"path=.*: pass a path, as a text or a pathlib\.Path"):
            actbench.open_run(wrong)  # type: ignore[arg-type]
    (one_block / "values.csv").write_text("")
    with pytest.raises(InputError, match=r"values\.csv"):
        actbench.open_run(one_block)
    (one_block / "run.json").unlink()
    with pytest.raises(InputError, match=r"has no run\.json next to it"):
        actbench.open_run(one_block / "pyperf.json")
