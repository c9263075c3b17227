"""What a run says, in order: the answer, the speedups, the times, what each strategy costs, what is missing.

Rungs of the overhead ladder are in a table of their own, and in none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from operator import itemgetter

from actbench import registry
from actbench.analysis.figures import Figures, kept_bytes
from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS, Bounded
from actbench.model.checks import Check
from actbench.model.names import sort_index
from actbench.model.outcomes import Failure
from actbench.model.plan import CACHED, LeftOut
from actbench.model.residuals import rank as strategy_rank
from actbench.planning import suite
from actbench.report import crossovers, ladder, processor
from actbench.report.answers import answers, grouped, is_the_question
from actbench.report.measured import Measured
from actbench.report.numbers import AS_BOUNDS, NO_INTERVAL, UNDECIDED, count, counted, plus_minus, ratio, significant
from actbench.report.table import Table
from actbench.runs.record import Engine, Record, Status


@dataclass(frozen=True, slots=True)
class Summary:
    """The parts of a summary, as text."""

    answers: tuple[str, ...]
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]


def summarise(found: Measured, record: Record) -> Summary:
    """Put what was measured into words."""
    figures, speedups, steps, curves = found.figures, found.speedups, found.steps, found.curves
    rank = partial(sort_index, order=[*registry.backends()])
    measured = [each for each in figures if not each.yardstick]
    cases = sorted((each for each in measured if not each.rung), key=lambda each: rank(each.backend))
    within = sorted(
        (each for each in speedups if each.reference.backend == each.candidate.backend and not each.candidate.is_rung),
        key=lambda each: rank(each.candidate.backend),
    )
    compared = grouped(within, lambda each: (each.candidate.activation, each.candidate.op))
    tables: list[Table] = []
    for of, alike in grouped(cases, lambda each: (each.activation, each.op)).items():
        title = ", ".join(of)
        if of in compared:
            tables.append(_speedup_table(title, compared[of]))
        tables.append(_time_table(title, alike))
        if any(each.parts for each in alike):
            tables.append(_bound_table(title, alike))
    if curves:
        tables.append(crossovers.table(curves))
    checks = [check for check in record.checks if not check.kernel.is_rung]
    if checks:
        tables.append(_cost_table(checks))
    tables.extend(ladder.tables(steps))
    return Summary(
        answers=(*answers(within), *crossovers.sentences(curves)),
        tables=tuple(tables),
        remarks=tuple(_remarks(measured, speedups, record)),
    )


def left_out_lines(left_out: Iterable[LeftOut]) -> Iterator[str]:
    """Say what was left out, one line a reason."""
    for reason, items in grouped(left_out, lambda item: item.reason).items():
        yield f"left out {counted(len(items), 'case')}, e.g. {items[0].case}: {reason}"


def _speedup_table(title: str, speedups: Sequence[Speedup]) -> Table:
    """Set each backend's strategies against the reference: recompute where there is one, else the first."""
    present = _strategies(case.strategy for each in speedups for case in (each.reference, each.candidate))
    reference = "recompute" if "recompute" in present else present[0]
    others = [name for name in present if name != reference]
    rows, bars = [], []
    lines = grouped(speedups, lambda each: (each.candidate.backend, each.candidate.dtype, each.candidate.size))
    for (backend, dtype, size), found in lines.items():
        cells = {}
        for each in found:
            if each.reference.strategy == reference:
                cells[each.candidate.strategy] = ratio(each.ratio, each.low, each.high)
            elif each.candidate.strategy == reference:
                cells[each.reference.strategy] = ratio(1 / each.ratio, 1 / each.high, 1 / each.low)
        rows.append((backend, dtype, count(size), *(cells.get(name, "") for name in others)))
        asked = [each for each in found if is_the_question(each)]
        bars.append(Bounded(asked[0].ratio, asked[0].low, asked[0].high) if asked else None)
    return Table(
        f"Speedup over {reference}: {title}",
        f"Times faster than `{reference}` on the same backend, measured side by side; below 1 it is slower.",
        ("backend", "dtype", "n", *others),
        tuple(rows),
        labels=2,
        bars=tuple(bars),
    )


