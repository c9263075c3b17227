from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from actbench.measure.disturbance import DISTURBED, REPEATS, slowness
from actbench.model import Case
from tests.fake import FakeBench, exact_seconds
from tests.selections import SMALL, rows

Actbench = Callable[..., Result]

BEFORE = np.array([[[1.0, 3.0], [2.0, 6.0]], [[2.0, 2.0], [4.0, 4.0]], [[9.0, 9.0], [18.0, 18.0]]])
"""Three rounds of two arms; the last round was disturbed."""


def test_a_block_is_as_slow_as_its_arms_are_beside_undisturbed_rounds() -> None:
    assert slowness(((2.0, 2.0), (4.0, 4.0)), BEFORE) == 1.0
    assert slowness(((3.0, 3.0), (6.0, 6.0)), BEFORE) == 1.5


def test_one_slow_arm_is_no_slow_block() -> None:
    seconds = ((2.0,), (4.0,), (1.0,))
    before = np.array([[[2.0], [4.0], [1.0]]] * 3)
    assert slowness(((8.0,), *seconds[1:]), before) == 1.0


def test_the_first_round_is_never_slow_and_missing_values_do_not_count() -> None:
    assert slowness(((2.0,), (4.0,)), np.empty((0, 0, 0))) == 1.0
    assert slowness(((2.0,), (4.0,)), np.array([[[2.0, np.nan], [4.0, 4.0]]])) == 1.0


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
    assert "A block was measured again 1 times" in " ".join(result.stdout.split())
    assert repeats(Path("here")) == 1
    assert bench.workers_started == 2 + 6 + 1
    seconds = {row["seconds"] for row in rows(Path("here/values.csv")) if row["strategy"] == "cached"}
    assert seconds == {"1e-06"}, "the least slow attempt counts"


def test_a_lasting_slowdown_costs_so_many_repeats_and_is_kept_then(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = Episode(bench, range(5, 100), 1.5)
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "3").exit_code == 0
    assert repeats(Path("here")) == REPEATS
    last = [row for row in rows(Path("here/values.csv")) if row["round"] == "3" and row["strategy"] == "cached"]
    assert {float(row["seconds"]) for row in last} == {1.5e-06}


@pytest.mark.parametrize("factor", [0.5, 1.0, 0.99 * DISTURBED])
def test_what_is_within_the_usual_is_not_measured_again(actbench: Actbench, bench: FakeBench, factor: float) -> None:
    bench.seconds = Episode(bench, range(5, 100), factor)
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "4").exit_code == 0
    assert repeats(Path("here")) == 0
