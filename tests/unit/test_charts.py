from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbench import registry
from actbench.model.cases import YARDSTICKS, Case
from actbench.model.checks import BANDS
from actbench.report import pictures
from actbench.report.charts.data import by_column, by_row, rounded
from actbench.report.charts.functions import TOP, functions
from actbench.report.charts.parts import PART_COLOURS
from actbench.report.charts.rounds import whole_ticks
from actbench.report.charts.style import Picture
from actbench.report.numbers import count
from actbench.report.results import analyse
from actbench.runs.archive import Run, load
from tests.conftest import Actbench
from tests.support.drawn import drawn, layer
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench

CASE = ["activation", "strategy", "backend", "op", "dtype", "size"]


def test_speedups_are_those_of_speedups_csv(loaded_run: Run) -> None:
    written = pd.read_csv(loaded_run.path / "speedups.csv")
    expected = written[
        (written.reference_strategy == "recompute") & (written.reference_backend == written.candidate_backend)
    ]
    shown = layer(drawn("speedup", loaded_run), "ratio")
    merged = expected.merge(
        shown,
        left_on=["activation", "op", "dtype", "size", "candidate_strategy", "candidate_backend"],
        right_on=["activation", "op", "dtype", "n", "strategy", "backend"],
        suffixes=("", "_shown"),
    )
    assert len(merged) == len(expected) > 5
    for name in ("ratio", "low", "high"):
        np.testing.assert_allclose(merged[f"{name}_shown"], merged[name], rtol=1e-5)


def test_times_are_those_of_cases_csv(loaded_run: Run) -> None:
    written = pd.read_csv(loaded_run.path / "cases.csv")
    shown = drawn("time", loaded_run)
    cases = layer(shown, "case").rename(columns={"n": "size"})
    merged = written[~written.strategy.isin(YARDSTICKS)].merge(cases, on=CASE, suffixes=("", "_shown"))
    assert len(merged) == len(cases) == (~written.strategy.isin(YARDSTICKS)).sum()
    np.testing.assert_allclose(merged.ns, merged.ns_per_element, rtol=1e-5)
    np.testing.assert_allclose(merged.low_shown, 1e9 * merged.low / merged["size"], rtol=1e-5)
    np.testing.assert_allclose(merged.high_shown, 1e9 * merged.high / merged["size"], rtol=1e-5)
    copies = layer(shown, "copy").rename(columns={"n": "size"})
    limits = written[written.strategy == "yardstick"].merge(copies, on=["activation", "op", "dtype", "size"])
    assert len(limits) == len(copies) > 0
    np.testing.assert_allclose(limits.ns, limits.ns_per_element, rtol=1e-5)


def test_as_many_elements_in_other_rows_are_other_sizes(actbench: Actbench) -> None:
    along = ("run", "-a", "softmax", "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", "4x8,8x4,32")
    assert actbench(*along, "--rounds", "6", "-o", "rows").exit_code == 0
    run = load(Path("rows"))
    for kind, name in (("time", "case"), ("speedup", "ratio")):
        shown = drawn(kind, run)
        assert "Lines join sizes of as many rows." in shown.description
        assert {*layer(shown, name)["rows"]} == {1, 4, 8}
        assert '"detail": {"field": "rows"' in json.dumps(shown.spec)
    cases = drawn("parts", run).rows["case"].str.rpartition("n = ")[2]
    assert {*cases} == {"4x8", "8x4", "32"}


def test_rounds_are_those_of_values_csv(loaded_run: Run) -> None:
    values = pd.read_csv(loaded_run.path / "values.csv")
    medians = values.groupby([*CASE, "round"]).seconds.median().reset_index()
    medians["off"] = medians.groupby(CASE).seconds.transform(lambda seconds: 100 * (seconds / seconds.median() - 1))
    shown = drawn("rounds", loaded_run).rows
    shown = shown[~shown.strategy.isin(YARDSTICKS)]
    parts = shown.block.str.split("/", expand=True)
    shown = shown.assign(activation=parts[0], op=parts[1], dtype=parts[2], size=parts[3].astype(int))
    merged = medians.merge(shown, on=[*CASE, "round"], suffixes=("", "_shown"))
    assert len(merged) == len(shown) == (~medians.strategy.isin(YARDSTICKS)).sum()
    np.testing.assert_allclose(merged.off_shown, merged.off, atol=2e-3)


