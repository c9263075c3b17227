"""The remarks under the tables of training steps: what the figures rest on, what is missing, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path

from actbench.analysis.interval import Interval
from actbench.analysis.training import ArmResult
from actbench.kernels import resolution
from actbench.model.training import CHECKPOINT
from actbench.report import processor
from actbench.report.answers import grouped
from actbench.report.numbers import counted
from actbench.report.remarks import (
    failure_lines,
    inputs_lines,
    interval_lines,
    left_out_lines,
    repeat_lines,
    states_lines,
)
from actbench.report.results import RunResults
from actbench.runs.record import Record

UNLIKE = 0.2
"""Relative difference between an instrumented step and the timed one from which on they are not the same."""

UNSTEADY = 0.5
"""Half width of such a difference's interval, relative to it, above which it varies from round to round."""

DISTURBED = "other processes were at work, and shares and predictions are not those of the times."

INSTRUMENTS = "reading the clock after every part takes that long, and shares are of the instrumented step."

COMPUTED_AGAIN = (
    "checkpoint keeps the input of the linear layer in place of z, and computes z again: that product is a part of "
    "products backward."
)


def remarks(results: RunResults, record: Record, directory: Path) -> Iterator[str]:
    """Yield the remarks on a run of training steps in a directory."""
    plan = record.plan
    yield from interval_lines(results.of_cases, results.speedups, record, directory)
    yield from processor.remarks(results.of_cases)
    if any(row.case.strategy == CHECKPOINT for row in results.training):
        yield COMPUTED_AGAIN
    for backend in resolution.backends(plan.cases):
        if backend.keeps_otherwise:
            yield f"{backend.name}: {backend.keeps_otherwise}"
    yield from repeat_lines(record)
    assert plan.training is not None  # noqa: S101  # this is a run of training steps
    yield (
        f"The loss is the mean of the squared errors, and parameters are updated by {plan.training.optimizer} "
        f"(--optimizer). Products and activations have {counted(record.settings.threads, 'thread')} (--threads)."
    )
    yield from _unlike_lines(results.training)
    for device, of_device in grouped(record.environment.devices.items(), itemgetter(1)).items():
        yield f"{', '.join(name for name, _ in of_device)}: on {device}."
    yield from inputs_lines(plan)
    for line in states_lines(plan, (probe.operands for probe in plan.probes)):
        yield f"Gains are predicted from the activation in the step, and from it alone. {line}"
    yield from left_out_lines(plan.left_out)
    yield from failure_lines(record)


def _unlike_lines(rows: Iterable[ArmResult]) -> Iterator[str]:
    """Yield why instrumented steps are unlike timed ones: instruments, as long in every round, or disturbance."""
    unlike = [(row.excess, row.case.id) for row in rows if row.excess and abs(row.excess.value) > UNLIKE]
    for varies, of_cause in grouped(unlike, lambda row: _varies(row[0])).items():
        excess, case = max(of_cause, key=lambda row: abs(row[0].value))
        yield (
            f"Instrumented steps take up to {100 * abs(excess.value):.0f} % {'less' if excess.value < 0 else 'more'} "
            f"time than timed ones ({case}): {DISTURBED if varies else INSTRUMENTS}"
        )


def _varies(excess: Interval) -> bool:
    return excess.value < 0 or (excess.has_bounds and excess.relative_half_width > UNSTEADY)
