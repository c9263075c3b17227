from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

import pytest

from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.checked import CACHED, CASES, OTHER, slower
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import PAIR


def scattered(spread: float, of: Callable[[Case], float] = exact_seconds) -> Callable[[Case], float]:
    """Return times that scatter, evenly, by so much either way."""
    generator = random.Random(1)  # noqa: S311
    return lambda case: of(case) * (1 + spread * generator.uniform(-1, 1))


def test_two_environments_of_one_speed_end_with_0_after_the_fewest_rounds(actbench: Actbench) -> None:
    result = actbench(*CASES)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["case", "verdict", "change", "control", "rounds"] in lines
    assert f"{CACHED} unchanged +0.00 % ± 0.00 % +0.00 % ± 0.00 % 8, 8".split() in lines
    assert "\npassed (exit code 0): 4 cases, margin 5 %: 4 unchanged\n" in result.stdout
    assert "the same versions on both sides: python" in result.stdout


def test_a_regression_is_measured_again_and_ends_with_1(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    result = actbench(*CASES)
    assert result.exit_code == 1
    assert f"{CACHED} regressed +10.00 % ± 0.00 % +0.00 % ± 0.00 %" in " ".join(result.stdout.split())
    assert "4 cases, margin 5 %: 1 regressed, 3 unchanged" in result.stdout
    assert f"{CACHED} was measured again: +10.00 % ± 0.00 %, regressed again" in result.stdout
    assert "measuring again 1 case that may have regressed" in result.stderr


def test_a_regression_is_confirmed_even_where_that_takes_longer_than_the_budget(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = slower(1.1)
    result = actbench(*OTHER, *PAIR, "-n", "1000", "--budget", "2s", "--format", "json")
    assert result.exit_code == 1
    (cached,) = (case for case in json.loads(result.stdout)["cases"] if case["case"] == CACHED)
    assert (cached["verdict"], cached["rounds"]) == ("regressed", 8)
    assert cached["confirmation"]["low"] == pytest.approx(1.1)
    assert bench.clock.now > 2
    assert bench.clock.now < 2 * 2 + 0.2, "as long again at most"
    assert result.stderr.startswith(
        "budget 2 s; suspected regressions are measured again on top of it, for 2 s more at most, or as long as the "
        "first rounds where these take longer\n"
    )
    assert re.search(rf"regressed: {CACHED}; up to 16 rounds, about \d+ s, on top of the budget\n", result.stderr)
    help_text = " ".join(actbench("check", "--help").stdout.split())
    assert "for as long again at most, or as long as the first rounds where these take longer" in help_text


def test_what_does_not_show_again_has_not_regressed(actbench: Actbench, bench: FakeBench) -> None:
    first = bench.workers_started

    def seconds(case: Case) -> float:
        confirming = bench.workers_started - first > 3 + 2 + 1 + 3 * 9
        return (exact_seconds if confirming else slower(1.2))(case)

    bench.seconds = seconds
    result = actbench(*CASES)
    assert result.exit_code == 3
    assert "1 inconclusive, 3 unchanged" in result.stdout
    assert "which does not confirm that it regressed" in result.stdout


def test_an_improvement_is_fine(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(0.8)
    result = actbench(*CASES)
    assert (result.exit_code, "1 improved, 3 unchanged" in result.stdout) == (0, True)


def test_a_slowdown_inside_the_margin_is_none(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.04)
    assert actbench(*CASES).exit_code == 0
    assert actbench(*CASES, "--margin", "3").exit_code == 1


def test_cases_can_have_margins_of_their_own(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    result = actbench(*CASES, "--margins", "*/cached/*=15%")
    assert result.exit_code == 0
    assert "4 cases, margin 5 % (2 with another margin): 4 unchanged" in result.stdout


def test_a_slowdown_at_the_margin_stays_open_until_the_budget_is_spent(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = scattered(0.02, slower(1.05))
    result = actbench(*CASES, "--budget", "40s", "--format", "json")
    assert result.exit_code == 3
    by_case = {case["case"]: case for case in json.loads(result.stdout)["cases"]}
    assert by_case[CACHED]["verdict"] == "inconclusive"
    assert by_case[CACHED]["rounds"] > 3 * by_case[CACHED.replace("1000", "2000")]["rounds"], "what is decided rests"
    assert 35 < bench.clock.now < 40


@pytest.mark.parametrize("budget", ["1ms", "600ms"])
def test_a_budget_that_does_not_reach_a_verdict_ends_the_check_after_the_first_round(
    actbench: Actbench, bench: FakeBench, budget: str
) -> None:
    result = actbench(*CASES, "--budget", budget)
    assert result.exit_code == 3
    assert "4 inconclusive" in result.stdout
    assert "4 cases without an interval (?): it takes 8 rounds" in result.stdout
    (enough,) = re.findall(r"stopped after 1 round: a verdict takes 8 rounds: --budget (\d+s), or", result.stdout)
    spent = bench.clock.now
    assert actbench(*CASES, "--budget", enough).exit_code == 0
    assert spent < 1


def test_what_is_open_says_how_many_rounds_and_seconds_would_decide_it(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = bench.baseline_seconds = scattered(0.1)
    arguments = (*CASES, "--margin", "2")
    result = actbench(*arguments, "--budget", "4s", "--format", "json")
    assert result.exit_code == 3
    report = json.loads(result.stdout)
    needs = [case["need"] for case in report["cases"] if case["verdict"] == "inconclusive"]
    assert needs
    assert all(need["rounds"] > report["cases"][0]["rounds"] and need["seconds"] > 0 for need in needs)
    (remark,) = (line for line in report["remarks"] if "95 % probability" in line)
    enough = re.search(r"--budget (\d+)s", remark)
    assert enough
    assert int(enough[1]) > 4
    assert actbench(*arguments, "--budget", f"{2 * int(enough[1])}s").exit_code == 0


def test_a_change_near_the_margin_is_reported_as_that(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = scattered(0.02, slower(1.05))
    result = actbench(*CASES, "--budget", "30s", "--format", "github")
    assert f"{CACHED}: +5" in result.stdout
    assert "; its change is near the margin\n" in result.stdout


def test_a_host_whose_baseline_differs_from_itself_is_too_noisy(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = bench.control_seconds = slower(1.1)
    result = actbench(*CASES)
    assert result.exit_code == 3
    assert "the host is too noisy for a verdict: the baseline differed from itself beyond the margin in 1 case" in (
        result.stdout
    )
    assert "regressed" not in result.stdout


def test_a_drift_of_the_host_is_no_regression(actbench: Actbench, bench: FakeBench) -> None:
    def drifting(case: Case) -> float:
        return exact_seconds(case) * (1 + bench.clock.now)

    bench.seconds = bench.baseline_seconds = bench.control_seconds = drifting
    result = actbench(*CASES)
    assert result.exit_code == 0
    assert "4 unchanged" in result.stdout
