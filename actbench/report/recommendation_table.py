"""What layers should keep, for many activations at once: tables, Markdown, CSV, JSON and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import nan

from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.recommendation import Candidate, RaceEnd, Recommendation
from actbench.host.environment import Environment
from actbench.model.cases import Case
from actbench.model.training import RECOMPUTE
from actbench.report import host
from actbench.report.json_text import json_text
from actbench.report.kept_tensors import short
from actbench.report.numbers import NO_FIGURE, UNDECIDED, counted, ratio, significant
from actbench.report.page.rendering import Packer
from actbench.report.page.sections import Download, PageSection
from actbench.report.recommendation import KEPT_COLUMNS, as_object, bytes_kept
from actbench.report.recommendation_sentences import time_over_choice
from actbench.report.states import IN_WORDS
from actbench.report.table import Summary, Table, each_note_once, markdown, remarks_in_markdown
from actbench.runs.csv_text import csv_text

TITLE = "what a layer should keep"

CSV, JSON, MARKDOWN = "recommendations.csv", "recommendations.json", "summary.md"

FILES = {MARKDOWN: "markdown", CSV: "csv", JSON: "json"}
"""The files of a table, with the format of each."""

OPEN, RULED_OUT, UNMEASURED = "open", "ruled out", "not measured"

COLUMNS = (
    *("activation", "backend", "op", "dtype", "size", "operands"),
    *("outcome", "choice", "keeps", "bytes_kept", "bytes_for_gradient", "ties", "open", "ruled_out"),
    *("recompute_over_choice", "low", "high", "rounds", "max_relative_error", "max_ulp"),
)


def summary(outcomes: Sequence[Recommendation], remarks: Sequence[str]) -> Summary:
    """Return what the races show, and a table for each backend and op."""
    return Summary(tuple(_answers(outcomes)), tuple(each_note_once(_tables(outcomes))), tuple(remarks))


def as_markdown(outcomes: Sequence[Recommendation], remarks: Sequence[str], environment: Environment) -> str:
    """Return the same in Markdown, with the host."""
    parts = summary(outcomes, remarks)
    blocks = [f"# actbench: {TITLE}", *parts.answers, *(markdown(table).rstrip() for table in parts.tables)]
    return "\n\n".join([*blocks, remarks_in_markdown(remarks).rstrip(), host.line(environment)]) + "\n"


def as_csv(outcomes: Sequence[Recommendation]) -> str:
    """Return a row for each race; NaN is an empty cell."""
    return csv_text(COLUMNS, map(_row, outcomes))


def as_json(outcomes: Sequence[Recommendation], remarks: Sequence[str], environment: Environment) -> str:
    """Return an object for each race, and the host."""
    races = [{name: getattr(_case(one), name) for name in COLUMNS[:6]} | as_object(one) for one in outcomes]
    return json_text({"races": races, "remarks": [*remarks], "environment": environment}) + "\n"


def page(outcomes: Sequence[Recommendation], remarks: Sequence[str], environment: Environment) -> str:
    """Return a page that contains everything, downloads nothing and opens from disk."""
    parts = summary(outcomes, remarks)
    files = {CSV: as_csv(outcomes)}
    sections = [
        PageSection("answer", "The answer", answers=parts.answers),
        PageSection("choices", "What to keep", tables=parts.tables),
        PageSection("races", "All races", tables=(_races(outcomes),)),
        PageSection("method", "How it was measured", sentences=(METHOD, *remarks)),
        PageSection("environment", "Environment", facts=tuple(host.of(environment).items())),
        PageSection("files", "Files", files=[Download(name, len(text.encode())) for name, text in files.items()]),
    ]
    with Packer(files) as packer:
        return packer.rendered(TITLE, sections, None, host.line(environment))


METHOD = (
    "In every round a fresh process, pinned to one processor, timed the strategies of each race in short alternating "
    "slices. Strategies that had lost dropped out, and a race ended when only ties were left, or the budget was spent. "
    "The intervals of a race hold for all its comparisons together, whenever measuring ends: in at most one race of "
    "twenty is the fastest strategy taken for a slower one, or a slower one for a tie."
)


def _answers(outcomes: Sequence[Recommendation]) -> Iterator[str]:
    """Yield a sentence for each backend: how races ended, and what is recommended."""
    for backend in dict.fromkeys(_case(one).backend for one in outcomes):
        races = [one for one in outcomes if _case(one).backend == backend]
        ends = Counter(_end(one) for one in races)
        recommended = Counter(str(one.choice.case.strategy) for one in races if one.racing and not one.is_open)
        yield (
            f"{backend}, {counted(len(races), 'race')}: "
            f"{', '.join(f'{number} with {WORDS[end]}' for end, number in ends.most_common())}. "
            f"Recommended are {', '.join(f'{strategy} ({number})' for strategy, number in recommended.most_common())}."
            if recommended
            else f"{backend}, {counted(len(races), 'race')}: nothing is decided."
        )


WORDS = {
    RaceEnd.WINNER: "one fastest strategy",
    RaceEnd.TIES: "ties",
    OPEN: "nothing decided",
    RULED_OUT: "every strategy ruled out",
    UNMEASURED: "nothing measured",
}


def _tables(outcomes: Sequence[Recommendation]) -> Iterator[Table]:
    """Yield a table for each backend and op: activations by dtypes and states of operands."""
    columns = list(dict.fromkeys((_case(one).dtype, _case(one).operands) for one in outcomes))
    cells = {_key(_case(one)): _cell(one) for one in outcomes}
    for backend, op in dict.fromkeys((_case(one).backend, _case(one).op) for one in outcomes):
        activations = dict.fromkeys(
            _case(one).activation for one in outcomes if (_case(one).backend, _case(one).op) == (backend, op)
        )
        yield Table(
            f"What to keep: {backend}, {op}",
            f"The strategy that is recommended, with those that take as long ({UNDECIDED}); of these the one is "
            "recommended that keeps least beside what is alive anyway. After a colon, the time of recompute over that "
            f"of the choice. ? marks a race that the budget left open; n = {_case(outcomes[0]).size}.",
            ("activation", *(f"{dtype}, {IN_WORDS[state]}" for dtype, state in columns)),
            tuple(
                (name, *(cells.get((name, backend, op, *column), NO_FIGURE) for column in columns))
                for name in activations
            ),
            labels=1 + len(columns),
        )


def _races(outcomes: Sequence[Recommendation]) -> Table:
    """Return the table of all races, with figures."""
    return Table(
        "All races",
        "Bytes per element from the forward to the backward pass: those that are kept for g' alone, and those that are "
        "alive anyway. The largest error of g' that a search met, relative to g', without what one rounding of z "
        "causes, and in ULP.",
        (
            *("activation", "backend", "op", "dtype", "operands", "outcome", "keep", "ties", "open"),
            *(*KEPT_COLUMNS, "recompute over it", "error of g'", "ULP"),
        ),
        tuple(
            (*(str(getattr(_case(one), name)) for name in ("activation", "backend", "op", "dtype", "operands")), *cells)
            for one in outcomes
            for cells in [(str(_end(one)), *_named(one), *_figures(one))]
        ),
        labels=9,
    )


def _named(one: Recommendation) -> tuple[str, str, str]:
    choice = f"{one.choice.case.strategy} ({short(one.choice)})" if one.racing else NO_FIGURE
    return choice, _strategies(_ties(one)), _strategies(one.open)


def _figures(one: Recommendation) -> tuple[str, ...]:
    if not one.racing:
        return (NO_FIGURE,) * 5
    choice, over = one.choice, _recompute(one)
    errors = (significant(choice.error.relative.size, 2), significant(choice.error.ulp.size, 2))
    return *bytes_kept(choice), ratio(over) if over else NO_FIGURE, *errors


def _row(one: Recommendation) -> tuple[object, ...]:
    """Return a row of the CSV."""
    case = _case(one)
    ids = (case.activation, case.backend, str(case.op), str(case.dtype), case.size, str(case.operands))
    ruled_out = _strategies(one.ruled_out)
    if not one.racing:
        return *ids, _end(one), *[""] * 6, ruled_out, *[nan] * 6
    choice = one.choice
    names = (str(choice.case.strategy), " ".join(choice.keeps), choice.kept, choice.beside)
    errors = (choice.error.relative.size, choice.error.ulp.size)
    rounds = choice.place.rounds if choice.place else 0
    others = (_strategies(_ties(one)), _strategies(one.open), ruled_out)
    return *ids, str(_end(one)), *names, *others, *(_recompute(one) or NO_ESTIMATE), rounds, *errors


def _cell(one: Recommendation) -> str:
    """Return what is recommended in a race, in a few words."""
    end = _end(one)
    if end in {RULED_OUT, UNMEASURED}:
        return str(end)
    over, alike = _recompute(one), [str(tie.case.strategy) for tie in (one.choice, *_ties(one))]
    figure = f": {ratio(over)}" if over and RECOMPUTE not in alike else ""
    return f"{f' {UNDECIDED} '.join(alike)}{' ?' if one.is_open else ''}{figure}"


def _end(one: Recommendation) -> str:
    """Return how a race ended."""
    if one.racing:
        return OPEN if one.is_open else one.outcome
    return UNMEASURED if one.is_open else RULED_OUT


def _recompute(one: Recommendation) -> Interval | None:
    """Return the time of `recompute` over that of the choice; None where it was not measured."""
    known = next((other for other in one.racing if other.case.strategy == RECOMPUTE), None)
    return time_over_choice(known, one.choice) if known else None


def _ties(one: Recommendation) -> list[Candidate]:
    return [tie for tie in one.alike if tie is not one.choice]


def _strategies(candidates: Sequence[Candidate]) -> str:
    return " ".join(str(one.case.strategy) for one in candidates)


def _case(one: Recommendation) -> Case:
    return one.candidates[0].case


def _key(case: Case) -> tuple[str, ...]:
    return case.activation, case.backend, case.op, case.dtype, case.operands
