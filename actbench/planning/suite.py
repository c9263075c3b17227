"""From what the user asks for to a plan: the product of axes, filters, and what cannot be measured."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import product

from actbench import registry
from actbench.errors import InputError, unknown
from actbench.kernels.resolution import resolve
from actbench.kernels.suitability import unsuitable
from actbench.model.cases import OVERHEAD, RUNGS, Arm, Block, Case
from actbench.model.inputs import Inputs
from actbench.model.names import Dtype, Op, OperandState, unknown_dtype
from actbench.model.plan import LeftOut, Plan
from actbench.model.variants import Variant
from actbench.planning import cold, costs, presets
from actbench.planning.presets import Axes
from actbench.planning.selection import CaseQuery, Room

MEMORY_SHARE = 0.5
"""The share of the machine's memory that one block may need."""

ARRAYS_PER_BLOCK = 12
"""Arrays alive at once, at most: z, dy, y, saved residuals, outputs, numpy's temporaries, the allocator's spares."""


def strategies_of(activation: str) -> Container[str]:
    """Return the strategies that an activation has, or the rungs of the overhead ladder; `InputError` for others."""
    return RUNGS if activation == OVERHEAD else registry.activation(activation).strategies


def canonical(activation: str) -> str:
    """Return the name of an activation as ids have it: without the parameters that are the defaults."""
    return activation if activation == OVERHEAD else registry.activation(activation).name


def plan(axes: Axes, room: Room, *, pattern: str = "*", seed: int) -> Plan:
    """Lay out the blocks of the product of `axes`, keeping the cases whose id matches the glob `pattern`.

    A case that cannot be measured in the `room` is left out with its reason; `InputError` when a name is unknown, a
    backend unavailable or nothing is left.
    """
    _check_names(axes)
    left_out: list[LeftOut] = []
    cases: list[Case] = []
    for case in _wanted(axes, pattern):
        reason = _unsupported(case, room)
        if reason:
            left_out.append(LeftOut(case.id, reason))
        else:
            cases.append(case)
    if not cases:
        raise InputError(f"the selection leaves no case to measure{_because(axes, left_out)}")
    is_cold = any(case.operands is not OperandState.WARM for case in cases)
    return Plan(grouped(cases), seed, tuple(left_out), cache=room.cache if is_cold else 0)


def on_inputs(plan: Plan, inputs: Inputs) -> Plan:
    """Return a plan on inputs whose file has been read, without the cases that cannot be measured on them.

    `InputError` where no case is left.
    """
    reasons = {case: unsuitable(case, inputs, plan.seed) for case in plan.cases}
    blocks = grouped(case for case, reason in reasons.items() if not reason)
    left_out = [LeftOut(case.id, reason) for case, reason in reasons.items() if reason]
    if not blocks:
        raise InputError(f"--inputs {inputs}: no case is left to measure, because {left_out[0].reason}")
    return replace(plan, blocks=blocks, left_out=(*plan.left_out, *left_out), inputs=inputs)


def _because(axes: Axes, left_out: Sequence[LeftOut]) -> str:
    """Say why nothing is left."""
    if left_out:
        return f": {left_out[0].reason}"
    for name in axes.activations:
        existing = strategies_of(name)
        absent = [strategy for strategy in axes.strategies if Variant(strategy).name not in existing]
        if name != OVERHEAD and len(absent) == len(axes.strategies):
            definition = registry.activation(name)
            why = definition.formulas.uncached if "cached" in absent else ""
            has = f"{name} has the strategies {', '.join(definition.strategies)}"
            return f": {has}{f', and no cached, because {why}' if why else ''}"
    return " (see 'actbench list cases')"


def offered(query: CaseQuery) -> list[Case]:
    """Return the cases of a selection that exist in this environment, leaving out what is not known here."""
    preset = presets.catalogue().get(query.preset)
    if preset is None:
        return []
    requested = preset.axes.with_named({name: tuple(values) for name, values in query.axes.items()})
    known = Axes(
        activations=tuple(name for name in requested.activations if _is_known(strategies_of, name)),
        strategies=tuple(name for name in requested.strategies if _is_known(registry.variant, name)),
        backends=_known(requested.backends, registry.available_backends()),
        ops=tuple(map(Op, _known(requested.ops, tuple(Op)))),
        dtypes=tuple(map(Dtype, _known(requested.dtypes, tuple(Dtype)))),
        sizes=requested.sizes,
        operands=tuple(map(OperandState, _known(requested.operands, tuple(OperandState)))),
        cold_sizes=requested.cold_sizes,
    )
    wanted = _wanted(known, query.pattern)
    return [case for case in wanted if not _unsupported(case, query.room)]


