"""Sizes that are named by a shape: what is measured is the number of elements, and what is shown is the shape."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from actbench.errors import InputError
from actbench.model.cases import Case
from actbench.model.sizes import Shape, Size
from actbench.planning.selection import Room, Selection
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.selections import PAIR

CASE = "logistic/cached/numpy/derivative/float64/1000"

SHAPED = (*PAIR, "-n", "40x25", "--rounds", "6", "-o", "here")


@pytest.fixture
def run(actbench: Actbench) -> Path:
    """Return a run at a size that was named 40x25."""
    assert actbench("run", *SHAPED).exit_code == 0
    return Path("here")


def column(path: Path, name: str) -> set[str]:
    """Return what a column of a file holds."""
    return {row[name] for row in csv.DictReader(path.read_text().splitlines())}


def test_ids_and_the_column_size_have_the_number_of_elements_and_the_column_shape_its_name(run: Path) -> None:
    assert [case.id for case in load(run).plan.cases][-1] == CASE
    for name in ("values.csv", "cases.csv", "speedups.csv"):
        assert (column(run / name, "size"), column(run / name, "shape")) == ({"1000"}, {"40x25"}), name
    assert column(run / "probes.csv", "shape") == {""}, "probes have sizes of their own"


def test_tables_show_the_shape_as_it_was_named(run: Path) -> None:
    assert "| numpy | float64 | 40x25 |" in (run / "summary.md").read_text()


def test_a_run_is_read_with_its_shape_and_one_of_another_number_of_elements_is_damage(run: Path) -> None:
    suite = Path("alone.json")
    suite.write_bytes((run / "pyperf.json").read_bytes())
    for read in (run, suite):
        assert {case.shape for case in load(read).plan.cases} == {"40x25"}
    for path in (run / "run.json", suite):
        path.write_text(path.read_text().replace("40x25", "40x26"))
        with pytest.raises(InputError, match=r"is damaged: .* the shape 40x26"):
            load(run if path.parent == run else path)


def test_runs_of_a_shape_and_of_as_many_elements_are_compared(actbench: Actbench, run: Path) -> None:
    assert actbench("run", *PAIR, "-n", "1000", "--rounds", "6", "-o", "plain").exit_code == 0
    assert actbench("check", str(run), "--baseline", "plain").exit_code == 0


def test_a_chart_is_narrowed_by_either_name(actbench: Actbench, run: Path) -> None:
    for size in ("40x25", "1000", "25x40"):
        assert actbench("plot", "rounds", str(run), "-n", size, "-o", "chart.svg").exit_code == 0
    refused = actbench("plot", "rounds", str(run), "-n", "2x2", "-o", "chart.svg")
    assert "-n 2x2: the run has no such case; it has 40x25" in refused.stderr


def test_sizes_are_compared_with_one_that_is_named_by_its_shape(actbench: Actbench) -> None:
    assert actbench("run", *PAIR, "-n", "40x25,2000", "--rounds", "6", "-o", "two").exit_code == 0
    assert "1000" in actbench("compare", "two", "--by", "size", "--reference", "40x25").stdout


def test_sizes_along_rows_are_compared_by_their_rows_and_columns(actbench: Actbench) -> None:
    along = ("run", "-a", "softmax", "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", "4x8,8x4,32")
    assert actbench(*along, "--rounds", "6", "-o", "rows").exit_code == 0
    for reference, compared in (("32", ("4x8", "8x4")), ("4x8", ("32", "8x4"))):
        table = actbench("compare", "rows", "--by", "size", "--reference", reference).stdout
        assert all(f"{size} / {reference}" in table for size in compared)
    refused = actbench("compare", "rows", "--by", "size", "--reference", "2x2")
    assert "--reference '2x2': the run has the size values 32, 4x8, 8x4" in refused.stderr


def test_one_number_of_elements_under_two_names_is_refused(actbench: Actbench) -> None:
    refused = actbench("run", *PAIR, "-n", "40x25,1000")
    assert refused.exit_code == 2
    assert "40x25 and 1000 are the same measurement of logistic, of 1000 elements in a row: name one" in refused.stderr


def test_settings_and_the_environment_take_shapes(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("actbench.toml").write_text("[run]\nsize = '40x25'\n")
    assert f"{CASE}\n" in actbench("run", *PAIR, "--dry-run").stdout
    monkeypatch.setenv("ACTBENCH_SIZE", "2x3")
    assert CASE.replace("1000", "6") in actbench("run", *PAIR, "--dry-run").stdout


def test_show_takes_a_shape_in_the_place_of_the_size() -> None:
    case = Case.parse(CASE.replace("1000", "40x25")).flat
    assert (case.id, case.shape, case) == (CASE, "40x25", Case.parse(CASE))
    for wrong in ("40x", "40x0", "040x25", "40x2.5"):
        with pytest.raises(InputError):
            Case.parse(CASE.replace("1000", wrong))


def test_environments_are_asked_for_numbers_of_elements_and_beside_them_for_shapes() -> None:
    """Those of a baseline may be of an actbench that knows no shapes; along rows, another that does offers these."""
    from actbench.planning import presets, suite

    sizes = (Size.of(Shape("40x25")), Size(10))
    query = Selection(sizes=sizes).query(presets.get("smoke"), Room(1 << 30))
    assert json.dumps(query.axes) == '{"sizes": [1000, 10]}'
    assert query.shapes == ("40x25", "")
    of_rows = Selection(activations=("softmax",), backends=("numpy",), sizes=sizes)
    offered = suite.offered(of_rows.query(presets.get("smoke"), Room(1 << 30)))
    assert {(case.size, case.rows) for case in offered} == {(1000, 40), (10, 1)}


def test_sizes_compare_by_their_elements() -> None:
    assert Size.of(Shape("40x25")) == Size(1000) < Size(1001)
    assert (str(Size.of(Shape("40x25"))), str(Size(1000))) == ("40x25", "1000")
