"""From which size on the answer changes: sentences, and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from actbench import registry
from actbench.analysis.crossovers import NEGLIGIBLE, Crossover, Curve, Kind
from actbench.model.names import sort_index
from actbench.report.answers import grouped
from actbench.report.numbers import about
from actbench.report.table import Table

MOST_SENTENCES = 16
"""Where it takes more than these, curves are counted in one sentence, and left to the table."""

SLIGHT = f"{100 * NEGLIGIBLE:.0f} %"


def sentences(curves: Sequence[Curve]) -> Iterator[str]:
    """Say of every curve of reusing the output against recomputing where the answer changes, of those alike at once."""
    asked = [each for each in _ordered(curves) if (each.reference, each.candidate) == ("recompute", "cached")]
    told = [*_told(asked)]
    if len(told) <= MOST_SENTENCES:
        yield from told
        return
    crossing = sum(any(found.kind is Kind.CROSSES for found in each.findings) for each in asked)
    yield (
        f"Caching stops or starts to pay at some size in {crossing} of {len(asked)} series of sizes: see the table of "
        "crossovers."
    )


def _told(curves: Sequence[Curve]) -> Iterator[str]:
    """Say it of each activation and op, of dtypes and backends alike at once."""
    alike = grouped(curves, lambda each: (each.activation, each.op, _sentence(each)))
    for (activation, op, said), found in alike.items():
        by_backend = grouped(found, lambda each: each.backend)
        dtypes = {backend: tuple(each.dtype for each in own) for backend, own in by_backend.items()}
        for own, named in grouped(dtypes, dtypes.__getitem__).items():
            yield f"{activation}, {op}, {' and '.join(own)}, {' and '.join(named)}: {said}."


def table(curves: Sequence[Curve]) -> Table:
    """Return what every pair with the reference does: recompute where there is one, else all pairs."""
    against = [each for each in curves if each.reference == "recompute"] or curves
    return Table(
        "Crossovers",
        "The size from which on another strategy is faster, with its 95 % interval; one is faster at a size only where "
        "that is shown for all sizes together. Fades, undecided: between which sizes that begins or ends; fades: the "
        f"differences that remain are below {SLIGHT}.",
        ("activation", "op", "dtype", "backend", "strategies", "finding", "faster below", "faster above", "n"),
        tuple(
            (
                *(each.activation, each.op, each.dtype, each.backend, f"{each.reference}, {each.candidate}"),
                *(found.kind, found.below or "-", found.above or "-", _place(found)),
            )
            for each in _ordered(against)
            for found in each.findings
        ),
        labels=8,
    )


def _ordered(curves: Sequence[Curve]) -> list[Curve]:
    """Return the curves of each activation and op by backend, as in the other tables."""
    rank = partial(sort_index, order=[*registry.backends()])
    of = list(dict.fromkeys((each.activation, each.op) for each in curves))
    return sorted(curves, key=lambda each: (of.index((each.activation, each.op)), rank(each.backend)))


def _place(found: Crossover) -> str:
    between = _span(found.low, found.high)
    return f"{about(found.size)} ({between})" if found.kind is Kind.CROSSES else between


def _span(low: float, high: float) -> str:
    ends = about(low), about(high)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _sentence(curve: Curve) -> str:
    first, *_ = curve.findings
    everywhere = f"n = {about(curve.points[0].size)} to {about(curve.points[-1].size)}"
    if not curve.decided:
        if first.kind is Kind.NONE:
            return f"no difference as large as {SLIGHT} from {everywhere}"
        return f"undecided from {everywhere}"
    if first.kind is Kind.NONE:
        extent = "everywhere"
        if curve.decided < len(curve.points):
            extent = f"at {curve.decided} of {len(curve.points)} sizes, with no difference shown at the others"
        return f"no crossover from {everywhere}: {_doer(first.below)} is faster {extent}"
    parts = [_part(found) for found in curve.findings]
    if all(found.kind is not Kind.CROSSES for found in curve.findings):
        parts.insert(0, f"{_doer(first.below or first.above)} is faster")
    return "; ".join(parts)


def _part(found: Crossover) -> str:
    if found.kind is Kind.CROSSES:
        turn = "stops paying" if found.below == "cached" else "starts to pay"
        return f"caching {turn} at n = {_span(found.low, found.high)}"
    place = f"from n = {about(found.high)} on" if found.below else f"up to n = {about(found.low)}"
    return f"undecided {place}" if found.kind is Kind.UNDECIDED else f"no difference as large as {SLIGHT} {place}"


def _doer(strategy: str) -> str:
    return {"cached": "caching", "recompute": "recomputing"}[strategy]
