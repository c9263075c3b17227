"""One call of a kernel on operands between guard bytes, and what it did to the memory around its result.

The guards are random and drawn anew for every call, so that a kernel which reads beyond the end of an operand gives
another result in every call. Outputs that a kernel is given to write to are NaN before the call.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from actbench.backends import Backend
from actbench.kernels.operands import Array, Operand, Operands
from actbench.kernels.placement import ALIGNMENT, Invocation
from actbench.kernels.subject import Subject

GUARD = 16 * ALIGNMENT
"""Bytes before and after every array: more than a loop of the widest vectors, unrolled eight times, reads at once."""


REMEMBERED = 16
"""Results of earlier calls that are kept: a kernel may write to several buffers in turn."""

EXCHANGED = 2
"""Elements that change places, where a call on other operands should not be told by looking at some elements."""

EXCHANGES = 4
"""How often they do, one time after the other: half of the elements tell three exchanges of four."""

LARGE = 1 << 20
"""Elements from which on they do once: to rearrange so many takes long."""

PLACE = 64.0
"""eps of a result that an element's place in an array may change, where digits cancel."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave: the outputs as arrays, and one sentence for everything that a kernel must not do."""

    outputs: tuple[Array, ...]
    faults: tuple[str, ...]


class GuardedCalls:
    """Calls of kernels, each compared with the calls of the same kernel before."""

    def __init__(self) -> None:
        """Remember no call yet."""
        self._earlier: dict[Subject, deque[Any]] = defaultdict(partial(deque, maxlen=REMEMBERED))

    def call(self, subject: Subject, operands: Operands, memory: GuardedMemory | None = None) -> Answer:
        """Call a kernel, or a rung of the overhead ladder, once. What it raises is passed on.

        Calls of several kernels on the same large operands may share the memory of these.
        """
        memory = memory or GuardedMemory(operands)
        memory.draw_guards()
        invocation = subject.invocation(operands.z.size, memory)
        for output in invocation.outputs or ():
            output.fill(np.nan)
        raw = _called(invocation)
        faults = [*memory.faults()]
        if subject.is_compared:  # a rung may return nothing, or its operand
            faults += self._faults_of(subject, raw, invocation)
        outputs = _outputs(invocation, raw)
        if outputs and not (faults or subject.is_built_in):
            outputs = tuple(output.copy() for output in outputs)
            faults += self._again(subject, outputs, invocation, memory)
        return Answer(outputs, tuple(dict.fromkeys(faults)))

    def _again(
        self, subject: Subject, outputs: tuple[Array, ...], invocation: Invocation, memory: GuardedMemory
    ) -> Iterator[str]:
        """Call the user's code again: on the same operands, then on these in another order, at the same addresses.

        In reverse order every element moves. Then two elements in the middle are swapped, which a kernel misses that
        recognises its operands by some elements or by their sum. Preallocated outputs still hold the result of the
        previous call, as while it is timed.
        """
        yield from self._faults_of(subject, _called(invocation), invocation)
        size = memory.size
        exchanges = [exchange(size) for _ in range(1 if size >= LARGE else EXCHANGES)]
        reverse = np.arange(size)[::-1]
        for order, words in ((reverse, "in reverse"), *((swap, "in another order") for swap in exchanges)):
            after: tuple[Any, ...] = ()
            if memory.rearrange(order):
                after = _called(invocation)
            memory.rearrange(np.argsort(order))
            yield from self._faults_of(subject, after, invocation)
            pairs = zip(_outputs(invocation, after) if after else (), outputs, strict=False)
            if not all(_alike(one, other, order) for one, other in pairs):
                yield f"on the same elements {words} it gives another result: it remembers or counts something"
                return

    def _faults_of(self, subject: Subject, raw: tuple[Any, ...], invocation: Invocation) -> Iterator[str]:
        """Yield what is wrong with the objects that a call returned."""
        expected = type(subject.backend.adopt(np.ones(1, subject.dtype)))
        allowed = {expected, tuple} if expected is list else {expected}
        for result in raw:
            if result is None and invocation.outputs is None:
                yield f"it returns nothing where a {expected.__name__} is expected"
                return
            if result is not None and type(result) not in allowed:
                yield f"it returns a {type(result).__name__} where a {expected.__name__} is expected"
                return
            if isinstance(result, np.ndarray) and result.dtype.hasobject:
                yield "it returns an array of objects where one of numbers is expected"
                return
        earlier = tuple(self._earlier[subject])
        self._earlier[subject].extend(raw)
        for place, result in enumerate(raw):
            if _overlaps_itself(result):
                yield "elements of its result share memory with each other"
            if any(_shared(result, operand) for operand in invocation.arguments):
                yield "its result shares memory with an operand"
            if any(_shared(result, before) for before in earlier):
                yield "its result shares memory with the result of an earlier call"
            if any(_shared(result, other) for other in raw[:place]):
                yield "two of its results share memory"


@dataclass(frozen=True, slots=True)
class _Adopted:
    """An operand as a backend has it, and what it was."""

    name: str
    backend: Backend
    value: Any
    original: Array

    @property
    def now(self) -> Array:
        """What it is now, as a numpy array."""
        return np.asarray(self.backend.release(self.value))


