"""Operands and outputs of a call between guard bytes.

The guards are drawn at random for every call, so that a kernel which reads beyond the end of an operand returns a
different result in every call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from actbench.backends import Backend
from actbench.kernels.operands import Array, Operand, Operands, same_bits
from actbench.kernels.placement import ALIGNMENT

GUARD = 16 * ALIGNMENT
"""Bytes before and after every array: more than a loop of the widest vectors, unrolled eight times, reads at once."""


def in_order(array: Array, order: Array) -> Array:
    """Return a flat array with so many elements, or rows, in another order; one with fewer elements as it is."""
    if array.size % order.size:
        return array
    return array.reshape(order.size, -1)[order].reshape(array.shape)


@dataclass(frozen=True, slots=True)
class _Adopted:
    """An operand in the form that a backend takes, and its original values."""

    name: str
    backend: Backend
    value: Any
    original: Array

    @property
    def now(self) -> Array:
        """The current values, as a numpy array."""
        return np.asarray(self.backend.release(self.value))


class GuardedMemory:
    """Operands and outputs of one call, each between guard bytes; a substitute for a `Placement`."""

    def __init__(self, operands: Operands) -> None:
        """Start without arrays; they are made on demand."""
        self._operands = operands
        self._rng = np.random.default_rng()
        self._placed: dict[Operand, Array] = {}
        self._adopted: dict[tuple[str, Operand], _Adopted] = {}
        self._outputs: dict[tuple[int, np.dtype[Any], bool], Array] = {}
        self._rooms: list[Array] = []
        self._guards = np.empty(0, dtype=np.uint8)
        self.draw_guards()

    @property
    def size(self) -> int:
        """Elements of every operand."""
        return self._operands.z.size

    def draw_guards(self) -> None:
        """Draw new guard bytes around all arrays."""
        self._guards = self._rng.integers(256, size=2 * GUARD, dtype=np.uint8)
        for room in self._rooms:
            self._surround(room)

    def operand(self, backend: Backend, operand: Operand, *, writable: bool = True) -> Any:
        """Return an operand in separate memory. It is writable, and `faults` detects what a kernel writes to it."""
        del writable
        original = self._operands.array(operand)
        if backend.places and operand not in self._placed:
            self._placed[operand] = self._between_guards(original.size, original.dtype)
            np.copyto(self._placed[operand], original)
        if (backend.name, operand) not in self._adopted:
            value = backend.adopt(self._placed[operand] if backend.places else original)
            self._adopted[backend.name, operand] = _Adopted(operand.name, backend, value, original)
        return self._adopted[backend.name, operand].value

    @property
    def rows(self) -> int:
        """In how many rows the elements are."""
        return self._operands.rows

    def output(self, position: int, dtype: np.dtype[Any] | None = None, *, per_row: bool = False) -> Array:
        """Return an array for an output, of the inputs' dtype or another one."""
        z = self._operands.z
        key = position, dtype or z.dtype, per_row
        if key not in self._outputs:
            self._outputs[key] = self._between_guards(self.rows if per_row else z.size, key[1])
        return self._outputs[key]

    def rearrange(self, order: Array) -> bool:
        """Reorder the elements of all operands in place, or their rows; return whether the operands have the new order.

        They do not where they have been copied to a device. Elements of what is one number a row stay.
        """
        for array in self._placed.values():
            array[:] = in_order(array, order)
        for operand in self._adopted.values():
            if isinstance(operand.value, list):
                operand.value[:] = in_order(np.asarray(operand.value), order).tolist()
        return all(same_bits(operand.now, in_order(operand.original, order)) for operand in self._adopted.values())

    def holds(self, array: Array) -> bool:
        """Whether an array is in this memory, and not a copy of an operand."""
        return any(np.may_share_memory(array, room) for room in self._rooms)

    def faults(self) -> Iterator[str]:
        """Yield the changes that a call made to operands and guards."""
        for operand in self._adopted.values():
            if not same_bits(operand.now, operand.original):
                yield f"it changes its operand {operand.name}"
        if any(not np.array_equal(np.concatenate([room[:GUARD], room[-GUARD:]]), self._guards) for room in self._rooms):
            yield "it writes outside of its arrays"

    def _between_guards(self, size: int, dtype: np.dtype[Any]) -> Array:
        nbytes = size * dtype.itemsize
        raw = np.empty(nbytes + 2 * GUARD + ALIGNMENT, dtype=np.uint8)
        room = raw[-raw.ctypes.data % ALIGNMENT :][: nbytes + 2 * GUARD]
        self._rooms.append(room)
        self._surround(room)
        return room[GUARD : GUARD + nbytes].view(dtype)

    def _surround(self, room: Array) -> None:
        room[:GUARD], room[-GUARD:] = self._guards[:GUARD], self._guards[GUARD:]
