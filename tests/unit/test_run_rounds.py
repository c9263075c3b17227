"""When a run stops, and what it says of too few rounds."""

from __future__ import annotations

import random
from math import inf
from pathlib import Path
from typing import Any

import pytest

from actbench.api import running
from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, TWO_BLOCKS, record, rows


def noisy(spread: float) -> Any:
    """Return times that scatter by so much, the same every time."""
    generator = random.Random(7)  # noqa: S311
    return lambda case: exact_seconds(case) * (1 + spread * generator.uniform(-1, 1))


def test_exact_times_reach_the_target_with_six_rounds(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here")
    assert {row["rounds"] for row in rows(Path("here/speedups.csv"))} == {"6"}


def test_scattering_times_take_more_rounds_until_the_target_is_reached(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        scatter = random.Random(f"{bench.workers_started}/{case.id}").uniform(-0.1, 0.1)  # noqa: S311
        return exact_seconds(case) * (1 + scatter)

    bench.seconds = seconds
    actbench("run", *SMALL, "-o", "here", "--target", "3")
    (row,) = rows(Path("here/speedups.csv"))
    assert int(row["rounds"]) > 6
    ratio, low, high = (float(row[name]) for name in ("ratio", "low", "high"))
    assert max(high - ratio, ratio - low) / ratio <= 0.03


@pytest.mark.parametrize("number", [1, 2, 5, 6, 9])
def test_so_many_rounds_are_exactly_so_many(actbench: Actbench, number: int) -> None:
    actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", str(number))
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {str(number)}


@pytest.mark.parametrize(("every", "there"), [(0.0, True), (inf, False)])
def test_tables_are_written_between_rounds_unless_these_are_short(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch, every: float, *, there: bool
) -> None:
    monkeypatch.setattr(running, "TABLES_EVERY", every)
    written: list[bool] = []
    bench.on_time = lambda _: written.append(Path("here/summary.md").exists())
    actbench("run", *SMALL, "-o", "here", "--rounds", "2")
    assert (written[0], written[-1]) == (False, there)
    assert Path("here/summary.md").exists()


def test_fewer_than_six_rounds_give_no_interval_and_nothing_is_called_faster(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "-o", "here", "--rounds", "5")
    (row,) = rows(Path("here/speedups.csv"))
    assert (row["low"], row["high"]) == ("", "")
    assert "4.00 ?" in result.stdout
    assert "No answer yet (logistic, derivative): an interval takes 6 rounds" in result.stdout
    assert "? marks a figure without an interval, which takes 6 rounds." in result.stdout


def test_an_interval_that_holds_1_is_marked_and_not_called_faster(actbench: Actbench, bench: FakeBench) -> None:
    scatter = noisy(0.2)
    bench.seconds = lambda case: 1e-6 * scatter(case) / exact_seconds(case)
    result = actbench("run", *SMALL, "-o", "here", "--rounds", "8")
    (row,) = rows(Path("here/speedups.csv"))
    assert float(row["low"]) < 1 < float(row["high"])
    assert "in 0 of 1 comparison, undecided in 1." in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.endswith("≈")]
    assert line.startswith("numpy     float64")


def test_a_slower_cache_is_called_slower(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = lambda case: exact_seconds(case) * (8 if case.strategy == "cached" else 1)
    result = actbench("run", *SMALL, "-o", "here")
    assert "in 0 of 1 comparison, slower in 1." in result.stdout
    assert "0.500 ± 0.000" in result.stdout


def test_a_budget_is_kept(actbench: Actbench, bench: FakeBench) -> None:
    scatter = noisy(0.5)
    bench.seconds = scatter
    actbench("run", *SMALL, "-o", "here", "--target", "0.01", "--budget", "1s")
    assert bench.clock.now <= 1.0
    assert int(rows(Path("here/speedups.csv"))[0]["rounds"]) > 1
    assert record(Path("here"))["seconds"] == pytest.approx(bench.clock.now)


def test_a_budget_too_small_for_a_round_measures_one_and_is_reported_beforehand(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "-o", "before", "--budget", "1s")
    assert result.stderr.startswith("--budget 1 s may be too short: an interval takes 6 rounds, ")
    actbench("run", *SMALL, "-o", "here", "--budget", "1ms")
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {"1"}


def test_the_same_seed_gives_the_same_order_of_blocks(actbench: Actbench, bench: FakeBench) -> None:
    orders: list[list[str]] = []
    for name in ("one", "two"):
        order: list[str] = []
        bench.on_time = lambda block, order=order: order.append(block.id)  # type: ignore[misc]
        actbench("run", *TWO_BLOCKS, "-o", name, "--rounds", "2")
        orders.append(order)
    assert orders[0] == orders[1]


def test_what_has_no_answer_yet_is_named_once_with_the_command_that_goes_on(actbench: Actbench) -> None:
    selection = ("-a", "logistic,tanh", "-b", "numpy", "-s", "recompute,cached", "-n", "1000", "-d", "float64")
    shown = " ".join(actbench("run", *selection, "-o", "a run", "--rounds", "2").stdout.split())
    of = "logistic, derivative; tanh, derivative"
    assert shown.count("No answer yet") == 1
    assert f"No answer yet ({of}): an interval takes 6 rounds, and there are fewer: 'actbench run --resume" in shown
    assert "--resume 'a run' --rounds 6' measures the others." in shown
