"""What keeping what is worth for activations along rows and for gated ones, of the runs that measured them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from actbench.analysis.interval import Interval
from actbench.model.names import Op, OperandState
from actbench.model.training import SHIPPED
from actbench.report.numbers import count, joined, ratio, significant
from benchmarks.pages.keeping import HEADS, interval, read

STATES = (OperandState.WARM, OperandState.COLD)


class Kept(NamedTuple):
    """A strategy of an activation in a backend."""

    activation: str
    backend: str
    strategy: str


class Where(NamedTuple):
    """The conditions of a comparison with `recompute`."""

    op: str
    shape: str
    state: str


def worth(run: str) -> dict[Kept, dict[Where, Interval]]:
    """Return how many times faster than `recompute` the strategies of a run are."""
    of: dict[Kept, dict[Where, Interval]] = {}
    for row in read(run, "speedups.csv"):
        if row["reference_backend"] == row["candidate_backend"] and row["reference_strategy"] == "recompute":
            kept = Kept(row["activation"], row["candidate_backend"], row["candidate_strategy"])
            where = Where(row["op"], row["shape"] or row["size"], row["operands"])
            of.setdefault(kept, {})[where] = interval(row, "ratio", "low", "high")
    return of


def bytes_kept(run: str) -> dict[Kept, str]:
    """Return the bytes per element that strategies keep, in the first shape of a run where several differ."""
    of: dict[Kept, str] = {}
    for row in read(run, "cases.csv"):
        kept = Kept(row["activation"], row["backend"], row["strategy"])
        of.setdefault(kept, significant(float(row["residual_bytes_per_element"]), 2))
    return of


def table(run: str, columns: dict[Where, str]) -> Iterator[str]:
    """Yield a table: a row a strategy, a column for each of these conditions under its head."""
    nbytes = bytes_kept(run)
    yield f"| activation | backend | strategy | bytes kept | {' | '.join(columns.values())} |"
    yield f"|---|---|---|---:|{'---:|' * len(columns)}"
    for kept, ratios in worth(run).items():
        cells = [ratio(ratios[where]) if where in ratios else "-" for where in columns]
        if any(cell != "-" for cell in cells):
            yield f"| {kept.activation} | {kept.backend} | {kept.strategy} | {nbytes[kept]} | {' | '.join(cells)} |"


def rows() -> Iterator[str]:
    """Yield the table of activations along rows: a column a number of columns and state of operands."""
    shapes = sorted({row["shape"] for row in read("rows", "cases.csv")}, key=_columns)
    yield from table(
        "rows",
        {
            Where(Op.BACKWARD, shape, state): f"{count(_columns(shape))} columns, {HEADS[state]}"
            for state in STATES
            for shape in shapes
        },
    )


def gated() -> Iterator[str]:
    """Yield the table of gated activations: a column an operation and state of operands."""
    (size,) = {row["size"] for row in read("gated", "cases.csv")}
    yield from table(
        "gated",
        {Where(op, size, state): f"{op}, {HEADS[state]}" for op in (Op.BACKWARD, Op.STEP) for state in STATES},
    )


def rows_in_words() -> Iterator[str]:
    """Yield at which numbers of columns keeping something is faster, by activation, strategy and backend."""
    backends: dict[tuple[str, ...], list[str]] = {}
    for kept, ratios in worth("rows").items():
        if kept.strategy != SHIPPED:
            of = [f"{at_columns(ratios, state)} {HEADS[state]}" for state in STATES]
            backends.setdefault((kept.activation, kept.strategy, *of), []).append(kept.backend)
    for (activation, strategy, *of), names in backends.items():
        yield f"- {activation}, {strategy}, {', '.join(names)}: {'; '.join(of)}."


def at_columns(ratios: dict[Where, Interval], state: OperandState) -> str:
    """Return the numbers of columns at which a strategy is shown to be faster, slower, and neither."""
    by_columns = sorted(
        (_columns(where.shape), of) for where, of in ratios.items() if (where.op, where.state) == (Op.BACKWARD, state)
    )
    faster = [count(columns) for columns, of in by_columns if of.low > 1]
    if len(faster) == len(by_columns):
        return "everywhere"
    slower = [count(columns) for columns, of in by_columns if of.high < 1]
    undecided = [count(columns) for columns, of in by_columns if of.low <= 1 <= of.high]
    rest = [f"slower at {joined(slower)}"] * bool(slower) + [f"no difference shown at {joined(undecided)}"] * bool(
        undecided
    )
    return f"{f'at {joined(faster)} columns' if faster else 'nowhere'} ({', '.join(rest)})"


def _columns(shape: str) -> int:
    return int(shape.partition("x")[2])
