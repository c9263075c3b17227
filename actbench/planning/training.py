"""From what the user asks for to a plan of training steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from itertools import product

from actbench import registry
from actbench.errors import InputError, unknown
from actbench.kernels import resolution
from actbench.kernels.training import NetworkStep, Trainer
from actbench.model import names
from actbench.model.cases import Case
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.plan import LeftOut, Plan, Training
from actbench.model.training import ARMS, TEXTBOOK, Along, Optimizer
from actbench.model.variants import Variant
from actbench.planning import durations, globs, predictors, suite
from actbench.planning.selection import Room

MEMORY_SHARE = 0.5
"""The share of the machine's memory that the arms of one block may need."""

COPIES_OF_PARAMETERS = {Optimizer.SGD: 3, Optimizer.ADAM: 5}
"""Arrays of the parameters' size that an arm may have: gradients, scratch, its own copy, and Adam's two moments."""

ARRAYS_PER_ACTIVATION = 8
"""Arrays of an activation's size that a step may have at once: z, y, residuals, gradients, numpy's temporaries."""

FLOPS_PER_PARAMETER = 6
"""Floating-point operations of a step per parameter and row: two in each of three products."""

FLOPS_PER_SECOND = {Dtype.FLOAT16: 1e10, Dtype.BFLOAT16: 1e10, Dtype.FLOAT32: 2e10, Dtype.FLOAT64: 1e10}
"""Lower figures of one thread, for planning only."""

ALONE = 0.015
"""Seconds of an activation that is measured alone, in a round."""

STEP_CHECK = 0.03
"""Seconds of the check of a step's gradients."""

TAKEN_UP = 0.07
"""Seconds in which a block of steps is prepared in a round, and what was seen of it is listed."""

LONGEST_STEP = 10.0
"""Seconds. A step that would take longer, by these figures, is left out."""


SWEPT_BATCHES = tuple(2**power for power in range(3, 10))
"""Rows, from 8 to 512."""

SWEPT_FACTORS = tuple(Fraction(2) ** power for power in range(-4, 2))
"""Of all widths of a network, from a sixteenth to twice."""


GATED = "a network has activations of one input: the network glu-ffn multiplies g(a) by b, so name its g, such as silu"
"""Why a gated activation has no training step."""

ROWS = "networks have activations of one element: use actbench run"
"""Why an activation along rows has none."""


@dataclass(frozen=True, slots=True)
class TrainingSelection:
    """What to measure: the product of these, less what does not exist."""

    networks: tuple[str, ...] = ("mlp:784-512-512-10",)
    activations: tuple[str, ...] = ()
    """The logistic, tanh and those of the user's where there are none."""
    strategies: tuple[Variant, ...] = ()
    """Strategies and `ARMS`; all but ``textbook`` where there are none, of the others as far as they exist."""
    backends: tuple[str, ...] = ()
    """numpy's products with its activation, with numba-simd's and with those of the user's where there are none."""
    dtypes: tuple[str, ...] = (Dtype.FLOAT32,)
    batches: tuple[int, ...] = (128,)
    """Rows."""
    predictors: tuple[str, ...] = (OperandState.RESIDUALS_COLD,)
    """The states of operands in which the activations are measured alone."""
    optimizer: Optimizer = Optimizer.SGD
    inputs: Inputs = STANDARD_NORMAL
    """What the networks' inputs are drawn from; of a file, its digest is known."""
    pattern: str = "*"
    """A glob that the ids of steps match."""

    def expanded(self) -> TrainingSelection:
        """Return the selection with names of what is here in place of globs; `InputError` where one matches none."""
        arms = (*registry.strategies(), *ARMS)
        return replace(
            self,
            activations=globs.expand(self.activations, registry.elementwise(), "activation"),
            strategies=globs.expand_variants(self.strategies, arms),
            backends=tuple(name for names in self.backends for name in _expanded_trainers(names)),
            dtypes=globs.expand(self.dtypes, Dtype, "dtype"),
            predictors=globs.expand(self.predictors, OperandState, "state of operands"),
        )

    def swept(self, along: Along) -> TrainingSelection:
        """Return the selection at several batches, or with networks whose widths are all multiplied."""
        if along is Along.BATCH:
            return replace(self, batches=SWEPT_BATCHES)
        ops = [names.training(network) for network in self.networks]
        return replace(self, networks=tuple(_widened(op, factor) for op in ops for factor in SWEPT_FACTORS))


def _widened(op: Op, factor: Fraction) -> str:
    return f"{op.network}:{'-'.join(str(max(1, round(width * factor))) for width in op.widths)}"


