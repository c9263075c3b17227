"""What a call must move, and what a forward pass keeps, by definition: temporaries not counted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from actbench.formula import Activation
from actbench.kernels import rows
from actbench.model.names import Dtype, Op, OperandState, Storage
from actbench.model.rule import Dialect, Rule


@dataclass(frozen=True, slots=True)
class Traffic:
    """Units: arrays of the kernel's size."""

    residuals: int
    """Arrays that the forward pass keeps."""
    streams: int
    """Arrays of the arithmetic's dtype read or written by one call, each pass over an array counted once."""
    narrow: int = 0
    """The same of narrower residuals."""

    def moved(self, dtype: Dtype, storage: Storage | None) -> int:
        """Return the bytes per element that a call reads and writes."""
        return self.streams * dtype.itemsize + self.narrow * (storage or dtype).itemsize

    def kept(self, dtype: Dtype, storage: Storage | None) -> int:
        """Return the bytes per element that are kept between the forward and the backward pass."""
        return self.residuals * (storage or dtype).itemsize


COPY = Traffic(0, 2)
"""One array read and one written."""

NOTHING = Traffic(0, 0)

BESIDE_RESIDUALS = {Op.DERIVATIVE: 1, Op.SECOND: 1, Op.BACKWARD: 2, Op.STEP: 3}
"""Streams of a call beside those that the forward pass keeps: its result, dy, and z of a step."""


def leaves_last_level_cache(nbytes: int, cache: int) -> bool:
    """Return whether results of a call leave the last-level cache in any case: its arrays exceed half of that.

    `nbytes` are those of all arrays of the call, `cache` those of the cache; where these are 0 it is not known.
    """
    return bool(cache) and 2 * nbytes > cache


def streams_in_cache(op: Op, operands: OperandState, *, preallocates: bool, inputs: int = 1) -> int:
    """Return how many streams of a call do not come from memory, although its operands are not warm.

    With cold operands, that is the result of a backend that allocates it, where the result before lay. With cold
    residuals it is everything beside these. A gated activation has two `inputs`, and a gradient for each. Of warm
    operands nothing is known: it is 0.
    """
    match operands:
        case OperandState.WARM:
            return 0
        case OperandState.RESIDUALS_COLD:
            return BESIDE_RESIDUALS[op] + (inputs - 1) * (1 + (op is Op.STEP))
        case OperandState.COLD:
            return 0 if preallocates else inputs


@cache
def traffic(activation: Activation, strategy: str, storage: Storage | None, op: Op) -> Traffic:
    """Count the arrays; the same on every backend. A step reads z and writes y, and then does its backward."""
    rule = activation.rule(strategy, Dialect.SCALAR, None)
    if rule.is_row:
        return _of_rows(activation, strategy, rule, op)
    kept = len(rule.residuals)
    if storage:
        wide, passes = {Op.DERIVATIVE: (1, 1), Op.BACKWARD: (2, 1), Op.STEP: (4, 2)}[op.bound_as]
        return Traffic(kept, wide, passes * kept)
    inputs = len(rule.inputs)
    streams = {
        Op.DERIVATIVE: kept + 1,
        Op.BACKWARD: kept + 1 + inputs,
        Op.STEP: inputs + 1 + len(rule.saved) + kept + 1 + inputs,
    }[op.bound_as]
    return Traffic(kept, streams)


def _of_rows(activation: Activation, strategy: str, rule: Rule, op: Op) -> Traffic:
    """Count the arrays of a row activation; what is one number a row is not counted."""
    one_a_row = rows.per_row(activation, strategy)

    def arrays(*names: str) -> int:
        return len([name for name in names if name not in one_a_row])

    backward = arrays("dy", *rule.residuals, "dz")
    forward = arrays("z", "y", *rule.saved)
    return Traffic(arrays(*rule.residuals), backward + forward if op is Op.STEP else backward)
