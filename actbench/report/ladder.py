"""The overhead ladder as a table: what a call takes at each rung, and what the rung adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import isnan

from actbench import registry
from actbench.analysis.ladder import Step
from actbench.analysis.statistics import Bounded
from actbench.model.cases import RUNGS
from actbench.model.names import Dtype, sort_index
from actbench.report.numbers import UNDECIDED, count, plus_minus
from actbench.report.table import Table


def tables(steps: Sequence[Step]) -> Iterator[Table]:
    """Yield one table a dtype."""
    for dtype in dict.fromkeys(step.case.dtype for step in steps):
        yield _table(dtype, [step for step in steps if step.case.dtype == dtype])


def _table(dtype: Dtype, steps: Sequence[Step]) -> Table:
    present = [rung for rung in RUNGS if any(step.case.strategy == rung for step in steps)]
    cells = {(step.case.backend, step.case.size, step.case.strategy): _cell(step) for step in steps}
    rank = partial(sort_index, order=[*registry.backends()])
    lines = sorted({line[:2] for line in cells}, key=lambda line: (rank(line[0]), line[1]))
    return Table(
        f"Overhead ladder: {dtype}",
        "Nanoseconds per call, and in brackets what a rung adds over the one before it, by pairs and not by columns: "
        f"{UNDECIDED} 0 where the interval holds 0, nothing where there is none.",
        ("backend", "n", *present),
        tuple(
            (backend, count(size), *(cells.get((backend, size, rung), "") for rung in present))
            for backend, size in lines
        ),
        labels=1,
    )


def _cell(step: Step) -> str:
    text = plus_minus(*_nanoseconds(step.seconds))
    if step.added is None or isnan(step.added.low):
        return text
    return f"{text} ({_added(_nanoseconds(step.added))})"


def _added(added: Bounded) -> str:
    if added.low <= 0 <= added.high:
        return f"{UNDECIDED} 0"
    return f"{'+' if added.value > 0 else ''}{plus_minus(*added)}"


def _nanoseconds(seconds: Bounded) -> Bounded:
    return Bounded(*(1e9 * each for each in seconds))
