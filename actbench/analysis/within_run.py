"""Comparison along one axis within a run: geometric means of ratios, with intervals over rounds.

Strategies and backends are compared inside their blocks, side by side; dtypes, sizes and states of operands across the
blocks of a round, minutes apart at most. Every round gives one geometric mean, over the cases that have a counterpart;
no mean is over several states of operands. Blocks of different shards of a merged run are not compared: what one number
of a round names there, different hosts may have measured on different days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import hodges_lehmann, hodges_lehmann_rows, medians
from actbench.errors import InputError
from actbench.model.cases import Block, Case, in_rows
from actbench.model.names import Dtype, OperandState
from actbench.model.sizes import Shape
from actbench.model.times import Times
from actbench.model.variants import Variant

DIFFERENT_SHARDS = "it was merged, and they are of different shards, which other hosts may have measured on other days"
"""Why pairs of cases are left out."""


class Axis(StrEnum):
    """The axes of comparisons."""

    STRATEGY = "strategy"
    BACKEND = "backend"
    DTYPE = "dtype"
    SIZE = "size"
    OPERANDS = "operands"
    ACTIVATION = "activation"
    """Between two runs only, since different activations within a run are different questions."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The speed of a candidate relative to the reference, per element, over a group of cases."""

    activation: str
    op: str
    group: str
    """The fixed fields beside activation, op and state: the backend, the strategy, or both."""
    operands: OperandState | None
    """The state of operands; None where states are compared."""
    reference: str
    candidate: str
    cases: int
    ratio: Interval
    """Geometric mean; above 1 the candidate is faster."""
    smallest: float
    """With `largest` the range of the ratios of single cases."""
    largest: float
    rounds: int


@dataclass(frozen=True, slots=True)
class ComparedWithin:
    """What a run gives along one axis."""

    comparisons: list[Comparison]
    unpaired: int
    """The number of pairs of cases that are left out, since their blocks are of different shards of a merged run."""


def compare(
    times: Times, axis: Axis, reference: str | None, paired: Callable[[Block, Block], bool], name: str
) -> ComparedWithin:
    """Compare every value of `axis` with the reference value, by default the first in the order of tables.

    For strategies that is ``recompute`` where it was measured. `paired` tells whether rounds of one number of two
    blocks belong together. `InputError` where the run of this name has nothing to compare.
    """
    if axis is Axis.ACTIVATION:
        raise InputError("--by activation compares two runs: name the other one as well, or another --by")
    cases = {case: block for block in times.blocks for case in block.cases}
    present = sorted({value_of(case, axis) for case in cases}, key=lambda value: order(axis, value))
    if not present:
        raise InputError(f"{name}: it has no finished round: go on with it (--resume), or name another")
    common = _named(axis, reference, present) if reference is not None else _default(axis, present)
    if common not in present:
        raise InputError(f"--reference '{common}': the run has the {axis} values {', '.join(present)}")
    groups: dict[_Key, list[tuple[Case, Case]]] = {}
    unpaired = 0
    for case, block in cases.items():
        candidate = value_of(case, axis)
        counterpart = _with(case, axis, common)
        if candidate != common and counterpart in cases:
            if not paired(block, cases[counterpart]):
                unpaired += 1
                continue
            state = None if axis is Axis.OPERANDS else case.operands
            key = _Key(case.activation, case.op, _group(case, axis), state, candidate)
            groups.setdefault(key, []).append((counterpart, case))
    if unpaired and not groups:
        raise InputError(
            f"{name}: it has no cases that can be compared by {axis}: {DIFFERENT_SHARDS}; measure them in one run"
        )
    if not groups:
        counterparts = f", and nothing has a counterpart at {common} (--reference)" if len(present) > 1 else " only"
        raise InputError(f"{name}: it has nothing to compare by {axis}: it measured {', '.join(present)}{counterparts}")
    ordered = sorted(groups.items(), key=lambda item: (*item[0][:3], *item[0].rank(axis)))
    return ComparedWithin([_compared(times, cases, key, common, twins) for key, twins in ordered], unpaired)


