"""What a recommendation says of a strategy that lost to one which does not lead now."""

from __future__ import annotations

import re

import numpy as np
import pytest

from actbench.analysis.deviations import NO_ERROR
from actbench.analysis.interval import Interval
from actbench.analysis.point_error import PointError
from actbench.analysis.races import BlockEvidence, RaceId
from actbench.analysis.recommendation import Candidate, Recommendation
from actbench.analysis.standings import Place, Standing
from actbench.analysis.statistics import Floats
from actbench.engine.races.racing import Racing
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.plan import LostRace
from actbench.model.variants import Variant
from actbench.report import recommendation
from actbench.report.recommendation_sentences import sentences

ARMS = FIRST, SECOND, LOST = tuple(Arm(Variant(name), "numpy") for name in ("cached", "complement", "recompute"))

RACE = Block("logistic", Op.BACKWARD, Dtype.FLOAT32, 1000, ARMS)

EXACT = PointError(NO_ERROR, NO_ERROR, NO_ERROR, 0.0, float("inf"), 0.0, 1000)


def places(rounds: Floats, ratio: tuple[float, float, float]) -> dict[Arm, Place]:
    """Return the places after rounds of the first two, where the third had lost to the first by this ratio."""
    ids = dict(zip(ARMS, (case.id for case in RACE.cases), strict=True))
    seconds = (1e-6 * ratio[0], 1e-6 * ratio[1], 1e-6 * ratio[2])
    known = {RACE.id: BlockEvidence((FIRST, SECOND), rounds, {LOST: LostRace(ids[FIRST], ratio, seconds, 12)})}
    race = Racing.of([RACE], known, 0.02, 1.0, apart=False)
    race.judge_evidence([RACE])
    return race.places[RaceId(RACE.id, "")]


def recommended(known: dict[Arm, Place]) -> Recommendation:
    return Recommendation(
        tuple(
            Candidate(case, ("z",), (4,), 4, EXACT, place=known[arm])
            for case, arm in zip(RACE.cases, ARMS, strict=True)
        ),
        margin=0.02,
    )


def in_turns(first: tuple[float, ...]) -> Floats:
    """Return 40 rounds of two arms, of which the second always takes 1 us."""
    return 1e-6 * np.array([[[first[number % len(first)]], [1.0]] for number in range(40)])


def test_the_time_of_an_arm_that_lost_is_over_the_one_that_leads_now() -> None:
    known = places(in_turns((1.2,)), (1.5, 1.4, 1.6))
    assert known[SECOND].standing is Standing.LEADS
    assert known[LOST].ratio == pytest.approx(Interval(1.8, 1.68, 1.92))


def test_what_may_be_as_fast_as_the_leader_is_called_slower_than_what_it_lost_to() -> None:
    known = places(in_turns((0.9, 1.01, 1.2)), (1.04, 1.02, 1.06))
    assert known[SECOND].standing is Standing.LEADS
    outcome = recommended(known)
    table = recommendation.table(outcome)
    of_lost = next(row for row in table.rows if row[0] == "recompute")
    assert of_lost[3].endswith("≈")
    assert of_lost[-1] == "slower than cached"
    assert "its figures are of the 12 rounds until then, those of the fastest one are of 40, " in table.note
    words = " ".join(sentences(outcome))
    assert re.search(r"\(recompute\) takes \S+ [^;]+ ≈ times as long a call \(it is slower than cached\)", words), words


def test_what_is_slower_than_the_leader_is_called_slower_alone() -> None:
    outcome = recommended(places(in_turns((1.2,)), (1.5, 1.4, 1.6)))
    of_lost = next(row for row in recommendation.table(outcome).rows if row[0] == "recompute")
    assert of_lost[-1] == "slower"
    assert not any("slower than" in one for one in sentences(outcome))
