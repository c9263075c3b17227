"""Tensors whose size was named by a shape, in the user's units: milliseconds, MiB, and what to keep.

Of each activation, dtype and backend the fastest strategy is named. Where no difference from it is shown, the one that
keeps the fewest bytes beside those that are alive anyway is named instead. A strategy whose g' is off by more than 1 %
at the inputs is named only where none is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from operator import attrgetter

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.row_bytes import row_bytes
from actbench.analysis.speedups import Speedup
from actbench.model.cases import Case
from actbench.model.checks import WRONG, Check
from actbench.model.names import sort_index
from actbench.report import op_by_op, states
from actbench.report.answers import grouped
from actbench.report.kept_words import KEPT
from actbench.report.numbers import count, plus_minus, ratio, significant
from actbench.report.results import RunResults, analyse
from actbench.report.table import Table
from actbench.runs.archive import Run

MIB = 2**20

TENSOR = attrgetter("case.shape", "case.op")
"""What the rows of a table have in common."""

CHOICE = attrgetter("case.activation", "case.dtype", "case.backend")
"""Of what one strategy is named."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A case whose size was named by a shape."""

    case: Case
    seconds: Interval
    kept: int
    """Bytes from the forward to the backward pass."""
    alive: int
    """Of these, the bytes that a network holds whatever the strategy."""
    error: float
    """The relative error of g' (`Check.relative`)."""
    sampled: int
    """The number of z that it is of."""

    @property
    def beside(self) -> int:
        """The bytes that are kept for g' alone."""
        return self.kept - self.alive


def tensors(results: RunResults, checks: Iterable[Check]) -> list[Tensor]:
    """Return what was measured of tensors, in the order of tables."""
    known = {check.kernel: check for check in checks if check.sampled}
    rank = partial(sort_index, order=[*registry.backends()])
    rows = []
    for row in results.of_cases:
        check = known.get(row.case.kernel) if row.case.shape else None
        if check is not None:
            of_rows = row_bytes(check.kernel, check)
            kept = round(row.case.size * row.residual_bytes)
            alive = row.case.size * (check.alive_bytes or 0) + row.case.rows * of_rows.alive
            error = inf if check.relative is None else check.relative
            rows.append(Tensor(row.case, row.seconds, kept, alive, error, check.sampled))
    activations = [*dict.fromkeys(row.case.activation for row in rows)]
    return sorted(
        rows, key=lambda row: (activations.index(row.case.activation), row.case.dtype, rank(row.case.backend))
    )


def of_run(run: Run) -> list[Table]:
    """Return the tables of a run that was read; none where no shape was named, or there is no record of checks."""
    if run.record is None or not any(case.shape for case in run.plan.cases):
        return []
    return [*tables(tensors(analyse(run.times, run.record), run.record.checks))]


def tables(rows: Sequence[Tensor]) -> Iterator[Table]:
    """Yield a table for each shape and op."""
    for (shape, op), of_tensor in grouped(rows, TENSOR).items():
        operands = states.column(row.case.operands for row in of_tensor)
        notes = op_by_op.notes(row.case for row in of_tensor)
        yield Table(
            f"The whole tensor: {shape}, {op}",
            "Milliseconds per call; MiB kept from the forward to the backward pass, and how many of them are alive "
            "anyway, since they are y, which the next layer's product holds whatever is kept; the relative error of "
            f"g', 99th percentile over {count(of_tensor[0].sampled)} z from the run's inputs."
            + "".join(f" {note}" for note in notes),
            ("activation", "dtype", "backend", "strategy", *operands, "ms", "MiB kept", "alive anyway", "error of g'"),
            tuple(
                (
                    *(row.case.activation, row.case.dtype, row.case.backend, row.case.strategy),
                    *states.cell(row.case.operands, operands),
                    *(plus_minus(row.seconds.scaled(1e3)), mib(row.kept), mib(row.alive)),
                    significant(row.error, 2),
                )
                for row in of_tensor
            ),
            labels=4 + len(operands),
            leads=True,
        )


def answers(rows: Sequence[Tensor], speedups: Iterable[Speedup]) -> Iterator[str]:
    """Say what to keep of each tensor, for every op and state of operands; nothing where there are no intervals."""
    pairs = [pair for pair in speedups if pair.candidate.shape]
    ratios = {(pair.reference, pair.candidate): pair.ratio for pair in pairs}
    ratios |= {(pair.candidate, pair.reference): pair.ratio.inverse() for pair in pairs}
    of_tensors = grouped(rows, lambda row: (*TENSOR(row), row.case.operands))
    for (shape, op, state), of_tensor in of_tensors.items():
        figures: dict[tuple[str, str], list[str]] = {}
        for of_choice in grouped(of_tensor, CHOICE).values():
            if any(row.seconds.has_bounds for row in of_choice):
                best = _best(of_choice, ratios)
                place = figures.setdefault((best.case.backend, _named(best.case)), [])
                place.append(_figures(best, of_choice, ratios))
        if figures:
            backends = [backend for backend, _ in figures]
            by_backend = sorted(figures.items(), key=lambda item: backends.index(item[0][0]))
            parts = (f"with {backend}, {kept}: {', '.join(of)}" for (backend, kept), of in by_backend)
            yield f"What to keep of a {shape} tensor ({op}{states.suffix(state)}): {'; '.join(parts)}."


def _best(rows: Sequence[Tensor], ratios: Mapping[tuple[Case, Case], Interval]) -> Tensor:
    """Return the fastest one that is right; of those not shown to be slower, the one that keeps least for g' alone."""
    limit = max(WRONG, min(row.error for row in rows))
    right = [row for row in rows if row.error <= limit]
    fastest = min(right, key=lambda row: row.seconds.value)
    alike = [row for row in right if row is fastest or not ratios[row.case, fastest.case].excludes(1.0)]
    return min(alike, key=lambda row: (row.beside, row.kept, row.seconds.value))


def _figures(best: Tensor, rows: Sequence[Tensor], ratios: Mapping[tuple[Case, Case], Interval]) -> str:
    """Return what the best one costs, and what it would cost to keep least."""
    least = min(rows, key=lambda row: (row.beside, row.seconds.value))
    beside = ""
    if least.beside < best.beside and least.error <= max(WRONG, best.error):
        longer = ratio(ratios[best.case, least.case].inverse())
        saved = mib(best.beside - least.beside)
        beside = f"; {least.case.strategy} takes {longer} times as long and {saved} MiB less"
    costs = f"{plus_minus(best.seconds.scaled(1e3))} ms, {mib(best.kept)} MiB{_alive(best)}"
    return f"{best.case.activation} {best.case.dtype} ({costs}, error {significant(best.error, 2)}{beside})"


def _alive(row: Tensor) -> str:
    if not row.alive:
        return ""
    return " alive anyway" if row.alive == row.kept else f", {mib(row.alive)} of them alive anyway"


def _named(case: Case) -> str:
    """Return what a strategy keeps, and its name."""
    name, storage = case.strategy.name, case.strategy.storage
    if name not in KEPT:
        return case.strategy
    return f"{KEPT[name]}{f' as {storage}' if storage else ''} ({name})"


def mib(nbytes: int) -> str:
    """Return bytes in MiB, in three significant digits, or whole ones."""
    mib = nbytes / MIB
    return count(round(mib)) if mib >= 100 else f"{mib:.3g}"
