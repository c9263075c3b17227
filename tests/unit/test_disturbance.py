from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from actbench.engine.disturbance import DISTURBED, calmer, slowness
from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import PAIR, SMALL, rows


def rounds(*factors: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return rounds of two arms and two values, each so many times slower."""
    return np.array([np.array([[1.0, 3.0], [4.0, 4.0]]) * factor for factor in factors])


def test_a_round_is_as_slow_as_its_arms_are_beside_undisturbed_rounds() -> None:
    assert slowness(rounds(1, 1, 1, 1.5, 1)).tolist() == [1, 1, 1, 1.5, 1]


def test_the_first_round_can_be_the_slow_one() -> None:
    assert slowness(rounds(1.5, 1)).tolist() == pytest.approx([1.5 / 1.125, 1 / 1.125])
    assert slowness(rounds(1.5, 1))[0] > DISTURBED


def test_one_slow_arm_is_no_slow_block() -> None:
    seconds = np.ones((4, 3, 1))
    seconds[3, 0] = 8.0
    assert slowness(seconds).tolist() == [1, 1, 1, 1]


def test_a_single_round_is_never_slow_and_missing_values_do_not_count() -> None:
    assert slowness(np.array([[[2.0, np.nan], [4.0, 4.0]]])).tolist() == [1.0]


def test_an_attempt_is_calmer_when_most_arms_were_faster() -> None:
    before = np.array([[2.0, np.nan], [4.0, 4.0], [1.0, 1.0]])
    assert calmer(((1.0,), (3.0,), (5.0,)), before)
    assert not calmer(((3.0,), (5.0,), (0.1,)), before)


class Episode:
    """A neighbour that makes everything slower, for so many calls of the worker from a given round on."""

    def __init__(self, bench: FakeBench, workers: range, factor: float) -> None:
        self._bench, self._workers, self._factor = bench, workers, factor

    def __call__(self, case: Case) -> float:
        """Return the seconds of a call."""
        slow = self._bench.workers_started in self._workers
        return exact_seconds(case) * (self._factor if slow else 1.0)


def repeats(directory: Path) -> int:
    return int(json.loads((directory / "run.json").read_text())["repeats"])


def test_a_disturbed_block_is_measured_again_in_a_fresh_process(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = Episode(bench, range(5, 6), 1.5)  # the third round: checks and calibration take a worker each
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 0
    assert "Measured again: 1 block, in which everything was much slower" in " ".join(result.stdout.split())
    assert repeats(Path("here")) == 1
    assert bench.workers_started == 2 + 6 + 1
    seconds = {row["seconds"] for row in rows(Path("here/values.csv")) if row["strategy"] == "cached"}
    assert seconds == {"1e-06"}, "the least slow attempt counts"


def test_the_first_round_is_measured_again_as_well(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = Episode(bench, range(3, 4), 1.5)
    assert actbench("run", *SMALL, "-o", "here").exit_code == 0
    assert repeats(Path("here")) == 1
    assert {row["seconds"] for row in rows(Path("here/values.csv")) if row["strategy"] == "cached"} == {"1e-06"}


def test_a_disturbance_that_stays_costs_so_many_repeats_and_is_kept_then(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = Episode(bench, range(7, 100), 1.5)
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "5").exit_code == 0
    assert repeats(Path("here")) == 1, "the last round is measured again as often as there are rounds after it"
    last = [row for row in rows(Path("here/values.csv")) if row["round"] == "5" and row["strategy"] == "cached"]
    assert {float(row["seconds"]) for row in last} == {1.5e-06}


def test_out_of_cache_nothing_is_measured_again(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = Episode(bench, range(5, 6), 1.5)
    assert actbench("run", *PAIR, "-n", "200k", "-o", "here").exit_code == 0
    assert repeats(Path("here")) == 0


@pytest.mark.parametrize("factor", [1.0, 0.99 * DISTURBED])
def test_what_is_within_the_usual_is_not_measured_again(actbench: Actbench, bench: FakeBench, factor: float) -> None:
    bench.seconds = Episode(bench, range(5, 100), factor)
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "4").exit_code == 0
    assert repeats(Path("here")) == 0
