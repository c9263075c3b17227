"""From a request to a survey of accuracy: its kernels, and the number of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actbench import registry
from actbench.analysis.accuracy import Accuracy
from actbench.errors import InputError
from actbench.kernels import resolution
from actbench.measure import exhaustive
from actbench.measure.accuracy import Survey, Unexamined
from actbench.measure.launch import Launch, StartWorker, WorkerOptions
from actbench.measure.requests import DEFAULT_TIMEOUT, AccuracyRequest
from actbench.model.cases import OVERHEAD, RUNGS, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from actbench.planning import presets, suite
from actbench.planning.room import room_here


def planned(request: AccuracyRequest) -> Plan:
    """Return a plan with the kernels of the selection; `InputError` where there are none."""
    everything = presets.Axes(
        activations=tuple(registry.activations()),
        strategies=tuple(map(Variant, registry.strategies())),
        backends=presets.get("default").axes.backends,
        ops=(Op.DERIVATIVE,),
        dtypes=tuple(Dtype),
        sizes=(1,),
    )
    if OVERHEAD in request.selection.activations:
        raise InputError(f"'{OVERHEAD}' has no derivative to be held to: name activations with -a")
    if rungs := [name for name in request.selection.strategies if name in RUNGS]:
        raise InputError(
            f"'{rungs[0]}' is a rung of the overhead ladder: it has no derivative to be held to; name strategies"
        )
    axes = request.selection.over(everything)
    return suite.plan(axes, room_here(axes), pattern=request.selection.pattern, seed=0)


def survey(
    kernels: Sequence[KernelId], request: AccuracyRequest, start_worker: StartWorker
) -> Iterator[exhaustive.Going | Accuracy | Unexamined]:
    """Survey each kernel."""
    resolved = list(map(resolution.kernel, kernels))
    launch = Launch(start_worker, WorkerOptions(None, DEFAULT_TIMEOUT))
    sampled = Survey(request.points, exact=request.exact, seed=request.seed)
    if request.exhaustive:
        yield from exhaustive.survey(resolved, launch, sampled)
    else:
        yield from sampled.of(resolved, launch)
