"""Crossovers between strategies: sentences, and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from actbench import registry
from actbench.analysis.compared_with_recompute import with_recompute
from actbench.analysis.crossovers import NEGLIGIBLE, Crossover, Curve
from actbench.analysis.interval import Interval
from actbench.model.curve_events import CurveEvent
from actbench.model.names import sort_index
from actbench.report import states
from actbench.report.answers import grouped
from actbench.report.numbers import about
from actbench.report.table import Table

MOST_SENTENCES = 16
"""More sentences than this are replaced by one that counts the curves."""

SLIGHT = f"{100 * NEGLIGIBLE:.0f} %"


def sentences(curves: Sequence[Curve]) -> Iterator[str]:
    """Yield where the answer changes, for every curve of cached against recompute; equal sentences are merged."""
    pairs = [curve for curve in _ordered(curves) if (curve.reference, curve.candidate) == ("recompute", "cached")]
    texts = [*_merged(pairs)]
    if len(texts) <= MOST_SENTENCES:
        yield from texts
        return
    crossing = sum(any(finding.kind is CurveEvent.CROSSES for finding in curve.findings) for curve in pairs)
    yield (
        f"Caching stops or starts to pay at some size in {crossing} of {len(pairs)} series of sizes: see the table of "
        "crossovers."
    )


def _merged(curves: Sequence[Curve]) -> Iterator[str]:
    """Yield the sentences of each activation, op and state, once for all dtypes and backends that they are true of."""
    alike = grouped(curves, lambda curve: (curve.activation, curve.op, curve.operands, curve.rows, _sentence(curve)))
    for (activation, op, state, rows, text), of_text in alike.items():
        suffix = f"{f', {rows} rows' if rows > 1 else ''}{states.suffix(state)}"
        by_backend = grouped(of_text, lambda curve: curve.backend)
        dtypes = {backend: tuple(curve.dtype for curve in of_backend) for backend, of_backend in by_backend.items()}
        for names, named in grouped(dtypes, dtypes.__getitem__).items():
            yield f"{activation}, {op}, {' and '.join(names)}, {' and '.join(named)}{suffix}: {text}."


def table(curves: Sequence[Curve]) -> Table:
    """Return the findings of curves with recompute; of all curves of a subject that has none of these."""
    against = with_recompute(curves, _subject, lambda curve: {curve.reference, curve.candidate})
    operands = states.column(curve.operands for curve in against)
    rows = ("rows",) if any(curve.rows > 1 for curve in against) else ()
    return Table(
        "Crossovers",
        "The size from which on another strategy is faster, with its 95 % interval; one is faster at a size only where "
        "that is shown for all sizes together. Fades, undecided: between which sizes that begins or ends; fades: the "
        f"differences that remain are below {SLIGHT}.",
        (
            *("activation", "op", "dtype", *operands, *rows, "backend", "strategies"),
            *("finding", "faster below", "faster above", "n"),
        ),
        tuple(
            (
                *(curve.activation, curve.op, curve.dtype, *states.cell(curve.operands, operands)),
                *((str(curve.rows),) if rows else ()),
                *(curve.backend, f"{curve.reference}, {curve.candidate}"),
                *(finding.kind, finding.below or "-", finding.above or "-", _sizes(finding)),
            )
            for curve in _ordered(against)
            for finding in curve.findings
        ),
        labels=8 + len(operands) + len(rows),
    )


def _subject(curve: Curve) -> tuple[str | int, ...]:
    return curve.activation, curve.op, curve.dtype, curve.operands, curve.backend, curve.rows


def _ordered(curves: Sequence[Curve]) -> list[Curve]:
    """Return the curves of each activation and op by backend, as in the other tables."""
    rank = partial(sort_index, order=[*registry.backends()])
    subjects = list(dict.fromkeys((curve.activation, curve.op) for curve in curves))
    return sorted(curves, key=lambda curve: (subjects.index((curve.activation, curve.op)), rank(curve.backend)))


def _sizes(finding: Crossover) -> str:
    return size_of(finding.size) if finding.kind is CurveEvent.CROSSES else span(finding.size)


def size_of(size: Interval) -> str:
    """Return a crossover with its interval, in elements."""
    return f"{about(size.value)} ({span(size)})"


def span(sizes: Interval) -> str:
    """Return the bounds of sizes, as one where they look alike."""
    ends = about(sizes.low), about(sizes.high)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _sentence(curve: Curve) -> str:
    first, *_ = curve.findings
    everywhere = f"n = {about(curve.points[0].size)} to {about(curve.points[-1].size)}"
    if not curve.decided:
        if first.kind is CurveEvent.NONE:
            return f"no difference as large as {SLIGHT} from {everywhere}"
        return f"undecided from {everywhere}"
    if first.kind is CurveEvent.NONE:
        extent = "everywhere"
        if curve.decided < len(curve.points):
            extent = f"at {curve.decided} of {len(curve.points)} sizes, with no difference shown at the others"
        return f"no crossover from {everywhere}: {_gerund(first.below)} is faster {extent}"
    parts = [_part(finding) for finding in curve.findings]
    if all(finding.kind is not CurveEvent.CROSSES for finding in curve.findings):
        parts.insert(0, f"{_gerund(first.below or first.above)} is faster")
    return "; ".join(parts)


def _part(finding: Crossover) -> str:
    if finding.kind is CurveEvent.CROSSES:
        turn = "stops paying" if finding.below == "cached" else "starts to pay"
        return f"caching {turn} at n = {span(finding.size)}"
    sizes = f"from n = {about(finding.size.high)} on" if finding.below else f"up to n = {about(finding.size.low)}"
    if finding.kind is CurveEvent.UNDECIDED:
        return f"undecided {sizes}"
    return f"no difference as large as {SLIGHT} {sizes}"


def _gerund(strategy: str) -> str:
    return {"cached": "caching", "recompute": "recomputing"}[strategy]
