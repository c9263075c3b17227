"""The summary of a run: the answer, speedups, times, what each strategy costs, and remarks.

Rungs of the overhead ladder have a separate table, and are in none of the others. A run of training steps has a summary
of its own (`actbench.report.training`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import isnan
from operator import attrgetter
from pathlib import Path

from actbench import registry
from actbench.analysis.bottlenecks import Bottleneck
from actbench.analysis.crossovers import curves
from actbench.analysis.figures import Figures, kept_bytes
from actbench.analysis.row_bytes import row_bytes
from actbench.analysis.speedups import Speedup, ratios, speedups
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.model.checks import Check
from actbench.model.kernel_copies import KERNEL_COPIES, LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import sort_index
from actbench.model.plan import IN_CACHE_SIZE
from actbench.model.training import RECOMPUTE, SHIPPED
from actbench.model.variants import Variant
from actbench.report import crossovers, gated, ladder, op_by_op, row_accuracy, states, tensors
from actbench.report.answers import answers, grouped, is_the_question, more_rounds
from actbench.report.numbers import NO_INTERVAL, plus_minus, ratio, significant, size_of
from actbench.report.remarks import remarks
from actbench.report.results import RunResults, analyse
from actbench.report.table import Summary, Table, each_note_once
from actbench.report.training import summary as training
from actbench.runs.archive import Run
from actbench.runs.record import Record

LINE = attrgetter("backend", "dtype", "size", "rows", "operands")
"""What the cases in a row of a table have in common, beside activation and op."""

KERNEL_COPY_RATE = (
    "Of arrays of 8 KiB and more, it is the fastest copy that a kernel could make, by loads and stores, or by stores "
    "that bypass the caches where the arrays exceed half of the last-level cache; cases.csv says which (copy_limit_of)."
)

KERNEL_COPY_BOTTLENECK = "In brackets, which copy bounds the case."

BOUNDS = {LOOP_COPY: " (loads and stores)", NON_TEMPORAL_COPY: " (non-temporal)"}
"""What the copy is made of that bounds a case."""

COLD_RATE = (
    "Where operands are not warm, rates are of what comes from memory or goes there, of the case and of a copy with "
    "such operands; a step with cold residuals has none, since that copy writes nothing to memory."
)

COLD_BOTTLENECK = (
    "Where operands are not warm, those of the copy are not either. Being 1.5 times slower than in cache then says "
    "nothing of a backend that allocates, which may wait for either, and compute is named only in arrays of more than "
    f"{IN_CACHE_SIZE} elements."
)


def summarise(results: RunResults, record: Record, directory: Path) -> Summary:
    """Return the summary of the results of a run in a directory."""
    if record.plan.training:
        return training.summarise(results, record, directory)
    rank = _rank()
    cases = sorted((row for row in results.figures if row.case.is_derivative), key=lambda row: rank(row.case.backend))
    within = _between_strategies(results.speedups)
    compared = grouped(within, lambda pair: (pair.candidate.activation, pair.candidate.op))
    of_tensors = tensors.tensors(results, record.checks)
    tables = [*tensors.tables(of_tensors)]
    for subject, rows in grouped(cases, lambda row: (row.case.activation, row.case.op)).items():
        title = ", ".join(subject)
        if subject in compared:
            tables.extend(_speedup_tables(title, compared[subject]))
        tables.append(_time_table(title, rows))
        if any(row.parts for row in rows):
            tables.append(_bottleneck_table(title, rows))
    if results.curves:
        tables.append(crossovers.table(results.curves))
    checks = [check for check in record.checks if check.kernel.is_derivative]
    if checks:
        tables.append(_cost_table(checks))
    tables.extend(ladder.tables(results.steps))
    return Summary(
        answers=(
            *tensors.answers(of_tensors, results.speedups),
            *answers(within, more_rounds(directory, record.plan.command)),
            *crossovers.sentences(results.curves),
        ),
        tables=tuple(each_note_once(tables)),
        remarks=tuple(remarks(results.of_cases, results.speedups, record, directory)),
    )


def answers_of(run: Run) -> tuple[str, ...]:
    """Return the answers of a run that was read; those that times alone give, where there is no more of it."""
    if run.record:
        return summarise(analyse(run.times, run.record), run.record, run.path).answers
    of_calls = [block for block in run.times.blocks if not block.op.network]
    by_block = ratios(run.times, of_calls)
    more = more_rounds(run.path, run.plan.command)
    return (*answers(_between_strategies(speedups(by_block)), more), *crossovers.sentences(tuple(curves(by_block))))


def _between_strategies(pairs: Iterable[Speedup]) -> list[Speedup]:
    rank = _rank()
    return sorted((pair for pair in pairs if pair.is_between_strategies), key=lambda pair: rank(pair.candidate.backend))


def _rank() -> Callable[[str], int]:
    """Return the function that gives the place of a backend in tables."""
    return partial(sort_index, order=[*registry.backends()])


def _speedup_tables(title: str, speedups: Sequence[Speedup]) -> Iterator[Table]:
    """Compare with what a framework ships where that was measured; then strategies with each other."""
    ours = [pair for pair in speedups if SHIPPED not in {pair.reference.strategy, pair.candidate.strategy}]
    if len(ours) < len(speedups):
        beside = [pair for pair in speedups if pair not in ours]
        yield _speedup_table(title, beside, SHIPPED, ", the library's own function and gradient,")
    if ours:
        present = _strategies(case.strategy for pair in ours for case in (pair.reference, pair.candidate))
        yield _speedup_table(title, ours, RECOMPUTE if RECOMPUTE in present else present[0])


def _speedup_table(title: str, speedups: Sequence[Speedup], reference: Variant, which: str = "") -> Table:
    """Compare each backend's strategies with the reference."""
    present = _strategies(case.strategy for pair in speedups for case in (pair.reference, pair.candidate))
    others = [name for name in present if name != reference]
    operands = states.column(pair.candidate.operands for pair in speedups)
    rows, bars = [], []
    for (backend, dtype, _, _, state), pairs in grouped(speedups, lambda pair: LINE(pair.candidate)).items():
        cells, size = {}, size_of(pairs[0].candidate)
        for pair in pairs:
            if pair.reference.strategy == reference:
                cells[pair.candidate.strategy] = ratio(pair.ratio)
            elif pair.candidate.strategy == reference:
                cells[pair.reference.strategy] = ratio(pair.ratio.inverse())
        labels = (backend, dtype, *states.cell(state, operands), size)
        rows.append((*labels, *(cells.get(name, "") for name in others)))
        bars.append(next((pair.ratio for pair in pairs if is_the_question(pair)), None))
    return Table(
        f"Speedup over {reference}: {title}",
        f"Times faster than `{reference}`{which} on the same backend, measured side by side; below 1 it is slower."
        + "".join(
            f" {note}"
            for note in op_by_op.notes(case for pair in speedups for case in (pair.reference, pair.candidate))
        ),
        ("backend", "dtype", *operands, "n", *others),
        tuple(rows),
        labels=2 + len(operands),
        bars=tuple(bars),
        leads=True,
    )


