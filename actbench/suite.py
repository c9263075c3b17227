"""From what the user asks for to a plan: axes, presets, filters."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial
from itertools import product
from typing import Any

from actbench import activations, backends, loading, overhead, residuals
from actbench.backends import Backend
from actbench.errors import InputError, unknown
from actbench.kernel import refusal, traffic
from actbench.model import OVERHEAD, RUNGS, STRATEGIES, Arm, Block, Case, Dtype, LeftOut, Op, Plan

CORE = ("python", "numpy", "numba")
"""What presets measure that do not ask for more: the plain ways to execute a formula."""

APART = ("python", "torch-compile", "torch-cuda")
"""What is compared with other libraries only by name: slow, long to compile, or on another device."""

MAX_CALL = 0.5
"""Seconds. A case whose single call would take longer, by the backends' planning figures, is left out."""

ROUND_START = 1.5
"""Seconds, about: a worker starts, imports numpy and numba and binds its kernels."""

LEAST_MEASURED = 0.3
"""Seconds of a round that should be spent on measuring, at least: about what it takes to start the worker."""

MEMORY_SHARE = 0.5
"""The share of the machine's memory that one block may need."""

ARRAYS_PER_BLOCK = 12
"""Arrays alive at once, at most: z, dy, y, saved residuals, outputs, numpy's temporaries, the allocator's spares."""

