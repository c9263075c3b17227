"""Where in memory the operands and outputs of a call are, and the call on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from actbench.backends import Backend
from actbench.kernels.operands import Array, Operand, Operands, same_bits

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector register."""

PAGE = 4096
"""Bytes: a memory page, and the distance at which addresses alias."""

PHASES = 4
"""Where in a cache line an allocated array may start: allocators give multiples of 16 bytes."""

PHASED = 1 << 20
"""Bytes of the largest array whose phase is controlled: above, memory limits a kernel, not its alignment."""

CHUNK_HEADER = 8
"""Bytes that glibc's malloc puts before an array."""

SHIFTS = 8
"""How often a result is moved at most, until it starts in the phase that was asked for."""

SPAN = 1 << 20
"""Bytes over which the start of an array is spread: 256 pages, more than the page colours of an L2 cache."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """``function(*arguments)`` is one call of a case; it writes `outputs`, or returns them where that is None."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    outputs: tuple[Array, ...] | None = None
    release: Callable[[Any], Array] = np.asarray
    """Makes a numpy array of a returned output."""
    returns_nothing: bool = False
    """Whether what the function returns is no output, since it is known to write these."""

    def call(self) -> tuple[Any, ...]:
        """Call once and return what it returns, as a tuple; None where that is no output."""
        returned = self.function(*self.arguments)
        if isinstance(returned, tuple) and not self.returns_nothing:
            return returned
        return (None if self.returns_nothing else returned,)

    def results(self) -> list[Array]:
        """Call once and return the outputs as arrays: the derivative, or dz, or (y, ..., dz) of a step.

        What was written before is overwritten by NaN, so that a call which writes nothing cannot pass as right.
        """
        for output in self.outputs or ():
            output.fill(np.nan)
        returned = self.call()
        if returned[0] is None:
            return list(self.outputs or ())
        return self.arrays(returned)

    def arrays(self, returned: tuple[Any, ...]) -> list[Array]:
        """Return the outputs that a call returned as arrays."""
        return [self.release(output) for output in returned]

    def result_address(self) -> int | None:
        """Call once and return where the last output starts, and will start again; None if the call allocates none."""
        return None if self.returns_nothing else address(self.function(*self.arguments))


def address(returned: Any) -> int | None:
    """Return where the last of the arrays that a call returned starts; None if it is not numpy's."""
    last = returned[-1] if isinstance(returned, tuple) else returned
    return last.ctypes.data if isinstance(last, np.ndarray) else None


class Placement:
    """Operands and outputs at addresses of their own, shared by the arms of a block.

    Every array starts at a random multiple of 64 bytes inside a span of 1 MiB. A random number of spacers, of about an
    array's size, occupy what the allocator would hand out next, so that temporaries move as well. Cache sets, page
    colours and 4 KiB aliasing thus change from one placement to the next, instead of favouring one arm for as long as
    the process lives.
    """

    def __init__(self, operands: Operands, rng: np.random.Generator) -> None:
        """Place nothing yet; `rng` chooses the addresses."""
        self._operands = operands
        self._rng = rng
        self._placed: dict[Operand, Array] = {}
        self._originals: dict[Operand, Array] = {}
        self._adopted: dict[tuple[str, Operand, bool], Any] = {}
        self._outputs: dict[tuple[int, np.dtype[Any], bool], Array] = {}
        self._spacers: list[Array] = []
        for _ in range(rng.integers(1, 7)):
            self._occupy(operands.nbytes + ALIGNMENT * int(rng.integers(PAGE // ALIGNMENT)))

    def operand(self, backend: Backend, operand: Operand, *, writable: bool = True) -> Any:
        """Return an operand for a backend, placed where it is a numpy array or a view of one.

        All arms share it, so it is read-only unless `writable` is asked for.
        """
        if not backend.places:
            return self._operands.adopted(backend, operand)
        key = (backend.name, operand, writable)
        if key not in self._adopted:
            array = self._place(operand).view()
            array.flags.writeable = writable
            self._adopted[key] = backend.adopt(array)
        return self._adopted[key]

    def changed(self, windows: Sequence[slice]) -> Iterator[str]:
        """Yield the names of operands that are not what they were any more, as far as windows of them tell."""
        for operand, array in self._placed.items():
            original = self._originals[operand]
            if not all(same_bits(array[window], original[window]) for window in windows):
                yield operand.name

    @property
    def rows(self) -> int:
        """In how many rows the elements are."""
        return self._operands.rows

    def output(self, position: int, dtype: np.dtype[Any] | None = None, *, per_row: bool = False) -> Array:
        """Return an array to write to, of the inputs' dtype or another.

        All arms, and the yardstick, write their k-th output to the k-th of these.
        """
        z = self._operands.z
        key = position, dtype or z.dtype, per_row
        if key not in self._outputs:
            self._outputs[key] = self._empty(self.rows if per_row else z.size, key[1])
        return self._outputs[key]

    def moves_result(self, backend: Backend) -> bool:
        """Whether `warm` decides where the results of a backend start."""
        return backend.places and not backend.preallocates and self._operands.nbytes <= PHASED

    def warm(self, call: Callable[[], int | None], phase: int) -> None:
        """Call once or more, so that what follows is warm and the result starts at 16 x `phase` bytes in a cache line.

        `call` calls once and returns the address of the result, None where it allocates none.

        Aligned stores can be a third faster: numpy's logistic from y at n = 10 000 in float64 takes 5.9 microseconds in
        phase 0 and 7.9 in the other three. A process's allocator keeps giving the same phase, so that it must be
        chosen, not left to luck. A spacer in the result's own place moves it by the missing bytes; where the allocator
        then finds a different place for it, once more. Results that a call does not allocate, and large ones, stay.
        """
        for _ in range(SHIFTS):
            start = call()
            if start is None or self._operands.nbytes > PHASED:
                return
            missing = (phase * ALIGNMENT // PHASES - start) % ALIGNMENT
            if not missing:
                return
            self._occupy(-(-self._operands.nbytes // ALIGNMENT) * ALIGNMENT + missing - CHUNK_HEADER)

    def _place(self, operand: Operand) -> Array:
        if operand not in self._placed:
            array = self._originals[operand] = self._operands.array(operand)
            self._placed[operand] = self._empty(array.size, array.dtype)
            np.copyto(self._placed[operand], array)
        return self._placed[operand]

    def _occupy(self, nbytes: int) -> None:
        self._spacers.append(np.empty(nbytes, dtype=np.uint8))

    def _empty(self, size: int, dtype: np.dtype[Any]) -> Array:
        nbytes = size * dtype.itemsize
        room = np.empty(nbytes + SPAN + ALIGNMENT, dtype=np.uint8)
        start = -room.ctypes.data % ALIGNMENT + ALIGNMENT * int(self._rng.integers(SPAN // ALIGNMENT))
        return room[start : start + nbytes].view(dtype)


class Memory(Protocol):
    """Where the operands and outputs of a call are."""

    def operand(self, backend: Backend, operand: Operand, *, writable: bool = True) -> Any:
        """Return an operand for a backend."""

    @property
    def rows(self) -> int:
        """In how many rows the elements are."""

    def output(self, position: int, dtype: np.dtype[Any] | None = None, *, per_row: bool = False) -> Array:
        """Return an array to write to, of the inputs' dtype or another; of one number a row, or one an element."""
