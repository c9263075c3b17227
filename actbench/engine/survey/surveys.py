"""From a request to a survey of accuracy: its kernels, and the number of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from actbench import registry
from actbench.analysis.accuracy import Surveyed
from actbench.engine.launch import Launch, StartWorker, WorkerOptions
from actbench.engine.requests import DEFAULT_TIMEOUT, AccuracyRequest
from actbench.engine.survey import exhaustive
from actbench.engine.survey.accuracy import Survey, Unexamined
from actbench.errors import InputError
from actbench.kernels import resolution
from actbench.model.cases import OVERHEAD, RUNGS, Case, KernelId
from actbench.model.names import WIDE, Dtype, Op, Quantity
from actbench.model.plan import LeftOut, Plan
from actbench.model.rule import Dialect
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning import presets, suite
from actbench.planning.room import room_here


def planned(request: AccuracyRequest) -> Plan:
    """Return a plan with the kernels of the selection; `InputError` where there are none."""
    everything = presets.Axes(
        activations=tuple(registry.elementwise() if _of_one_input(request) else registry.activations()),
        strategies=tuple(map(Variant, registry.strategies())),
        backends=presets.get(presets.DEFAULT).axes.backends,
        ops=tuple(op for quantity in request.quantities for op in _ops(quantity)),
        dtypes=WIDE,
        sizes=sizes(1),
    )
    if OVERHEAD in request.selection.activations:
        raise InputError(f"'{OVERHEAD}' has no derivative to be held to: name activations with -a")
    if rungs := [name for name in request.selection.strategies if name in RUNGS]:
        raise InputError(
            f"'{rungs[0]}' is a rung of the overhead ladder: it has no derivative to be held to; name strategies"
        )
    axes = request.selection.over(everything)
    if option := _of_one_input(request):
        for name in axes.activations:
            registry.elementwise_activation(
                name,
                no_gated=f"{option} is for activations of one input: leave it out",
                no_rows=f"{option} is for activations of one element: leave it out",
            )
    plan = suite.plan(axes, room_here(axes), pattern=request.selection.pattern, seed=0)
    return with_distinct_forwards(_with_one_derivative(plan))


def _of_one_input(request: AccuracyRequest) -> str:
    """Return the option that is for activations of one input alone; nothing where there is none."""
    return "--exhaustive" if request.exhaustive else "--residuals exact" if request.exact else ""


def _ops(quantity: Quantity) -> tuple[Op, ...]:
    """Return the ops that compute a quantity: g' is also dy g' where dy is 1, all that some kernels compute."""
    by_kernels = registry.current().additions.ops if quantity is Quantity.DERIVATIVE else ()
    return tuple(dict.fromkeys([quantity.op, *by_kernels]))


def with_distinct_forwards(plan: Plan) -> Plan:
    """Return a plan that has each forward pass once: strategies that save nothing on the way have the same."""
    first: dict[tuple[str, ...], Case] = {}
    left_out = []
    for case in plan.cases:
        subject = resolution.kernel(case)
        if case.op is Op.STEP and not subject.is_shipped and not subject.formula(Dialect.ARRAY, None).save:
            same = first.setdefault((case.activation, case.backend, case.dtype), case)
            if same is not case:
                left_out.append(LeftOut(case.id, f"its forward pass is that of {same.strategy}"))
    dropped = {item.case for item in left_out}
    kept = suite.grouped(case for case in plan.cases if case.id not in dropped)
    return replace(plan, blocks=kept, left_out=(*plan.left_out, *left_out))


def _with_one_derivative(plan: Plan) -> Plan:
    """Return a plan without the backward passes of kernels whose derivative it has."""
    first: dict[Case, Case] = {}
    for case in plan.cases:
        first.setdefault(_derivative(case), case)
    left_out = {_derivative(Case.parse(one.case)): one for one in plan.left_out}
    missing = tuple(one for case, one in left_out.items() if case not in first)
    return replace(plan, blocks=suite.grouped(first.values()), left_out=missing)


def _derivative(case: Case) -> Case:
    return replace(case, op=Op.DERIVATIVE) if case.op is Op.BACKWARD else case


def survey(
    kernels: Sequence[KernelId], request: AccuracyRequest, start_worker: StartWorker
) -> Iterator[exhaustive.Going | Surveyed | Unexamined]:
    """Survey each kernel; of an activation, the user's strategies first."""
    users = registry.current().additions.strategies
    together = sorted(
        kernels,
        key=lambda kernel: (
            kernel.activation,
            list(Dtype).index(kernel.dtype),
            kernel.op is Op.SECOND,
            kernel.strategy.name not in users,
        ),
    )
    resolved = list(map(resolution.kernel, together))
    launch = Launch(start_worker, WorkerOptions(None, DEFAULT_TIMEOUT))
    sampled = Survey(request.points, exact=request.exact, seed=request.seed)
    if request.exhaustive:
        yield from exhaustive.survey(resolved, launch, sampled)
    else:
        yield from sampled.of(resolved, launch)
