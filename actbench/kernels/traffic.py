"""What a call must move, and what a forward pass keeps, by definition: temporaries not counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from actbench.formula import Activation
from actbench.kernels import rows
from actbench.model.names import Dtype, Op, OperandState, Storage
from actbench.model.row_bytes import RowBytes
from actbench.model.rule import TARGET, Dialect, Rule


@dataclass(frozen=True, slots=True)
class Traffic:
    """Units: arrays of the kernel's size."""

    residuals: int
    """Arrays that the forward pass keeps."""
    streams: int
    """Arrays of the arithmetic's dtype read or written by one call, each pass over an array counted once."""
    narrow: int = 0
    """The same of narrower residuals."""
    numbers_kept: tuple[str, ...] = ()
    """The names of what is one number a row and kept."""
    numbers_moved: tuple[str, ...] = ()
    """The names of what is one number a row and read or written by one call, once for every pass."""

    def moved(self, dtype: Dtype, storage: Storage | None) -> int:
        """Return the bytes per element that a call reads and writes."""
        return self.streams * dtype.itemsize + self.narrow * (storage or dtype).itemsize

    def kept(self, dtype: Dtype, storage: Storage | None) -> int:
        """Return the bytes per element that are kept between the forward and the backward pass."""
        return self.residuals * (storage or dtype).itemsize

    def row_bytes(self, dtype: Dtype) -> RowBytes:
        """Return the bytes of what is one number a row."""
        alive = [name for name in self.numbers_kept if name in ALIVE]
        return RowBytes(*(bytes_of_numbers(names, dtype) for names in (self.numbers_kept, alive, self.numbers_moved)))


COPY = Traffic(0, 2)
"""One array read and one written."""

NOTHING = Traffic(0, 0)

ALIVE = ("y", TARGET)
"""What a network holds whatever the strategy, where it is one number a row."""


def bytes_of_numbers(names: Iterable[str], dtype: Dtype) -> int:
    """Return the bytes of one number of these names, a target being the number of a column."""
    return sum(rows.NUMBERS.itemsize if name == TARGET else dtype.itemsize for name in names)


def leaves_last_level_cache(nbytes: int, cache: int) -> bool:
    """Return whether results of a call leave the last-level cache in any case: its arrays exceed half of that.

    `nbytes` are those of all arrays of the call, `cache` those of the cache; where these are 0 it is not known.
    """
    return bool(cache) and 2 * nbytes > cache


def names_in_cache(op: Op, operands: OperandState, inputs: Sequence[str], *, preallocates: bool) -> list[str]:
    """Return the names of what a call does not move from or to memory, although its operands are not warm.

    With cold operands, that is the result of a backend that allocates it, where the result before lay. With cold
    residuals it is everything beside these. An activation has a gradient for every one of its `inputs` but a target.
    Of warm operands nothing is known.
    """
    gradients = [f"d{name}" for name in inputs if name != TARGET]
    match operands:
        case OperandState.WARM:
            return []
        case OperandState.RESIDUALS_COLD:
            upstream = [] if op.bound_as is Op.DERIVATIVE else ["dy"]
            return [*upstream, *gradients, *(inputs if op is Op.STEP else ())]
        case OperandState.COLD:
            return [] if preallocates else gradients


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
    """Count the arrays of a row activation, and name what is one number a row."""
    one_a_row = rows.per_row(activation, strategy)
    backward = ("dy", *rule.residuals, "dz")
    moved = (*rule.inputs, "y", *rule.saved, *backward) if op is Op.STEP else backward

    def numbers(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in one_a_row)

    kept_numbers, moved_numbers = numbers(rule.residuals), numbers(moved)
    arrays = len(rule.residuals) - len(kept_numbers), len(moved) - len(moved_numbers)
    return Traffic(*arrays, numbers_kept=kept_numbers, numbers_moved=moved_numbers)
