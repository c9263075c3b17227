"""What a chart's picture says, and the forms in which it is written."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from actbench import registry
from actbench.analysis.between_runs import between
from actbench.report import pictures
from actbench.report.charts import render, style
from actbench.report.charts.compare import compare
from actbench.report.charts.data import by_column, by_row
from actbench.report.charts.functions import functions
from actbench.runs.archive import Run, load
from tests.conftest import Actbench
from tests.support.drawn import drawn
from tests.support.selections import SMALL, edit
from tests.support.tiers import exhaustive_but
from tests.support.vega_lite import forbidden


@pytest.mark.parametrize("kind", pictures.OF_A_RUN)
def test_every_chart_of_a_run_is_what_vega_lites_schema_allows(loaded_run: Run, kind: str) -> None:
    for choose in (False, True):
        assert not forbidden(drawn(kind, loaded_run, choose=choose).spec)


def test_the_charts_of_functions_and_of_two_runs_are_what_vega_lites_schema_allows(loaded_run: Run) -> None:
    assert not forbidden(functions([registry.activation(name) for name in ("logistic", "tanh")]).spec)
    contrasts = between(loaded_run.times, loaded_run.times, None, one_host=True).times
    for narrow in (False, True):
        shown = compare(contrasts, narrow=narrow)
        assert shown is not None
        assert not forbidden(shown.spec)


def test_a_channel_that_vega_lite_does_not_know_is_not_what_its_schema_allows(loaded_run: Run) -> None:
    shown = drawn("time", loaded_run)
    shown.spec["spec"]["layer"][0]["encoding"]["colour"] = {"field": "backend"}
    assert "Additional properties are not allowed ('colour' was unexpected)" in forbidden(shown.spec)


@pytest.mark.parametrize("theme", exhaustive_but(["light", "dark"], "light".__eq__))
@pytest.mark.parametrize("kind", exhaustive_but(pictures.OF_A_RUN, pictures.OF_A_RUN[:2].__contains__))
def test_every_kind_becomes_svg(loaded_run: Run, kind: str, theme: str) -> None:
    shown = drawn(kind, loaded_run)
    svg = render.rendered(shown, "svg", theme)
    root = ET.fromstring(svg)  # noqa: S314  # our own
    words = {text for element in root.iter() if (text := (element.text or "").strip())}
    assert shown.title in words
    assert style.PAPER[theme] in svg.decode()
    assert "NaN" not in json.dumps([shown.spec, by_row(shown.rows), by_column(shown.rows)])


def test_the_description_of_a_single_size_names_no_range(loaded_run: Run) -> None:
    smallest = min(case.size for case in loaded_run.plan.cases)
    shown = drawn("speedup", loaded_run, keep=lambda case: case.size == smallest)
    assert f" against the array's size, at {smallest} elements, both axes" in shown.description


def test_what_all_panels_have_in_common_stands_under_the_title(loaded_run: Run) -> None:
    whole = drawn("speedup", loaded_run)
    assert whole.alike == "derivative"
    one = drawn("speedup", loaded_run, keep=lambda case: (case.activation, case.dtype) == ("tanh", "float64"))
    assert one.alike == "tanh, derivative, float64"
    assert one.description.endswith("All of it: tanh, derivative, float64.")
    words = {element.text for element in ET.fromstring(render.rendered(one, "svg", "light")).iter()}  # noqa: S314  # our own
    assert one.alike in words


def test_names_of_caches_stand_above_what_is_measured(loaded_run: Run) -> None:
    (names,) = [
        layer["mark"] for layer in drawn("time", loaded_run).spec["spec"]["layer"] if layer["mark"]["type"] == "text"
    ]
    assert (names["baseline"], names["y"]) == ("bottom", 0)
    assert names["dy"] <= 0


@pytest.mark.parametrize("kind", ["speedup", "time"])
def test_a_chart_without_intervals_says_so_in_the_picture_and_promises_none(actbench: Actbench, kind: str) -> None:
    actbench("run", *SMALL, "--rounds", "2", "-o", "short")
    edit(Path("short"), lambda record: record["environment"].update(caches={}))
    shown = drawn(kind, load(Path("short")))
    words = {element.text for element in ET.fromstring(render.rendered(shown, "svg", "light")).iter()}  # noqa: S314  # our own
    assert "no intervals: fewer than 6 rounds" in words
    assert shown.spec["title"]["text"] == "no intervals: fewer than 6 rounds", "in the page's picture as well"
    assert shown.description.endswith(" No intervals: fewer than 6 rounds.")
    assert not re.search("95 %|[Vv]ertical|bands", shown.description)


def test_a_chart_promises_only_what_is_drawn(loaded_run: Run) -> None:
    assert loaded_run.record is not None
    loaded_run.record.environment.caches.clear()
    loaded_run.record.environment.caches["L2"] = 1 << 20
    shown = drawn("speedup", loaded_run)
    assert "Bars are 95 % intervals." in shown.description
    assert "Vertical lines are sizes at which" in shown.description
    assert ("bands" in shown.description) == bool((shown.rows["layer"] == "crossing").any())
    assert not shown.note
    errors = drawn("accuracy", loaded_run, keep=lambda case: case.strategy == "cached")
    assert not (errors.rows["layer"] == "none").any()
    assert "cross" not in errors.description
    assert "×" not in json.dumps(errors.spec["spec"]["layer"][1])
