"""The remarks of a summary: what its figures rest on, what is missing from it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from actbench.analysis.figures import Figures
from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.kernels import resolution
from actbench.kernels.sets import TIMES_CACHE
from actbench.model.checks import Check
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import OperandState
from actbench.model.outcomes import Failure
from actbench.model.plan import IN_CACHE_SIZE, LeftOut, Plan
from actbench.planning import library_threads
from actbench.report import processor, states
from actbench.report.answers import grouped, more_rounds
from actbench.report.numbers import AS_BOUNDS, NO_INTERVAL, UNDECIDED, counted, duration
from actbench.runs.record import Engine, Record, Status

MOST_REASONS = 3
"""Number of reasons without a failure that are given where a report is about something else than what it lacks."""


def remarks(cases: Sequence[Figures], speedups: Sequence[Speedup], record: Record, directory: Path) -> Iterator[str]:
    """Yield the remarks on a run in a directory."""
    yield from interval_lines(cases, speedups, record, directory)
    yield from processor.remarks(cases)
    if record.plan.probes and record.rounds and record.settings.engine is Engine.INTERLEAVED and not record.probed:
        yield (
            "The bottleneck of a case, and where its time goes, are not known: the run has no probes.csv, which holds "
            f"the times of one element and of {IN_CACHE_SIZE} in every round."
        )
    for activation, digits in _by_differences(record.checks).items():
        yield (
            f"{activation}: mpmath cannot evaluate it, so g' is compared with differences of the forward function, to "
            f"about {digits:.0f} digits; smaller errors do not show."
        )
    for activation, check in _with_unknown(record.checks).items():
        where = ", ".join(
            f"at {low:.3g}" if low == high else f"from {low:.3g} to {high:.3g}" for low, high in check.unknown_at
        )
        yield (
            f"{activation}: g' is not known at {check.unknown} of {check.points} z, {where}: kernels were not checked "
            "there."
        )
    yield from repeat_lines(record)
    if threaded := library_threads.threaded(record.plan):
        number = "1 thread" if record.settings.threads == 1 else f"{record.settings.threads} threads"
        others = [one.name for one in resolution.backends(record.plan.cases) if one.name not in threaded]
        beside = f", {', '.join(others)} 1" if others and library_threads.with_library_threads(record.plan) else ""
        yield f"{', '.join(threaded)}: {number} (--threads){beside}; rates are percentages of a copy by as many."
    for device, of_device in grouped(record.environment.devices.items(), itemgetter(1)).items():
        names = ", ".join(name for name, _ in of_device)
        yield f"{names}: on {device}; rates are percentages of a copy in its own memory."
    yield from inputs_lines(record.plan)
    yield from operands_lines(record.plan, record.checks)
    yield from left_out_lines(record.plan.left_out)
    yield from failure_lines(record)


def repeat_lines(record: Record) -> Iterator[str]:
    """Say how many blocks were measured again, where there are any."""
    if record.repeats:
        yield (
            f"Measured again: {counted(record.repeats, 'block')}, in which everything was much slower than in other "
            "rounds, as on a processor that other processes use."
        )


def failure_lines(record: Record) -> Iterator[str]:
    """Yield the failures, then those of blocks that were tried again."""
    yield from dict.fromkeys(f"FAILED {item.block} {_when(item)}: {item.reason}" for item in record.failures)
    for loss in record.losses:
        yield f"{loss.block} failed {_when(loss)}, and was tried again: {loss.reason}"


def left_out_lines(left_out: Iterable[LeftOut]) -> Iterator[str]:
    """Yield what was left out, one line per reason."""
    for reason, items in grouped(left_out, lambda item: item.reason).items():
        failed = "FAILED: " if items[0].failed else ""
        yield f"{failed}left out {counted(len(items), 'case')}, e.g. {items[0].case}: {reason}"


def left_out_in_short(left_out: Sequence[LeftOut]) -> list[str]:
    """Return the lines of `left_out_lines`: those of all failures, and of what is unsupported where they are few.

    Where they are many, the count of the others is the last line.
    """
    failed = [item for item in left_out if item.failed]
    by_reason = grouped((item for item in left_out if not item.failed), lambda item: item.reason)
    largest = sorted(by_reason.values(), key=len, reverse=True)
    shown, others = largest[:MOST_REASONS], largest[MOST_REASONS:]
    lines = [*left_out_lines(failed), *left_out_lines(item for items in shown for item in items)]
    if others:
        number, first = sum(map(len, others)), others[0][0]
        reasons = counted(len(others), "other reason")
        lines.append(f"left out {counted(number, 'more case')}, e.g. {first.case}, for {reasons}")
    return lines


def inputs_lines(plan: Plan) -> Iterator[str]:
    """Say what pre-activations are drawn from, where that is not N(0, 1)."""
    if plan.inputs != STANDARD_NORMAL:
        yield f"Inputs are drawn from {plan.inputs}."


def states_lines(plan: Plan, present: Iterable[OperandState]) -> Iterator[str]:
    """Explain the states of operands that are present, where these are not all warm."""
    if meanings := states.meanings(present):
        yield (
            f"{meanings} Each call on operands from memory uses another set of arrays; a set is used again after "
            f"others of {TIMES_CACHE} times the capacity of the last-level cache, which is {plan.cache / 2**20:g} MiB."
        )


def operands_lines(plan: Plan, checks: Sequence[Check] = ()) -> Iterator[str]:
    """Explain the states of operands, where these are not all warm, and where results lie that backends allocate.

    The `checks` of the kernels tell which backends allocate.
    """
    yield from states_lines(plan, (block.operands for block in plan.blocks))
    cold = {case.kernel for case in plan.cases if case.operands is OperandState.COLD}
    allocating = (check for check in checks if check.kernel in cold and check.preallocates is False)
    if names := ", ".join(dict.fromkeys(check.kernel.backend for check in allocating)):
        yield f"{names}: results of calls on cold operands lie where they are allocated, as a rule in cache."


def _when(failure: Failure) -> str:
    return f"in round {failure.round}" if failure.round else "while calibrating"


def interval_lines(
    cases: Sequence[Figures], speedups: Sequence[Speedup], record: Record, directory: Path
) -> Iterator[str]:
    """Explain the intervals, and report where they are missing or wide."""
    difference = "a gain or difference" if record.plan.training else "an addition"
    rounds = sorted({row.rounds for row in cases})
    if rounds:
        span = str(rounds[0]) if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
        plural = "round" if span == "1" else "rounds"
        if rounds[-1] >= MIN_ROUNDS:
            yield (
                f"± is the longer side of the 95 % interval over {span} {plural}, each a fresh process; {AS_BOUNDS}1 "
                f"or 0. {UNDECIDED} marks what is undecided: a ratio whose interval includes 1, {difference} whose "
                "interval includes 0. Intervals are not corrected for their number: of twenty ratios that are 1, one "
                "may seem not to be. They do not contain differences between whole runs, often a few percent (actbench "
                "compare)."
            )
        if rounds[0] < MIN_ROUNDS:
            yield f"{NO_INTERVAL} marks a figure without an interval, which takes {MIN_ROUNDS} rounds."
    requested = record.settings.rounds
    if requested and record.rounds < requested and record.settings.budget and record.status is Status.COMPLETE:
        more = more_rounds(directory, record.plan.command, requested)
        way_out = f"; '{more}' measures the others" if more else ""
        yield (
            f"{record.rounds} of {counted(requested, 'round')}: --budget {duration(record.settings.budget)} was too "
            f"short for more{way_out}."
        )
    widths = [pair.ratio.relative_half_width for pair in speedups if pair.ratio.has_bounds]
    wide = sum(width > record.settings.target for width in widths)
    if wide and record.settings.engine is Engine.INTERLEAVED:
        yield (
            f"Intervals wider than the target of ± {100 * record.settings.target:g} %: {wide} of {len(widths)} "
            "speedups, between strategies and between backends. More time narrows them: --resume with --budget."
        )


def _by_differences(checks: Iterable[Check]) -> dict[str, float]:
    """Return by activation the least number of digits of the reference g', where that comes from differences."""
    digits: dict[str, float] = {}
    for check in checks:
        if check.digits is not None:
            name = check.kernel.activation
            digits[name] = min(check.digits, digits.get(name, check.digits))
    return digits


def _with_unknown(checks: Iterable[Check]) -> dict[str, Check]:
    """Return by activation the check with the most z at which g' is unknown."""
    worst: dict[str, Check] = {}
    for check in checks:
        name = check.kernel.activation
        if check.unknown and (name not in worst or check.unknown > worst[name].unknown):
            worst[name] = check
    return worst
