"""From a request to a new run: its plan, predicted duration, settings, and first record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from actbench import __version__, plugins
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.engine.environment import collect_environment
from actbench.engine.launch import StartWorker
from actbench.engine.planned_elsewhere import PlannedElsewhere, refuse_selection
from actbench.engine.requests import DEFAULT_TARGET, DEFAULT_TIMEOUT, PLANNING, RunRequest, chosen_seed
from actbench.engine.stock import PROCESS_SECONDS, PROCESSES
from actbench.errors import NotComparableError, OptionsError
from actbench.host import environment, repository, speed
from actbench.kernels import resolution
from actbench.kernels.drawing import pinned
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import OperandState
from actbench.model.plan import Plan
from actbench.planning import costs, durations, library_threads, presets, suite, yardsticks
from actbench.planning.prediction import Prediction, StockPrediction, round_seconds
from actbench.planning.presets import Preset
from actbench.planning.room import room_here
from actbench.runs.plan_file import PlanFile
from actbench.runs.record import Engine, Record, Settings

WARM_ONLY = "stock pyperf (--engine pyperf) measures warm operands only"


def planned(request: RunRequest, seed: int, inputs: Inputs, cache: int | None = None) -> Plan:
    """Lay out the plan of a request, on inputs whose file has been read; `InputError` where there is none.

    `cache` are the bytes of the last-level cache, as a run that goes on found it; this processor's where it is None.
    """
    axes = request.selection.over(presets.get(request.preset).axes)
    room = room_here(axes, request.affinity, request.max_call)
    room = room if cache is None else replace(room, cache=cache)
    plan = suite.plan(axes, room, pattern=request.selection.pattern, seed=seed)
    if request.engine is Engine.PYPERF:
        plan = suite.without_cold(plan, WARM_ONLY)
    plan = suite.with_threads(suite.on_inputs(plan, inputs), request.threads)
    if request.engine is Engine.PYPERF:
        return plan
    return yardsticks.with_kernel_copies(plan, environment.choose_cpu(request.affinity))


def guaranteed_rounds(settings: Settings) -> int:
    """Return the rounds to measure even beyond the budget: one where the user named it, else enough for intervals."""
    return 1 if settings.budget_named else MIN_ROUNDS


def refuse_limits_of_stock_pyperf(request: RunRequest, engine: Engine | None) -> None:
    """Raise `OptionsError` for a limit that stock pyperf does not have."""
    if engine is Engine.PYPERF and (request.target or request.budget):
        raise OptionsError(
            "--target and --budget do not apply to stock pyperf (--engine pyperf): use --rounds, its processes"
        )


def refuse_cold_for_stock_pyperf(request: RunRequest) -> None:
    """Raise `OptionsError` for operands that stock pyperf cannot have: its calls are all on the same ones."""
    cold = [state for state in request.selection.operands if state != OperandState.WARM]
    if request.engine is Engine.PYPERF and cold:
        raise OptionsError(
            f"--operands {cold[0]}: {WARM_ONLY}: write --operands {OperandState.WARM}, or leave --engine out"
        )


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run that can begin."""

    request: RunRequest
    plan: Plan
    preset: Preset
    cpu: int | None
    """The processor that its workers are pinned to."""
    threads: int
    """For the backends that have several."""
    arm_seconds: float
    """Intended time of an arm per round."""

    @property
    def engine(self) -> Engine:
        """How its cases are timed."""
        return self.request.engine or Engine.INTERLEAVED

    @property
    def threads_are_unused(self) -> bool:
        """Whether the command line gives a number of threads that changes nothing."""
        return "threads" in self.request.named and not library_threads.threaded(self.plan)

    @property
    def budget_is_limit(self) -> bool:
        """Whether a budget of the user's decides when the run ends."""
        return bool(self.request.budget) and not self.request.rounds and self.engine is Engine.INTERLEAVED

    def prediction(self) -> Prediction | StockPrediction:
        """Return how long it should take."""
        request = self.request
        if self.engine is Engine.PYPERF:
            processes = request.rounds or PROCESSES
            timed = sum(len(block.timed) for block in self.plan.blocks)
            return StockPrediction(processes, processes * PROCESS_SECONDS * timed)
        slowness = speed.slowness()
        seconds = round_seconds(self.plan, self.preset.arm_seconds, slowness)
        return Prediction(
            preparation=durations.preparation(self.plan, slowness),
            round_seconds=seconds,
            rounds=request.rounds,
            budget=request.budget or (None if request.rounds else self.preset.budget),
            fewest=guaranteed_rounds(self.settings()),
            for_interval=MIN_ROUNDS,
        )

    def settings(self) -> Settings:
        """Return what it is measured with."""
        request = self.request
        budget = None if request.rounds or self.engine is Engine.PYPERF else self.preset.budget
        return Settings(
            preset=self.preset.name,
            engine=self.engine,
            target=request.target or DEFAULT_TARGET,
            budget=request.budget or budget,
            rounds=request.rounds,
            arm_seconds=self.arm_seconds,
            timeout=request.timeout or DEFAULT_TIMEOUT,
            threads=self.threads if library_threads.threaded(self.plan) else 1,
            budget_named=bool(request.budget),
        )

    def record(self, start_worker: StartWorker) -> Record:
        """Return the record that it begins with, of this host.

        `OptionsError` where its engine cannot measure its backends, `BenchmarkError` where a device cannot be used.
        """
        if self.engine is Engine.PYPERF and library_threads.threaded(self.plan):
            raise OptionsError(
                "stock pyperf (--engine pyperf) pins its processes to one processor: leave backends of several threads "
                "out, or --threads"
            )
        created = datetime.now(UTC).isoformat(timespec="seconds")
        here = collect_environment(start_worker, self.cpu, resolution.backends(self.plan.cases))
        loaded, commit = environment.public_code(plugins.loaded()), repository.commit_here()
        shard = self.request.planned.recorded if self.request.planned else None
        return Record(self.plan, self.settings(), here, created, loaded=loaded, commit=commit, shard=shard)

    def file(self) -> PlanFile:
        """Return the plan as a file, for shards of it or for other hosts; `OptionsError` with stock pyperf."""
        if self.engine is Engine.PYPERF:
            raise OptionsError("--format json: stock pyperf (--engine pyperf) measures no plans from files")
        loaded = tuple(environment.public_code(plugins.loaded()))
        return PlanFile(self.plan, self.preset.name, self.arm_seconds, self.request.threads, loaded, __version__)


