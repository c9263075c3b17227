"""Go's benchmark format, for benchstat and similar tools: https://golang.org/design/14313-benchmark-format.

It has one line per case and round, since benchstat computes statistics over lines and the round is the unit of all
statistics. The parts of a name are key=value, so that ``benchstat -col /strategy`` compares strategies. The header
contains only what two comparable runs share: benchstat makes a separate table for every header that differs, and then
compares nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from actbench.analysis.estimates import Estimate
from actbench.host.environment import Environment
from actbench.model.cases import Case, in_rows
from actbench.model.names import OperandState
from actbench.report.export.nanoseconds import PER_SECOND

GOARCH = {"x86_64": "amd64", "aarch64": "arm64"}
"""Go's names of architectures, where they differ from the system's."""

ThreadsOf = Callable[[str], int]
"""The number of threads of a backend, by its name: the suffix of a name, as Go has GOMAXPROCS there."""


def one_thread(_: str) -> int:
    """Return 1."""
    return 1


def text(estimates: Sequence[Estimate], environment: Environment | None, threads_of: ThreadsOf = one_thread) -> str:
    """Return the file; without an environment its header does not name the host."""
    lines = (line for one in estimates for line in _lines(one, threads_of(one.case.backend)))
    return "\n".join([*_header(environment), *lines]) + "\n"


def _header(environment: Environment | None) -> Iterator[str]:
    if environment is not None:
        yield f"goos: {_one_line(environment.kernel).partition(' ')[0].lower()}"
        yield f"goarch: {GOARCH.get(environment.architecture, _one_line(environment.architecture))}"
    yield "pkg: actbench"
    if environment is not None:
        yield f"cpu: {_one_line(environment.cpu_model)}"


def _lines(estimate: Estimate, threads: int) -> Iterator[str]:
    """Yield one line per round: name, calls, and time of a call without an exponent, which not every reader knows."""
    for one in estimate.rounds:
        yield f"{_name(estimate.case)}-{threads} {one.calls} {PER_SECOND * one.seconds:.2f} ns/op"


def _name(case: Case) -> str:
    """Return ``BenchmarkLogistic/strategy=cached/...``; characters that could end a part are percent-encoded.

    Warm operands have no part, so that names of cases stay what they were before there were others.
    """
    activation = quote(case.activation, safe="")
    parts = {
        "strategy": case.strategy,
        "backend": case.backend,
        "op": case.op,
        "dtype": case.dtype,
        "size": in_rows(case.size, case.rows),
    }
    if case.operands is not OperandState.WARM:
        parts["operands"] = case.operands
    pairs = "".join(f"/{key}={quote(value, safe='')}" for key, value in parts.items())
    return f"Benchmark{activation[:1].upper()}{activation[1:]}{pairs}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
