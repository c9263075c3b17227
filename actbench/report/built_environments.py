"""The environments in the cache, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from actbench.model.built_environment import BuiltEnvironment
from actbench.report.json_text import json_text
from actbench.report.numbers import duration

COMMIT_DIGITS = 10
"""Digits of a hash that are shown."""


def as_text(environments: Sequence[BuiltEnvironment]) -> str:
    """Return a line for each environment, and what is installed in it."""
    lines = [line for environment in environments for line in _lines(environment)]
    megabytes = sum(environment.bytes for environment in environments) / 1e6
    return "\n".join([*lines, f"{megabytes:.0f} MB together"])


def as_json(environments: Sequence[BuiltEnvironment]) -> str:
    """Return a list of objects."""
    return json_text(list(environments))


def _lines(environment: BuiltEnvironment) -> tuple[str, str]:
    head = f"{environment.commit[:COMMIT_DIGITS]}  {environment.project}, {environment.python}"
    built = f"built {environment.built} in {duration(environment.seconds)}, {environment.bytes / 1e6:.0f} MB"
    return f"{head}, {built}", "    " + ", ".join(f"{name} {of}" for name, of in environment.distributions.items())
