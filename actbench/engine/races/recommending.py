"""From a request for a recommendation to candidates, and to the run in which they race."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from actbench import registry
from actbench.analysis.point_error import PointError
from actbench.analysis.races import Places, RaceId, races_in
from actbench.analysis.recommendation import Candidate, Recommendation
from actbench.engine import preparing, training
from actbench.engine.launch import Launch, StartWorker, WorkerOptions
from actbench.engine.preparing import PreparedRun
from actbench.engine.races.saved_names import kept_by
from actbench.engine.requests import DEFAULT_TIMEOUT, Bounds, RecommendRequest, RunRequest, TrainRequest
from actbench.engine.survey import pointwise
from actbench.engine.training import PreparedTrain
from actbench.errors import InputError, unknown
from actbench.formula import Activation
from actbench.kernels import resolution
from actbench.kernels.drawing import draw, pinned
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.shipped import ShippedKernel
from actbench.kernels.training import plainest
from actbench.kernels.training_memory import predicted
from actbench.model.cases import Case, KernelId
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.plan import LeftOut
from actbench.model.training import ARMS, CHECKPOINT, FREE, SHIPPED, TEXTBOOK
from actbench.model.variants import Variant, with_storage
from actbench.planning import globs
from actbench.planning.selection import Selection
from actbench.planning.training import TrainingSelection

DRAWN = 1000
"""Number of z that errors are looked for in where inputs are named."""


@dataclass(frozen=True, slots=True)
class Contest:
    """What takes part in races, and what is ruled out before them."""

    request: RecommendRequest
    prepared: PreparedRun | PreparedTrain
    candidates: Mapping[RaceId, tuple[Candidate, ...]]
    remarks: tuple[str, ...] = ()
    """What of the request could not be met."""

    @property
    def left_out(self) -> list[LeftOut]:
        """The cases that do not."""
        every = (one for of_race in self.candidates.values() for one in of_race)
        return [LeftOut(one.case.id, one.ruled_out) for one in every if one.ruled_out]

    def outcomes(self, places: Places) -> list[Recommendation]:
        """Return the outcome of each race, from what is known of the arms."""
        return [
            Recommendation(
                tuple(replace(one, place=places.get(race, {}).get(one.arm)) for one in of_race),
                self.request.margin,
                tuple(sorted(self.request.bounds.alive)),
                looked_at(self.request),
            )
            for race, of_race in self.candidates.items()
        ]


def prepare(request: RecommendRequest, start_worker: StartWorker) -> Contest:
    """Look at the error of every strategy; `InputError` where none meets the bounds, or nothing can be measured."""
    if not request.apart:
        (activation,) = request.activations
        known = [name for name, one in registry.activations().items() if not one.is_row]
        request = replace(request, activations=(globs.single(activation, known, "activation"),))
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
    kernels = {case: kernel_of(case) for case in prepared.plan.cases}
    _refuse_unknown(request.bounds.alive, kernels.values())
    errors = _errors(request, kernels, start_worker)
    candidates = {
        race: tuple(
            _candidate(case, kernels[case], errors[case], request)
            for case, arm in zip(block.cases, block.arms, strict=True)
            if arm in arms
        )
        for block in prepared.plan.blocks
        for race, arms in races_in(block, apart=request.apart).items()
    }
    every = [one for of_race in candidates.values() for one in of_race]
    if all(one.ruled_out for one in every):
        nearest = min(every, key=lambda one: _excess(one, request.bounds))
        raise InputError(
            f"no strategy of {nearest.case.activation} meets these bounds; {nearest.case.strategy} comes nearest, but "
            f"{nearest.ruled_out}"
        )
    return Contest(request, prepared, candidates, remarks)


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
    return _alone(warm), warm, (f"Operands are in cache, because they cannot come from memory here: {why}.",)


def _errors(
    request: RecommendRequest, kernels: Mapping[Case, Kernel], start_worker: StartWorker
) -> dict[Case, PointError]:
    """Return the errors of all cases; those of a kernel are looked for once."""
    alike: dict[tuple[Activation, Dtype], dict[KernelId, Kernel]] = {}
    for kernel in kernels.values():
        alone = pointwise.gradient_of(kernel)
        alike.setdefault((kernel.activation, kernel.dtype), {}).setdefault(alone.identity, alone)
    errors: dict[KernelId, PointError] = {}
    worker = Launch(start_worker, WorkerOptions(None, request.timeout or DEFAULT_TIMEOUT)).start()
    try:
        for of_activation in alike.values():
            one = next(iter(of_activation.values()))
            errors |= pointwise.errors([*of_activation.values()], _points(request, one), worker)
    finally:
        worker.close()
    return {case: errors[pointwise.gradient_of(kernel).identity] for case, kernel in kernels.items()}


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


def kernel_of(case: Case) -> Kernel:
    """Return the kernel that computes g' in a case: the case's, or that of the activation in a network."""
    if not case.op.network:
        return resolution.kernel(case)
    backend = case.backend.rpartition("+")[2]
    strategy = plainest(registry.activation(case.activation)) if case.strategy == CHECKPOINT else case.strategy
    return resolution.kernel(replace(case.kernel, backend=backend, op=Op.STEP, strategy=strategy))


def _refuse_unknown(alive: frozenset[str], kernels: Iterable[Kernel]) -> None:
    """Raise `InputError` for a name of what is alive that no strategy keeps, and no layer computes."""
    arrays = (one.name for kernel in kernels for one in (*kernel.inputs, *kernel.residuals))
    names = dict.fromkeys(arrays) | {"y": None}
    for name in sorted(alive):
        if name not in names:
            raise unknown("array to --alive", name, names)


def _points(request: RecommendRequest, kernel: Kernel) -> Array:
    """Return the z in which errors are looked for."""
    if request.inputs is None:
        return pointwise.on_interval(kernel.activation, kernel.dtype, *request.bounds.interval)
    z, _ = draw(pinned(request.inputs), kernel.dtype, DRAWN, request.seed or 0)
    return np.asarray(np.unique(z))


def _candidate(case: Case, kernel: Kernel, error: PointError, request: RecommendRequest) -> Candidate:
    residuals = () if case.strategy == CHECKPOINT else kernel.residuals
    alive = (one for one in residuals if one.name in request.bounds.alive and one.storage is None)
    sizes = tuple(operand.dtype(kernel.dtype).itemsize for operand in residuals)
    beside = sum(sizes) - sum(operand.dtype(kernel.dtype).itemsize for operand in alive)
    keeps = kept_by(kernel) if isinstance(kernel, ShippedKernel) else tuple(one.name for one in residuals)
    in_step = predicted(resolution.network_step(case), case.size) if case.op.network else None
    candidate = Candidate(case, keeps, sizes, beside, error, in_step=in_step)
    return replace(candidate, ruled_out="; ".join(_broken(candidate, request)))


def _excess(one: Candidate, bounds: Bounds) -> float:
    """Return by which factor a candidate exceeds a bound, at most; of a bound of no bytes, by how many."""
    held = [
        (one.error.relative.size, bounds.max_error),
        (one.error.ulp.size, bounds.max_ulp),
        (one.beside, bounds.max_kept),
    ]
    return max((figure / (bound or 1.0) for figure, bound in held if bound is not None), default=0.0)


def looked_at(request: RecommendRequest) -> str:
    """Return where the z lie at which errors are looked for, in words."""
    low, high = request.bounds.interval
    return f"from {request.inputs}" if request.inputs else f"on {low:g} to {high:g}"


def _broken(one: Candidate, request: RecommendRequest) -> Iterator[str]:
    """Yield the bounds that a candidate breaks, each with its figure."""
    bounds = request.bounds
    where = looked_at(request)
    relative, ulp = one.error.relative, one.error.ulp
    if bounds.max_error is not None and not relative.size <= bounds.max_error:
        above = f"above --max-error {bounds.max_error:g}"
        place = f"{where} (z = {relative.z:.6g}) beyond one rounding of z"
        yield f"its g' is off by {relative.size:.2g} of g' {place}, {above}"
    if bounds.max_ulp is not None and not ulp.size <= bounds.max_ulp:
        above = f"above --max-ulp {bounds.max_ulp:g}"
        yield f"its g' is off by {ulp.size:.3g} ULP {where} (z = {ulp.z:.6g}), {above}"
    if bounds.max_kept is not None and one.beside > bounds.max_kept:
        yield f"it keeps {one.beside} bytes per element beside what is alive, above --max-kept {bounds.max_kept:g}"
