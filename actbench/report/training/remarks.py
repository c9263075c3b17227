"""The remarks under the tables of training steps: what the figures rest on, what is missing, and why."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

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

COMPUTED_AGAIN = (
    "checkpoint keeps the input of the linear layer in place of z, and computes z again: that product is a part of "
    "products backward."
)


def remarks(results: RunResults, record: Record) -> Iterator[str]:
    """Yield the remarks on a run of training steps."""
    plan = record.plan
    yield from interval_lines(results.of_cases, results.speedups, record)
    yield from processor.remarks(results.of_cases)
    if any(row.case.strategy == CHECKPOINT for row in results.training):
        yield COMPUTED_AGAIN
    for backend in resolution.backends(plan.cases):
        if backend.keeps_otherwise:
            yield f"{backend.name}: {backend.keeps_otherwise}"
    yield from repeat_lines(record)
    yield f"Products and activations have {counted(record.settings.threads, 'thread')} (--threads)."
    for device, of_device in grouped(record.environment.devices.items(), itemgetter(1)).items():
        yield f"{', '.join(name for name, _ in of_device)}: on {device}."
    yield from inputs_lines(plan)
    yield from states_lines(plan, (probe.operands for probe in plan.probes))
    yield from left_out_lines(plan.left_out)
    yield from failure_lines(record)
