"""What the documents quote of committed runs is what these say."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from actbench.analysis.interval import Interval
from actbench.model.names import OperandState
from benchmarks import figures, summaries
from benchmarks.pages import accuracy, keeping, marks, rows_and_gates, steps, sweep
from tests.conftest import Actbench
from tests.support.documents import PAGES, ROOT, name
from tests.unit.test_sweep import CURVE

QUOTING = [page for page in PAGES if marks.names(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", QUOTING, ids=name)
def test_what_a_page_quotes_is_computed_from_the_committed_runs(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert marks.replaced(text) == text, "python -m benchmarks.pages rewrites it"


def test_everything_that_is_computed_is_quoted_somewhere() -> None:
    assert {name for page in QUOTING for name in marks.names(page.read_text(encoding="utf-8"))} == {*marks.QUOTED}
    assert all("".join(lines()) for lines in marks.QUOTED.values())


def test_a_spread_has_the_estimates_that_are_shown_to_differ_from_1_and_names_the_others() -> None:
    worth = {"a": Interval(4, 3.9, 4.1), "b": Interval(1.01, 0.99, 1.03), "c": Interval(2, 1.9, 2.1)}
    assert keeping.spread(worth) == "2.0 to 4.0 times (with b no difference is shown)"
    assert keeping.spread({"b": worth["b"]}) == "nothing (with b no difference is shown)"


def test_the_answer_compares_with_what_frameworks_ship_where_there_is_something() -> None:
    _, _, *rows = (line.split("|") for line in steps.answer())
    cells = {backend.strip(): row for _, backend, *row, _ in rows}
    assert [backend for backend, row in cells.items() if row[4:6] != [" - ", " - "]] == ["torch", "jax"]
    of = keeping.on_shipped("peers", "jax", "float32")
    assert of is not None
    assert of.high < 1.0, "jax's own function is the faster one"
    assert keeping.beside_shipped("peers", "jax", "float32") in "".join(cells["jax"])


def test_the_answer_in_words_names_where_keeping_y_is_shown_to_be_slower_than_what_a_framework_ships() -> None:
    words = "".join(steps.answer_in_words())
    for run, where in (("peers", "in cache"), ("train", "in a step")):
        for backend in ("torch", "jax"):
            of = keeping.on_shipped(run, backend, "float32")
            assert of is not None
            slower = words.partition("keeping y is slower ")[2]
            assert (f"with {backend} {where}" in slower) == (of.high < 1.0)


def test_a_zone_of_wrong_results_has_both_ends() -> None:
    table = {tuple(row.split(" | ")[:2]): row for row in accuracy.lines()}
    assert "| -0.000967 to 0.000837 |" in table["| `sech`", "pair"]
    assert "| 12.8 to 87.3 |" in table["| `logistic`", "cached"]
    assert "| ±6.71 to ±44.4 |" in table["| `tanh`", "cached"]
    assert "| beyond ±84615 |" in table["| `arctan`", "cached"]
    assert "| below -1.10e14, above 6.26e13 |" in table["| `arctan`", "cached"]


def test_columns_are_listed_where_a_strategy_is_faster_slower_and_neither() -> None:
    faster, slower, neither = Interval(2, 1.9, 2.1), Interval(0.9, 0.8, 0.95), Interval(1.01, 0.99, 1.03)
    ratios = dict(zip(("8x16", "4x64", "2x128", "1x256"), (faster, slower, neither, faster), strict=True))
    where = {rows_and_gates.Where("backward", shape, "warm"): of for shape, of in ratios.items()}
    words = "at 16 and 256 columns (slower at 64, no difference shown at 128)"
    assert rows_and_gates.at_columns(where, OperandState.WARM) == words


def test_the_readme_can_be_read_in_three_minutes() -> None:
    assert (ROOT / "README.md").stat().st_size <= 8 * 1024


@pytest.mark.parametrize("run", summaries.RUNS)
def test_the_summaries_of_committed_runs_are_what_the_code_writes(run: str) -> None:
    assert (summaries.RESULTS / run / "summary.md").read_text(encoding="utf-8") == summaries.text(run), (
        "python -m benchmarks.summaries rewrites them"
    )


def test_the_sweep_has_a_sentence_for_every_curve() -> None:
    first, *shown, last = sweep.lines()
    assert (first, last) == ("```text", "```")
    sentences = []
    for line in shown:
        assert line.endswith(".")
        activation, op, *alike = line.partition(":")[0].split(", ")
        sentences += [(activation, op, *pair) for pair in product(*(names.split(" and ") for names in alike))]
    expected = product(["logistic"], ["derivative", "step"], ["float32", "float64"], ["numpy", "numba", "numba-simd"])
    assert sorted(sentences) == sorted(expected)


def test_what_is_quoted_of_a_sweep_is_what_the_summary_of_its_run_says(actbench: Actbench) -> None:
    assert actbench("run", *CURVE, "-o", "here").exit_code == 0
    _, sentence, _ = sweep.lines(Path("here"))
    assert f"\n{sentence}\n" in Path("here/summary.md").read_text()


@pytest.mark.parametrize("page", [page for page in PAGES if "![" in page.read_text(encoding="utf-8")], ids=name)
def test_every_picture_is_made_by_the_script_and_described(page: Path) -> None:
    for words, path in re.findall(r"!\[(.+)\]\((.+)\)", page.read_text(encoding="utf-8")):
        assert Path(path).name in {*figures.PICTURES, "progress.svg"}
        assert len(words) > 20
        text = (page.parent / path).read_text(encoding="utf-8")
        assert text.startswith("<svg")
        assert len(text) < 300_000
        assert "http" not in re.sub(r"http://www.w3.org/\S+|https://www.textualize.io\S*", "", text)
