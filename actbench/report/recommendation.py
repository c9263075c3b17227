"""What a layer should keep, in three sentences, a table, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isinf
from typing import Any

from actbench.analysis.deviations import Largest
from actbench.analysis.framework_choices import ComparedFrameworks
from actbench.analysis.interval import Interval
from actbench.analysis.recommendation import Candidate, RaceEnd, Recommendation
from actbench.analysis.standings import Standing
from actbench.model.cases import Case
from actbench.model.checks import WRONG
from actbench.model.training import SHIPPED
from actbench.report import framework_choices
from actbench.report.json_text import json_text
from actbench.report.kept_words import KEPT
from actbench.report.numbers import NO_FIGURE, counted, plus_minus, ratio, significant
from actbench.report.table import Table
from actbench.report.tensors import mib

OBVIOUS = ("shipped", "recompute", "cached")
"""What a user would keep without measuring, which the choice is compared with."""


def sentences(outcome: Recommendation) -> list[str]:
    """Return what to keep, what that gains, and what it costs in accuracy."""
    return [_what(outcome), *_gains(outcome), _accuracy(outcome)]


def table(outcome: Recommendation) -> Table:
    """Return all candidates, the fastest first, and those that are ruled out last."""
    of_step = bool(outcome.candidates[0].case.op.network)
    unit, scale = ("ms", 1e3) if of_step else ("ns/element", 1e9 / outcome.candidates[0].case.size)
    several = len({one.case.backend for one in outcome.candidates}) > 1
    rows = [*outcome.racing, *(one for one in outcome.candidates if one.place is None)]
    return Table(
        "What to keep: all that was compared",
        "Time over that of the fastest, with an interval that holds for all comparisons together; bytes per element "
        "that are kept, and those of them that nothing but g' needs; the largest error of g' at the z that were looked "
        "at, relative to g', without what one rounding of z causes, and in ULP. ? marks a figure of too few rounds for "
        "an interval.",
        (
            *("strategy", *(("backend",) if several else ()), "keeps", unit, "time"),
            *("bytes kept", "for g' alone", "error of g'", "ULP", ""),
        ),
        tuple(
            (
                *(one.case.strategy, *((one.case.backend,) if several else ()), kept(one)),
                *(plus_minus(one.place.seconds.scaled(scale)) if one.place else NO_FIGURE, _time(one)),
                *(str(one.kept), str(one.beside), _size(one.error.relative), _size(one.error.ulp)),
                one.ruled_out or _standing(one, outcome),
            )
            for one in rows
        ),
        labels=3 if several else 2,
    )


def as_json(outcome: Recommendation, remarks: Sequence[str], compared: ComparedFrameworks | None = None) -> str:
    """Return the choice, its ties, what is ruled out, and all arms; of frameworks, what they choose."""
    others = {"others": framework_choices.rows(compared), "absent": compared.absent} if compared else {}
    return json_text(as_object(outcome) | {"remarks": [*remarks]} | others)


def as_object(outcome: Recommendation) -> dict[str, Any]:
    """Return what programs read of one race."""
    timed = bool(outcome.racing)
    return {
        "outcome": outcome.outcome if timed else None,
        "choice": _row(outcome.choice) if timed else None,
        "ties": [_row(one) for one in outcome.alike if one is not outcome.choice],
        "open": [_row(one) for one in outcome.open],
        "ruled_out": [_row(one) | {"reason": one.ruled_out} for one in outcome.ruled_out],
        "arms": [_row(one) for one in outcome.candidates],
        "margin": outcome.margin,
    }


def _what(outcome: Recommendation) -> str:
    choice = outcome.choice
    what = f"{choice.case.activation}, {choice.case.dtype}{_where(choice.case)}"
    named = _named(choice, outcome)
    margin = f"{100 * outcome.margin:g} %"
    alike = [one for one in outcome.alike if one is not choice]
    if outcome.outcome is RaceEnd.OPEN:
        undecided = ", ".join(_named(one, outcome) for one in outcome.open)
        rounds = counted(outcome.leader.place.rounds if outcome.leader.place else 0, "round")
        return f"{what}: not decided by {rounds}: {named} leads, and {undecided} may be faster, or within {margin}."
    if not alike:
        return f"{what}: keep {named}: it is the fastest."
    ties = ", ".join(_named(one, outcome) for one in alike)
    return (
        f"{what}: keep {named}. Time does not decide: {ties} takes as long within {margin}, and keeps no less."
        if len(alike) == 1
        else f"{what}: keep {named}. Time does not decide: {ties} take as long within {margin}, and keep no less."
    )


def _gains(outcome: Recommendation) -> Iterator[str]:
    """Yield a sentence with the time and memory of what users would keep without measuring."""
    choice = outcome.choice
    compared = [
        one
        for one in outcome.racing
        if one is not choice and one.case.strategy.name in OBVIOUS and one.case.backend == choice.case.backend
    ]
    call = "step" if choice.case.op.network else "call"
    parts = [
        f"{one.case.strategy} takes {ratio(time_over_choice(one, choice))} times as long a {call} and keeps "
        f"{_more(one, choice)}"
        for one in compared
    ]
    if parts:
        yield f"Compared with it, {'; '.join(parts)}."


def _more(one: Candidate, choice: Candidate) -> str:
    """Say how much more or less a candidate keeps."""
    more = one.beside - choice.beside
    size = f"{abs(more)} bytes per element {'more' if more > 0 else 'less'}" if more else "as much"
    if one.in_step and choice.in_step:
        totals = (one.in_step.total, choice.in_step.total)
        return f"{size} for g' alone ({mib(totals[0])} MiB a step, not {mib(totals[1])})" if more else size
    return f"{size} for g' alone"


def time_over_choice(one: Candidate, choice: Candidate) -> Interval:
    """Return the time of a candidate over the choice's: of both, that over the leader's is known."""
    assert one.place  # noqa: S101  # both were timed
    assert choice.place  # noqa: S101
    if choice.place.standing is Standing.LEADS:
        return one.place.ratio
    value = one.place.ratio.value / choice.place.ratio.value
    return Interval(value, one.place.ratio.low / choice.place.ratio.high, one.place.ratio.high / choice.place.ratio.low)


def _accuracy(outcome: Recommendation) -> str:
    error = outcome.choice.error
    relative, ulp = error.relative, error.ulp
    lost = (
        "" if isinf(error.wrong_from) else f", and by more than {100 * WRONG:g} % from |z| = {error.wrong_from:.3g} on"
    )
    return (
        f"The g' of {outcome.choice.case.strategy} is off by at most {significant(relative.size, 2)} of g' "
        f"(at z = {relative.z:.4g}), or "
        f"{significant(ulp.size, 2)} ULP{lost}, as {error.points} z show."
    )


def _row(one: Candidate) -> dict[str, Any]:
    place = one.place
    return {
        "case": one.case.id,
        "strategy": one.case.strategy,
        "backend": one.case.backend,
        "keeps": list(one.keeps),
        "bytes_kept": one.kept,
        "bytes_for_gradient": one.beside,
        "step_bytes_kept": one.in_step.total if one.in_step else None,
        "step_bytes_alive": one.in_step.alive if one.in_step else None,
        "seconds": place.seconds._asdict() if place else None,
        "time_over_fastest": place.ratio._asdict() if place else None,
        "rounds": place.rounds if place else 0,
        "standing": place.standing if place else None,
        "max_relative_error": one.error.relative._asdict(),
        "max_ulp": one.error.ulp._asdict(),
    }


def _named(one: Candidate, outcome: Recommendation) -> str:
    several = len({other.case.backend for other in outcome.candidates}) > 1
    return f"{kept(one)} ({one.case.strategy}{f' with {one.case.backend}' if several else ''})"


def kept(one: Candidate) -> str:
    """Return what a candidate keeps, in words."""
    name, storage = one.case.strategy.name, one.case.strategy.storage
    words = KEPT[SHIPPED] if one.case.strategy == SHIPPED else " and ".join(one.keeps) or KEPT.get(name, name)
    return f"{words} as {storage}" if storage else words


def _where(case: Case) -> str:
    if case.op.network:
        return f", in a training step of {case.op} (batch {case.size}, {case.backend})"
    state = "" if case.operands == "warm" else f", {case.operands}"
    return f", {case.op} with {case.backend}, n = {case.shape or case.size}{state}"


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
