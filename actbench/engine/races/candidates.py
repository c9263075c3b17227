"""What may take part in races: the kernel of each case, how far its g' is off, and the bounds that it breaks.

A kernel whose g' cannot be looked at, since it crashes, raises or changes its operands, takes no part; the others do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from actbench import registry
from actbench.analysis.point_error import PointError
from actbench.analysis.recommendation import Candidate
from actbench.engine.launch import Launch, RestartingWorker, StartWorker, WorkerOptions
from actbench.engine.races.saved_names import kept_by
from actbench.engine.requests import DEFAULT_TIMEOUT, Bounds, RecommendRequest
from actbench.engine.survey.gated_pointwise import GatedPointTruth
from actbench.engine.survey.pointwise import PointTruth, gradient_of
from actbench.engine.survey.search import COARSE, FINE
from actbench.engine.survey.searched_points import SearchedPoints, on_interval
from actbench.engine.working.checking import NoneSupportedError, Refused, RefusedError, tried
from actbench.errors import InputError, unknown
from actbench.formula import Activation
from actbench.kernels import resolution
from actbench.kernels.drawing import draw, pinned
from actbench.kernels.kernel import Kernel
from actbench.kernels.shipped import ShippedKernel
from actbench.kernels.training import plainest
from actbench.kernels.training_memory import predicted
from actbench.model.cases import Case, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.plan import LeftOut
from actbench.model.training import CHECKPOINT
from actbench.verification.wording import distinct

DRAWN = 1000
"""Number of z at which the truth itself is computed where inputs are named."""

MANY_DRAWN = 1 << 18
"""Number of z at which it is interpolated."""


@dataclass(frozen=True, slots=True)
class LookedFor:
    """What was found of the cases of a plan."""

    by_case: Mapping[Case, Candidate]
    """Those whose g' was looked at."""
    unexamined: tuple[LeftOut, ...]
    """The others, with the reason."""


def looked_for(request: RecommendRequest, cases: Iterable[Case], start_worker: StartWorker) -> LookedFor:
    """Look at the error of every case.

    `InputError` where none meets the bounds, or can be measured; `RefusedError` where a kernel failed, and no other
    remains.
    """
    kernels = {case: kernel_of(case) for case in cases}
    _refuse_unknown(request.bounds.alive, kernels.values())
    errors = _errors(request, kernels.values(), start_worker)
    by_case: dict[Case, Candidate] = {}
    refused: dict[Case, Refused] = {}
    for case, kernel in kernels.items():
        error = errors[gradient_of(kernel).identity]
        if isinstance(error, Refused):
            refused[case] = error.of(case)
        else:
            by_case[case] = _candidate(case, kernel, error, request)
    _require_candidates(by_case.values(), [*dict.fromkeys(refused.values())], request.bounds)
    unexamined = (LeftOut(case.id, one.reason, one.failed) for case, one in refused.items())
    return LookedFor(by_case, tuple(unexamined))


def _require_candidates(every: Collection[Candidate], refused: Sequence[Refused], bounds: Bounds) -> None:
    if not every:
        if any(one.failed for one in refused):
            raise RefusedError(refused)
        raise NoneSupportedError(refused)
    if all(one.ruled_out for one in every):
        nearest = min(every, key=lambda one: _excess(one, bounds))
        raise InputError(
            f"no strategy of {nearest.case.activation} meets these bounds; {nearest.case.strategy} comes nearest, but "
            f"{nearest.ruled_out}"
        )


def _errors(
    request: RecommendRequest, kernels: Iterable[Kernel], start_worker: StartWorker
) -> dict[KernelId, PointError | Refused]:
    """Return the errors of the kernels that compute g'; those of a kernel are looked for once."""
    alike: dict[tuple[Activation, Dtype], dict[KernelId, Kernel]] = {}
    for kernel in kernels:
        alone = gradient_of(kernel)
        alike.setdefault((kernel.activation, kernel.dtype), {}).setdefault(alone.identity, alone)
    errors: dict[KernelId, PointError | Refused] = {}
    launch = Launch(start_worker, WorkerOptions(None, request.timeout or DEFAULT_TIMEOUT))
    with RestartingWorker(launch) as restarting:
        for (activation, dtype), of_activation in alike.items():
            truth = (GatedPointTruth if activation.is_gated else PointTruth)(
                activation, _points(request, activation, dtype)
            )
            for identity, kernel in of_activation.items():
                errors[identity] = tried(restarting, identity, partial(truth.error_of, kernel))
    return errors


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


def _points(request: RecommendRequest, activation: Activation, dtype: Dtype) -> SearchedPoints:
    """Return the z at which errors are looked for."""
    if request.inputs is None:
        bounds = request.bounds
        count = COARSE if bounds.max_error is bounds.max_ulp is None else FINE
        return SearchedPoints(on_interval(activation, dtype, *bounds.interval), count)
    inputs, seed = pinned(request.inputs), request.seed or 0
    sample, many = (np.unique(draw(inputs, dtype, count, seed)[0]) for count in (DRAWN, MANY_DRAWN))
    return SearchedPoints(sample, drawn=many)


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
        size, _ = distinct(relative.size, bounds.max_error, 2)
        place = f"{where} (z = {relative.z:.6g}, |g'| = {one.error.slope:.2g}) beyond one rounding of z"
        yield f"its g' is off by {size} of g' {place}, above --max-error {bounds.max_error:g}"
    if bounds.max_ulp is not None and not ulp.size <= bounds.max_ulp:
        size, _ = distinct(ulp.size, bounds.max_ulp, 3)
        yield f"its g' is off by {size} ULP {where} (z = {ulp.z:.6g}), above --max-ulp {bounds.max_ulp:g}"
    if bounds.max_kept is not None and one.beside > bounds.max_kept:
        yield f"it keeps {one.beside} bytes per element beside what is alive, above --max-kept {bounds.max_kept:g}"
