"""One plan on many hosts: whether speedups differ between them, and which."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench.analysis.between_hosts import FasterStrategy, between_hosts
from actbench.analysis.between_runs import Trend
from actbench.analysis.history import Measurement
from actbench.analysis.interval import Interval
from actbench.analysis.random_effects import Effect, together
from actbench.analysis.statistics import MIN_ROUNDS, hodges_lehmann
from benchmarks.host_simulation import DIFFERENCES, simulated
from tests.conftest import Actbench
from tests.support.compared import BLOCK
from tests.support.histories import CACHED, runs
from tests.support.selections import edit

Comparable = list[tuple[str, list[Measurement]]]
"""What hosts measured, by their names."""


def effects(*ratios: float, error: float = 0.02, freedom: float = 30) -> list[Effect]:
    return [Effect(float(np.log(ratio)), error, freedom) for ratio in ratios]


def test_effects_that_agree_are_pooled_without_variance_between_hosts() -> None:
    pooled = together(effects(2.0, 2.0, 2.0, 2.0))
    assert pooled.mean.value == pytest.approx(2.0)
    assert pooled.between == pooled.q == pooled.i_squared == 0.0
    assert pooled.p_value == pytest.approx(1.0)
    assert pooled.error == pytest.approx(0.02 / 2)


def test_the_variance_between_hosts_is_the_one_at_which_q_has_its_expected_value() -> None:
    """Of equal errors, it is the variance of the estimates less that of one."""
    ratios = (1.0, 1.2, 1.5, 0.9, 1.1)
    pooled = together(effects(*ratios))
    variance = np.var(np.log(ratios), ddof=1)
    assert pooled.between**2 == pytest.approx(variance - 0.02**2)
    assert pooled.q == pytest.approx(4 * variance / 0.02**2)
    assert pooled.i_squared == pytest.approx(1 - 0.02**2 / variance)
    assert pooled.p_value < 1e-6
    assert pooled.prediction.low < pooled.mean.low < pooled.mean.high < pooled.prediction.high


def test_the_test_of_two_hosts_is_welchs() -> None:
    from scipy.stats import ttest_ind

    first, second = np.array([0.1, 0.3, 0.2, 0.5, 0.4]), np.array([0.6, 0.9, 0.2, 0.7, 1.2, 1.9])
    both = [Effect(x.mean(), float(x.std(ddof=1) / np.sqrt(x.size)), x.size - 1) for x in (first, second)]
    assert together(both).p_value == pytest.approx(ttest_ind(first, second, equal_var=False).pvalue)


def test_the_error_of_a_ratio_is_that_of_its_interval() -> None:
    effect = Effect.of(Interval(1.0, np.exp(-0.2), np.exp(0.2)), 6)
    assert effect.error == pytest.approx(0.2 / 2.570582)


def test_fewer_rounds_than_an_interval_takes_have_no_error() -> None:
    assert np.isnan(Effect.of(Interval(1.0, 0.9, 1.1), MIN_ROUNDS - 1).error)


def test_twelve_simulated_hosts_differ_where_they_do_and_there_alone() -> None:
    """`benchmarks.host_simulation` has two hundred of each; here a sample that fails where it is far off."""
    rng = np.random.default_rng(5)
    alike = [between_hosts(simulated(rng, differing=False)) for _ in range(25)]
    assert sum(any(cell.differs for cell in one.cells) for one in alike) <= 4
    flagged = 0
    for _ in range(10):
        comparison = between_hosts(simulated(rng, differing=True))
        first = comparison.cells[0]
        assert first.differs
        off = {one.host for one in first.hosts if one.trend is not Trend.UNDECIDED}
        flagged += len(off)
        assert off <= {host for host, factor in DIFFERENCES.items() if factor != 1}
    assert flagged > 10


def measured_on(speedups: list[float], rng: np.random.Generator, rounds: int = 10) -> Comparable:
    """Measurements of a pair, whose rounds scatter by 2 %, on hosts with these speedups."""
    of_hosts = [
        Interval.from_logs(hodges_lehmann(np.log(speedup) + 0.02 * rng.normal(size=rounds))) for speedup in speedups
    ]
    case, reference = BLOCK.cases[1], BLOCK.cases[0]
    return [
        (f"host {number}", [Measurement(case, reference, (), ratio, 1e-6, rounds)])
        for number, ratio in enumerate(of_hosts)
    ]


def test_the_winner_seldom_changes_on_hosts_where_both_are_as_fast_and_others_where_one_is_faster() -> None:
    rng = np.random.default_rng(3)
    winners = [between_hosts(measured_on([1.0] * 10 + [1.2] * 10, rng)).cells[0].winner for _ in range(60)]
    assert winners.count(FasterStrategy.CHANGES) <= 4, "2.5 % of them; without a correction it is 22 %"
    assert {*winners} <= {FasterStrategy.CHANGES, FasterStrategy.UNDECIDED}


def test_the_winner_changes_where_one_host_of_many_is_clearly_slower() -> None:
    rng = np.random.default_rng(3)
    (cell,) = between_hosts(measured_on([0.9] + [1.2] * 19, rng)).cells
    assert cell.winner is FasterStrategy.CHANGES


@pytest.fixture
def hosts(actbench: Actbench, two_runs: Path, tmp_path: Path) -> Path:
    """Five runs of a plan, in whose tables `cached` takes twice to five times as long on two of another kind."""

    def other_kind(number: int, record: Any) -> None:
        if number in {1, 3}:
            record["environment"]["cpu_model"] = "Abacus 3000"

    del actbench
    return runs(two_runs / "run", tmp_path / "fleet", (1.0, 5.0, 1.0, 5.0, 1.0), change=other_kind)


def remarks_of(actbench: Actbench, *arguments: str) -> list[str]:
    remarks: list[str] = json.loads(actbench("compare", *arguments, "--format", "json").stdout)["remarks"]
    return remarks


def cells(actbench: Actbench, *arguments: str) -> dict[str, dict[str, Any]]:
    result = actbench("compare", *arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return {cell["case"]: cell for cell in json.loads(result.stdout)["speedups"]}


def test_a_winner_that_changes_is_first_and_the_hosts_are_named(actbench: Actbench, hosts: Path) -> None:
    by_case = cells(actbench, "--by", "host", str(hosts))
    cell = by_case[CACHED]
    assert cell["winner"] == FasterStrategy.CHANGES
    assert next(iter(by_case.values()))["winner"] == FasterStrategy.CHANGES
    assert cell["differs"]
    findings = {one["host"]: one["finding"] for one in cell["on"]}
    assert {host for host, finding in findings.items() if finding == "smaller"} == {"run01", "run03"}
    assert cell["prediction_low"] < cell["pooled_low"] < cell["pooled"] < cell["pooled_high"] < cell["prediction_high"]


def test_kinds_of_hosts_are_pooled_first(actbench: Actbench, hosts: Path) -> None:
    cell = cells(actbench, "--by", "kind", str(hosts))[CACHED]
    assert [(one["host"], one["speedup"]) for one in cell["on"]] == [
        ("kind 1", pytest.approx(4.0)),
        ("kind 2", pytest.approx(0.8)),
    ]


def test_what_the_runs_of_a_kind_differ_in_is_named_with_the_number_of_runs(actbench: Actbench, hosts: Path) -> None:
    edit(hosts / "run04", lambda record: record["environment"].update(python="CPython 3.14.0"))
    edit(hosts / "run00", lambda record: record["environment"]["libraries"].update(numpy="1.2.3", scipy="4.5.6"))
    edit(hosts / "run02", lambda record: record["environment"]["libraries"].update(numpy="1.2.3"))
    edit(hosts / "run02", lambda record: record["environment"]["libraries"].pop("scipy", None))
    edit(hosts / "run04", lambda record: record["environment"]["libraries"].update(numpy="1.2.4", scipy="4.5.6"))
    remarks = remarks_of(actbench, "--by", "kind", str(hosts))
    (kind,) = (line for line in remarks if line.startswith("kind 1: "))
    assert kind.startswith("kind 1: 3 runs, ")
    assert not any(name in kind for name in ("CPython", "numpy", "scipy"))
    (pooled,) = (line for line in remarks if "pools runs" in line)
    assert pooled.startswith("kind 1 pools runs that differ in python (")
    assert "CPython 3.14.0 in 1 run)" in pooled
    assert "numpy (1.2.3 in 2 runs, 1.2.4 in 1 run)" in pooled
    assert "scipy (4.5.6 in 2 runs, absent in 1 run)" in pooled
    assert actbench("compare", "--by", "kind", str(hosts), "--format", "html", "-o", "kinds.html").exit_code == 0
    assert "CPython 3.14.0 in 1 run" in Path("kinds.html").read_text()


def test_hosts_that_describe_themselves_alike_are_named_as_runs_of_perhaps_one(actbench: Actbench, hosts: Path) -> None:
    alike = [line for line in remarks_of(actbench, "--by", "host", str(hosts)) if "may be one machine" in line]
    assert [line.partition(" describe")[0] for line in alike] == ["run00, run02 and run04", "run01 and run03"]
    assert not any("may be one machine" in line for line in remarks_of(actbench, "--by", "kind", str(hosts)))


def test_every_format_has_every_host(actbench: Actbench, hosts: Path) -> None:
    table = actbench("compare", "--by", "host", str(hosts))
    assert "the winner changes in" in table.stdout
    assert "Abacus 3000" in table.stdout
    markdown = actbench("compare", "--by", "host", str(hosts), "--format", "markdown").stdout
    assert f"| {CACHED} | recompute | yes | changes |" in markdown
    assert f"| {CACHED} | run01 | smaller | 0.8" in markdown
    table_of_csv = actbench("compare", "--by", "host", str(hosts), "--format", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(table_of_csv.stdout)) if row["case"] == CACHED]
    assert [row["host"] for row in rows] == [f"run0{number}" for number in range(5)]


def test_one_host_is_shown_alone(actbench: Actbench, hosts: Path) -> None:
    result = actbench("compare", "--by", "host", str(hosts / "run00"))
    assert result.exit_code == 0
    assert "speedups on 1 host" in result.stdout
    assert cells(actbench, "--by", "host", str(hosts / "run00"))[CACHED]["winner"] == "candidate"


def test_a_run_without_intervals_is_told(actbench: Actbench, one_block: Path) -> None:
    result = actbench("compare", "--by", "host", str(one_block))
    assert result.exit_code == 2
    assert "six rounds or more" in result.stderr


def test_a_directory_without_runs_and_a_reference_are_refused(actbench: Actbench, hosts: Path) -> None:
    Path("empty").mkdir()
    assert actbench("compare", "--by", "host", "empty").exit_code == 2
    assert actbench("compare", "--by", "host", str(hosts), "--reference", "cached").exit_code == 2


@pytest.mark.parametrize("name", ["run.json", "speedups.csv", "crossovers.csv"])
def test_a_damaged_host_in_a_directory_is_left_out_with_the_reason(actbench: Actbench, hosts: Path, name: str) -> None:
    hosts.joinpath("run02", name).write_text("damaged")
    result = actbench("compare", "--by", "host", str(hosts))
    assert result.exit_code == 0
    assert f"left out: {hosts / 'run02' / name}" in result.stdout
    assert "run02: " not in result.stdout
    named = actbench("compare", "--by", "host", str(hosts / "run01"), str(hosts / "run02"))
    assert named.exit_code == 2
    assert named.stderr.startswith(f"actbench: {hosts / 'run02' / name}")
