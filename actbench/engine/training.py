"""From a request to a new run of training steps, or one that goes on: its plan, predicted duration and settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from actbench import __version__, plugins
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.engine.environment import collect_environment
from actbench.engine.launch import StartWorker
from actbench.engine.planned_elsewhere import PlannedElsewhere
from actbench.engine.preparing import guaranteed_rounds
from actbench.engine.requests import DEFAULT_TIMEOUT, RunRequest, TrainRequest, chosen_seed, limits_of
from actbench.engine.resuming import go_on_here, take_limits
from actbench.errors import NotComparableError
from actbench.host import environment, memory, repository, speed
from actbench.kernels import resolution
from actbench.kernels.drawing import pinned
from actbench.model import shell
from actbench.model.plan import Plan
from actbench.planning import costs, training
from actbench.planning.prediction import Prediction
from actbench.planning.selection import Room
from actbench.runs.plan_file import PlanFile
from actbench.runs.record import Engine, Record, Settings
from actbench.runs.writer import Writer, reopen

PRESET = "train"
"""What the settings of a run of training steps have in a preset's place."""

DEFAULT_TARGET = 0.007
"""Relative half width of an interval: what is won in a step is often less than 1 %."""

DEFAULT_BUDGET = 110.0
"""Seconds."""

ARM_SECONDS = 0.08
"""Least time of an arm per round: about 20 steps of the default network, a third of which are timed."""

LONGEST_ARM_SECONDS = 1.0

ENOUGH_ROUNDS = 20
"""Rounds beyond which a budget is spent on longer ones, since a round begins with two seconds that are not timed.

In a minute, the gain of a step of the default network was known to 0.5 to 1.2 % by 7 to 12 rounds with a second an arm,
and to 1.2 to 1.6 % by 24 with 0.08 seconds (``python -m benchmarks.training precision``): it scatters from step to step
more than from process to process."""

SELECTING = {
    "networks": "NETWORK",
    "activations": "--activation",
    "backends": "--backend",
    "strategies": "--strategy",
    "dtypes": "--dtype",
    "batches": "--batch",
    "optimizer": "--optimizer",
    "predictors": "--operands",
    "sweep": "--sweep",
    "pattern": "--filter",
    "seed": "--seed",
    "threads": "--threads",
}
"""Options that decide what is measured, as they are written; they cannot be given where a run is resumed."""


@dataclass(frozen=True)
class PreparedTrain:
    """A run of training steps that can begin."""

    request: TrainRequest
    plan: Plan
    cpu: int | None
    threads: int
    arm_seconds: float
    """Intended time of an arm per round."""

    @property
    def budget(self) -> float | None:
        """Seconds; None where rounds alone are asked for."""
        return budget_of(self.request)

    def prediction(self) -> Prediction:
        """Return how long it should take."""
        request = self.request
        slowness = speed.slowness()
        return Prediction(
            preparation=training.preparation(self.plan, slowness),
            round_seconds=training.predicted_round(self.plan, self.arm_seconds, slowness),
            rounds=request.rounds,
            budget=self.budget,
            fewest=guaranteed_rounds(self.settings()),
            for_interval=MIN_ROUNDS,
        )

    def file(self) -> PlanFile:
        """Return the plan as a file, for other hosts."""
        loaded = tuple(environment.public_code(plugins.loaded()))
        return PlanFile(self.plan, PRESET, self.arm_seconds, self.request.threads, loaded, __version__)

    def settings(self) -> Settings:
        """Return what it is measured with."""
        request = self.request
        return Settings(
            preset=PRESET,
            engine=Engine.INTERLEAVED,
            target=request.target or DEFAULT_TARGET,
            budget=self.budget,
            rounds=request.rounds,
            arm_seconds=self.arm_seconds,
            timeout=request.timeout or DEFAULT_TIMEOUT,
            threads=self.threads,
            budget_named=bool(request.budget),
        )

    def record(self, start_worker: StartWorker) -> Record:
        """Return the record that it begins with, of this host."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        here = collect_environment(start_worker, self.cpu, resolution.backends(self.plan.cases))
        loaded, commit = environment.public_code(plugins.loaded()), repository.commit_here()
        return Record(self.plan, self.settings(), here, created, loaded=loaded, commit=commit)


def budget_of(request: TrainRequest) -> float | None:
    """Return the budget of a request in seconds; None where rounds alone are asked for."""
    return request.budget or (None if request.rounds else DEFAULT_BUDGET)


def arm_seconds(plan: Plan, request: TrainRequest) -> float:
    """Return the time of an arm per round: the longest with which `ENOUGH_ROUNDS` fit the budget, within its limits.

    It is that of the machine of `actbench.planning.durations`, whatever this one is, so that it belongs to the plan.
    """
    budget = None if request.rounds else budget_of(request)
    if budget is None:
        return costs.arm_seconds(plan, ARM_SECONDS)
    per_round = (budget - training.preparation(plan)) / ENOUGH_ROUNDS
    shortest, longest = ARM_SECONDS, LONGEST_ARM_SECONDS
    while longest - shortest > ARM_SECONDS / 10:
        middle = (shortest + longest) / 2
        fits = training.predicted_round(plan, middle) <= per_round
        shortest, longest = (middle, longest) if fits else (shortest, middle)
    fits = training.predicted_round(plan, LONGEST_ARM_SECONDS) <= per_round
    return costs.arm_seconds(plan, LONGEST_ARM_SECONDS if fits else shortest)


def prepare(request: TrainRequest, *, elsewhere: bool = False) -> PreparedTrain:
    """Plan a run; `InputError` for what cannot be measured here.

    A plan for hosts `elsewhere` may have more threads than this host has processors.
    """
    cpu = environment.choose_cpu(request.affinity)
    threads = environment.choose_threads(None if elsewhere else request.threads)
    selection = replace(request.selection, inputs=pinned(request.selection.inputs))
    room = Room(memory.usable(), environment.last_level_cache(cpu))
    plan = training.plan(selection, room, chosen_seed(request.seed))
    return PreparedTrain(request, plan, cpu, threads, arm_seconds(plan, request))


def prepare_planned(elsewhere: PlannedElsewhere, request: RunRequest) -> PreparedTrain:
    """Prepare a run of a plan of steps that was made before, perhaps on another host; `request` has its limits."""
    file = elsewhere.file
    cpu, threads = environment.choose_cpu(request.affinity), environment.choose_threads(file.threads)
    limits = TrainRequest(**limits_of(request), affinity=request.affinity, threads=file.threads)
    return PreparedTrain(limits, elsewhere.here(request.inputs, cpu), cpu, threads, file.arm_seconds)


@contextmanager
def resumed(directory: Path, request: TrainRequest, start_worker: StartWorker) -> Iterator[Writer]:
    """Go on with the run in `directory`, or ``latest``; limits of the request replace those of before.

    `NotComparableError` where options select something, or the host or the code is another than the run's.
    """
    if named := [written for name, written in SELECTING.items() if name in request.named]:
        raise NotComparableError(
            f"--resume {directory}: what is measured is that run's: leave {', '.join(named)} out, or start a new run"
        )
    inputs = request.selection.inputs if "inputs" in request.named else None
    with reopen(directory) as writer:
        if writer.record.plan.training is None:
            resuming = shell.command("actbench", "run", "--resume", directory)
            raise NotComparableError(f"--resume {directory}: the run there has no training steps: write {resuming}")
        go_on_here(directory, writer.record, start_worker, environment.choose_cpu(request.affinity), inputs)
        take_limits(writer.record, request)
        yield writer
