"""Reports of checks."""

from __future__ import annotations

from actbench.errors import InputError
from actbench.model.outcomes import Failure
from actbench.model.sides import Side
from actbench.report.check_report import Report

NOTHING = Report((), 0.05, (Side("git:main", f"{7:040x}"), Side("this environment")))
"""The report of a check without any case."""


def failed(reason: str, *, block: str = "logistic/step/float32/1000") -> Report:
    """Return the report of a check whose only block failed."""
    return Report((), 0.05, NOTHING.sides, failures=(Failure(block, 1, reason),))


def ended(reason: str) -> Report:
    """Return the report of a check that an error ended."""
    return Report((), 0.05, NOTHING.sides, error=InputError(reason))
