"""The bytes that are kept from the forward to the backward pass, of both sides of a check.

They are counted, not measured: more than in the baseline is a regression of memory without any margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from actbench.analysis.regression import Change, Verdict
from actbench.analysis.row_bytes import row_bytes
from actbench.model.cases import Case
from actbench.model.row_bytes import an_element
from actbench.model.sides import KeptOnSides
from actbench.runs.record import Record

Kept = Mapping[Case, float]
"""Bytes kept: per element of a kernel, per step of training."""


def with_kept(changes: Iterable[Change], baseline: Kept, candidate: Kept) -> list[Change]:
    """Return the changes with the bytes kept on both sides; those that keep more have regressed in memory.

    A case that has regressed in time as well remains one that has regressed.
    """
    return [_with_kept(change, baseline.get(change.case), candidate.get(change.case)) for change in changes]


def kept_in(record: Record | None) -> dict[Case, float]:
    """Return the bytes that the cases of a run keep, as it recorded them."""
    if record is None:
        return {}
    of_kernels = {
        check.kernel: (check.kept_bytes, row_bytes(check.kernel, check).kept)
        for check in record.checks
        if check.kept_bytes is not None
    }
    kernels = {
        case: an_element(*of_kernels[case.kernel], case.size, case.rows)
        for case in record.plan.cases
        if case.kernel in of_kernels
    }
    return kernels | {check.case: check.kept for check in record.step_checks}


def _with_kept(change: Change, baseline: float | None, candidate: float | None) -> Change:
    if baseline is None or candidate is None or change.verdict in {Verdict.MISSING, Verdict.NEW}:
        return change
    kept = KeptOnSides(baseline, candidate)
    if kept.grew and change.verdict is not Verdict.REGRESSED:
        return replace(change, kept=kept, verdict=Verdict.REGRESSED_IN_MEMORY)
    return replace(change, kept=kept)
