from __future__ import annotations

import gc
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from actbench import activations, backends
from actbench.analysis.between_runs import between
from actbench.model.cases import Case
from actbench.model.checks import BANDS
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.report import pictures
from actbench.report.charts import render, style
from actbench.report.charts.compare import compare
from actbench.report.charts.data import by_column, by_row, rounded
from actbench.report.charts.functions import functions
from actbench.report.charts.grammar import Spec
from actbench.report.charts.parts import PARTS
from actbench.report.charts.signs import COPY, DASHES, PALETTE, PLAINLY, Signs
from actbench.report.charts.style import Picture
from actbench.report.measured import measured
from actbench.report.numbers import count
from actbench.report.page.sections import labels
from actbench.runs.archive import Run, load
from tests.support.fake import FakeBench, exact_seconds
from tests.support.selections import SMALL, edit

Actbench = Callable[..., Result]

CASE = ["activation", "strategy", "backend", "op", "dtype", "size"]


@pytest.fixture
def run(actbench: Actbench, two_runs: Path, tmp_path: Path) -> Run:
    """Return a run in the current directory."""
    del actbench  # which goes into that directory
    return load(Path(shutil.copytree(two_runs / "run", tmp_path / "run")))


def drawn(kind: str, run: Run, **options: Any) -> Picture:
    assert run.record is not None
    found = pictures.of_run(kind, run, measured(run.times, run.record), **options)
    assert found is not None
    return found


def layer(shown: Picture, name: str) -> pd.DataFrame:
    return shown.rows[shown.rows["layer"] == name].dropna(axis=1, how="all")


def test_speedups_are_those_of_speedups_csv(run: Run) -> None:
    written = pd.read_csv(run.path / "speedups.csv")
    expected = written[
        (written.reference_strategy == "recompute") & (written.reference_backend == written.candidate_backend)
    ]
    shown = layer(drawn("speedup", run), "ratio")
    merged = expected.merge(
        shown,
        left_on=["activation", "op", "dtype", "size", "candidate_strategy", "candidate_backend"],
        right_on=["activation", "op", "dtype", "n", "strategy", "backend"],
        suffixes=("", "_shown"),
    )
    assert len(merged) == len(expected) > 5
    for name in ("ratio", "low", "high"):
        np.testing.assert_allclose(merged[f"{name}_shown"], merged[name], rtol=1e-5)


def test_times_are_those_of_cases_csv(run: Run) -> None:
    written = pd.read_csv(run.path / "cases.csv")
    shown = drawn("time", run)
    cases = layer(shown, "case").rename(columns={"n": "size"})
    merged = written[written.strategy != "yardstick"].merge(cases, on=CASE, suffixes=("", "_shown"))
    assert len(merged) == len(cases) == (written.strategy != "yardstick").sum()
    np.testing.assert_allclose(merged.ns, merged.ns_per_element, rtol=1e-5)
    np.testing.assert_allclose(merged.low_shown, 1e9 * merged.low / merged["size"], rtol=1e-5)
    np.testing.assert_allclose(merged.high_shown, 1e9 * merged.high / merged["size"], rtol=1e-5)
    copies = layer(shown, "copy").rename(columns={"n": "size"})
    limits = written[written.strategy == "yardstick"].merge(copies, on=["activation", "op", "dtype", "size"])
    assert len(limits) == len(copies) > 0
    np.testing.assert_allclose(limits.ns, limits.ns_per_element, rtol=1e-5)


def test_rounds_are_those_of_values_csv(run: Run) -> None:
    values = pd.read_csv(run.path / "values.csv")
    medians = values.groupby([*CASE, "round"]).seconds.median().reset_index()
    medians["off"] = medians.groupby(CASE).seconds.transform(lambda each: 100 * (each / each.median() - 1))
    shown = drawn("rounds", run).rows
    shown = shown[shown.strategy != "yardstick"]
    parts = shown.block.str.split("/", expand=True)
    shown = shown.assign(activation=parts[0], op=parts[1], dtype=parts[2], size=parts[3].astype(int))
    merged = medians.merge(shown, on=[*CASE, "round"], suffixes=("", "_shown"))
    assert len(merged) == len(shown) == (medians.strategy != "yardstick").sum()
    np.testing.assert_allclose(merged.off_shown, merged.off, atol=2e-3)


