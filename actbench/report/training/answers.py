"""The answer in words: what keeping a residual instead of recomputing from z is worth in a training step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actbench.analysis.training import ArmResult
from actbench.model.training import FREE, SHIPPED
from actbench.model.variants import Variant
from actbench.report.answers import MOST_ANSWERS, grouped, too_few_rounds
from actbench.report.numbers import counted
from actbench.report.training.merged import merged, totals
from actbench.report.training.sentences import StepAnswer, sentences
from actbench.report.training.words import KEEPING

NOTHING_COMPARED = "No answer: it takes two arms on the same backend, such as -s recompute,cached."


def answers(results: Sequence[ArmResult], more: str) -> Iterator[str]:
    """Answer for every step and backend; where these are many, a total comes first and alike answers are merged.

    `more` is the command that measures enough rounds.
    """
    every = [*_answers(results)]
    known = [answer for answer in every if answer.arm.gain and answer.arm.gain.has_bounds]
    choices = [answer for answer in known if answer.arm is not answer.free]
    if len(choices) <= MOST_ANSWERS:
        yield from (sentences([answer]) for answer in choices)
    else:
        yield from totals(choices)
        yield from merged(choices)
    yield from (sentences([answer]) for answer in known if answer.arm is answer.free)
    if results and not every:
        yield NOTHING_COMPARED
    elif every and not known:
        yield f"No answer yet: {too_few_rounds(more)}"
    elif len(known) < len(every):
        yield f"{counted(len(every) - len(known), 'training step')} without an answer yet: {too_few_rounds(more)}"


def _answers(results: Sequence[ArmResult]) -> Iterator[StepAnswer]:
    """Yield the arms in question: those that keep something else, or else all but the reference; the limit if alone."""
    for rows in grouped(results, lambda row: (row.case.empty_block, row.case.backend)).values():
        arms = {row.case.strategy: row for row in rows}
        reference, free, shipped = arms[rows[0].reference], arms.get(FREE), arms.get(SHIPPED)
        others = [row for row in rows if row is not reference and row is not free]
        kept = [name for name in KEEPING if name in arms and arms[Variant(name)] is not reference]
        names = kept[:1] if "cached" in kept else kept
        limit = [] if free is None or free is reference else [free]
        for row in [arms[Variant(name)] for name in names] or others or limit:
            yield StepAnswer(row, reference, free, None if row is shipped or reference is shipped else shipped)