def _time_table(title: str, cases: Sequence[Figures]) -> Table:
    return _by_strategy(
        f"Time: {title}",
        "Nanoseconds per element, and in brackets the rate of moving the operands as a percentage of a plain copy's, "
        "whose interval is in cases.csv; only where the fixed cost of a call is known to be less than half of the "
        f"case's time, and less than two thirds of the copy's.{_only_where(_bounded(cases), KERNEL_COPY_RATE)}"
        f"{_only_where_cold(cases, COLD_RATE)}",
        cases,
        _time,
    )


def _bottleneck_table(title: str, cases: Sequence[Figures]) -> Table:
    return _by_strategy(
        f"Bottleneck: {title}",
        "dispatch: half of the time is spent on one element as well; memory: a copy of the operands takes half of the "
        "time, or the kernel is 1.5 times slower than on an array in cache; allocation: it is 1.5 times slower, and "
        "results and temporaries are allocated; compute: none of these. Empty where the 95 % intervals of these ratios "
        "do not decide, where the fixed cost of a call hides the time of elements in cache, or where other processes "
        f"took an unknown share of the time; {NO_INTERVAL} where there are no intervals, which take {MIN_ROUNDS} "
        f"rounds.{_only_where(_bounded(cases), KERNEL_COPY_BOTTLENECK)}{_only_where_cold(cases, COLD_BOTTLENECK)}",
        cases,
        _bottleneck,
    )


def _only_where_cold(cases: Sequence[Figures], note: str) -> str:
    return _only_where(bool(states.column(row.case.operands for row in cases)), note)