def refuse_unknown(query: CaseQuery, elsewhere: Iterable[Case]) -> None:
    """Raise `InputError` for a name of the user's that cannot be used here and is not among the cases elsewhere."""
    axes = presets.get(query.preset).axes
    selected = query.axes
    _check_ladder(selected.get("activations", axes.activations), selected.get("strategies", axes.strategies))
    seen = {name for case in elsewhere for name in (case.activation, case.backend, case.strategy, case.op, case.dtype)}
    lookups: dict[str, Callable[[str], object]] = {
        "activations": strategies_of,
        "backends": registry.backend,
        "strategies": registry.variant,
        "ops": _op,
        "dtypes": _dtype,
        "operands": operand_state,
    }
    for axis, look_up in lookups.items():
        for name in query.axes.get(axis, ()):
            if name not in seen:
                look_up(name)


def grouped(cases: Iterable[Case]) -> tuple[Block, ...]:
    """Return the blocks of these cases."""
    blocks: dict[Block, list[Arm]] = {}
    for case in cases:
        empty = Block(case.activation, case.op, case.dtype, case.size, (), operands=case.operands)
        blocks.setdefault(empty, []).append(Arm(case.strategy, case.backend))
    return tuple(replace(block, arms=tuple(arms), copies=_with_own_copy(arms)) for block, arms in blocks.items())


def _with_own_copy(arms: Iterable[Arm]) -> tuple[str, ...]:
    """Name the backends of these arms that are held against a copy of their own."""
    return tuple(
        backend.name for backend in registry.known_backends(arm.backend for arm in arms) if backend.has_own_copy
    )


def threaded(plan: Plan) -> tuple[str, ...]:
    """Name the backends of a plan whose calls are executed by several threads."""
    return tuple(
        backend.name for backend in registry.known_backends(case.backend for case in plan.cases) if backend.threaded
    )


def _wanted(axes: Axes, pattern: str) -> Iterator[Case]:
    """Yield the cases that exist as mathematics, in the order of tables."""
    in_tables = partial(Variant.sort_key, order=registry.strategies_and_rungs())
    variants = sorted(dict.fromkeys(map(Variant, axes.strategies)), key=in_tables)
    ranked = [name for name in registry.backends() if name in axes.backends]
    sizes = sorted(set(axes.sizes))
    for activation in dict.fromkeys(map(canonical, axes.activations)):
        existing = strategies_of(activation)
        strategies = [variant for variant in variants if variant.name in existing]
        for op, dtype, size in product(dict.fromkeys(axes.ops), dict.fromkeys(axes.dtypes), sizes):
            for operands, backend, strategy in product(axes.states(size), ranked, strategies):
                case = Case(activation, strategy, backend, op, dtype, size, operands)
                if fnmatchcase(case.id, pattern):
                    yield case


def _unsupported(case: Case, room: Room) -> str | None:
    if reason := resolve(case).unsupported:
        return reason
    if case.operands is not OperandState.WARM and (reason := cold.unsupported(case, room)):
        return reason
    seconds = costs.predicted_call(case)
    if seconds > room.max_call:
        return f"one call would take about {seconds:.2g} s, above the cap of {room.max_call:g} s (--max-call)"
    needed = ARRAYS_PER_BLOCK * case.size * case.dtype.itemsize
    if needed > MEMORY_SHARE * room.memory:
        return (
            f"the block needs about {needed / 1e9:.2g} GB, more than half of this machine's {room.memory / 1e9:.2g} GB"
        )
    return None


def _is_known(look_up: Callable[[str], object], name: str) -> bool:
    try:
        look_up(name)
    except InputError:
        return False
    return True


def _known(names: Iterable[str], catalogue: Container[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in catalogue)


def _check_names(axes: Axes) -> None:
    for activation in axes.activations:
        strategies_of(activation)
    for backend in axes.backends:
        registry.backend(backend)
    for strategy in axes.strategies:
        registry.variant(strategy)
    _check_ladder(axes.activations, axes.strategies)


def _check_ladder(chosen: Iterable[str], strategies: Iterable[str]) -> None:
    """Raise `InputError` where a part of the selection would go without a word: rungs and strategies do not mix."""
    rungs = [name for name in strategies if name in RUNGS]
    others = [name for name in chosen if name != OVERHEAD]
    if OVERHEAD in chosen and not rungs:
        raise InputError(
            f"'{OVERHEAD}' has rungs in place of strategies: add -s {','.join(RUNGS)}, or use --preset {OVERHEAD}"
        )
    if rungs and OVERHEAD not in chosen:
        raise InputError(
            f"'{rungs[0]}' is a rung of the overhead ladder: add -a {OVERHEAD}, or use --preset {OVERHEAD}"
        )
    if others and rungs and not [name for name in strategies if name not in RUNGS]:
        raise InputError(
            f"'{others[0]}' has strategies in place of rungs: add -s {','.join(registry.strategies())}, or leave it out"
        )


def operand_state(name: str) -> OperandState:
    """Return a state of operands by its name; `InputError` for another."""
    if name not in list(OperandState):
        raise unknown("state of operands", name, list(OperandState))
    return OperandState(name)


def _op(name: str) -> None:
    if name not in list(Op):
        raise unknown("op", name, list(Op))


def _dtype(name: str) -> None:
    if name not in list(Dtype):
        raise unknown_dtype(name)
