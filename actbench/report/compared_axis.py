"""Comparisons within a run, in the formats of ``actbench compare``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actbench.analysis.statistics import MIN_ROUNDS
from actbench.analysis.within_run import DIFFERENT_SHARDS, Axis, ComparedWithin, Comparison
from actbench.model.names import Op
from actbench.report import states
from actbench.report.json_text import json_text
from actbench.report.numbers import AS_BOUNDS, NO_INTERVAL, UNDECIDED, counted, ratio, significant
from actbench.report.table import Table, markdown
from actbench.report.training import words

SLOWER = " Below 1 it is slower: at 0.25 a call takes four times as long."

ACROSS_BLOCKS = (
    " The two are in different blocks of a round, not side by side: what the host drifts between them adds noise."
)
"""The note where the values of the axis are in different blocks."""


def table(comparisons: Sequence[Comparison], axis: str) -> Table:
    """Return one row per comparison."""
    operands = states.column(item.operands for item in comparisons if item.operands is not None)
    are_steps = any(Op(item.op).network for item in comparisons)
    unit, limit = ("row of a batch", f" {words.BOUND}") if are_steps else ("element", "")
    names = words.with_bound if are_steps else _as_they_are
    if are_steps:
        named = (name for item in comparisons for name in (*item.group.split("/"), item.candidate, item.reference))
        limit += "".join(
            f" With {name}, strategies may be the formula run op by op, as no user does; shipped is its own."
            for name in words.eager(named)
        )
    head = "batch" if are_steps and axis == Axis.SIZE else axis
    rows = tuple(
        (
            *(item.activation, item.op, names(item.group, f"{item.candidate}/{item.reference}")),
            *(states.cell(item.operands, operands) if item.operands is not None else ()),
            f"{names(item.candidate, item.group)} / {names(item.reference, item.group)}",
            ratio(item.ratio),
            f"{significant(item.smallest, 3)} to {significant(item.largest, 3)}" if item.cases > 1 else "",
            *(str(item.cases), str(item.rounds)),
        )
        for item in comparisons
    )
    short = any(not item.ratio.has_bounds for item in comparisons)
    no_interval = f", {NO_INTERVAL} a ratio without one: that takes {MIN_ROUNDS} rounds" if short else ""
    across = ACROSS_BLOCKS if axis in {Axis.DTYPE, Axis.SIZE, Axis.OPERANDS} else ""
    return Table(
        f"By {head}",
        f"Times faster than the reference per {unit}: geometric mean over the cases, ± the longer side of its 95 % "
        f"interval over rounds; {AS_BOUNDS}1. {UNDECIDED} marks an interval that includes 1{no_interval}. Range: the "
        f"smallest and the largest ratio of a single case.{across}{SLOWER if axis == Axis.OPERANDS else ''}{limit}",
        ("activation", "op", "with", *operands, head, "ratio", "range", "cases", "rounds"),
        rows,
        labels=4 + len(operands),
    )


def _as_they_are(names: str, beside: str) -> str:
    """Return names that need no remark."""
    del beside
    return names


def remarks(compared: ComparedWithin) -> Iterator[str]:
    """Say what of the run is not compared, and why."""
    if compared.unpaired:
        yield f"left out of this run: {counted(compared.unpaired, 'pair')} of cases, since {DIFFERENT_SHARDS}"


def as_markdown(comparisons: Sequence[Comparison], axis: str) -> str:
    """Return the table in Markdown."""
    return markdown(table(comparisons, axis))


def as_csv(comparisons: Sequence[Comparison]) -> str:
    """Return one row per comparison, in full precision."""
    import pandas as pd  # which takes long, and nothing else here needs

    return str(pd.DataFrame([_record(item) for item in comparisons]).to_csv(index=False, lineterminator="\n"))


def as_json(comparisons: Sequence[Comparison]) -> str:
    """Return a JSON array of objects; missing bounds are null."""
    return json_text([_record(item) for item in comparisons])


def _record(comparison: Comparison) -> dict[str, str | float]:
    """Return the columns of CSV, which are also the keys of JSON."""
    ratio, low, high = comparison.ratio
    return {
        "activation": comparison.activation,
        "op": comparison.op,
        "group": comparison.group,
        "operands": comparison.operands or "",
        "reference": comparison.reference,
        "candidate": comparison.candidate,
        "cases": comparison.cases,
        "ratio": ratio,
        "low": low,
        "high": high,
        "least": comparison.smallest,
        "most": comparison.largest,
        "rounds": comparison.rounds,
    }
