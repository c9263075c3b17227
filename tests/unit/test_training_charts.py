"""The charts and the page of a run of training steps."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actbench.errors import InputError
from actbench.report import pictures
from actbench.report.charts import render
from actbench.report.charts.data import by_row
from actbench.runs.archive import Run, load
from tests.conftest import Actbench, run_in
from tests.support.drawn import drawn, layer
from tests.support.steps import STEP
from tests.support.vega_lite import forbidden

DRAWN = ("step", "memory", "gain")


@pytest.fixture(scope="session")
def measured_steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with exact steps of two batches, ``steps``: to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("steps")
    run_in(directory, "train", *STEP, "--batch", "32", "-o", "steps")
    return directory


@pytest.fixture
def steps(actbench: Actbench, measured_steps: Path, tmp_path: Path) -> Run:
    """Return them in the current directory."""
    del actbench  # which goes into that directory
    return load(Path(shutil.copytree(measured_steps / "steps", tmp_path / "steps")))


@pytest.mark.parametrize("kind", pictures.OF_TRAINING)
def test_every_chart_of_steps_is_what_vega_lites_schema_allows_and_becomes_svg(steps: Run, kind: str) -> None:
    for choose in (False, True):
        shown = drawn(kind, steps, choose=choose)
        assert not forbidden(shown.spec)
    svg = render.rendered(drawn(kind, steps), "svg", "light")
    words = {text for element in ET.fromstring(svg).iter() if (text := (element.text or "").strip())}  # noqa: S314  # our own
    assert shown.title in words
    if kind != "rounds":
        assert "free (bound)" in " ".join(words)
        assert "`free` copies dy in place of dy g'(z): the limit of what" in shown.description


def test_bars_are_as_long_as_steps_and_divided_as_parts_csv_says(steps: Run) -> None:
    shown = drawn("step", steps)
    cases = pd.read_csv(steps.path / "cases.csv").query("strategy != 'yardstick'")
    lengths = layer(shown, "part").groupby(["batch", "strategy"])["ms"].sum()
    expected = (
        1e3 * cases.assign(batch="batch " + cases["size"].astype(str)).set_index(["batch", "strategy"])["seconds"]
    )
    np.testing.assert_allclose(lengths, expected.loc[lengths.index], rtol=1e-5)
    parts = layer(shown, "part").query("strategy == 'recompute' and batch == 'batch 8'")
    assert dict(zip(parts["part"], parts["ms"], strict=True))["activation forward"] == pytest.approx(0.05 * 0.8)
    assert [*parts["place"]] == [*range(8)]


def test_points_are_the_bytes_of_memory_csv(steps: Run) -> None:
    shown = drawn("memory", steps).rows
    written = pd.read_csv(steps.path / "memory.csv")
    assert [*shown["KiB"]] == [*(written["kept_bytes"] / 1024)]
    assert shown["kept"].iloc[0] == "512 B"


def test_gains_are_those_of_gains_csv_without_those_of_checkpoint(steps: Run) -> None:
    shown = layer(drawn("gain", steps), "gain")
    written = pd.read_csv(steps.path / "gains.csv").query("strategy != 'checkpoint'")
    written = written.drop_duplicates(["strategy", "size"])  # a gain has a row for all that it is predicted from
    np.testing.assert_allclose(shown["gain"], 100 * written["gain"], rtol=1e-5)
    assert [*shown["n"]] == [*written["size"]]


def test_gains_along_widths_are_drawn_where_there_is_one_batch(actbench: Actbench) -> None:
    assert actbench("train", *STEP, "dense:16-32", "-o", "wide").exit_code == 0
    shown = drawn("gain", load(Path("wide")))
    assert shown.title == "What is saved of a training step, by width"
    assert sorted({*layer(shown, "gain")["n"]}) == [8, 32]


def test_networks_of_several_depths_are_no_curve_along_widths(actbench: Actbench) -> None:
    networks = ("mlp:16-8-4", "mlp:16-32-4", "mlp:16-32-32-4")
    assert actbench("train", *networks, *STEP[1:], "-s", "recompute,cached", "-o", "deep").exit_code == 0
    assert [*layer(drawn("gain", load(Path("deep"))), "gain")["n"]] == [8, 32]


def test_one_step_has_no_gain_along_anything(actbench: Actbench) -> None:
    assert actbench("train", *STEP, "-o", "one").exit_code == 0
    result = actbench("plot", "gain", "one", "-o", "gain.svg")
    assert result.exit_code == 2
    assert "it takes several batches, or networks of several widths" in result.stderr


def test_charts_of_derivatives_are_refused_for_steps_and_the_other_way_round(steps: Run, loaded_run: Run) -> None:
    with pytest.raises(InputError, match=r"'time' shows derivatives, and .* has training steps: draw step, memory"):
        drawn("time", steps)
    with pytest.raises(InputError, match=r"'gain' shows training steps, and .* has derivatives: draw speedup, time"):
        drawn("gain", loaded_run)


def test_rows_of_charts_are_chosen_by_options_and_have_no_missing_numbers(actbench: Actbench, steps: Run) -> None:
    assert actbench("plot", "memory", "steps", "-s", "cached", "-o", "memory.svg").exit_code == 0
    assert all(pd.notna(row["KiB"]) for row in by_row(drawn("memory", steps).rows))


def test_the_page_has_the_answer_the_charts_and_the_files_of_steps(actbench: Actbench, steps: Run) -> None:
    assert steps
    result = actbench("report", "steps")
    assert result.exit_code == 0, result.output
    page = Path("steps/report.html").read_text(encoding="utf-8")
    assert "keeping y (cached) saves 3.00 % ± 0.00 % of the time of recompute&#39;s step" in page
    for kind in pictures.OF_TRAINING:
        assert f'id="chart-{kind}"' in page
    for name in ("parts.csv", "gains.csv", "memory.csv"):
        assert f'data-packed="{name}"' in page
    assert "the gradients of every step against those of one in float64" in page
    assert "ns per element" not in page