def prepare(request: RunRequest, *, elsewhere: bool = False) -> PreparedRun:
    """Plan a run; `InputError` for what cannot be measured here, `OptionsError` for options that exclude each other.

    A plan for hosts `elsewhere` may have more threads than this host has processors.
    """
    if request.planned:
        return _prepare_planned(request, request.planned)
    cpu = environment.choose_cpu(request.affinity)
    threads = environment.choose_threads(None if elsewhere else request.threads)
    refuse_limits_of_stock_pyperf(request, request.engine)
    refuse_cold_for_stock_pyperf(request)
    preset = presets.get(request.preset)
    plan = planned(request, chosen_seed(request.seed), pinned(request.inputs or STANDARD_NORMAL))
    return PreparedRun(request, plan, preset, cpu, threads, costs.arm_seconds(plan, preset.arm_seconds))


def _prepare_planned(request: RunRequest, elsewhere: PlannedElsewhere) -> PreparedRun:
    """Prepare a run of a plan that was made before; `InputError` or `NotComparableError` where that is not possible."""
    refuse_selection(request.named & PLANNING - {"inputs"} | request.named & {"threads"})
    file = elsewhere.file
    if file.plan.training:
        raise NotComparableError("--plan: the plan has training steps, which actbench fleet train measures")
    cpu, threads = environment.choose_cpu(request.affinity), environment.choose_threads(file.threads)
    request = replace(request, preset=file.preset, threads=file.threads)
    plan = elsewhere.here(request.inputs, cpu)
    return PreparedRun(request, plan, presets.get(file.preset), cpu, threads, file.arm_seconds)