HALF_DECADES = (*(base * 10**power for power in range(6) for base in (16, 50)), 16_000_000)
"""Elements, from 16 to 16 million: two sizes a decade, as even as round numbers can be."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What to measure: the product of these, less what does not exist."""

    activations: tuple[str, ...]
    strategies: tuple[str, ...]
    backends: tuple[str, ...]
    ops: tuple[Op, ...]
    dtypes: tuple[Dtype, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """Axes, and how much effort they are worth."""

    name: str
    summary: str
    axes: Axes
    budget: float
    """Seconds that a run may take, start to end."""
    arm_seconds: float
    """Seconds that one arm should take in one round."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked of an environment: names and numbers as text and integers, so that it can be sent."""

    preset: str
    given: dict[str, tuple[Any, ...]]
    """Axes of the user's own, by name, in place of the preset's."""
    pattern: str
    memory: int
    """Bytes that blocks may count on."""
    max_call: float
    """Seconds."""


def kept_or_done() -> tuple[str, ...]:
    """Return what can stand in a strategy's place, in the order of tables."""
    return (*STRATEGIES, *RUNGS)


def presets() -> dict[str, Preset]:
    """Return the presets by name.

    They use the backends that are available here. What is loaded of a user's own belongs to all but `overhead`.
    """
    usable = _usable()
    own = loading.additions()
    core = tuple(name for name in usable if name in {*CORE, *own["backends"]})
    default = Axes(
        activations=tuple(dict.fromkeys(["logistic", "tanh", *own["activations"]])),
        strategies=tuple(STRATEGIES),
        backends=core,
        ops=(Op.DERIVATIVE,),
        dtypes=tuple(Dtype),
        sizes=(1_000, 100_000, 4_000_000),
    )
    common = tuple(dict.fromkeys(["recompute", "cached", *own["strategies"]]))
    smoke = replace(default, strategies=common, dtypes=(Dtype.FLOAT64,), sizes=(1_000,))
    check = replace(
        default,
        strategies=tuple(dict.fromkeys(["complement", *common])),
        backends=tuple(name for name in core if name != "python"),  # its processes differ by 2 to 3 %
        sizes=(10_000,),
    )
    peers = replace(
        default,
        strategies=common,
        backends=tuple(name for name in usable if name not in APART),
        sizes=(10_000, 100_000, 1_000_000, 16_000_000),
    )
    ladder = replace(
        default,
        activations=(OVERHEAD,),
        strategies=tuple(RUNGS),
        backends=tuple(name for name in usable if name in {*CORE, "numba-parallel"}),
        sizes=(16, 1_000, 16_000),
    )
    sweep = replace(
        default,
        activations=("logistic",),
        strategies=("recompute", "cached"),
        backends=tuple(name for name in usable if name in {"numpy", "numba", "numba-simd"}),
        ops=(Op.DERIVATIVE, Op.STEP),
        sizes=HALF_DECADES,
    )
    full = replace(
        default,
        activations=tuple(activations.catalogue()),
        backends=tuple(name for name in usable if not backends.catalogue()[name].optional),
        ops=tuple(Op),
        sizes=(*(16 ** (1 + power) for power in range(5)), 16_000_000),
    )
    return {
        preset.name: preset
        for preset in (
            Preset("smoke", "does it work here? recompute and cached, n = 1 000", smoke, 15.0, 0.02),
            Preset("check", "did it get slower? numpy and numba, n = 10 000", check, 72.0, 0.02),
            Preset("default", "what is caching worth here? logistic and tanh, three sizes", default, 115.0, 0.03),
            Preset("peers", "how good can it be? every vector backend that is installed", peers, 600.0, 0.03),
            Preset("overhead", "what is a small call made of? from an empty one to y (1 - y)", ladder, 30.0, 0.02),
            Preset(
                "sweep", "from which size on does the answer change? logistic, half-decades from 16", sweep, 240.0, 0.01
            ),
            Preset("full", "everything, from 16 to 16 000 000 elements", full, 10_800.0, 0.03),
        )
    }


def strategies_of(activation: str) -> Container[str]:
    """Return the strategies that an activation has, or the rungs of the overhead ladder; `InputError` for others."""
    return RUNGS if activation == OVERHEAD else activations.get(activation).strategies


def canonical(activation: str) -> str:
    """Return the name of an activation as ids have it: without the parameters that are the defaults."""
    return activation if activation == OVERHEAD else activations.get(activation).name


def preset(name: str) -> Preset:
    """Return a preset; `InputError` with the nearest name when there is none."""
    known = presets()
    if name not in known:
        raise unknown("preset", name, known)
    return known[name]


def plan(axes: Axes, *, pattern: str = "*", seed: int, memory: int, max_call: float = MAX_CALL) -> Plan:
    """Lay out the blocks of the product of `axes`, keeping the cases whose id matches the glob `pattern`.

    `memory` is the machine's, in bytes; `max_call` is in seconds. A case that cannot be measured is left out with its
    reason; `InputError` when a name is unknown, a backend unavailable or nothing is left.
    """
    _check_names(axes)
    left_out: list[LeftOut] = []
    cases: list[Case] = []
    for case in _wanted(axes, pattern):
        reason = _obstacle(case, memory, max_call)
        if reason:
            left_out.append(LeftOut(case.id, reason))
        else:
            cases.append(case)
    if not cases:
        raise InputError(f"the selection leaves no case to measure{_because(axes, left_out)}")
    return Plan(grouped(cases), seed, tuple(left_out))


def _because(axes: Axes, left_out: Sequence[LeftOut]) -> str:
    """Say why nothing is left."""
    if left_out:
        return f": {left_out[0].reason}"
    for name in axes.activations:
        existing = strategies_of(name)
        absent = [strategy for strategy in axes.strategies if residuals.split(strategy)[0] not in existing]
        if name != OVERHEAD and len(absent) == len(axes.strategies):
            found = activations.get(name)
            why = found.formulas.uncached if "cached" in absent else ""
            has = f"{name} has the strategies {', '.join(found.strategies)}"
            return f": {has}{f', and no cached, because {why}' if why else ''}"
    return " (see 'actbench list cases')"


def offered(selection: Selection) -> list[Case]:
    """Return the cases of a selection that exist in this environment, leaving out what is not known here."""
    chosen = presets().get(selection.preset)
    if chosen is None:
        return []
    asked = replace(chosen.axes, **{name: tuple(values) for name, values in selection.given.items()})
    known = Axes(
        activations=tuple(filter(_is_known, asked.activations)),
        strategies=tuple(name for name in asked.strategies if residuals.exists(name, kept_or_done())),
        backends=_known(asked.backends, _usable()),
        ops=tuple(map(Op, _known(asked.ops, tuple(Op)))),
        dtypes=tuple(map(Dtype, _known(asked.dtypes, tuple(Dtype)))),
        sizes=asked.sizes,
    )
    wanted = _wanted(known, selection.pattern)
    return [case for case in wanted if not _obstacle(case, selection.memory, selection.max_call)]


def refuse_unknown(selection: Selection, elsewhere: Iterable[Case]) -> None:
    """Raise `InputError` for a name of the user's that cannot be used here and is not among the cases elsewhere."""
    axes = preset(selection.preset).axes
    given = selection.given
    _check_ladder(given.get("activations", axes.activations), given.get("strategies", axes.strategies))
    seen = {name for case in elsewhere for name in (case.activation, case.backend, case.strategy, case.op, case.dtype)}
    lookups: dict[str, Callable[[str], object]] = {
        "activations": strategies_of,
        "backends": backends.get,
        "strategies": _strategy,
        "ops": partial(_member, "op", Op),
        "dtypes": partial(_member, "dtype", Dtype),
    }
    for axis, look_up in lookups.items():
        for name in selection.given.get(axis, ()):
            if name not in seen:
                look_up(name)


def grouped(cases: Iterable[Case]) -> tuple[Block, ...]:
    """Return the blocks of these cases."""
    blocks: dict[Block, list[Arm]] = {}
    for case in cases:
        empty = Block(case.activation, case.op, case.dtype, case.size, ())
        blocks.setdefault(empty, []).append(Arm(case.strategy, case.backend))
    return tuple(replace(block, arms=tuple(arms), copies=_copies(arms)) for block, arms in blocks.items())


def _copies(arms: Iterable[Arm]) -> tuple[str, ...]:
    """Return the backends of several threads among these arms: each is held against a copy by all of them."""
    known = backends.catalogue()
    return tuple(dict.fromkeys(arm.backend for arm in arms if arm.backend in known and known[arm.backend].threaded))


def predicted_call(case: Case) -> float:
    """Guess the seconds of one call before anything is measured: an upper figure, for planning alone."""
    return case.size * backends.catalogue()[case.backend].planning_ns * 1e-9


def arm_seconds(plan: Plan, preset: Preset) -> float:
    """Seconds that one arm should take in one round: more than the preset's where the plan is small.

    What starts a worker is then not spent on a few milliseconds of measuring.
    """
    return max(preset.arm_seconds, LEAST_MEASURED / sum(len(block.timed) for block in plan.blocks))


def predicted_round(plan: Plan, arm_seconds: float) -> float:
    """Guess the seconds of one round before anything is measured: an upper figure."""
    untimed_and_timed = 4
    arms = sum(max(arm_seconds, untimed_and_timed * predicted_call(case)) for case in plan.cases)
    return ROUND_START + arms + len(plan.blocks) * arm_seconds


def bytes_moved(case: Case) -> int:
    """Bytes that one call must read and write by the kernel's definition, temporaries not counted."""
    if case.is_yardstick:
        return 2 * case.size * case.dtype.itemsize
    found = traffic(case.activation, case.strategy, case.op)
    return case.size * (found.streams * case.dtype.itemsize + found.narrow * _residual_itemsize(case))


def residual_bytes(case: Case) -> int:
    """Bytes kept per element between the forward and the backward pass; the yardstick keeps none."""
    if case.is_yardstick:
        return 0
    return traffic(case.activation, case.strategy, case.op).residuals * _residual_itemsize(case)


def _residual_itemsize(case: Case) -> int:
    _, storage = residuals.split(case.strategy)
    return (storage or case.dtype).itemsize


def _wanted(axes: Axes, pattern: str) -> Iterator[Case]:
    """Yield the cases that exist as mathematics, in the order of tables."""
    strategies = sorted(dict.fromkeys(axes.strategies), key=partial(residuals.rank, order=kept_or_done()))
    ranked = [name for name in backends.catalogue() if name in axes.backends]
    sizes = sorted(set(axes.sizes))
    for activation in dict.fromkeys(map(canonical, axes.activations)):
        existing = strategies_of(activation)
        own = [strategy for strategy in strategies if residuals.split(strategy)[0] in existing]
        for op, dtype, size in product(dict.fromkeys(axes.ops), dict.fromkeys(axes.dtypes), sizes):
            for backend, strategy in product(ranked, own):
                case = Case(activation, strategy, backend, op, dtype, size)
                if fnmatchcase(case.id, pattern):
                    yield case


def _obstacle(case: Case, memory: int, max_call: float) -> str | None:
    backend: Backend = backends.get(case.backend)
    refused = overhead.obstacle(case) or backend.refusal(case.dtype) if case.is_rung else refusal(case.kernel)
    if refused:
        return refused
    seconds = predicted_call(case)
    if seconds > max_call:
        return f"one call would take about {seconds:.2g} s, above the cap of {max_call:g} s (--max-call)"
    needed = ARRAYS_PER_BLOCK * case.size * case.dtype.itemsize
    if needed > MEMORY_SHARE * memory:
        return f"the block needs about {needed / 1e9:.2g} GB, more than half of this machine's {memory / 1e9:.2g} GB"
    return None


def _usable() -> tuple[str, ...]:
    return tuple(name for name, backend in backends.catalogue().items() if not backend.unavailable)


def _is_known(activation: str) -> bool:
    try:
        strategies_of(activation)
    except InputError:
        return False
    return True


def _known(names: Iterable[str], catalogue: Container[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in catalogue)


def _check_names(axes: Axes) -> None:
    for activation in axes.activations:
        strategies_of(activation)
    for backend in axes.backends:
        backends.get(backend)
    for strategy in axes.strategies:
        _strategy(strategy)
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
            f"'{others[0]}' has strategies in place of rungs: add -s {','.join(STRATEGIES)}, or leave it out"
        )


def _strategy(name: str) -> None:
    residuals.require(name, kept_or_done())


def _member(what: str, kind: type[StrEnum], name: str) -> None:
    if name not in list(kind):
        raise unknown(what, name, list(kind))
