"""From a request for a recommendation to candidates, and to the run in which they race."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from actbench import registry
from actbench.analysis.races import Places, RaceId, races_in
from actbench.analysis.recommendation import Candidate, Recommendation
from actbench.engine import preparing, training
from actbench.engine.launch import StartWorker
from actbench.engine.preparing import PreparedRun
from actbench.engine.races import candidates
from actbench.engine.requests import RecommendRequest, RunRequest, TrainRequest
from actbench.engine.training import PreparedTrain
from actbench.errors import InputError
from actbench.kernels import resolution
from actbench.model.cases import Case
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import FIRST_ORDER, OperandState
from actbench.model.plan import LeftOut, Plan
from actbench.model.training import ARMS, CHECKPOINT, FREE, SHIPPED, TEXTBOOK
from actbench.model.variants import Variant, with_storage
from actbench.planning import globs
from actbench.planning.selection import Selection
from actbench.planning.training import TrainingSelection


@dataclass(frozen=True, slots=True)
class Contest:
    """What takes part in races, and what does not, by what is known before them."""

    request: RecommendRequest
    prepared: PreparedRun | PreparedTrain
    candidates: Mapping[RaceId, tuple[Candidate, ...]]
    """Those that take part, and those that break a bound; without races that have none."""
    unexamined: tuple[LeftOut, ...] = ()
    """The cases whose g' could not be looked at: their kernels failed, or are not supported here."""
    remarks: tuple[str, ...] = ()
    """What of the request could not be met."""

    @property
    def left_out(self) -> list[LeftOut]:
        """The cases that do not take part."""
        every = (one for of_race in self.candidates.values() for one in of_race)
        return [*self.unexamined, *(LeftOut(one.case.id, one.ruled_out) for one in every if one.ruled_out)]

    def outcomes(self, places: Places) -> list[Recommendation]:
        """Return the outcome of each race, from what is known of the arms."""
        unexamined = {one.case for one in self.unexamined}
        cases = _races(self.prepared.plan, self.request)
        return [
            Recommendation(
                tuple(replace(one, place=places.get(race, {}).get(one.arm)) for one in of_race),
                self.request.margin,
                tuple(sorted(self.request.bounds.alive)),
                candidates.looked_at(self.request),
                tuple(case for case in cases[race] if case.id in unexamined),
            )
            for race, of_race in self.candidates.items()
        ]


def prepare(request: RecommendRequest, start_worker: StartWorker) -> Contest:
    """Look at the error of every strategy.

    `InputError` where none meets the bounds, or nothing can be measured; `RefusedError` where every kernel failed.
    """
    request = _with_names(request)
    for name in request.activations:
        if registry.activation(name).is_row:
            raise InputError(
                f"'{name}' works along rows, where what to keep depends on their number and length: "
                f"use actbench run -a {name} --op backward,step -n ROWSxCOLUMNS"
            )
    prepared: PreparedRun | PreparedTrain
    remarks: tuple[str, ...] = ()
    if request.within:
        prepared = _in_network(request)
    else:
        prepared, request, remarks = _alone_where_possible(request)
    looked_for = candidates.looked_for(request, prepared.plan.cases, start_worker)
    of_races = {
        race: tuple(looked_for.by_case[case] for case in cases if case in looked_for.by_case)
        for race, cases in _races(prepared.plan, request).items()
    }
    known = {race: of_race for race, of_race in of_races.items() if of_race}
    return Contest(request, prepared, known, looked_for.unexamined, remarks)


def _with_names(request: RecommendRequest) -> RecommendRequest:
    """Return the request with names in place of globs of activations and ops; where races are not apart, with one."""
    names = [name for name, one in registry.activations().items() if not one.is_row]
    if not request.apart:
        (activation,) = request.activations
        return replace(request, activations=(globs.single(activation, names, globs.NOUNS["activations"]),))
    activations = globs.expand(request.activations, names, globs.NOUNS["activations"])
    return replace(request, activations=activations, ops=globs.expand(request.ops, FIRST_ORDER, globs.NOUNS["ops"]))


def _races(plan: Plan, request: RecommendRequest) -> dict[RaceId, list[Case]]:
    """Return the cases of each race."""
    return {
        race: [case for case, arm in zip(block.cases, block.arms, strict=True) if arm in arms]
        for block in plan.blocks
        for race, arms in races_in(block, apart=request.apart).items()
    }


def _alone_where_possible(request: RecommendRequest) -> tuple[PreparedRun, RecommendRequest, tuple[str, ...]]:
    """Plan a race of calls: on warm operands, with the reason, where these may be, and cannot come from memory."""
    try:
        return _alone(request), request, ()
    except InputError:
        if not request.may_be_warm:
            raise
    either = _alone(replace(request, operands=(*request.operands, OperandState.WARM)))
    (why, *_) = (
        one.reason
        for one in either.plan.left_out
        if replace(Case.parse(one.case), operands=OperandState.WARM) in either.plan.cases
    )
    warm = replace(request, operands=(OperandState.WARM,))
    return (
        _alone(warm),
        warm,
        (f"Operands are warm (the same in every call), because they cannot come from memory here: {why}.",),
    )


def _alone(request: RecommendRequest) -> PreparedRun:
    """Plan a race of calls."""
    if named := {*request.strategies} & {*ARMS} - {SHIPPED}:
        raise InputError(
            f"'{min(named)}' takes part in training steps alone, where a linear layer comes before the activation: add "
            "--within, for example mlp:784-512-10, or see actbench train"
        )
    selection = Selection(
        activations=request.activations,
        backends=request.backends,
        strategies=request.strategies,
        residual_dtypes=request.residual_dtypes,
        ops=request.ops,
        dtypes=request.dtypes,
        sizes=(request.size,),
        operands=request.operands,
    )
    return preparing.prepare(
        RunRequest(
            selection=selection,
            target=request.margin,
            budget=request.budget,
            seed=request.seed,
            inputs=request.inputs,
            affinity=request.affinity,
            threads=request.threads,
            timeout=request.timeout,
            max_call=request.max_call,
        )
    )


def _in_network(request: RecommendRequest) -> PreparedTrain:
    """Plan a race of training steps."""
    (name,) = request.activations
    activation = registry.activation(name)
    if FREE in request.strategies:
        raise InputError(f"'{FREE}' is a gradient that is wrong by design: see actbench train for what it bounds")
    named = TrainingSelection(backends=request.backends, strategies=request.strategies).expanded()
    ships = any(resolution.trainer(name).products.ships(activation.name) for name in named.backends)
    offered = [Variant(name) for name in activation.strategies if name != TEXTBOOK]  # as in a run of training steps
    strategies = tuple(one for one in named.strategies if one != FREE) or (*offered, *([SHIPPED] if ships else []))
    stored = (
        with_storage(strategies, request.residual_dtypes, (SHIPPED, CHECKPOINT))
        if request.residual_dtypes
        else strategies
    )
    selection = TrainingSelection(
        networks=(request.within or "",),
        activations=(activation.name,),
        strategies=stored,
        backends=named.backends,
        dtypes=request.dtypes,
        batches=(request.batch,),
        predictors=(),
        inputs=request.inputs or STANDARD_NORMAL,
    )
    return training.prepare(
        TrainRequest(
            selection=selection,
            target=request.margin,
            budget=request.budget,
            seed=request.seed,
            affinity=request.affinity,
            threads=request.threads or 1,  # as in runs of training steps, which then count
            timeout=request.timeout,
        )
    )
