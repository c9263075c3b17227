"""What a live check measures: cases of derivatives, or training steps; both environments are asked what they have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from actbench import registry
from actbench.backends import Backend
from actbench.engine import training as train
from actbench.engine.launch import Worker
from actbench.engine.protocol import Offer
from actbench.engine.protocol_training import OfferSteps
from actbench.engine.requests import CheckRequest
from actbench.errors import InputError
from actbench.host import environment, memory
from actbench.kernels import resolution
from actbench.kernels.drawing import pinned
from actbench.model.cases import Case
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.plan import Plan
from actbench.planning import costs, library_threads, presets, suite, training
from actbench.planning.resolved import refuse_unknown
from actbench.planning.room import room_here
from actbench.planning.selection import MAX_CALL, Room

PROCESSES_AT_ONCE = 3
"""Number of processes that hold the operands of a block at the same time."""


class LiveSelection(Protocol):
    """What a live check measures. Times in seconds."""

    @property
    def preset(self) -> str:
        """The name of what its settings come from."""

    @property
    def budget(self) -> float:
        """The budget where the user names none."""

    @property
    def backends(self) -> Sequence[Backend]:
        """The backends that are selected, as far as they are known here."""

    def offered_by(self, worker: Worker) -> Mapping[Case, float | None]:
        """Return the cases that exist in a worker's environment, with the bytes that they keep where it tells them."""

    def offered_here(self, theirs: Collection[Case], seed: int) -> list[Case]:
        """Return the cases that exist here; `InputError` for a name that neither environment knows."""

    def plan(self, cases: Sequence[Case], seed: int) -> Plan:
        """Return the plan of these cases."""

    def arm_seconds(self, plan: Plan) -> float:
        """Return the time of an arm per round, on either side."""

    def kept(self, plan: Plan) -> Mapping[Case, float]:
        """Return the bytes that the cases of a plan keep here, where these are known before anything is checked."""

    def threads(self, plan: Plan) -> int:
        """Return the number of threads of what has several; `InputError` for more than there are processors."""


class SelectedCases:
    """Cases of derivatives, by a preset and the options that select."""

    def __init__(self, request: CheckRequest) -> None:
        """Look at the options; `InputError` for a preset, threads or a file of inputs that does not exist."""
        preset = presets.get(request.preset)
        axes = preset.axes.with_named(request.selection.axes(preset.axes.strategies))
        room = room_here(axes, request.affinity, request.max_call, PROCESSES_AT_ONCE)
        self._query = request.selection.query(preset, room)
        self._inputs = pinned(request.inputs or STANDARD_NORMAL)
        self._named_threads, self._threads = request.threads, environment.choose_threads(request.threads)
        self.preset, self.budget = preset.name, preset.budget
        self.backends = registry.known_backends(self._query.axes.get("backends", preset.axes.backends))

    def offered_by(self, worker: Worker) -> Mapping[Case, float | None]:
        """See `LiveSelection`."""
        offered = worker.ask(Offer(self._query))
        return dict(zip(map(Case.parse, offered.cases), offered.kept, strict=True))

    def offered_here(self, theirs: Collection[Case], seed: int) -> list[Case]:
        """See `LiveSelection`."""
        del seed
        refuse_unknown(self._query, theirs)
        ours = suite.offered(self._query)
        if not ours and not theirs:
            raise InputError("the selection leaves no case to measure in either environment: see 'actbench list cases'")
        return ours

    def plan(self, cases: Sequence[Case], seed: int) -> Plan:
        """See `LiveSelection`."""
        plan = Plan(suite.grouped(cases), seed, cache=self._query.room.cache)
        return suite.with_threads(suite.on_inputs(plan, self._inputs), self._named_threads)

    def arm_seconds(self, plan: Plan) -> float:
        """See `LiveSelection`."""
        return costs.live_arm_seconds(plan)

    def kept(self, plan: Plan) -> Mapping[Case, float]:
        """See `LiveSelection`."""
        return {case: costs.kept_bytes(case) for case in plan.cases}

    def threads(self, plan: Plan) -> int:
        """See `LiveSelection`."""
        return self._threads if library_threads.threaded(plan) else 1


class SelectedSteps:
    """Training steps of networks; their bytes kept are counted when they are checked."""

    preset, budget = train.PRESET, train.DEFAULT_BUDGET

    def __init__(self, request: CheckRequest, selection: training.TrainingSelection) -> None:
        """Look at the options; `InputError` for threads or a file of inputs that does not exist."""
        self._selection = replace(selection, inputs=pinned(request.inputs or STANDARD_NORMAL), predictors=())
        self._room = Room(memory.usable() // PROCESSES_AT_ONCE, 0, request.max_call or MAX_CALL)
        self._threads = environment.choose_threads(request.threads or 1)
        self._planned: Plan | None = None
        self.backends: Sequence[Backend] = resolution.backends(self._plan_here(0).cases)

    def offered_by(self, worker: Worker) -> Mapping[Case, float | None]:
        """See `LiveSelection`."""
        offered = worker.ask(OfferSteps.of(self._selection, self._room))
        return dict.fromkeys(map(Case.parse, offered.cases))

    def offered_here(self, theirs: Collection[Case], seed: int) -> list[Case]:
        """See `LiveSelection`."""
        del theirs
        return [*self._plan_here(seed).cases]

    def plan(self, cases: Sequence[Case], seed: int) -> Plan:
        """See `LiveSelection`."""
        return replace(self._plan_here(seed), blocks=suite.grouped(cases))

    def arm_seconds(self, plan: Plan) -> float:
        """See `LiveSelection`."""
        return costs.arm_seconds(plan, train.ARM_SECONDS)

    def kept(self, plan: Plan) -> Mapping[Case, float]:
        """See `LiveSelection`."""
        del plan
        return {}

    def threads(self, plan: Plan) -> int:
        """See `LiveSelection`."""
        del plan
        return self._threads

    def _plan_here(self, seed: int) -> Plan:
        if self._planned is None:
            self._planned = training.plan(self._selection, self._room, seed)
        return replace(self._planned, seed=seed)


def selected(request: CheckRequest) -> LiveSelection:
    """Return what a request selects."""
    return SelectedCases(request) if request.steps is None else SelectedSteps(request, request.steps)