class GuardedMemory:
    """Operands and outputs of one call, each between guard bytes; it takes the place of a `Placement`."""

    def __init__(self, operands: Operands) -> None:
        """Make nothing yet."""
        self._operands = operands
        self._rng = np.random.default_rng()
        self._placed: dict[Operand, Array] = {}
        self._adopted: dict[tuple[str, Operand], _Adopted] = {}
        self._outputs: dict[tuple[int, np.dtype[Any]], Array] = {}
        self._rooms: list[Array] = []
        self._guards = np.empty(0, dtype=np.uint8)
        self.draw_guards()

    @property
    def size(self) -> int:
        """Elements of every operand."""
        return self._operands.z.size

    def draw_guards(self) -> None:
        """Surround all arrays with other bytes."""
        self._guards = self._rng.integers(256, size=2 * GUARD, dtype=np.uint8)
        for room in self._rooms:
            self._surround(room)

    def operand(self, backend: Backend, operand: Operand, *, writable: bool = True) -> Any:
        """Return an operand in separate memory. It is writable: what a kernel writes to it is detected afterwards."""
        del writable
        original = self._operands.array(operand)
        if backend.places and operand not in self._placed:
            self._placed[operand] = self._between_guards(original.size, original.dtype)
            np.copyto(self._placed[operand], original)
        if (backend.name, operand) not in self._adopted:
            value = backend.adopt(self._placed[operand] if backend.places else original)
            self._adopted[backend.name, operand] = _Adopted(operand.name, backend, value, original)
        return self._adopted[backend.name, operand].value

    def output(self, position: int, dtype: np.dtype[Any] | None = None) -> Array:
        """Return an array to write to, of the inputs' dtype or another."""
        z = self._operands.z
        key = position, dtype or z.dtype
        if key not in self._outputs:
            self._outputs[key] = self._between_guards(z.size, key[1])
        return self._outputs[key]

    def rearrange(self, order: Array) -> bool:
        """Put the elements of all operands in another order, where they are; say whether a kernel sees it so.

        An operand that has been copied to a device, it does not.
        """
        for array in self._placed.values():
            array[:] = array[order]
        for operand in self._adopted.values():
            if isinstance(operand.value, list):
                operand.value[:] = [operand.value[place] for place in order.tolist()]
        return all(same_bytes(operand.now, operand.original[order]) for operand in self._adopted.values())

    def faults(self) -> Iterator[str]:
        """Yield what a call did to operands and guards."""
        for operand in self._adopted.values():
            if not same_bytes(operand.now, operand.original):
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


def same_bytes(one: Array, other: Array) -> bool:
    """Say whether two arrays of one length have the same bits, which NaN would hide from ``==``."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    unsigned = np.dtype(f"u{one.itemsize}")
    return bool(np.array_equal(one.view(unsigned), other.view(unsigned)))


def _called(invocation: Invocation) -> tuple[Any, ...]:
    """Call once and return what came."""
    returned = invocation.function(*invocation.arguments)
    return returned if isinstance(returned, tuple) else (returned,)


def _outputs(invocation: Invocation, raw: tuple[Any, ...]) -> tuple[Array, ...]:
    """Return the outputs of a call as arrays: those that it returned, or its preallocated ones."""
    return (invocation.outputs or ()) if raw[0] is None else tuple(map(invocation.release, raw))


def exchange(size: int) -> Array:
    """Return an order of so many elements in which two in the middle have changed places, by chance."""
    order = np.arange(size)
    if size > 2 * EXCHANGED:
        some = np.random.default_rng().choice(np.arange(1, size - 1), EXCHANGED, replace=False)
        order[some] = order[np.roll(some, 1)]
    return order


def _alike(one: Array, other: Array, order: Array) -> bool:
    """Say whether a result on rearranged operands differs by no more than an element's place in a vector may change."""
    if one.shape == other.shape == order.shape:
        other = other[order]
    if one.shape != other.shape or one.dtype != other.dtype or one.dtype.kind != "f":
        return one.shape == other.shape and one.dtype == other.dtype
    size = np.abs(other)
    largest = np.max(size[np.isfinite(size)], initial=0.0)
    with np.errstate(all="ignore"):
        near = np.abs(one - other) <= PLACE * np.finfo(one.dtype).eps * (size + largest)
    return bool(np.all(near | (one == other) | np.isnan(one) & np.isnan(other)))


def _overlaps_itself(result: Any) -> bool:
    strides = getattr(result, "strides", None)
    return isinstance(result, np.ndarray) and result.size > 1 and min(map(abs, strides or ())) < result.itemsize


def _shared(result: Any, other: Any) -> bool:
    """Say whether two objects are one, or arrays whose memory overlaps."""
    if result is None:
        return False
    if result is other:
        return True
    one, another = _memory(result), _memory(other)
    return one is not None and another is not None and bool(np.may_share_memory(one, another))


def _memory(of: Any) -> Array | None:
    """Return a view of an object's memory; None where that cannot be read, as on a device."""
    if isinstance(of, np.ndarray):
        return of
    try:
        return np.from_dlpack(of)
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError):
        return None