def test_of_many_blocks_those_with_the_largest_deviations_are_drawn(
    loaded_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loaded_run.record is not None
    monkeypatch.setattr("actbench.report.charts.rounds.MOST_BLOCKS", 2)
    results = analyse(loaded_run.times, loaded_run.record)
    loud = [*results.rounds][3::2][:2]
    spoilt = {
        block: middles * (1 + 0.5 * (block in loud) * np.eye(len(middles), middles.shape[1]))
        for block, middles in results.rounds.items()
    }
    shown = pictures.of_run("rounds", loaded_run, replace(results, rounds=spoilt))
    assert shown is not None
    assert {*shown.rows["block"]} == {block.id for block in loud}
    assert f"Of {len(spoilt)} blocks these are the 2 with the largest deviations." in shown.description


def test_errors_are_those_of_the_runs_own_check(loaded_run: Run) -> None:
    assert loaded_run.record is not None
    shown = drawn("accuracy", loaded_run).rows
    assert len(shown) == len(BANDS) * len(loaded_run.record.checks)
    for check in loaded_run.record.checks:
        kernel = check.kernel
        of_kernel = shown[
            (shown.activation == kernel.activation)
            & (shown.strategy == kernel.strategy)
            & (shown.backend == kernel.backend)
            & (shown.dtype == kernel.dtype)
        ]
        expected = [None if error is None else max(error, 0.1) for error in check.by_band]
        assert [None if pd.isna(error) else error for error in of_kernel.ULP] == expected
        assert max(error for error in check.by_band if error is not None) <= check.max_ulp * 1.01


def test_the_parts_of_a_cases_time_add_up_to_it(loaded_run: Run) -> None:
    shown = drawn("parts", loaded_run).rows
    shares = shown[[*PART_COLOURS]]
    np.testing.assert_allclose(shares.sum(axis=1), 100, atol=0.05)
    assert (shares >= 0).all(axis=None)
    written = pd.read_csv(loaded_run.path / "cases.csv")
    assert len(shown) == (~written.strategy.isin(YARDSTICKS)).sum()
    assert (shares["not known"] < 0.05).all(), "exact times leave nothing open"


def test_arrays_in_cache_have_nothing_to_do_with_memory(loaded_run: Run) -> None:
    rows = drawn("parts", loaded_run).rows
    small = rows[rows.case.str.endswith(f"n = {count(1000)}")]
    assert len(small) > 8
    assert (small["the elements in cache"] > 99).all()
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
    assert open_["the elements in cache"] == 0
    assert open_["not known"] == pytest.approx(100 * 11 / 21, abs=0.1)
    assert "no intervals" not in json.dumps(shown.spec)


def test_without_intervals_no_part_is_known_and_the_picture_says_so(actbench: Actbench, bench: FakeBench) -> None:
    shown = scattered(actbench, bench, 5)
    assert (shown.rows["not known"] == 100).all()
    assert "(no intervals: they take 6 rounds)" in shown.spec["encoding"]["x"]["axis"]["title"]
    assert "Here nothing is known" in shown.description


def test_a_run_whose_rounds_have_no_probes_has_no_parts() -> None:
    earlier = load(Path(__file__).parents[2] / "results" / "cuda")
    assert earlier.record is not None
    assert pictures.of_run("parts", earlier, analyse(earlier.times, earlier.record)) is None


def test_caches_are_marked_where_an_input_and_an_output_fill_them(loaded_run: Run) -> None:
    assert loaded_run.record is not None
    loaded_run.record.environment.caches.clear()
    loaded_run.record.environment.caches.update({"L1d": 32 << 10, "L2": 1 << 20, "L3": 1 << 30})
    marks = layer(drawn("speedup", loaded_run), "cache")
    of_float64 = marks[(marks["dtype"] == "float64") & (marks.activation == "logistic")]
    assert dict(zip(of_float64["name"], of_float64.n, strict=True)) == {"L1": 2048, "L2": 65536}, (
        "L3 is beyond the sizes"
    )
    of_float32 = marks[(marks["dtype"] == "float32") & (marks.activation == "logistic")]
    assert dict(zip(of_float32["name"], of_float32.n, strict=True)) == {"L1": 4096}


def test_functions_of_more_than_one_z_say_where_they_are_drawn() -> None:
    drawn = functions([registry.activation(name) for name in ("tanh", "swiglu", "softmax")])
    assert drawn.note == "swiglu: z is a, and b is 1; softmax: the first column of rows of two, z and 0"
    assert not functions([registry.activation("tanh")]).note


def test_the_functions_are_drawn_with_their_derivatives_and_cut_where_these_jump() -> None:
    shown = functions([registry.activation(name) for name in ("logistic", "hard-tanh")])
    rows = shown.rows
    logistic = rows[(rows.activation == "logistic") & (rows.curve == "g'")]
    np.testing.assert_allclose(logistic.value, np.exp(-logistic.z) / (1 + np.exp(-logistic.z)) ** 2, rtol=1e-5)
    pieces = rows[(rows.activation == "hard-tanh") & (rows.curve == "g'")].groupby("piece").value.unique()
    assert [piece.tolist() for piece in pieces] == [[0], [1], [0]]


def test_curves_that_leave_the_chart_end_in_an_arrow() -> None:
    rows = functions([registry.activation(name) for name in ("logistic", "identity", "exp")]).rows
    cut = rows[rows.layer == "cut"]
    arrows = [(*row,) for row in cut[["activation", "curve", "z", "leaves"]].itertuples(index=False)]
    assert arrows[:2] == [("identity", "g", -TOP, "down"), ("identity", "g", TOP, "up")]
    assert [arrow[:2] for arrow in arrows[2:]] == [("exp", "g"), ("exp", "g'")]
    assert all(abs(z - np.log(TOP)) < 1e-2 and leaves == "up" for *_, z, leaves in arrows[2:])


@pytest.mark.parametrize(
    ("numbers", "ticks"), [([3], [3]), ([1, 2], [1, 2]), ([1, 2, 40], [5, 10, 15, 20, 25, 30, 35, 40])]
)
def test_rounds_have_whole_ticks(numbers: list[int], ticks: list[int]) -> None:
    assert whole_ticks(pd.Series(numbers)) == ticks


@given(st.floats(min_value=1e-290, max_value=1e290), st.sampled_from([1.0, -1.0]))
def test_numbers_in_charts_have_six_digits(size: float, sign: float) -> None:
    (number,) = rounded([sign * size]).tolist()
    assert number == pytest.approx(sign * size, rel=5.1e-6)
    assert number == pytest.approx(float(f"{number:.6g}"), rel=1e-15)
    if 1e-15 < size < 1e15:
        assert number == float(f"{number:.6g}")


def test_what_is_no_finite_number_is_missing_in_a_chart() -> None:
    numbers = rounded([0.0, np.inf, -np.inf, np.nan, 1000.0, 0.1234564])
    np.testing.assert_array_equal(numbers, [0.0, np.nan, np.nan, np.nan, 1000.0, 0.123456])


def test_data_by_column_are_those_by_row() -> None:
    table = pd.DataFrame({"name": [*"aaaaab", None], "n": range(1, 8), "ratio": [1.5, np.nan, *range(5)]})
    packed = by_column(table)
    assert "known" in packed["columns"]["name"]
    assert "values" in packed["columns"]["ratio"]
    columns = {
        name: column.get("values") or [column["known"][place] for place in column["at"]]
        for name, column in packed["columns"].items()
    }
    by_place = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert by_place == by_row(table)
    assert by_place[1] == {"name": "a", "n": 2, "ratio": None}
    assert by_place[6]["name"] is None