def _expanded_trainers(name: str) -> tuple[str, ...]:
    """Return the backends of products, and after a + of activations, that a name or a glob stands for."""
    if not globs.is_glob(name):
        return (name,)
    usable = registry.available_backends()
    training = [one for one, backend in usable.items() if backend.trains]
    alone, plus, activation = name.partition("+")
    if not plus:
        return globs.expand([alone], training, "backend that trains")
    products = globs.expand([alone], [one for one in training if usable[one].takes_arrays], "backend that trains")
    beside = [one for one, backend in usable.items() if backend.takes_arrays and one not in products]
    return tuple(map("+".join, product(products, globs.expand([activation], beside, "backend"))))


def plan(selection: TrainingSelection, room: Room, seed: int) -> Plan:
    """Lay out the steps of the product of a selection whose id matches its pattern.

    What cannot be measured in the `room` is left out with its reason; `InputError` when a name is unknown, a network
    cannot be built, a backend is unavailable, or nothing is left to compare.
    """
    selection = selection.expanded()
    steps = dict(_steps(selection))
    arms = Counter(case.empty_block for case in steps)
    reasons = {
        case: _unsupported(case, step, room, selection.optimizer, arms[case.empty_block])
        for case, step in steps.items()
    }
    cases = [case for case, reason in reasons.items() if not reason]
    left_out = [LeftOut(case.id, reason) for case, reason in reasons.items() if reason]
    if not cases:
        because = left_out[0].reason if left_out else _missing(selection)
        raise InputError(f"the selection leaves no training step to measure: {because}")
    states = tuple(map(names.operand_state, selection.predictors))
    alone = predictors.alone({case: steps[case] for case in cases}, states, room)
    unpredicted = {case: reason for case, reason in alone.items() if reason}
    left_out += [LeftOut(case.id, f"no gain is predicted from it: {reason}") for case, reason in unpredicted.items()]
    blocks = suite.grouped(case for case, reason in alone.items() if not reason)
    is_cold = any(block.operands is not OperandState.WARM for block in blocks)
    training = Training(selection.optimizer, _activated(steps[case] for case in cases), blocks)
    return Plan(suite.grouped(cases), seed, tuple(left_out), selection.inputs, room.cache if is_cold else 0, training)


def _missing(selection: TrainingSelection) -> str:
    """Return why a selection has no step: no id matches its pattern, or its activations lack the strategies."""
    for case, _ in _steps(replace(selection, pattern="*")):
        return f"--filter '{selection.pattern}' matches no id, such as {case.id}"
    activations = selection.activations or _default_activations()
    has = "; ".join(f"{name} has {', '.join(registry.activation(name).strategies)}" for name in activations)
    return f"-s {','.join(map(str, selection.strategies))} is a strategy of no activation that is selected: {has}"


def variant(text: str) -> Variant:
    """Return an arm of a training step: a strategy, or one of `ARMS`; `InputError` for what is neither."""
    arm = Variant(text)
    if text not in ARMS and arm.name not in registry.strategies():
        raise unknown("strategy", text, (*registry.strategies(), *ARMS))
    if arm not in ARMS and not any(arm.name in one.formulas.strategies for one in registry.activations().values()):
        raise InputError(f"'{arm.name}' is a kernel, which has no part in a training step: name strategies of formulas")
    return arm


def _steps(selection: TrainingSelection) -> Iterator[tuple[Case, NetworkStep]]:
    """Yield the steps that exist as mathematics, in the order of tables."""
    arms = tuple(map(variant, selection.strategies)) or _default_arms()
    in_order = sorted(dict.fromkeys(arms), key=_in_tables)
    ops = [names.training(network) for network in dict.fromkeys(selection.networks)]
    named = dict.fromkeys(selection.activations or _default_activations())
    activations = [registry.elementwise_activation(name, no_gated=GATED, no_rows=ROWS) for name in named]
    trainers = [usable_trainer(name) for name in dict.fromkeys(selection.backends or _default_backends())]
    dtypes = [names.dtype(name) for name in dict.fromkeys(selection.dtypes)]
    for op, activation, dtype, batch in product(ops, activations, dtypes, sorted({*selection.batches})):
        network = registry.current().network(op)
        for trainer, arm in product(trainers, in_order):
            case = Case(activation.name, arm, trainer.name, op, dtype, batch)
            if not (arm in ARMS or arm.name in activation.formulas.strategies) or not fnmatchcase(
                case.id, selection.pattern
            ):
                continue
            step = NetworkStep(case.kernel, trainer, network, activation)
            if selection.strategies or arm not in ARMS or not step.unsupported:
                yield case, step


