"""Results files of airspeed velocity (asv), as in its results directory.

The format is api_version 2 of ``asv/results.py`` in asv 0.6: one file per machine, commit and environment. A benchmark
is an activation, a backend and an op, ``logistic.numpy.time_derivative``; strategy, dtype and size are its parameters,
so that asv draws the strategies in one graph. Samples are rounds, on which asv's own test then works. Cases whose
operands are not warm are benchmarks of their own, ``logistic.numpy.time_derivative_from_memory``, with the state of
operands as one more parameter: a benchmark whose parameters change loses its history.

A parameter combination that was not measured is null, which asv shows as failed. The backend is part of the name
because backends differ in dtypes and sizes; as a parameter it would leave many such gaps.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from itertools import accumulate, product
from math import comb
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from actbench.analysis.estimates import Estimate
from actbench.errors import InputError
from actbench.host.environment import Environment
from actbench.model.cases import Case, in_rows
from actbench.model.names import OperandState
from actbench.runs.archive import Run
from actbench.runs.csv_text import FLOATS

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A full hash of git or Mercurial, by which asv looks results up."""

RESULT_COLUMNS = (
    *("result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b"),
    *("stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile"),
)
"""The columns of a row of results, in asv's order; nulls at the end are left out."""

VERSION = "1"
"""Version of all benchmarks: asv does not compare results of different versions. Raise it when names change meaning."""

PARAM_NAMES = ("strategy", "dtype", "size")
"""The parameters of a benchmark of warm operands."""

STATE_PARAM = "operands"
"""The further parameter of one of operands from memory."""

FROM_MEMORY = "_from_memory"
"""How the name of such a benchmark ends."""

REQUIREMENTS = ("numpy", "numba")
"""The libraries whose versions distinguish environments."""

LONGEST_NAME = 128
"""Largest number of characters of an environment's name in a file name; asv replaces longer names by a hash."""


class Measure(NamedTuple):
    """What the values of benchmarks are; type and unit are asv's."""

    name: str
    """How names of benchmarks end, with the op in it."""
    type: str
    unit: str


TIME = Measure("time_{op}", "time", "seconds")
COPIES = Measure("track_{op}_in_copies", "track", "copies")
"""Times over that of the block's plain copy, in which the host's drift from run to run cancels."""


@dataclass(frozen=True, slots=True)
class Results:
    """A results file; the fields have asv's names."""

    commit_hash: str
    env_name: str
    date: int
    """Milliseconds since 1970: asv means the time of the commit, and the start of the run stands for it."""
    params: dict[str, str]
    """The machine and the environment, each an axis of asv's graphs; so nothing here may change with every update."""
    python: str
    requirements: dict[str, str]
    env_vars: dict[str, str]
    result_columns: tuple[str, ...]
    results: dict[str, list[Any]]
    durations: dict[str, float]
    version: int = 2

    @property
    def machine(self) -> dict[str, str]:
        """The contents of machine.json."""
        return {name: value for name, value in self.params.items() if name not in {"python", *self.requirements}}

    @property
    def path(self) -> Path:
        """The path at which asv expects the file, below its results directory."""
        long = len(self.env_name) >= LONGEST_NAME
        name = f"env-{md5(self.env_name.encode(), usedforsecurity=False).hexdigest()}" if long else self.env_name
        return Path(self.params["machine"], f"{self.commit_hash[:8]}-{name}.json")


Measured = Mapping[Measure, Sequence[Estimate]]
"""What is exported of a run."""


def results(measured: Measured, run: Run, commit: str | None) -> Results:
    """Return the results of a run; `InputError` where the host is unknown, or `commit` is not a full hash."""
    if run.record is None:
        raise InputError(f"{run.path} does not name its host, which asv needs: name the directory of the run")
    environment = run.record.environment
    python = environment.python.rpartition(" ")[2].rpartition(".")[0]
    requirements = {name: environment.libraries[name] for name in REQUIREMENTS if name in environment.libraries}
    started = round(1000 * datetime.fromisoformat(run.record.created).timestamp())
    return Results(
        commit_hash=_checked(commit),
        env_name=_environment_name(python, requirements, environment.variables),
        date=started,
        params={**_machine(environment), "python": python, **requirements},
        python=python,
        requirements=requirements,
        env_vars=environment.variables,
        result_columns=RESULT_COLUMNS,
        results={
            name: _row(members, started)
            for measure, estimates in measured.items()
            for name, members in groups(estimates, measure)
        },
        durations={},
    )


def text(results: Results) -> str:
    """Return a results file's text, as compact as asv's."""
    return msgspec.json.format(msgspec.json.encode(results), indent=0).decode() + "\n"


def groups(estimates: Iterable[Estimate], measure: Measure = TIME) -> Iterator[tuple[str, list[Estimate]]]:
    """Yield every benchmark's name and cases. A dot or slash in a part of the name is percent-encoded."""
    by_name: dict[str, list[Estimate]] = {}
    for estimate in estimates:
        case = estimate.case
        activation, backend = (quote(name, safe="").replace(".", "%2E") for name in (case.activation, case.backend))
        ending = FROM_MEMORY if _from_memory(case) else ""
        by_name.setdefault(f"{activation}.{backend}.{measure.name.format(op=case.op)}{ending}", []).append(estimate)
    yield from by_name.items()


