"""asv's results directory: results, with the benchmarks and machines that asv needs to show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from actbench.analysis.estimates import Estimate
from actbench.errors import InputError, unwritable
from actbench.host import regular
from actbench.report.export.asv import VERSION, Measure, Measured, Results, groups, param_names, params, text
from actbench.runs import files

API_VERSION = 2
"""Version of the format of benchmarks.json."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """An entry of benchmarks.json; the fields have asv's names. Parameters are in Python's notation."""

    name: str
    params: list[list[str]]
    param_names: tuple[str, ...]
    code: str
    """The text that asv shows as the benchmark's code."""
    type: str
    unit: str
    version: str = VERSION


def place(directory: Path, measured: Measured, results: Results) -> None:
    """Write benchmarks.json, machine.json and the results; other benchmarks that are there already stay.

    `InputError` where a file cannot be read or written.
    """
    benchmarks = {
        name: _benchmark(name, cases, measure)
        for measure, estimates in measured.items()
        for name, cases in groups(estimates, measure)
    }
    path = directory / results.path
    known = _known(directory / "benchmarks.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(f"cannot write to {directory}: {error.strerror}", error) from None
    files.write(directory / "benchmarks.json", _json({**known, **benchmarks, "version": API_VERSION}))
    files.write(path.parent / "machine.json", _json({**results.machine, "version": 1}))
    files.write(path, text(results))


def _benchmark(name: str, cases: Sequence[Estimate], measure: Measure) -> Benchmark:
    case = cases[0].case
    names = param_names(cases)
    strategy, *others = map(str.upper, names)
    code = f"actbench show {case.activation}/{strategy}/{case.backend}/{case.op}/{'/'.join(others)}"
    return Benchmark(name, params(cases), names, code, measure.type, measure.unit)


def _known(path: Path) -> dict[str, Any]:
    """Return the benchmarks that asv already knows."""
    try:
        known = msgspec.json.decode(regular.read(path), type=dict[str, Any])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}; 'asv run --bench just-discover' makes it again") from None
    if known.get("version", API_VERSION) != API_VERSION:
        raise InputError(f"{path} is not of api_version {API_VERSION}: 'asv run --bench just-discover' makes it again")
    return known


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=4) + b"\n"