def _time_table(title: str, cases: Sequence[Figures]) -> Table:
    return _by_strategy(
        f"Time: {title}",
        "Nanoseconds per element, and in brackets the rate of moving the operands as a percentage of a plain copy's, "
        "whose interval is in cases.csv; only where it is known that the case's call takes less than half of its time, "
        "and the copy's less than two thirds.",
        cases,
        _time,
    )


def _bound_table(title: str, cases: Sequence[Figures]) -> Table:
    return _by_strategy(
        f"What bounds it: {title}",
        "dispatch: half of the time is spent on one element as well; memory: a copy of the operands takes half of the "
        "time, or the kernel is 1.5 times slower than on an array in cache; allocation: that, where results and "
        "temporaries are allocated; compute: none of these. Nothing, where the 95 % intervals of these ratios do not "
        "decide, where a call hides what elements take in cache, or where other processes took an unknown share of the "
        f"time; {NO_INTERVAL}, where there are no intervals, which take {MIN_ROUNDS} rounds.",
        cases,
        _word,
    )


def _by_strategy(title: str, note: str, cases: Sequence[Figures], cell: Callable[[Figures], str]) -> Table:
    """Return a table with a row a backend, dtype and size, and a column a strategy."""
    present = _strategies(each.strategy for each in cases)
    rows = []
    for (backend, dtype, size), found in grouped(cases, lambda each: (each.backend, each.dtype, each.size)).items():
        cells = {each.strategy: cell(each) for each in found}
        rows.append((backend, dtype, count(size), *(cells.get(name, "") for name in present)))
    return Table(title, note, ("backend", "dtype", "n", *present), tuple(rows), labels=2)


def _time(each: Figures) -> str:
    value, low, high = (1e9 * seconds / each.size for seconds in (each.seconds, each.low, each.high))
    rate = f" ({significant(each.copy_limit_pct, 2)} %)" if each.parts and each.parts.rate_tells else ""
    return f"{plus_minus(value, low, high)}{rate}"


def _word(each: Figures) -> str:
    if each.parts is None:
        return ""
    return each.bound or "" if each.parts.known else NO_INTERVAL


def _cost_table(checks: Sequence[Check]) -> Table:
    """Say what each strategy keeps and how wrong it can be."""
    ordered = sorted(
        checks,
        key=lambda check: (check.kernel.dtype, strategy_rank(check.kernel.strategy, registry.strategies_and_rungs())),
    )
    groups = grouped(
        ordered,
        lambda check: (check.kernel.activation, check.kernel.dtype, check.kernel.strategy, check.weaknesses),
    )
    rows = []
    for (activation, dtype, strategy, _), found in sorted(groups.items(), key=lambda item: item[0][:2]):
        worst = max(found, key=lambda check: (check.max_ulp, -abs(check.worst_z)))
        rows.append(
            (
                *(activation, dtype, strategy, str(kept_bytes(worst.kernel.at(1), worst))),
                *(significant(worst.max_ulp, 2), significant(worst.worst_z, 3), "; ".join(worst.weaknesses)),
            )
        )
    return Table(
        "What a strategy costs",
        "Bytes kept per element from forward to backward, and the largest error of g' that the check before the run "
        "found, in units in the last place, on the least accurate backend and op; ∞ where the result is no number. It "
        "looks at points over the whole range of z, between which errors may be larger (actbench accuracy).",
        ("activation", "dtype", "strategy", "bytes kept", "max ULP", "at z", "known weakness"),
        tuple(rows),
        labels=3,
        wrapped=6,
    )


