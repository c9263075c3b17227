"""From what the user asks for to a plan: the product of axes, filters, and what cannot be measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from operator import attrgetter

from actbench.errors import InputError
from actbench.formula import Activation
from actbench.kernels import resolution
from actbench.kernels.subject import Subject
from actbench.kernels.suitability import unsuitable
from actbench.model.cases import Arm, Block, Case
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import OperandState
from actbench.model.plan import LeftOut, Plan
from actbench.planning import cold, costs
from actbench.planning.presets import Axes
from actbench.planning.resolved import ResolvedAxes, resolved, resolved_here
from actbench.planning.selection import CaseQuery, Room

MEMORY_SHARE = 0.5
"""The share of the machine's memory that one block may need."""

ARRAYS_PER_BLOCK = 12
"""Arrays alive at once, at most: z, dy, y, saved residuals, outputs, numpy's temporaries, the allocator's spares."""


def plan(axes: Axes, room: Room, *, pattern: str = "*", seed: int) -> Plan:
    """Lay out the blocks of the product of `axes`, keeping the cases whose id matches the glob `pattern`.

    A case that cannot be measured in the `room` is left out with its reason; `InputError` when a name is unknown, a
    backend unavailable or nothing is left.
    """
    requested = resolved(axes)
    reasons = unmeasurable(requested.cases(pattern), room)
    cases = [case for case, reason in reasons.items() if not reason]
    left_out = [LeftOut(case.id, reason) for case, reason in reasons.items() if reason]
    if not cases:
        raise InputError(f"the selection leaves no case to measure{_because(requested, left_out)}")
    is_cold = any(case.operands is not OperandState.WARM for case in cases)
    return Plan(grouped(cases), seed, tuple(left_out), cache=room.cache if is_cold else 0)


def without_cold(plan: Plan, reason: str) -> Plan:
    """Return a plan without the cases whose operands come from memory, which are left out for this reason.

    `InputError` where no case is left.
    """
    warm = [case for case in plan.cases if case.operands is OperandState.WARM]
    if not warm:
        raise InputError(f"the selection leaves no case to measure: {reason}")
    left_out = [LeftOut(case.id, reason) for case in plan.cases if case.operands is not OperandState.WARM]
    return replace(plan, blocks=grouped(warm), left_out=(*plan.left_out, *left_out), cache=0)


def on_inputs(plan: Plan, inputs: Inputs) -> Plan:
    """Return a plan on inputs whose file has been read, without the cases that cannot be measured on them.

    `InputError` where no case is left of those that there were.
    """
    if inputs == STANDARD_NORMAL:
        return replace(plan, inputs=inputs)
    subjects = resolution.subjects(plan.cases)
    reasons = {case: unsuitable(subject, case.size, inputs, plan.seed) for case, subject in subjects.items()}
    blocks = grouped(case for case, reason in reasons.items() if not reason)
    left_out = [LeftOut(case.id, reason) for case, reason in reasons.items() if reason]
    if left_out and not blocks:
        raise InputError(f"--inputs {inputs}: no case is left to measure, because {left_out[0].reason}")
    return replace(plan, blocks=blocks, left_out=(*plan.left_out, *left_out), inputs=inputs)


def _because(requested: ResolvedAxes, left_out: Sequence[LeftOut]) -> str:
    """Say why nothing is left."""
    if left_out:
        return f": {left_out[0].reason}"
    strategies = requested.axes.strategies
    for activation in requested.activations:
        existing = activation.strategies
        absent = [strategy for strategy in strategies if strategy.name not in existing]
        if isinstance(activation, Activation) and len(absent) == len(strategies):
            why = activation.formulas.uncached if "cached" in absent else ""
            has = f"{activation.name} has the strategies {', '.join(existing)}"
            return f": {has}{f', and no cached, because {why}' if why else ''}"
    return " (see 'actbench list cases')"


def offered(query: CaseQuery) -> list[Case]:
    """Return the cases of a selection that exist in this environment, leaving out what is not known here."""
    requested = resolved_here(query)
    if requested is None:
        return []
    reasons = unmeasurable(requested.cases(query.pattern), query.room)
    return [case for case, reason in reasons.items() if not reason]


def grouped(cases: Iterable[Case]) -> tuple[Block, ...]:
    """Return the blocks of these cases."""
    blocks: dict[Block, list[Arm]] = {}
    for case in cases:
        blocks.setdefault(case.empty_block, []).append(Arm(case.strategy, case.backend))
    return tuple(replace(block, arms=tuple(arms), copies=_with_own_copy(block, arms)) for block, arms in blocks.items())


def _with_own_copy(block: Block, arms: Iterable[Arm]) -> tuple[str, ...]:
    """Name the backends of these arms that are held against a copy of their own; none of training steps."""
    if block.op.network:
        return ()
    return tuple(backend.name for backend in resolution.backends(arms) if backend.has_own_copy)


def with_threads(plan: Plan, threads: int | None) -> Plan:
    """Return a plan in which libraries have so many threads; one where it is None.

    Where they have several, their backends are held against a copy by as many, and the plan says so by that.
    """
    if threads in {None, 1}:
        return plan

    def copies(block: Block) -> tuple[str, ...]:
        used = resolution.backends(block.arms)
        return tuple(backend.name for backend in used if backend.has_own_copy or backend.takes_threads)

    return replace(plan, blocks=tuple(replace(block, copies=copies(block)) for block in plan.blocks))


def unmeasurable(cases: Iterable[tuple[Case, Subject]], room: Room) -> dict[Case, str | None]:
    """Return, for each case, why it cannot be measured here; None where it can."""
    unsupported = cache(attrgetter("unsupported"))  # of a subject, which many cases share
    reasons = {case: unsupported(subject) or _beyond(case, subject, room) for case, subject in cases}
    for block in grouped(case for case, reason in reasons.items() if not reason):
        if block.operands is not OperandState.WARM:
            subjects = [*resolution.subjects(block.timed).values()]
            reason = cold.without_memory(subjects, block, room)
            reasons |= dict.fromkeys(block.cases, reason)
    return reasons


def _beyond(case: Case, subject: Subject, room: Room) -> str | None:
    """Say why there is no room for a case that its backend executes, whatever else is measured; None where there is."""
    if case.operands is not OperandState.WARM:
        yardstick = resolution.resolve(case.empty_block.yardstick)
        if reason := cold.unsupported(subject, yardstick, case, room):
            return reason
    seconds = costs.predicted_call(subject, case.size)
    if seconds > room.max_call:
        return f"one call would take about {seconds:.2g} s, above the cap of {room.max_call:g} s (--max-call)"
    needed = ARRAYS_PER_BLOCK * case.size * case.dtype.itemsize
    if needed > MEMORY_SHARE * room.memory:
        available = f"{room.memory / 1e9:.2g} GB that there are"
        return f"the block needs about {needed / 1e9:.2g} GB, more than half of the {available}"
    return None