def test_errors_are_those_of_the_runs_own_check(run: Run) -> None:
    assert run.record is not None
    shown = drawn("accuracy", run).rows
    assert len(shown) == len(BANDS) * len(run.record.checks)
    for check in run.record.checks:
        kernel = check.kernel
        own = shown[
            (shown.activation == kernel.activation)
            & (shown.strategy == kernel.strategy)
            & (shown.backend == kernel.backend)
            & (shown.dtype == kernel.dtype)
        ]
        expected = [None if each is None else max(each, 0.1) for each in check.by_band]
        assert [None if pd.isna(each) else each for each in own.ULP] == expected
        assert max(each for each in check.by_band if each is not None) <= check.max_ulp * 1.01


def test_the_parts_of_a_cases_time_add_up_to_it(run: Run) -> None:
    shown = drawn("parts", run).rows
    shares = shown[[*PARTS]]
    np.testing.assert_allclose(shares.sum(axis=1), 100, atol=0.05)
    assert (shares >= 0).all(axis=None)
    written = pd.read_csv(run.path / "cases.csv")
    assert len(shown) == (written.strategy != "yardstick").sum()
    assert (shares["not known"] < 0.05).all(), "exact times leave nothing open"


def test_arrays_in_cache_have_nothing_to_do_with_memory(run: Run) -> None:
    rows = drawn("parts", run).rows
    small = rows[rows.case.str.endswith(f"n = {count(1000)}")]
    assert len(small) > 8
    assert (small["computing in cache"] > 99).all()
    assert (small["memory and allocation"] == 0).all()
    assert (rows["memory and allocation"] < 0.05).all()


def scattered(actbench: Actbench, bench: FakeBench, rounds: int) -> Picture:
    """Return the parts of cases twice as slow out of cache, whose single elements scatter by a factor of three."""

    def seconds(case: Case) -> float:
        call = 1e-5 * (1 + 2 * (bench.workers_started % 2) if case.size == 1 else 2)
        return (call if case.strategy == "cached" else 1e-8) + exact_seconds(case) * (2 if case.size > 10_000 else 1)

    bench.seconds = seconds
    chosen = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", "1k,100k")
    assert actbench("run", *chosen, "--rounds", str(rounds), "-o", "here").exit_code == 0
    return drawn("parts", load(Path("here")))


def test_a_part_is_drawn_as_large_as_it_is_for_certain(actbench: Actbench, bench: FakeBench) -> None:
    shown = scattered(actbench, bench, 8)
    rows = shown.rows.set_index("case")
    sure = rows.loc[f"numpy, recompute, n = {count(100_000)}"]
    assert sure["memory and allocation"] == pytest.approx(50, abs=0.1)
    assert sure["not known"] == pytest.approx(0, abs=0.1)
    assert sure["interval of memory and allocation"] == "50.0 % (50.0 % to 50.0 %)"
    open_ = rows.loc[f"numpy, cached, n = {count(1000)}"]
    assert open_["the call"] == pytest.approx(100 * 10 / 21, abs=0.1)
    assert open_["computing in cache"] == 0
    assert open_["not known"] == pytest.approx(100 * 11 / 21, abs=0.1)
    assert "no intervals" not in json.dumps(shown.spec)


def test_without_intervals_no_part_is_known_and_the_picture_says_so(actbench: Actbench, bench: FakeBench) -> None:
    shown = scattered(actbench, bench, 5)
    assert (shown.rows["not known"] == 100).all()
    assert "(no intervals: they take 6 rounds)" in shown.spec["encoding"]["x"]["axis"]["title"]
    assert "Here nothing is known" in shown.description


def test_a_run_whose_rounds_have_no_probes_has_no_parts() -> None:
    reference = load(Path(__file__).parents[2] / "results" / "reference")
    assert reference.record is not None
    assert pictures.of_run("parts", reference, measured(reference.times, reference.record)) is None


def hold_to_schema(shown: Picture) -> None:
    alt.Chart.from_dict(shown.spec, validate=True)


@pytest.mark.parametrize("kind", pictures.OF_A_RUN)
def test_every_chart_of_a_run_is_what_vega_lites_schema_allows(run: Run, kind: str) -> None:
    for choose in (False, True):
        hold_to_schema(drawn(kind, run, choose=choose))


