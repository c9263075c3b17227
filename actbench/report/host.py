"""The host, its software and the user's settings, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from math import isnan
from typing import Any

from actbench.analysis.peak_rates import PeakRate, PipeRate
from actbench.host.environment import Environment
from actbench.host.noise import HostProperty
from actbench.report import settings
from actbench.report.json_text import json_text
from actbench.report.numbers import counted, plus_minus
from actbench.report.settings import Configuration


def line(environment: Environment) -> str:
    """Return the host and its software in a line."""
    return ", ".join(parts(environment))


def parts(environment: Environment) -> tuple[str, ...]:
    """Return the parts of that line."""
    return (
        f"{environment.cpu_model}, {counted(environment.logical_cpus, 'processor')} ({_caches(environment)})",
        *dict.fromkeys(environment.devices.values()),
        environment.kernel,
        environment.python,
        f"actbench {environment.actbench}",
        *(f"{name} {version}" for name, version in environment.libraries.items()),
    )


def as_text(
    environment: Environment,
    noise: Sequence[HostProperty],
    configuration: Configuration,
    limits: Sequence[PeakRate] | None,
) -> str:
    """Return what a run would record, then the causes of noise, the limits if there are any, and the settings."""
    facts = [f"{name:<28} {value}" for name, value in of(environment).items()]
    states = [f"{item.subject:<28} {item.state}" + ("" if item.good else f"  -> {item.advice}") for item in noise]
    roofs = [] if limits is None else ["", "what one core can do at most", *map(_limit, limits)]
    return "\n".join([*facts, "", "what makes timings vary", *states, *roofs, "", settings.as_text(configuration)])


def for_bug_report(environment: Environment) -> str:
    """Return the facts on which behaviour depends, a line each."""
    facts = of(environment)
    of_software, of_host = ("python", "libraries", "blas", "kernel", "libc", "architecture"), ("cpu model", "caches")
    names = (*of_software, *of_host, "logical cpus", "variables")
    return "\n".join(f"{name:<13} {facts[name]}" for name in names)


def of(environment: Environment) -> dict[str, str]:
    """Return the known facts about a host, by their names for people."""
    shown = {field.name: getattr(environment, field.name) for field in fields(Environment)}
    shown |= {
        "caches": _caches(environment) or "unknown",
        "affinity": None if environment.affinity is None else f"processor {environment.affinity}",
        "memory": f"{environment.memory / 2**30:.1f} GiB",
        "libraries": _pairs(environment.libraries),
        "variables": _pairs(environment.variables) or "none set",
        "devices": _pairs(environment.devices),
        "blas": environment.blas or None,
    }
    if not environment.devices:  # that no case needed a device does not mean that the host has none
        del shown["devices"]
    return {name.replace("_", " "): "unknown" if value is None else str(value) for name, value in shown.items()}


def as_json(
    environment: Environment,
    noise: Sequence[HostProperty],
    configuration: Configuration,
    limits: Sequence[PeakRate] | None,
) -> str:
    """Return the same as a JSON object; ``limits`` only where they were measured."""
    parts: dict[str, Any] = {"environment": environment, "noise": noise, "configuration": configuration}
    return json_text(parts if limits is None else parts | {"limits": [_record(limit) for limit in limits]})


def _record(limit: PeakRate) -> dict[str, str | float]:
    rate, low, high = limit.rate
    reached = {}
    if isinstance(limit, PipeRate):
        reached = {"share_pct": limit.share.value, "share_low_pct": limit.share.low, "share_high_pct": limit.share.high}
    return {
        "subject": limit.subject,
        "rate": rate,
        "low": low,
        "high": high,
        "unit": limit.unit,
        "detail": limit.detail,
        **reached,
    }


def _limit(limit: PeakRate) -> str:
    rate = f"{plus_minus(limit.rate)} {limit.unit}, " if not isnan(limit.rate.value) else ""
    reached = f", of which {plus_minus(limit.share)} % are reached" if isinstance(limit, PipeRate) else ""
    return f"{limit.subject:<28} {rate}{limit.detail}{reached}"


def _caches(environment: Environment) -> str:
    return ", ".join(f"{name} {size / 1024:g} KiB" for name, size in environment.caches.items())


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
