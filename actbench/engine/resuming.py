"""Go on with a run: on the same host, with the same plan and the same code of the user's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from actbench import plugins
from actbench.engine.environment import collect_environment
from actbench.engine.launch import StartWorker
from actbench.engine.preparing import planned, refuse_limits_of_stock_pyperf
from actbench.engine.requests import PLANNING, RunRequest, TrainRequest, limits_of
from actbench.errors import InputError, NotComparableError
from actbench.host import environment
from actbench.kernels import resolution
from actbench.kernels.drawing import pinned
from actbench.model import shell
from actbench.model.inputs import Inputs
from actbench.model.loaded import Loaded, changed_below
from actbench.planning import library_threads, suite, yardsticks
from actbench.runs.record import Record
from actbench.runs.writer import Writer, reopen


@contextmanager
def resumed(directory: Path, request: RunRequest, start_worker: StartWorker) -> Iterator[Writer]:
    """Go on with the run in `directory`, or ``latest``; limits of the request replace those of before.

    What the run had loaded is loaded again, unless something is loaded already. `NotComparableError` where the host,
    the plan or the code is another than the run's.
    """
    cpu = environment.choose_cpu(request.affinity)
    with reopen(directory) as writer:
        if writer.record.plan.training:
            training = shell.command("actbench", "train", "--resume", directory)
            raise NotComparableError(f"--resume {directory}: the run there has training steps: write {training}")
        go_on_here(directory, writer.record, start_worker, cpu, request.inputs if "inputs" in request.named else None)
        _refuse_other_plan(directory, request, writer.record)
        refuse_limits_of_stock_pyperf(request, writer.record.settings.engine)
        take_limits(writer.record, request)
        yield writer


def go_on_here(
    directory: Path, record: Record, start_worker: StartWorker, cpu: int | None, inputs: Inputs | None = None
) -> None:
    """Load what a run had loaded, and read its inputs again; `inputs` are those that the user names.

    `NotComparableError` where these, or the host, are others than the run's.
    """
    _load_again(directory, record.loaded)
    record.plan = replace(
        record.plan, inputs=_inputs_again(directory, inputs or record.plan.inputs, record.plan.inputs)
    )
    here = collect_environment(start_worker, cpu, resolution.backends(record.plan.cases))
    environment.refuse_other(record.environment, here)
    record.environment = here


def take_limits(record: Record, request: RunRequest | TrainRequest) -> None:
    """Let the limits of a request replace those of a run."""
    limits = replacing_limits(request)
    named = bool(limits.get("budget", record.settings.budget_named))
    record.settings = replace(record.settings, **limits, budget_named=named)


def replacing_limits(request: RunRequest | TrainRequest) -> dict[str, Any]:
    """Return the limits that a request replaces, by name: those that it has, and those that these make meaningless."""
    limits = {name: value for name, value in limits_of(request).items() if value}
    if {"target", "budget"} & limits.keys():
        limits.setdefault("rounds", None)
    elif "rounds" in limits:
        limits["budget"] = None
    return limits


def _refuse_other_plan(directory: Path, request: RunRequest, record: Record) -> None:
    settings, named = record.settings, request.named & PLANNING
    seed = request.seed if "seed" in named and request.seed is not None else record.plan.seed
    engine = request.engine or settings.engine
    threads = request.threads or (settings.threads if library_threads.with_library_threads(record.plan) else None)
    plan_differs = suite.with_threads(record.plan, request.threads) != record.plan  # of a library's threads alone
    if named:
        alike = replace(request, engine=engine, threads=threads)
        plan = planned(alike, seed, record.plan.inputs, record.plan.cache or None)
        later = [item for item in record.plan.left_out if item not in plan.left_out]  # they did not pass their checks
        before = record.plan
        if not any(block.kernel_copies for block in before.blocks):  # it is of before there were any
            plan, before = map(yardsticks.without_kernel_copies, (plan, before))
        plan_differs |= (plan.without(later), engine) != (before, settings.engine)
    if plan_differs or (request.threads or settings.threads) != settings.threads:
        raise NotComparableError(
            f"--resume {directory}: the run there has another plan: leave the selection and --threads out, or start a "
            "new run"
        )


def _inputs_again(directory: Path, inputs: Inputs, recorded: Inputs) -> Inputs:
    """Return what the run draws its inputs from, and read its file again; `NotComparableError` where that changed."""
    try:
        here = pinned(inputs)
    except InputError:
        if inputs is not recorded:
            raise
        raise InputError(
            f"--resume {directory}: the run there has inputs from {recorded.file}, which cannot be read any more: name "
            "that file (--inputs FILE.npy)"
        ) from None
    if here == recorded:
        return here
    if here.file and Path(here.file).name == Path(recorded.file).name:
        raise NotComparableError(f"--resume {directory}: {here.file} changed since this run started; start a new run")
    raise NotComparableError(
        f"--resume {directory}: the run there has inputs from {recorded}, not {here}: leave --inputs out, or start a "
        "new run"
    )


def _load_again(directory: Path, recorded: Sequence[Loaded]) -> None:
    """Load what the run had, unless something is loaded; `NotComparableError` where that is not the same any more."""
    if not plugins.loaded():
        for name in dict.fromkeys(code.name for code in recorded):
            plugins.load(name)
    there = {code.sha256: code.name for code in recorded}
    here = {code.sha256: code.name for code in plugins.loaded()}
    if other := [name for digest, name in here.items() if digest not in there]:
        raise NotComparableError(
            f"--resume {directory}: {other[0]} is not the code that the run there had: undo what was changed in it, or "
            "start a new run"
        )
    if missing := [name for digest, name in there.items() if digest not in here]:
        raise NotComparableError(
            f"--resume {directory}: the run there had loaded {missing[0]} as well: name it too (--load)"
        )
    for name, before, now in changed_below(recorded, environment.public_code(plugins.loaded())):
        raise NotComparableError(
            f"--resume {directory}: {name} changed since this run started (was {before}, is {now}): undo that, or "
            "start a new run"
        )