def _default_activations() -> tuple[str, ...]:
    added = (name for name in registry.current().additions.activations if name in registry.elementwise())
    return ("logistic", "tanh", *added)


def _default_backends() -> tuple[str, ...]:
    added = [registry.backends()[name] for name in registry.current().additions.backends]
    usable = [backend for backend in added if not backend.unavailable and (backend.trains or backend.takes_arrays)]
    return ("numpy", "numpy+numba-simd", *(one.name if one.trains else f"numpy+{one.name}" for one in usable))


def _default_arms() -> tuple[Variant, ...]:
    return (*(Variant(name) for name in registry.strategies() if name != TEXTBOOK), *ARMS)


def _in_tables(arm: Variant) -> tuple[int, int]:
    """Return the place of an arm in tables: strategies first."""
    return arm.sort_key((*registry.strategies(), *ARMS))


def usable_trainer(name: str) -> Trainer:
    """Return the backends of a name; `InputError` where one of them cannot be used here."""
    trainer = resolution.trainer(name)
    for backend in (trainer.products, trainer.activation):
        if backend.unavailable:
            raise InputError(f"backend '{backend.name}' is not available: {backend.unavailable}")
    return trainer


def _unsupported(case: Case, step: NetworkStep, room: Room, optimizer: Optimizer, arms: int) -> str | None:
    """Say why a step cannot be measured here; None where it can."""
    if step.unsupported:
        return step.unsupported
    if (case.dtype, optimizer) == (Dtype.FLOAT16, Optimizer.ADAM):
        return "adam's squares of gradients underflow in float16, and it divides by 0: take bfloat16, or sgd"
    parameters, width = step.network.parameters, case.dtype.itemsize
    features = step.network.inputs + step.network.outputs + ARRAYS_PER_ACTIVATION * sum(step.network.activated)
    needed = width * (parameters * (1 + COPIES_OF_PARAMETERS[optimizer] * arms) + case.size * features)
    if needed > MEMORY_SHARE * room.memory:
        return (
            f"its block needs about {needed / 1e9:.2g} GB, more than half of this machine's {room.memory / 1e9:.2g} GB"
        )
    seconds = predicted_step(step, case)
    if seconds > LONGEST_STEP:
        return f"one step would take about {seconds:.0f} s, above {LONGEST_STEP:g} s"
    return None


def unmeasurable_steps(plan: Plan, cases: Sequence[Case], room: Room) -> dict[Case, str | None]:
    """Return steps of a plan that was made before, each with the reason where it cannot be measured in the room."""
    assert plan.training  # noqa: S101  # it has steps
    arms = Counter(case.empty_block for case in cases)
    return {
        case: _unsupported(case, resolution.network_step(case), room, plan.training.optimizer, arms[case.empty_block])
        for case in cases
    }


def predicted_step(step: NetworkStep, case: Case) -> float:
    """Guess the seconds of one step before anything is measured: an upper figure, for planning alone."""
    products = FLOPS_PER_PARAMETER * case.size * step.network.parameters / FLOPS_PER_SECOND[case.dtype]
    elements = case.size * sum(step.network.activated)
    return products + 2 * elements * step.trainer.activation.planning_ns * 1e-9


def predicted_round(plan: Plan, arm_seconds: float, slowness: float = 1.0) -> float:
    """Return how long a round of training steps takes: timed, instrumented, and their activations alone."""
    untimed_timed_and_instrumented = 9
    time = durations.STRETCHED * arm_seconds / slowness
    timed = sum(max(time, untimed_timed_and_instrumented * seconds) for seconds in _predicted_steps(plan))
    alone = ALONE * sum(len(block.timed) for block in plan.probes)
    taken_up = TAKEN_UP * len(plan.blocks)
    return slowness * (durations.round_start(plan) + taken_up + timed + alone + durations.operands(plan))


def preparation(plan: Plan, slowness: float = 1.0) -> float:
    """Return how long it takes until the first round of training steps."""
    checks = durations.checks(plan) + durations.round_start(plan) + STEP_CHECK * len(plan.steps)
    return slowness * (durations.COMMAND + checks + durations.calibration(plan, _predicted_steps(plan)))


def _predicted_steps(plan: Plan) -> list[float]:
    return [predicted_step(resolution.network_step(case), case) for case in plan.steps]


def _activated(steps: Iterable[NetworkStep]) -> dict[str, tuple[int, ...]]:
    return {step.network.name: step.network.activated for step in steps}
