"""Cold operands: each call uses the next of many sets of operands, so that no call finds its operands in a cache.

One cursor moves from set to set through all slices of all arms, untimed calls included. There are so many sets that a
set is touched again only after others of a multiple of the capacity of the last-level cache (`actbench.kernels.sets`).
Their order in memory is random, so that prefetchers cannot learn it, and their pages are touched beforehand.

With ``residuals-cold`` operands, dy and the result of the backward pass stay where they are, in cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from actbench.backends import Backend
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, Array, Operand, Operands, same_bits
from actbench.kernels.placement import ALIGNMENT, PAGE, Invocation, Placement
from actbench.model.names import OperandState

STRETCH = 512
"""Number of elements, beside the first and the last one, that show whether a set was changed."""


class Rotation:
    """The sets of operands of a block, of the backends that share them, and the cursor over them."""

    def __init__(self, operands: Operands, state: OperandState, count: int, rng: np.random.Generator) -> None:
        """Make `count` sets of copies of `operands`, as they are asked for; `rng` chooses addresses and order."""
        self.state = state
        self.count = count
        self._operands = operands
        self._rng = rng
        self._order = rng.permutation(count).tolist()
        self._position = 0
        self._arrays: dict[Operand | tuple[int, np.dtype[Any], bool], list[Array]] = {}
        self._adopted: dict[tuple[str, Operand], list[Any]] = {}
        self._stored: dict[tuple[str, Operand], list[Array]] = {}
        self._unchanging: set[Operand] = set()
        self._passed: list[int] = []
        self.kept: dict[str, list[Any]] = {}
        """What the forward passes of a kernel returned, by set, where its backend allocates that."""
        self.made: dict[str, list[Invocation]] = {}
        """The calls of a subject, by set, where a forward pass is part of making one."""

    def take(self, calls: int) -> list[int]:
        """Move the cursor on by so many calls, and return their sets."""
        sets = [self._order[(self._position + call) % self.count] for call in range(calls)]
        self._position = (self._position + calls) % self.count
        self._passed = sets[-1:] or self._passed
        return sets

    def half_ago(self, calls: int) -> list[int]:
        """Return the sets that had their turn half of all sets before the last `calls` calls."""
        start = self._position - calls - self.count // 2
        return [self._order[(start + call) % self.count] for call in range(calls)]

    def array(self, index: int, operand: Operand) -> Array:
        """Return an operand of a set."""
        if operand not in self._arrays:
            self._arrays[operand] = self._copies(self._operands.array(operand))
            self._unchanging.add(operand)
        return self._arrays[operand][index]

    @property
    def rows(self) -> int:
        """In how many rows the elements are."""
        return self._operands.rows

    def output(self, index: int, position: int, dtype: np.dtype[Any] | None, *, per_row: bool) -> Array:
        """Return an array of a set to write to, of the inputs' dtype or another."""
        z = self._operands.z
        key = position, dtype or z.dtype, per_row
        if key not in self._arrays:
            self._arrays[key] = self._copies(np.zeros(self.rows if per_row else z.size, key[1]))
        return self._arrays[key][index]

    def adopted(self, backend: Backend, index: int, operand: Operand) -> Any:
        """Return an operand of a set as a backend's own kind of array, of memory of its own."""
        key = backend.name, operand
        if key not in self._adopted:
            original = self._operands.array(operand)
            self._adopted[key] = [backend.adopt(original) for _ in range(self.count)]
        return self._adopted[key][index]

    def stored(self, kernel: Kernel, index: int, operand: Operand) -> Array:
        """Return an operand of a set as what a kernel's forward pass writes and its later backward pass reads."""
        key = kernel.id, operand
        if key not in self._stored:
            self._stored[key] = self._copies(self._operands.array(operand))
        return self._stored[key][index]

    def changed(self, windows: Sequence[slice]) -> Iterator[str]:
        """Yield the names of operands of the last set that are not what they were, as far as windows of them tell."""
        yield from self._changed(self._passed, windows)

    def changed_anywhere(self, windows: Sequence[slice]) -> Iterator[str]:
        """Yield the names of operands of any set that are not what they were, as far as a part of a window tells."""
        window = windows[int(self._rng.integers(len(windows)))]
        start = int(self._rng.integers(window.start, max(window.start, window.stop - STRETCH) + 1))
        size = self._operands.z.size
        yield from self._changed(range(self.count), [slice(1), slice(start, start + STRETCH), slice(size - 1, size)])

    def _changed(self, indices: Iterable[int], windows: Sequence[slice]) -> Iterator[str]:
        for operand in self._unchanging:
            original, arrays = self._operands.array(operand), self._arrays[operand]
            if not all(same_bits(arrays[index][window], original[window]) for index in indices for window in windows):
                yield operand.name

    def _copies(self, array: Array) -> list[Array]:
        """Return copies of an array, one a set, each at a random cache line; writing them touches their pages."""
        nbytes = -(-array.nbytes // ALIGNMENT) * ALIGNMENT
        gaps = ALIGNMENT * self._rng.integers(PAGE // ALIGNMENT, size=self.count)
        room = np.empty(self.count * nbytes + int(gaps.sum()) + ALIGNMENT, np.uint8)
        starts = -room.ctypes.data % ALIGNMENT + np.cumsum(gaps) + nbytes * np.arange(self.count)
        copies = [room[start : start + array.nbytes].view(array.dtype) for start in starts.tolist()]
        for copy in copies:
            np.copyto(copy, array)
        return copies


class SetMemory:
    """One set of a rotation, and for what does not rotate, the placement."""

    def __init__(self, rotation: Rotation, index: int, placement: Placement, stores: Kernel | None = None) -> None:
        """Take the set's number and, of a step, the kernel whose passes store and read what is kept."""
        self._rotation = rotation
        self._stores = stores
        self._index = index
        self._placement = placement

    def operand(self, backend: Backend, operand: Operand, *, writable: bool = True) -> Any:
        """Return an operand for a backend."""
        if operand.name == DY.name and self._rotation.state is not OperandState.COLD:
            return self._placement.operand(backend, operand, writable=writable)
        if not backend.places:
            return self._rotation.adopted(backend, self._index, operand)
        array = self._array(operand).view()
        array.flags.writeable = writable
        return backend.adopt(array)

    def stored(self) -> list[Array]:
        """Return the arrays that the forward pass writes y and residuals to; none where its backend allocates them."""
        kernel = self._stores
        return [self._rotation.stored(kernel, self._index, operand) for operand in kernel.stores] if kernel else []

    def _array(self, operand: Operand) -> Array:
        kernel = self._stores
        if kernel and operand in kernel.stores:
            return self._rotation.stored(kernel, self._index, operand)
        return self._rotation.array(self._index, operand)

    @property
    def rows(self) -> int:
        """In how many rows the elements are."""
        return self._rotation.rows

    def output(self, position: int, dtype: np.dtype[Any] | None = None, *, per_row: bool = False) -> Array:
        """Return the array that the result of a derivative or of a backward pass is written to."""
        if self._rotation.state is not OperandState.COLD:
            return self._placement.output(position, dtype, per_row=per_row)
        return self._rotation.output(self._index, position, dtype, per_row=per_row)