class _Key(NamedTuple):
    """The fields that a group of cases shares."""

    activation: str
    op: str
    group: str
    operands: OperandState | None
    candidate: str

    def rank(self, axis: Axis) -> tuple[int, ...]:
        """Return the place among the comparisons of a group."""
        return (*order(axis, self.candidate), -1 if self.operands is None else [*OperandState].index(self.operands))


def _compared(
    times: Times, blocks: dict[Case, Block], key: _Key, reference: str, twins: Sequence[tuple[Case, Case]]
) -> Comparison:
    shared = set.intersection(*({*times.rounds(blocks[case])} for twin in twins for case in twin))
    logs = np.array([_log_ratios(times, blocks, twin, sorted(shared)) for twin in twins])
    logs += np.array([[np.log(candidate.size / first.size)] for first, candidate in twins])
    single = hodges_lehmann_rows([logs])[:, 0]
    return Comparison(
        *key[:4],
        reference=reference,
        candidate=key.candidate,
        cases=len(twins),
        ratio=Interval.from_logs(hodges_lehmann(logs.mean(axis=0))),
        smallest=float(np.exp(single.min())),
        largest=float(np.exp(single.max())),
        rounds=len(shared),
    )


def _log_ratios(times: Times, blocks: dict[Case, Block], twin: tuple[Case, Case], rounds: list[int]) -> Any:
    reference, candidate = twin
    if blocks[reference] == blocks[candidate]:
        block = blocks[reference]
        arms = [block.cases.index(case) for case in twin]
        return log_ratios(seconds_at(times, block, rounds), *arms)
    logs = [
        np.log(medians(seconds_at(times, blocks[case], rounds)[:, blocks[case].cases.index(case)])) for case in twin
    ]
    return logs[0] - logs[1]


def seconds_at(times: Times, block: Block, rounds: Sequence[int]) -> NDArray[np.float64]:
    """Return seconds per call in these rounds only: rounds x arms (the yardstick last) x values."""
    measured = list(times.rounds(block))
    return times.seconds(block)[[measured.index(number) for number in rounds]]


def value_of(case: Case, axis: Axis) -> str:
    """Return the value of a case on the axis, as users name it; a size along rows is their number and columns."""
    return in_rows(case.size, case.rows) if axis is Axis.SIZE else str(getattr(case, axis))


def _named(axis: Axis, reference: str, present: Sequence[str]) -> str:
    """Return a value that a user names: a shape stands for its elements where these are not in rows."""
    shape = Shape(reference) if axis is Axis.SIZE and "x" in reference else Shape()
    return str(shape.elements) if shape and shape not in present and str(shape.elements) in present else reference


def _with(case: Case, axis: Axis, value: str) -> Case:
    if axis is Axis.SIZE:
        shape = Shape(value)
        return replace(case, size=shape.elements, rows=shape.rows)
    types: dict[Axis, type[Any]] = {
        Axis.DTYPE: Dtype,
        Axis.STRATEGY: Variant,
        Axis.OPERANDS: OperandState,
    }
    typed: dict[str, Any] = {axis.value: types.get(axis, str)(value)}
    return replace(case, **typed)


def _group(case: Case, axis: Axis) -> str:
    fixed = {Axis.STRATEGY: (case.backend,), Axis.BACKEND: (case.strategy,)}.get(axis, (case.strategy, case.backend))
    return "/".join(fixed)


def order(axis: Axis, value: str) -> tuple[int, ...]:
    """Return the sort key of a value in tables; activations stay in the order of the plan."""
    if axis is Axis.SIZE:
        return (Shape(value).elements, Shape(value).rows)
    if axis is Axis.STRATEGY:
        return Variant(value).sort_key(registry.strategies_and_rungs())
    tables: dict[Axis, list[str]] = {
        Axis.BACKEND: list(registry.backends()),
        Axis.DTYPE: list(Dtype),
        Axis.OPERANDS: list(OperandState),
    }
    names = tables.get(axis, [])
    return (names.index(value) if value in names else len(names),)


def _default(axis: Axis, present: Sequence[str]) -> str:
    if axis is Axis.STRATEGY and "recompute" in present:
        return "recompute"
    return present[0]