def test_the_charts_of_functions_and_of_two_runs_are_what_vega_lites_schema_allows(run: Run) -> None:
    hold_to_schema(functions(["logistic", "tanh"]))
    found = between(run.times, run.times, None, one_host=True).times
    for narrow in (False, True):
        shown = compare(found, narrow=narrow)
        assert shown is not None
        hold_to_schema(shown)


def test_a_channel_that_vega_lite_does_not_know_is_not_what_its_schema_allows(run: Run) -> None:
    shown = drawn("time", run)
    shown.spec["spec"]["layer"][0]["encoding"]["colour"] = {"field": "backend"}
    with pytest.raises(Exception, match="'colour' was unexpected"):
        hold_to_schema(shown)


def test_caches_are_marked_where_an_input_and_an_output_fill_them(run: Run) -> None:
    assert run.record is not None
    run.record.environment.caches.clear()
    run.record.environment.caches.update({"L1d": 32 << 10, "L2": 1 << 20, "L3": 1 << 30})
    marks = layer(drawn("speedup", run), "cache")
    of_float64 = marks[(marks["dtype"] == "float64") & (marks.activation == "logistic")]
    assert dict(zip(of_float64["name"], of_float64.n, strict=True)) == {"L1": 2048, "L2": 65536}, (
        "L3 is beyond the sizes"
    )
    of_float32 = marks[(marks["dtype"] == "float32") & (marks.activation == "logistic")]
    assert dict(zip(of_float32["name"], of_float32.n, strict=True)) == {"L1": 4096}


