"""The overhead ladder as a table: the time of a call at each rung, and what the rung adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.ladder import Step
from actbench.model.cases import RUNGS
from actbench.model.names import Dtype, sort_index
from actbench.model.variants import Variant
from actbench.report.numbers import UNDECIDED, plus_minus, size_of
from actbench.report.table import Table


def tables(steps: Sequence[Step]) -> Iterator[Table]:
    """Yield one table per dtype."""
    for dtype in dict.fromkeys(step.case.dtype for step in steps):
        yield _table(dtype, [step for step in steps if step.case.dtype == dtype])


def _table(dtype: Dtype, steps: Sequence[Step]) -> Table:
    present = [rung for rung in map(Variant, RUNGS) if any(step.case.strategy == rung for step in steps)]
    cells = {(step.case.backend, step.case.size, step.case.strategy): _cell(step) for step in steps}
    names = {step.case.size: size_of(step.case) for step in steps}
    rank = partial(sort_index, order=[*registry.backends()])
    lines = sorted({line[:2] for line in cells}, key=lambda line: (rank(line[0]), line[1]))
    return Table(
        f"Overhead ladder: {dtype}",
        "Nanoseconds per call, and in brackets what a rung adds to the one before it, from paired values and "
        f"not from the columns: {UNDECIDED} 0 where the interval includes 0, nothing where there is no interval.",
        ("backend", "n", *present),
        tuple(
            (backend, names[size], *(cells.get((backend, size, rung), "") for rung in present))
            for backend, size in lines
        ),
        labels=1,
    )


def _cell(step: Step) -> str:
    text = plus_minus(step.seconds.scaled(1e9))
    if step.added is None or not step.added.has_bounds:
        return text
    return f"{text} ({_added(step.added.scaled(1e9))})"


def _added(added: Interval) -> str:
    if added.contains(0):
        return f"{UNDECIDED} 0"
    return f"{'+' if added.value > 0 else ''}{plus_minus(added)}"
