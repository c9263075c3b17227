"""From which batch or width on a strategy is worth less than 1 % of a training step: sentences, and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actbench.analysis.crossovers import ONE_FASTER, Crossover, CurvePoint
from actbench.analysis.training_sweep import MORE, WORTH, Worth
from actbench.model.curve_events import CurveEvent
from actbench.model.training import Along
from actbench.report.numbers import about, count, plus_minus
from actbench.report.table import Table
from actbench.report.training.words import with_bound

SHARE = f"{100 * WORTH:g} %"

UNIT = {Along.BATCH: "rows", Along.WIDTH: "features"}


def sentences(worths: Sequence[Worth]) -> Iterator[str]:
    """Yield one sentence a series of keeping y."""
    for worth in worths:
        if worth.candidate == "cached":
            where = f", batch {count(worth.batch)}" if worth.along is Along.WIDTH else ""
            subject = f"{worth.activation}, {worth.network}{where}, {worth.dtype}, {worth.backend}"
            yield f"{subject}: {_sentence(worth)}."


def table(worths: Sequence[Worth]) -> Table:
    """Return the gains of every series."""
    sizes = sorted({point.size for worth in worths for point in worth.points})
    rows = []
    for worth in worths:
        gains = {point.size: worth.gain(point) for point in worth.points}
        cells = (plus_minus(gains[size].scaled(100)) if size in gains else "" for size in sizes)
        of_series = (worth.activation, worth.network, worth.dtype, worth.backend, worth.candidate, worth.along)
        activation, network, dtype, backend, candidate, along = map(str, of_series)
        rows.append((activation, network, dtype, backend, with_bound(candidate, backend), along, *cells))
    return Table(
        "Gain along batches and widths",
        "Percent of the time of a step of `recompute` that is saved; negative where the step takes longer. The columns "
        "are rows of a batch, or features of the first activation.",
        ("activation", "network", "dtype", "backend", "strategy", "along", *map(count, sizes)),
        tuple(rows),
        labels=6,
    )


def _sentence(worth: Worth) -> str:
    """Return what is known of the share that is saved, or that nothing is."""
    if any(finding.kind is CurveEvent.UNDECIDED and not _sides(finding) for finding in worth.findings):
        return f"it is undecided whether keeping y saves more than {SHARE} {_everywhere(worth)}"
    return f"keeping y saves {'; '.join(_findings(worth))}"


def _everywhere(worth: Worth) -> str:
    return f"of a step from {count(worth.points[0].size)} to {count(worth.points[-1].size)} {UNIT[worth.along]}"


def _sides(finding: Crossover) -> str:
    """Return what is known below and above; "" where nothing is."""
    return finding.below + finding.above


def _findings(worth: Worth) -> Iterator[str]:
    unit, everywhere = UNIT[worth.along], _everywhere(worth)
    for finding in worth.findings:
        match finding.kind:
            case CurveEvent.NONE if finding.below:
                yield f"{_amount(finding.below)} {everywhere}{_shown(worth.points)}"
            case CurveEvent.NONE:
                yield f"{SHARE} {everywhere}"
            case CurveEvent.CROSSES:
                above = f"and {_amount(finding.above)} above"
                yield f"{_amount(finding.below)} of a step below {_span(finding)} {unit}, {above}"
            case _ if finding.below:
                shown = _shown([point for point in worth.points if point.size <= finding.size.low])
                yield f"{_amount(finding.below)} up to {about(finding.size.low)} {unit}{shown}; undecided above"
            case _:
                shown = _shown([point for point in worth.points if point.size >= finding.size.high])
                yield f"{_amount(finding.above)} from {about(finding.size.high)} {unit} on{shown}; undecided below"


def _shown(points: Sequence[CurvePoint]) -> str:
    """Return at how many of these sizes it is shown, where it is not at all of them."""
    decided = sum(point.winner in ONE_FASTER for point in points)
    return "" if decided == len(points) else f" (shown at {decided} of {len(points)} sizes)"


def _amount(side: str) -> str:
    return f"more than {SHARE}" if side == MORE else f"less than {SHARE}"


def _span(finding: Crossover) -> str:
    low, high = about(finding.size.low), about(finding.size.high)
    return about(finding.size.value) if low == high else f"{about(finding.size.value)} ({low} to {high})"