def test_the_functions_are_drawn_with_their_derivatives_and_cut_where_these_jump() -> None:
    shown = functions(["logistic", "hard-tanh"])
    found = shown.rows
    logistic = found[(found.activation == "logistic") & (found.curve == "g'")]
    np.testing.assert_allclose(logistic.value, np.exp(-logistic.z) / (1 + np.exp(-logistic.z)) ** 2, rtol=1e-5)
    pieces = found[(found.activation == "hard-tanh") & (found.curve == "g'")].groupby("piece").value.unique()
    assert [each.tolist() for each in pieces] == [[0], [1], [0]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", pictures.OF_A_RUN)
def test_every_kind_becomes_svg_png_and_html(run: Run, kind: str, theme: str) -> None:
    shown = drawn(kind, run)
    svg = render.rendered(shown, "svg", theme)
    root = ET.fromstring(svg)  # noqa: S314  # our own
    words = {text for element in root.iter() if (text := (element.text or "").strip())}
    assert shown.title in words
    assert style.PAPER[theme] in svg.decode()
    assert render.rendered(shown, "png", theme).startswith(b"\x89PNG")
    assert "NaN" not in json.dumps([shown.spec, by_row(shown.rows), by_column(shown.rows)])


def test_what_all_panels_have_in_common_stands_under_the_title(run: Run) -> None:
    every = drawn("speedup", run)
    assert every.alike == "derivative"
    one = drawn("speedup", run, keep=lambda case: (case.activation, case.dtype) == ("tanh", "float64"))
    assert one.alike == "tanh, derivative, float64"
    assert one.description.endswith("All of it: tanh, derivative, float64.")
    words = {element.text for element in ET.fromstring(render.rendered(one, "svg", "light")).iter()}  # noqa: S314  # our own
    assert one.alike in words


def test_names_of_caches_stand_above_what_is_measured(run: Run) -> None:
    (names,) = [each["mark"] for each in drawn("time", run).spec["spec"]["layer"] if each["mark"]["type"] == "text"]
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


def test_a_chart_promises_only_what_is_drawn(run: Run) -> None:
    assert run.record is not None
    run.record.environment.caches.clear()
    run.record.environment.caches["L2"] = 1 << 20
    shown = drawn("speedup", run)
    assert "Bars are 95 % intervals." in shown.description
    assert "Vertical lines are sizes at which" in shown.description
    assert ("bands" in shown.description) == bool((shown.rows["layer"] == "crossing").any())
    assert not shown.note
    errors = drawn("accuracy", run, keep=lambda case: case.strategy == "cached")
    assert not (errors.rows["layer"] == "none").any()
    assert "cross" not in errors.description
    assert "×" not in json.dumps(errors.spec["spec"]["layer"][1])


def test_a_page_of_a_chart_fetches_nothing(run: Run) -> None:
    page = render.rendered(drawn("speedup", run), "html", "light").decode()
    assert 'src="http' not in page
    assert "vegaEmbed" in page


def scale(channel: Spec) -> dict[str, Any]:
    """Return by name what a channel shows it as."""
    found = channel["scale"]
    return dict(zip(found["domain"], map(str, found["range"]), strict=True))


def signs(names: Iterable[str], of: Literal["backend", "strategy"] = "strategy") -> Signs:
    plain = Case("logistic", "cached", "numpy", Op.DERIVATIVE, Dtype.FLOAT64, 1)
    return Signs.of(
        replace(plain, backend=name) if of == "backend" else replace(plain, strategy=name) for name in names
    )


def test_colours_dashes_and_shapes_belong_to_a_name_whatever_else_is_measured() -> None:
    alone, among = (
        scale(signs(names, "backend").backend_colour(names)) for names in (["numba"], ["python", "numpy", "numba"])
    )
    assert alone["numba"] == among["numba"]
    assert len(set(among.values())) == 3
    assert scale(signs(["textbook", "cached"]).strategy_dash(["textbook", "cached"]))["cached"] == "[1, 0]"
    for others in ([], ["recompute", "of-my-own", "cached:float16"]):
        assert scale(signs([*others, "complement"]).strategy_shape(["complement"]))["complement"] == "triangle-up"


def test_the_yardstick_has_a_shape_that_no_strategy_has_whatever_else_is_shown() -> None:
    for others in (["cached"], ["cached", "recompute", "complement", "textbook", "my-own", "cached:float16"]):
        shapes = scale(signs(others).strategy_shape([*others, "yardstick"]))
        assert shapes["yardstick"] == "triangle-left"
        assert len(set(shapes.values())) == len(shapes)


def test_a_name_has_one_sign_in_all_charts_of_a_run_also_one_that_is_not_known(run: Run) -> None:
    names = {"textbook": "my-own", "complement": "cached:float16"}
    blocks = tuple(
        replace(block, arms=tuple(replace(arm, strategy=names.get(arm.strategy, arm.strategy)) for arm in block.arms))
        for block in run.plan.blocks
    )
    of_run = Signs.of(case for block in blocks for case in block.cases)
    shown = [["cached", "my-own"], ["my-own", "cached:float16", "recompute"], ["cached:float16", "yardstick", "my-own"]]
    for channel in (of_run.strategy_dash, of_run.strategy_shape):
        found = [scale(channel(present)) for present in shown]
        for name in ("my-own", "cached:float16"):
            assert len({signs_of[name] for signs_of in found if name in signs_of}) == 1
        assert found[0]["my-own"] != found[1]["cached:float16"]
        known = {*scale(signs(PLAINLY).strategy_shape(PLAINLY)).values(), *map(str, DASHES[: len(PLAINLY)])}
        assert not {found[0]["my-own"], found[1]["cached:float16"]} & known, "while there are others"


@pytest.mark.parametrize("kind", ["speedup", "time", "accuracy", "rounds"])
def test_every_chart_tells_backends_by_colour_and_strategies_by_dash_or_shape(run: Run, kind: str) -> None:
    of_run = Signs.of(run.plan.cases)
    expected = {"color": of_run.backend_colour, "strokeDash": of_run.strategy_dash, "shape": of_run.strategy_shape}
    present = {
        name: channel
        for layer in drawn(kind, run).spec["spec"]["layer"]
        for name, channel in layer["encoding"].items()
        if isinstance(channel, dict) and "scale" in channel and name in expected
    }
    assert present.keys() >= {"color", "shape"}
    for name, channel in present.items():
        assert channel == expected[name](channel["scale"]["domain"])


def test_the_yardstick_has_the_colour_of_a_copy_among_rounds(run: Run) -> None:
    shown = drawn("rounds", run).rows
    assert set(shown[shown.strategy == "yardstick"].backend) == {COPY}
    assert COPY not in set(shown[shown.strategy != "yardstick"].backend)


def test_backends_shown_together_have_different_colours() -> None:
    names = [*backends.catalogue()]
    for first in names:
        shown = scale(signs(["numpy", first], "backend").backend_colour(["numpy", first, COPY]))
        assert len(set(shown.values())) == len(shown)
        assert shown["numpy"] == scale(signs(["numpy"], "backend").backend_colour(["numpy"]))["numpy"]


def test_backends_have_colours_of_their_own() -> None:
    names = [*backends.catalogue()][: len(PALETTE)]
    assert len(set(scale(signs(names, "backend").backend_colour(names)).values())) == len(PALETTE)


@pytest.mark.parametrize("form", ["svg", "png", "html"])
def test_the_command_writes_a_file(actbench: Actbench, run: Run, form: str) -> None:
    result = actbench("plot", "speedup", str(run.path), "-d", "float64", "-o", f"speedup.{form}")
    assert result.exit_code == 0, result.output
    assert Path(f"speedup.{form}").stat().st_size > 1000


def test_the_options_choose_what_is_drawn(actbench: Actbench, run: Run) -> None:
    assert run.record is not None
    keep_numpy = drawn("time", run, keep=lambda case: case.backend == "numpy")
    assert set(layer(keep_numpy, "case").backend) == {"numpy"}
    result = actbench("plot", "functions", "-a", "logistic,elu:alpha=2", "-o", "functions.svg")
    assert result.exit_code == 0, result.output
    text = Path("functions.svg").read_text()
    assert "elu:alpha=2" in text
    assert "tanh" not in text


def test_two_runs_are_compared_case_by_case(actbench: Actbench, run: Run) -> None:
    other = load(Path(shutil.copytree(run.path, "copy")))
    shown = pictures.of_two(run, other)
    assert shown is not None
    assert set(shown.rows["ratio"]) == {1.0}
    assert set(shown.rows["case"]) == {case.id for case in run.plan.cases}
    result = actbench("plot", "compare", "run", "copy", "-a", "tanh", "-n", "1k", "--dark", "-o", "compare.svg")
    assert result.exit_code == 0, result.output
    words = Path("compare.svg").read_text()
    assert "tanh/cached/numpy/derivative/float64/1000" in words
    assert "logistic/" not in words
    assert "/100000" not in words


def test_two_runs_that_cannot_be_compared_are_not_drawn_either(actbench: Actbench, run: Run) -> None:
    same = actbench("plot", "compare", "run", str(run.path / "pyperf.json"), "-o", "x.svg")
    assert (same.exit_code, "both are the same run" in same.stderr) == (2, True)
    shutil.copytree(run.path, "copy")
    edit(Path("copy"), lambda record: record["settings"].update(engine="pyperf"))
    apart = actbench("plot", "compare", "run", "copy", "-o", "x.svg")
    assert (apart.exit_code, "measure both by the same" in apart.stderr) == (5, True)


@pytest.mark.parametrize("kind", pictures.OF_A_RUN)
def test_every_kind_obeys_every_option_that_chooses(
    actbench: Actbench, run: Run, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictured: list[Picture] = []
    drawing = "actbench.report.charts.render.rendered"

    def rendered(shown: Picture, *_: str) -> bytes:
        pictured.append(shown)
        return b"drawn"

    monkeypatch.setattr(drawing, rendered)
    options = ("-a", "tanh", "-b", "numpy", "-s", "cached", "-d", "float32", "--filter", "*/1000")
    assert actbench("plot", kind, str(run.path), *options, "-o", "x.svg").exit_code == 0
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
        (("time", "run", "-d", "bfloat16", "-o", "x.svg"), "--residual-dtype bfloat16 keeps what"),
        (("compare", "run", "-o", "x.svg"), "'compare' takes two runs, not 1"),
        (("speedup", "run", "-a", "relu", "-o", "x.svg"), "-a relu: the run has no such case; it has logistic, tanh"),
        (("speedup", "run", "--filter", "relu*", "-o", "x.svg"), "there is nothing to draw in 'speedup'"),
        (("speedup", "nowhere", "-o", "x.svg"), "nowhere is not a run"),
        (
            ("speedup", "run", "-s", "cached:float8", "-o", "x.svg"),
            "no such case; it has textbook, recompute",
        ),
        (("functions", "-a", "relux", "-o", "x.svg"), "unknown activation 'relux': did you mean 'relu'"),
        (("speedup", "run", "-o", "no/such/x.svg"), "cannot write no/such/x.svg"),
    ],
)
@pytest.mark.usefixtures("run")
def test_bad_input_is_told_in_one_line(actbench: Actbench, arguments: tuple[str, ...], sentence: str) -> None:
    result = actbench("plot", *arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert not Path("x.svg").exists()


def test_a_report_is_written_into_the_runs_directory(actbench: Actbench, run: Run) -> None:
    result = actbench("report", str(run.path))
    assert result.exit_code == 0, result.output
    assert "report.html" in result.stderr
    text = (run.path / "report.html").read_text()
    assert text.count("<table>") >= 7
    assert "Content-Security-Policy" in text
    assert len(text) < 3e6


@pytest.mark.usefixtures("run")
def test_every_section_of_a_page_of_two_runs_says_whose_it_is(
    actbench: Actbench, two_runs: Path, tmp_path: Path
) -> None:
    shutil.copytree(two_runs / "other", tmp_path / "other")
    assert actbench("report", "other", "run", "-o", "page.html").exit_code == 0
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", Path("page.html").read_text())
    assert "run beside other" in titles
    assert len(titles) > 6
    assert all(title.endswith(": run") for title in titles if title != "run beside other")
    actbench("report", "run", "-o", "page.html")
    assert '<h2 id="answer-title">The answer</h2>' in Path("page.html").read_text()


def test_runs_in_directories_of_one_name_are_told_apart_by_their_paths() -> None:
    before, after = (
        Run(Path("results", name, "run"), Plan((), seed=1), Times(Plan((), seed=1)), None, {}) for name in "ab"
    )
    assert labels(after, before) == ("b/run", "a/run")


def test_python_looks_for_circles_again_after_a_report_and_after_one_that_is_refused(
    actbench: Actbench, run: Run
) -> None:
    for arguments in ([str(run.path)], ["nowhere"]):
        actbench("report", *arguments)
        assert gc.isenabled()


def test_a_report_goes_to_a_page_alone(actbench: Actbench, run: Run) -> None:
    result = actbench("report", str(run.path), "-o", "x.pdf")
    assert result.exit_code == 2
    assert "name a file that ends in .html" in result.output
    assert not Path("x.pdf").exists()


def test_a_report_needs_a_run_with_its_record(actbench: Actbench, run: Run) -> None:
    (run.path / "run.json").unlink()
    result = actbench("report", str(run.path / "pyperf.json"), "-o", "x.html")
    assert result.exit_code == 2
    assert "has no run.json beside it" in result.output


def test_every_activation_can_be_drawn() -> None:
    found = functions([*activations.catalogue()]).rows
    assert set(found["activation"]) == set(activations.catalogue())


@given(st.floats(min_value=1e-290, max_value=1e290), st.sampled_from([1.0, -1.0]))
def test_numbers_in_charts_have_six_digits(size: float, sign: float) -> None:
    (found,) = rounded([sign * size]).tolist()
    assert found == pytest.approx(sign * size, rel=5.1e-6)
    assert found == pytest.approx(float(f"{found:.6g}"), rel=1e-15)
    if 1e-15 < size < 1e15:
        assert found == float(f"{found:.6g}")


def test_what_is_no_finite_number_is_missing_in_a_chart() -> None:
    found = rounded([0.0, np.inf, -np.inf, np.nan, 1000.0, 0.1234564])
    np.testing.assert_array_equal(found, [0.0, np.nan, np.nan, np.nan, 1000.0, 0.123456])


def test_data_by_column_are_those_by_row() -> None:
    table = pd.DataFrame({"name": [*"aaaaab", None], "n": range(1, 8), "ratio": [1.5, np.nan, *range(5)]})
    found = by_column(table)
    assert "known" in found["columns"]["name"]
    assert "values" in found["columns"]["ratio"]
    columns = {
        name: column.get("values") or [column["known"][place] for place in column["at"]]
        for name, column in found["columns"].items()
    }
    by_place = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert by_place == by_row(table)
    assert by_place[1] == {"name": "a", "n": 2, "ratio": None}
    assert by_place[6]["name"] is None