def param_names(cases: Sequence[Estimate]) -> tuple[str, ...]:
    """Return the names of a benchmark's parameters."""
    return (*PARAM_NAMES, STATE_PARAM) if _from_memory(cases[0].case) else PARAM_NAMES


def _from_memory(case: Case) -> bool:
    return case.operands is not OperandState.WARM


def _key(case: Case) -> tuple[str | int, ...]:
    """Return the values of a case's parameters."""
    state = (str(case.operands),) if _from_memory(case) else ()
    return (case.strategy, str(case.dtype), _size(case), *state)


def _size(case: Case) -> str | int:
    return case.size if case.rows == 1 else in_rows(case.size, case.rows)


def _axes(cases: Sequence[Estimate]) -> list[list[str | int]]:
    """Return the values of each parameter of a benchmark: strategies and states in the order of the run."""
    strategies, *others = map(dict.fromkeys, zip(*(_key(estimate.case) for estimate in cases), strict=True))
    dtypes, _, *states = others
    ascending = sorted((estimate.case for estimate in cases), key=lambda case: (case.size, case.rows))
    return [[*strategies], sorted(dtypes), [*dict.fromkeys(map(_size, ascending))], *map(list, states)]


def params(cases: Sequence[Estimate]) -> list[list[str]]:
    """Return the values of a benchmark's parameters, in Python's notation."""
    return [[repr(value) for value in axis] for axis in _axes(cases)]


def _row(cases: Sequence[Estimate], started: int) -> list[Any]:
    """Return a benchmark's results in the order of `RESULT_COLUMNS`, one value per combination of parameters."""
    by_key = {_key(estimate.case): estimate for estimate in cases}
    ordered = [by_key.get(key) for key in product(*_axes(cases))]
    values = [None if estimate is None else float(FLOATS % estimate.seconds.value) for estimate in ordered]
    samples = [None if estimate is None else _samples(estimate) for estimate in ordered]
    stats = zip(*(_stats(estimate) for estimate in ordered), strict=True)
    return [values, params(cases), VERSION, started, None, *map(list, stats), samples]


def _samples(estimate: Estimate) -> list[float]:
    return [float(FLOATS % one.seconds) for one in estimate.rounds]


def _stats(estimate: Estimate | None) -> tuple[float | None, ...]:
    """Return the 99 % interval's bounds, the quartiles, the calls per sample, and the number of samples.

    All are None where there are too few rounds for an interval; asv then uses its factor only.
    """
    if estimate is None or not estimate.seconds.has_bounds:
        return (None,) * 6
    samples = sorted(_samples(estimate))
    low, high = _median_interval(samples)
    first, _, third = quantiles(samples, method="inclusive")
    return low, high, float(FLOATS % first), float(FLOATS % third), estimate.rounds[0].calls, len(samples)


def _median_interval(ordered: Sequence[float]) -> tuple[float | None, float | None]:
    """Return 99 % bounds of the median, by the sign test as in asv; None for fewer than 8 samples."""
    count = len(ordered)
    tail = [ways / 2**count for ways in accumulate(comb(count, below) for below in range(count + 1))]
    rank = bisect_right(tail, 0.005)
    return (ordered[rank - 1], ordered[-rank]) if rank else (None, None)


def _machine(environment: Environment) -> dict[str, str]:
    """Return the machine in asv's fields. Its name is made from the processors, since a host's name is private."""
    model = re.sub(r"\((R|TM|C)\)", " ", environment.cpu_model, flags=re.IGNORECASE)
    words = re.findall(r"[a-z0-9.]*[a-z0-9]", f"{model} x{environment.logical_cpus}".lower(), re.ASCII)
    return {
        "machine": "-".join(words),
        "os": environment.kernel.partition(" ")[0],
        "arch": environment.architecture,
        "cpu": environment.cpu_model,
        "num_cpu": str(environment.logical_cpus),
        "ram": f"{environment.memory / 2**30:.0f} GiB",
    }


def _environment_name(python: str, requirements: dict[str, str], variables: dict[str, str]) -> str:
    """Return tool, Python, versions and tuning variables in asv's notation, as a valid file name."""
    pairs = [f"{name}{value}" for name, value in (*sorted(requirements.items()), *sorted(variables.items()))]
    return re.sub(r"[^\w.+-]", "_", "-".join(["actbench", f"py{python}", *pairs]), flags=re.ASCII)


def _checked(commit: str | None) -> str:
    """Return the commit's hash; `InputError` where there is none, or it is not a full one."""
    if commit is None:
        raise InputError('asv files results under the commit that was measured: add --commit "$(git rev-parse HEAD)"')
    if not COMMIT.fullmatch(commit):
        raise InputError(f"--commit {commit!r} is not a full hash: give what 'git rev-parse HEAD' prints")
    return commit
