"""asv's results directory: results, and what asv must know of benchmarks and machines before it shows any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from actbench.analysis.estimates import Estimate
from actbench.errors import InputError, unwritable
from actbench.host import regular
from actbench.report.export.asv import PARAM_NAMES, VERSION, Results, groups, params, text
from actbench.runs import files

API_VERSION = 2
"""Of benchmarks.json."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """An entry of benchmarks.json, the fields by asv's names. Parameters are as Python writes them."""

    name: str
    params: list[list[str]]
    code: str
    """What asv shows as the benchmark's code."""
    version: str = VERSION
    type: str = "time"
    unit: str = "seconds"
    param_names: tuple[str, ...] = PARAM_NAMES


def place(directory: Path, estimates: Sequence[Estimate], results: Results) -> None:
    """Write benchmarks.json, machine.json and the results; benchmarks of other names that are there stay.

    `InputError` when a file cannot be read or written.
    """
    benchmarks = {name: _benchmark(name, cases) for name, cases in groups(estimates)}
    path = directory / results.path
    known = _known(directory / "benchmarks.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(f"cannot write to {directory}: {error.strerror}", error) from None
    files.write(directory / "benchmarks.json", _json({**known, **benchmarks, "version": API_VERSION}))
    files.write(path.parent / "machine.json", _json({**results.machine, "version": 1}))
    files.write(path, text(results))


def _benchmark(name: str, cases: Sequence[Estimate]) -> Benchmark:
    case = cases[0].case
    code = f"actbench show {case.activation}/STRATEGY/{case.backend}/{case.op}/DTYPE/SIZE"
    return Benchmark(name, params(cases), code)


def _known(path: Path) -> dict[str, Any]:
    """Return what asv knows already."""
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