def _only_where(condition: bool, note: str) -> str:  # noqa: FBT001  # it is what the name asks about
    return f" {note}" if condition else ""


def _bounded(cases: Sequence[Figures]) -> bool:
    """Return whether a copy as a kernel could make it bounds one of these cases."""
    return any(row.copy_limit_of in KERNEL_COPIES for row in cases)


def _by_strategy(title: str, note: str, cases: Sequence[Figures], cell: Callable[[Figures], str]) -> Table:
    """Return a table with one row per backend, dtype, size and state of operands, and one column per strategy."""
    present = _strategies(row.case.strategy for row in cases)
    operands = states.column(row.case.operands for row in cases)
    rows = []
    for (backend, dtype, _, _, state), of_size in grouped(cases, lambda row: LINE(row.case)).items():
        cells = {row.case.strategy: cell(row) for row in of_size}
        labels = (backend, dtype, *states.cell(state, operands), size_of(of_size[0].case))
        rows.append((*labels, *(cells.get(name, "") for name in present)))
    columns = ("backend", "dtype", *operands, "n", *present)
    return Table(title, note, columns, tuple(rows), labels=2 + len(operands))


def _time(row: Figures) -> str:
    tells = row.parts and row.parts.rate_tells and not isnan(row.copy_limit_pct.value)
    rate = f" ({significant(row.copy_limit_pct.value, 2)} %)" if tells else ""
    return f"{plus_minus(row.ns_per_element)}{rate}"


def _bottleneck(row: Figures) -> str:
    if row.parts is None:
        return ""
    if not row.parts.known:
        return NO_INTERVAL
    limit = row.copy_limit_of if row.bottleneck is Bottleneck.MEMORY else None
    bound = "" if limit is None else BOUNDS.get(limit, "")
    return f"{row.bottleneck or ''}{bound}"


def _cost_table(checks: Sequence[Check]) -> Table:
    """Return the bytes that each strategy keeps, and its largest error."""
    order = registry.strategies_and_rungs()
    ordered = sorted(
        checks,
        key=lambda check: (check.kernel.dtype, check.kernel.strategy.sort_key(order)),
    )
    groups = grouped(
        ordered,
        lambda check: (
            *(check.kernel.activation, check.kernel.dtype, check.kernel.strategy),
            *(_kept(check), check.weaknesses),
        ),
    )
    symbols = " or ".join(dict.fromkeys(check.kernel.op.symbol for check in checks))
    notes = (*gated.of_checks(checks), *row_accuracy.of_checks(checks), *_compiled_notes(checks))
    rows = []
    for (activation, dtype, strategy, kept, _), of_strategy in sorted(groups.items(), key=lambda item: item[0][:2]):
        worst = max(of_strategy, key=lambda check: (check.max_ulp, -abs(check.worst_z)))
        rows.append(
            (
                *(activation, dtype, strategy, kept),
                *(significant(worst.max_ulp, 2), significant(worst.worst_z, 3), "; ".join(worst.weaknesses)),
            )
        )
    return Table(
        "What a strategy costs",
        f"Bytes kept per element from forward to backward, and the largest error of {symbols} in the check before the "
        "run, in units in the last place, on the least accurate backend and op; ∞ where the result is no number. The "
        "check covers points over the whole range of z, between which errors may be larger (actbench accuracy)."
        + "".join(f" {note}" for note in notes),
        ("activation", "dtype", "strategy", "bytes kept", "max ULP", "at z", "known weakness"),
        tuple(rows),
        labels=3,
        wrapped=6,
    )


def _kept(check: Check) -> str:
    """Return the bytes that a kernel keeps per element, and those a row beside them."""
    of_rows = row_bytes(check.kernel, check).kept
    return f"{kept_bytes(check.kernel, check)}{f' + {of_rows} a row' if of_rows else ''}"


def _compiled_notes(checks: Iterable[Check]) -> Iterator[str]:
    """Say which kernels of the user's are Python functions that something compiled: their backend does not show it."""
    for compiler, compiled in grouped((one for one in checks if one.compiler), attrgetter("compiler")).items():
        names = ", ".join(dict.fromkeys(check.kernel.strategy for check in compiled))
        yield f"Python functions that {compiler} compiled: {names}."


def _strategies(variants: Iterable[Variant]) -> list[Variant]:
    return sorted(dict.fromkeys(variants), key=partial(Variant.sort_key, order=registry.strategies_and_rungs()))
