"""What a layer should keep, as a table and as JSON; `actbench.report.recommendation_sentences` has it in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

from actbench.analysis.deviations import Largest
from actbench.analysis.framework_choices import ComparedFrameworks
from actbench.analysis.recommendation import Candidate, Recommendation
from actbench.analysis.standings import Standing
from actbench.report import framework_choices, kept_tensors, op_by_op
from actbench.report.json_text import json_text
from actbench.report.numbers import NO_FIGURE, about, joined, plus_minus, ratio, significant
from actbench.report.table import Table

KEPT_COLUMNS = ("kept for g'", "alive anyway")
"""Heads of the two columns of bytes per element, as in tables of training steps."""


def table(outcome: Recommendation) -> Table:
    """Return all candidates, the fastest first, and those that are ruled out last."""
    of_step = bool(outcome.candidates[0].case.op.network)
    unit, scale = ("ms", 1e3) if of_step else ("ns/element", 1e9 / outcome.candidates[0].case.size)
    several = len({one.case.backend for one in outcome.candidates}) > 1
    rows = [*outcome.racing, *(one for one in outcome.candidates if one.place is None)]
    return Table(
        "What to keep: all that was compared",
        _note(outcome),
        (
            *("strategy", *(("backend",) if several else ()), "keeps", unit, "time over fastest"),
            *(*KEPT_COLUMNS, "error of g'", "absolute", "ULP", ""),
        ),
        tuple(
            (
                *(one.case.strategy, *((one.case.backend,) if several else ()), kept_tensors.short(one)),
                *(plus_minus(one.place.seconds.scaled(scale)) if one.place else NO_FIGURE, _time(one)),
                *bytes_kept(one),
                *(_size(one.error.relative), _size(one.error.absolute), _size(one.error.ulp)),
                one.ruled_out or kept_tensors.lost_to(one, with_backend=several) or _standing(one, outcome),
            )
            for one in rows
        ),
        labels=3 if several else 2,
    )


def bytes_kept(one: Candidate) -> tuple[str, str]:
    """Return the cells of `KEPT_COLUMNS`."""
    return str(one.beside), str(one.kept - one.beside)


def as_json(
    outcome: Recommendation,
    remarks: Sequence[str],
    budget_needed: float | None = None,
    compared: ComparedFrameworks | None = None,
) -> str:
    """Return the choice, its ties, what is ruled out, and all arms; of frameworks, what they choose."""
    others = {"others": framework_choices.rows(compared), "absent": compared.absent} if compared else {}
    return json_text(as_object(outcome) | {"budget_needed": budget_needed, "remarks": [*remarks]} | others)


def as_object(outcome: Recommendation) -> dict[str, Any]:
    """Return what programs read of one race."""
    timed = bool(outcome.racing)
    return {
        "outcome": outcome.outcome if timed else None,
        "choice": _row(outcome.choice, outcome) if timed else None,
        "ties": [_row(one, outcome) for one in outcome.alike if one is not outcome.choice],
        "open": [_row(one, outcome) for one in outcome.open],
        "ruled_out": [_row(one, outcome) | {"reason": one.ruled_out} for one in outcome.ruled_out],
        "arms": [_row(one, outcome) for one in outcome.candidates],
        "margin": outcome.margin,
        "alive": list(outcome.alive),
        "rounds": outcome.rounds if timed else 0,
        "rounds_needed": outcome.rounds_needed if timed and outcome.is_open else None,
    }


def _note(outcome: Recommendation) -> str:
    """Explain the columns."""
    cases = [one.case for one in outcome.candidates]
    alive = joined(outcome.alive)
    points = min(one.error.points for one in outcome.candidates)
    where = f"that a search of {about(points)} z or more {outcome.looked_at} met"
    columns = (
        "Time over that of the fastest one, with 95 % intervals that hold for all comparisons together. Bytes "
        "per element from the forward to the backward pass: those that are kept for g' alone, and those that are alive "
        f"anyway ({alive}: --alive). The largest error of g' {where}: relative to g', without "
        "what one rounding of z causes; with that, as a difference and in ULP. ? marks figures of too few rounds for "
        "an interval."
    )
    return " ".join([columns, *_of_lost(outcome), *kept_tensors.meanings(outcome.candidates), *op_by_op.notes(cases)])


def _of_lost(outcome: Recommendation) -> Iterator[str]:
    """Say that what lost was measured in fewer rounds, if anything was."""
    rounds = [one.place.rounds for one in outcome.racing if one.place and one.place.rounds < outcome.rounds]
    if rounds:
        yield (
            f"What was shown to be slower dropped out: its figures are of the {_numbers(rounds)} rounds until then, "
            f"those of the fastest one are of {outcome.rounds}, and its time over that of the fastest one is by way of "
            "the one that it was slower than."
        )


def _numbers(rounds: Sequence[int]) -> str:
    return " to ".join(str(number) for number in dict.fromkeys((min(rounds), max(rounds))))


def _row(one: Candidate, outcome: Recommendation) -> dict[str, Any]:
    place = one.place
    return {
        "case": one.case.id,
        "strategy": one.case.strategy,
        "backend": one.case.backend,
        "keeps": list(one.keeps),
        "keeps_bytes": list(one.sizes),
        "bytes_kept": one.kept,
        "bytes_for_gradient": one.beside,
        "step_bytes_kept": one.in_step.total if one.in_step else None,
        "step_bytes_alive": one.in_step.alive if one.in_step else None,
        "seconds": place.seconds._asdict() if place else None,
        "time_over_fastest": place.ratio._asdict() if place else None,
        "time_of_rounds": [place.paired.fastest, place.paired.slowest] if place and place.paired else None,
        "rounds": place.rounds if place else 0,
        "standing": _standing(one, outcome) if place else None,
        "max_relative_error": one.error.relative._asdict() | {"slope": one.error.slope},
        "max_absolute_error": one.error.absolute._asdict(),
        "max_ulp": one.error.ulp._asdict(),
        "constant_gradient": one.error.constant,
        "wrong_from": one.error.wrong_from if one.error.wrong_from < inf else None,
    }


def _time(one: Candidate) -> str:
    if one.place is None:
        return NO_FIGURE
    return "1" if one.place.standing is Standing.LEADS else ratio(one.place.ratio)


def _standing(one: Candidate, outcome: Recommendation) -> str:
    if one.place is None:
        return "not measured"
    return "fastest so far" if one.place.standing is Standing.LEADS and outcome.open else one.place.standing


def _size(largest: Largest) -> str:
    return significant(largest.size, 2)
