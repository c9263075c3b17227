"""Crossovers over hosts: how they move with the caches, and whether hosts differ."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench.analysis.between_runs import Trend
from actbench.analysis.crossovers_on_hosts import HostsOfCrossover, RunOnHost, crossovers_on_hosts
from actbench.model.curve_events import CurveEvent
from actbench.report.charts.crossovers import crossovers as chart
from actbench.report.compared_crossovers import as_csv, name, objects, size
from actbench.runs.tables import CrossoverRow, CurveNames
from benchmarks.host_simulation import DIFFERENCES, simulated_crossovers
from tests.conftest import Actbench
from tests.support.histories import crossing, runs
from tests.support.vega_lite import forbidden

CURVE = CurveNames("logistic", "derivative", "float64", "warm", "numpy", "recompute", "cached")

BACK = ("cached", "recompute")
"""What is faster below and above, where the curve crosses a second time."""


def crosses(size: float, below: str = "recompute", above: str = "cached") -> CrossoverRow:
    return CrossoverRow(CURVE, CurveEvent.CROSSES, (size, size / 1.05, size * 1.05), 10, below, above)


def fades(below: str, above: str) -> CrossoverRow:
    return CrossoverRow(CURVE, CurveEvent.FADES, (np.nan, 5000.0, 16000.0), 10, below, above)


def on(host: str, *rows: CrossoverRow, caches: dict[str, int] | None = None) -> RunOnHost:
    return RunOnHost(host, caches or {"L2": 2**20}, rows)


def test_a_crossover_elsewhere_on_one_host_is_shown_with_that_host() -> None:
    sizes = {"a": 1000.0, "b": 1010.0, "c": 990.0, "d": 3000.0}
    (one,) = crossovers_on_hosts([on(host, crosses(size)) for host, size in sizes.items()])
    assert one.differs
    assert [(host.host, host.trend) for host in one.crossing if host.trend is not Trend.UNDECIDED] == [
        ("d", Trend.LARGER)
    ]
    assert one.together.prediction.low < 1000 < one.together.prediction.high


def test_a_host_whose_curve_does_not_cross_is_shown_with_what_it_does_and_not_pooled() -> None:
    (one,) = crossovers_on_hosts([on("a", crosses(1000)), on("b", fades("cached", "")), on("c", crosses(1000))])
    assert [host.size is None for host in one.hosts] == [False, True, False]
    assert not one.differs
    assert one.together.mean.value == pytest.approx(1000)


def test_crossovers_back_and_forth_are_apart_and_the_second_of_a_direction_is_compared_with_second_ones() -> None:
    there, back, again = crosses(100), crosses(1000, "cached", "recompute"), crosses(5000)
    compared = crossovers_on_hosts([on("a", there, back, again), on("b", there, back, again)])
    assert sorted((one.below, round(one.together.mean.value)) for one in compared) == [
        ("cached", 1000),
        ("recompute", 100),
        ("recompute", 5000),
    ]
    assert not any(one.differs for one in compared)


def test_runs_of_a_kind_are_pooled_before_kinds_are_compared() -> None:
    (one,) = crossovers_on_hosts(
        [on("kind 1", crosses(1000)), on("kind 1", crosses(1100)), on("kind 2", crosses(1050))]
    )
    assert [host.host for host in one.crossing] == ["kind 1", "kind 2"]
    assert one.crossing[0].estimate.value == pytest.approx(np.sqrt(1000 * 1100), rel=1e-3)


def test_a_crossover_with_the_rounds_of_a_size_that_failed_early_is_compared_as_one_with_an_interval() -> None:
    """Earlier runs recorded the fewest rounds of all sizes of the curve."""
    of_earlier_run = crosses(1000)._replace(rounds=1)
    (one,) = crossovers_on_hosts([on("a", of_earlier_run), on("b", crosses(1000))])
    assert one.together.mean.low < 1000 < one.together.mean.high
    assert not one.differs


def test_simulated_crossovers_differ_where_they_do_and_there_alone() -> None:
    """`benchmarks.host_simulation` has two hundred of each; here a sample that fails where it is far off."""
    rng = np.random.default_rng(7)
    alike = [crossovers_on_hosts(simulated_crossovers(rng, differing=False)) for _ in range(10)]
    assert sum(any(one.differs for one in compared) for compared in alike) <= 2
    first, *_ = crossovers_on_hosts(simulated_crossovers(rng, differing=True))
    assert first.differs
    assert first.curve.backend == "backend0"
    off = {one.host for one in first.crossing if one.trend is not Trend.UNDECIDED}
    assert off
    assert off <= {host for host, factor in DIFFERENCES.items() if factor != 1}


def test_the_chart_is_what_vega_lites_schema_allows() -> None:
    hosts = [on(name, crosses(1000 * n), caches={"L1d": 2**15, "L2": n * 2**20}) for n, name in ((1, "a"), (2, "b"))]
    shown = chart(crossovers_on_hosts(hosts))
    assert shown is not None
    assert not forbidden(shown.spec)
    assert shown.rows[shown.rows["cache"] == "L2"][["kib", "n"]].to_numpy().tolist() == [[1024, 1000], [2048, 2000]]


def between(reference: str, candidate: str, activation: str = "logistic") -> CrossoverRow:
    """A crossover of two strategies."""
    curve = CURVE._replace(activation=activation, reference=reference, candidate=candidate)
    return CrossoverRow(curve, CurveEvent.CROSSES, (1000.0, 950.0, 1050.0), 10, reference, candidate)


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([("textbook", "recompute"), ("textbook", "cached"), ("recompute", "cached")], ["textbook", "cached"]),
        ([("textbook", "cached"), ("cached", "pair")], ["cached:textbook", "pair:cached"]),
    ],
)
def test_curves_of_recompute_are_compared_and_all_where_there_is_none(
    pairs: list[tuple[str, str]], names: list[str]
) -> None:
    compared = crossovers_on_hosts([on(host, *(between(*pair) for pair in pairs)) for host in ("a", "b")])
    assert [name(one) for one in compared] == [f"logistic/{strategy}/numpy/derivative/float64" for strategy in names]


def test_an_activation_without_recompute_is_compared_beside_one_with_it() -> None:
    rows = (between("recompute", "cached"), between("cached", "pair", "glu"))
    compared = crossovers_on_hosts([on(host, *rows) for host in ("a", "b")])
    assert {one.curve.activation for one in compared} == {"logistic", "glu"}


@pytest.fixture
def hosts(actbench: Actbench, two_runs: Path, tmp_path: Path) -> Path:
    """Three runs, whose crossovers move with the L2 cache."""

    def cache(number: int, record: Any) -> None:
        record["environment"]["caches"] = {"L2": 2**20 * (number + 1)}

    del actbench
    fleet = runs(two_runs / "run", tmp_path / "fleet", (1.0, 1.0, 1.0), change=cache)
    for number in range(3):
        crossing(fleet / f"run{number:02}", 1000 * (number + 1))
    return fleet


def test_every_format_has_the_crossovers_and_the_caches(actbench: Actbench, hosts: Path) -> None:
    table = actbench("compare", "--by", "host", str(hosts)).stdout
    assert "; 1 of 1 crossover shown to differ" in table
    markdown = actbench("compare", "--by", "host", str(hosts), "--format", "markdown").stdout
    assert "| logistic/cached/numpy/derivative/float64 | recompute, cached | run01 | " in markdown
    assert "| 2048 | 2 000 (1 900 to 2 100) |" in markdown.replace("\u202f", " ")
    (one,) = json.loads(actbench("compare", "--by", "host", str(hosts), "--format", "json").stdout)["crossovers"]
    assert [(host["n"], host["caches"]["L2"]) for host in one["on"]] == [
        (1000, 2**20),
        (2000, 2**21),
        (3000, 3 * 2**20),
    ]


def test_states_that_are_not_named_are_left_out(actbench: Actbench, hosts: Path) -> None:
    crossing(hosts / "run00", 5000, operands="cold")
    result = actbench("compare", "--by", "host", str(hosts), "--operands", "warm", "--format", "json")
    (one,) = json.loads(result.stdout)["crossovers"]
    assert [host["host"] for host in one["on"]] == ["run01", "run02"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace("kind,", "sort,"), "has no column kind"),
        (lambda text: text.replace("1000,", "x,", 1), "it has no numbers where numbers belong"),
        (lambda text: text.replace("950,", "1500,", 1), "is no size with its interval"),
        (lambda text: text.replace(",cached,8", ",8"), "it is cut short"),
        (lambda text: text.replace("logistic", "logi\x07stic"), "characters that do not print"),
        (lambda text: text.replace("crosses", "jumps"), "line 2: its kind 'jumps' is unknown"),
        (lambda text: text.replace("crosses,1000", "crosses,"), "a crossover without a size"),
        (lambda text: text.replace("crosses", "fades"), "a size without a crossover"),
    ],
)
def test_damaged_crossovers_are_refused_with_the_file_and_the_line(
    actbench: Actbench, hosts: Path, damage: Any, message: str
) -> None:
    path = hosts / "run00" / "crossovers.csv"
    path.write_text(damage(path.read_text()))
    result = actbench("compare", "--by", "host", *(str(hosts / f"run0{number}") for number in range(3)))
    assert result.exit_code == 2
    assert "run00/crossovers.csv" in result.stderr
    assert message in result.stderr


def test_the_page_has_them_as_a_file(actbench: Actbench, hosts: Path) -> None:
    assert actbench("compare", "--by", "host", str(hosts), "--format", "html", "-o", "hosts.html").exit_code == 0
    page = Path("hosts.html").read_text()
    assert 'data-kind="crossovers"' in page
    assert 'download="crossovers.csv"' in page


def in_csv(compared: Sequence[HostsOfCrossover]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(compared))))


def test_sizes_of_hosts_that_do_not_cross_are_in_csv() -> None:
    rows = in_csv(crossovers_on_hosts([on("a", crosses(1000)), on("b", fades("cached", ""))]))
    assert [(row["host"], row["kind"], row["n"], row["n_low"]) for row in rows] == [
        ("a", "crosses", "1000", "952.380952"),
        ("b", "fades", "", "5000"),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        (crosses(1000),),
        (fades("", "recompute"), crosses(1000)),
        (crosses(1000), crosses(9000, *BACK), crosses(20_000)),
    ],
)
def test_a_host_that_crosses_at_another_place_of_the_curve_has_no_size_at_this_one(
    rows: tuple[CrossoverRow, ...],
) -> None:
    """The place is the second crossover to recompute."""
    four = (crosses(1000), crosses(9000, *BACK), crosses(20_000), crosses(50_000, *BACK))
    compared = crossovers_on_hosts([on("a", *four), on("b", *rows)])
    (one,) = (one for one in compared if one.together.mean.value == pytest.approx(50_000))
    first, second = one.hosts
    assert size(first).endswith("(48k to 52k)")
    assert size(second) == "crosses elsewhere"
    (entry,) = objects([one])
    shown: Any = entry["on"]
    assert [(host["kind"], np.isnan(host["n"]), np.isnan(host["n_low"])) for host in shown] == [
        ("crosses", False, False),
        ("crosses elsewhere", True, True),
    ]
    assert [(row["n"], row["n_low"], row["n_high"]) for row in in_csv([one])][1] == ("", "", "")


def test_the_smallest_sizes_without_a_difference_are_shown_as_such() -> None:
    (one,) = crossovers_on_hosts([on("a", crosses(1000)), on("b", fades("", "cached"))])
    assert size(one.hosts[1]) == "no difference up to 5\u202f000 to 16k"


def test_hosts_with_different_caches_have_their_capacities_in_the_columns_of_these() -> None:
    caches = {"a": {"L1d": 2**15, "L2": 2**20}, "b": {"L2": 2**21, "L3": 2**25}, "c": {}}
    compared = crossovers_on_hosts([RunOnHost(host, of_host, [crosses(1000)]) for host, of_host in caches.items()])
    rows = in_csv(compared)
    assert [[row[f"{level}_bytes"] for level in ("L1d", "L2", "L3")] for row in rows] == [
        ["32768", "1048576", ""],
        ["", "2097152", "33554432"],
        ["", "", ""],
    ]