def _remarks(cases: Sequence[Figures], speedups: Sequence[Speedup], record: Record) -> Iterator[str]:
    yield from _intervals(cases, speedups, record)
    yield from processor.remarks(cases)
    if record.plan.probes and record.rounds and record.settings.engine is Engine.INTERLEAVED and not record.probed:
        yield (
            "What bounds a case, and where its time goes, is not known: the run has no probes.csv, which has one "
            f"element and {CACHED} in every round."
        )
    for activation, digits in _by_differences(record.checks).items():
        yield (
            f"{activation}: mpmath cannot evaluate it, so g' is held to differences of the forward function, to about "
            f"{digits:.0f} digits; smaller errors do not show."
        )
    for activation, check in _with_unknown(record.checks).items():
        where = ", ".join(
            f"at {low:.3g}" if low == high else f"from {low:.3g} to {high:.3g}" for low, high in check.unknown_at
        )
        yield (
            f"{activation}: g' is not known at {check.unknown} of {check.points} z, {where}: kernels were not checked "
            "there."
        )
    if record.repeats:
        yield (
            f"Measured again: {counted(record.repeats, 'block')}, in which everything was much slower than in other "
            "rounds, as beside a busy neighbour."
        )
    if threaded := suite.threaded(record.plan):
        number = "1 thread" if record.settings.threads == 1 else f"{record.settings.threads} threads"
        yield f"{', '.join(threaded)}: {number} (--threads); rates are percentages of a copy by as many."
    for device, own in grouped(record.environment.devices.items(), itemgetter(1)).items():
        yield f"{', '.join(name for name, _ in own)}: on {device}; rates are percentages of a copy in its own memory."
    yield from left_out_lines(record.plan.left_out)
    yield from dict.fromkeys(f"FAILED {each.block} {_when(each)}: {each.reason}" for each in record.failures)
    for loss in record.losses:
        yield f"{loss.block} failed {_when(loss)}, and was tried again: {loss.reason}"


def _when(failure: Failure) -> str:
    return f"in round {failure.round}" if failure.round else "while calibrating"


def _intervals(cases: Sequence[Figures], speedups: Sequence[Speedup], record: Record) -> Iterator[str]:
    """Say what intervals mean, and where they are missing or wide."""
    rounds = sorted({each.rounds for each in cases})
    if rounds:
        span = str(rounds[0]) if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
        plural = "round" if span == "1" else "rounds"
        if rounds[-1] >= MIN_ROUNDS:
            yield (
                f"± is the longer side of the 95 % interval over {span} {plural}, each a fresh process; {AS_BOUNDS}1 "
                f"or 0. {UNDECIDED} marks what is undecided: a ratio whose interval includes 1, an addition whose "
                "interval includes 0. Each interval is of one figure: of twenty ratios that are 1 in truth, one may "
                "seem not to be. Differences between whole runs, often a few percent, are not in it (actbench compare)."
            )
        if rounds[0] < MIN_ROUNDS:
            yield f"{NO_INTERVAL} marks a figure without an interval: that takes {MIN_ROUNDS} rounds."
    asked = record.settings.rounds
    if asked and record.rounds < asked and record.settings.budget and record.status is Status.COMPLETE:
        yield f"{record.rounds} of {counted(asked, 'round')}: there was no budget for more."
    widths = [speedup.half_width for speedup in speedups if not isnan(speedup.low)]
    wide = sum(width > record.settings.target for width in widths)
    if wide and record.settings.engine is Engine.INTERLEAVED:
        yield (
            f"Intervals wider than the target of ± {100 * record.settings.target:g} %: {wide} of {len(widths)} "
            "speedups, between strategies and between backends. More time narrows them: --resume with --budget."
        )


def _by_differences(checks: Iterable[Check]) -> dict[str, float]:
    """Return by activation the fewest digits to which its truth is known, where that is by differences."""
    found: dict[str, float] = {}
    for check in checks:
        if check.digits is not None:
            name = check.kernel.activation
            found[name] = min(check.digits, found.get(name, check.digits))
    return found


def _with_unknown(checks: Iterable[Check]) -> dict[str, Check]:
    """Return by activation the check that knew least, where g' was not known at some z."""
    least: dict[str, Check] = {}
    for check in checks:
        name = check.kernel.activation
        if check.unknown and (name not in least or check.unknown > least[name].unknown):
            least[name] = check
    return least


def _strategies(names: Iterable[str]) -> list[str]:
    return sorted(set(names), key=partial(strategy_rank, order=registry.strategies_and_rungs()))
