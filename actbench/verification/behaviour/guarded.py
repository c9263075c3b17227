"""One call of a kernel on operands between guard bytes, and its effects on the memory around its result.

Preallocated outputs are NaN before the call. The guards are those of `actbench.verification.behaviour.guarded_memory`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from actbench.backends import Backend
from actbench.host.resource_limits import changed_limits
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array, Operands
from actbench.kernels.placement import Invocation, Memory
from actbench.model.names import Dtype
from actbench.model.number_formats import is_float, limits, numpy_dtype
from actbench.verification.behaviour.form import wrong_rows, wrong_shape
from actbench.verification.behaviour.guarded_memory import GuardedMemory, in_order

REMEMBERED = 16
"""Number of earlier results that are kept: a kernel may write to several buffers in turn."""

EXCHANGED = 2
"""Number of elements that change places in a call which should not be recognised by looking at some elements."""

EXCHANGES = 4
"""Number of such calls, one after the other: a kernel that looks at half of the elements notices three in four."""

LARGE = 1 << 20
"""Number of elements from which on there is one such call only, because rearranging them takes long."""

PLACE = 64.0
"""Change of a result, in eps, that an element's place in an array may cause where digits cancel."""


class Callee(Protocol):
    """What is called: a subject, or a part of one."""

    @property
    def backend(self) -> Backend:
        """Whose arrays its operands are."""

    @property
    def dtype(self) -> Dtype:
        """The type of arithmetic."""

    @property
    def is_compared(self) -> bool:
        """Whether its results are arrays of its own."""

    @property
    def is_built_in(self) -> bool:
        """Whether all that it executes is actbench's own."""

    @property
    def is_row(self) -> bool:
        """Whether it works along rows, so that rows can have another order, and elements cannot."""

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return its call on operands of `size` elements."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outputs of one call as arrays, and a sentence for each forbidden behaviour."""

    outputs: tuple[Array, ...]
    faults: tuple[str, ...]


class GuardedCalls:
    """Calls of kernels; each call is compared with the earlier calls of the same kernel."""

    def __init__(self) -> None:
        """Start without earlier calls."""
        self._earlier: dict[Callee, deque[Any]] = defaultdict(partial(deque, maxlen=REMEMBERED))

    def call(self, subject: Callee, operands: Operands, memory: GuardedMemory | None = None) -> Answer:
        """Call a kernel, or a rung of the overhead ladder, once. Exceptions pass through.

        Calls of several kernels on the same large operands may share one memory.
        """
        memory = memory or GuardedMemory(operands)
        memory.draw_guards()
        invocation = subject.invocation(operands.z.size, memory)
        for output in invocation.outputs or ():
            output.fill(np.nan)
        raw = invocation.call()
        faults = [*memory.faults()]
        faults += [f"it changes {name}, a limit of the process that all kernels share" for name in changed_limits()]
        if subject.is_compared:  # a rung may return nothing, or its operand
            faults += self._faults_of(subject, raw, invocation)
        outputs = _outputs(invocation, raw)
        if isinstance(subject, Kernel) and not faults:
            size, rows = memory.size, memory.rows
            words = wrong_rows(subject, raw, size, rows) or wrong_shape(subject, outputs, size, rows)
            faults += [words] if words else []
        if outputs and not (faults or subject.is_built_in):
            outputs = tuple(output.copy() for output in outputs)
            faults += self._again(subject, outputs, invocation, memory)
        return Answer(outputs, tuple(dict.fromkeys(faults)))

    def _again(
        self, subject: Callee, outputs: tuple[Array, ...], invocation: Invocation, memory: GuardedMemory
    ) -> Iterator[str]:
        """Call the user's code again: on the same operands, then on the same elements in another order, in place.

        What works along rows is called on the same rows in another order. Reversing the order moves every element, or
        every row. Swapping two in the middle escapes a kernel that recognises its operands by some elements or by their
        sum. Preallocated outputs still hold the result of the previous call, as they do during timing.
        """
        same = invocation.call()
        yield from self._faults_of(subject, same, invocation)
        what, count = ("rows", memory.rows) if subject.is_row else ("elements", memory.size)
        if not _all_alike(_outputs(invocation, same), outputs, np.arange(count)):
            yield f"on the same {what} it gives another result in the next call: it is random, or accumulates something"
            return
        exchanges = [exchange(count) for _ in range(1 if memory.size >= LARGE else EXCHANGES)]
        reverse = np.arange(count)[::-1]
        for order, words in ((reverse, "in reverse"), *((swap, "in another order") for swap in exchanges)):
            reordered = _rearranged(subject, invocation, memory, order)
            after = reordered.call() if reordered else ()
            invocation = _rearranged(subject, reordered or invocation, memory, np.argsort(order)) or invocation
            yield from self._faults_of(subject, after, reordered or invocation)
            if not _all_alike(_outputs(reordered, after) if reordered else (), outputs, order):
                yield f"on the same {what} {words} it gives another result: it remembers or counts something"
                return

    def _faults_of(self, subject: Callee, raw: tuple[Any, ...], invocation: Invocation) -> Iterator[str]:
        """Yield the faults of the objects that a call returned."""
        expected = type(subject.backend.adopt(np.ones(1, numpy_dtype(subject.dtype))))
        allowed = {expected, tuple} if expected is list else {expected}
        for result in raw:
            if result is None and invocation.outputs is None:
                yield f"it returns nothing where a {expected.__name__} is expected"
                return
            if result is not None and type(result) not in allowed:
                yield f"it returns a {type(result).__name__} where a {expected.__name__} is expected"
                return
            if isinstance(result, np.ndarray) and (result.dtype.hasobject or result.dtype.names):
                of = "objects" if result.dtype.hasobject else "records"
                yield f"it returns an array of {of} where one of numbers is expected"
                return
        earlier = tuple(self._earlier[subject])
        self._earlier[subject].extend(raw)
        returnable = subject.is_built_in and subject.backend.returns_operands
        yield from _sharing(raw, invocation.arguments, earlier, returnable=returnable)


def _sharing(
    raw: tuple[Any, ...], operands: tuple[Any, ...], earlier: tuple[Any, ...], *, returnable: bool
) -> Iterator[str]:
    """Yield what results share memory with; operands themselves are no fault where they are `returnable`."""
    for place, result in enumerate(raw):
        if _overlaps_itself(result):
            yield "elements of its result share memory with each other"
        if any(_shared(result, operand) for operand in operands):
            if returnable:
                continue
            yield "its result shares memory with an operand"
        if any(_shared(result, before) for before in earlier):
            yield "its result shares memory with the result of an earlier call"
        if any(_shared(result, other) for other in raw[:place]):
            yield "two of its results share memory"


def _outputs(invocation: Invocation, raw: tuple[Any, ...]) -> tuple[Array, ...]:
    """Return the outputs of a call as arrays: the returned ones, or the preallocated ones."""
    return (invocation.outputs or ()) if raw[0] is None else tuple(invocation.arrays(raw))


def _rearranged(subject: Callee, invocation: Invocation, memory: GuardedMemory, order: Array) -> Invocation | None:
    """Reorder what a call reads in place, and return a call that reads it; None where the operands are on a device.

    It is the same call, on the same objects, wherever that reads the operands themselves. A list of rows is a copy, and
    is reordered as well. A call on arrays that are copies, as jax's rows are, is made anew.
    """
    for argument in invocation.arguments:
        if isinstance(argument, list) and isinstance(argument[0], list):
            argument[:] = [argument[place] for place in order.tolist()]
    if not memory.rearrange(order):
        return None
    arrays = [array for array in map(_memory, invocation.arguments) if array is not None]
    return invocation if all(map(memory.holds, arrays)) else subject.invocation(memory.size, memory)


def exchange(size: int) -> Array:
    """Return a permutation of this many indices that swaps two random ones in the middle."""
    order = np.arange(size)
    if size > 2 * EXCHANGED:
        some = np.random.default_rng().choice(np.arange(1, size - 1), EXCHANGED, replace=False)
        order[some] = order[np.roll(some, 1)]
    return order


def _all_alike(after: Iterable[Array], before: Iterable[Array], order: Array) -> bool:
    """Return whether the results on rearranged operands, as far as there are any, agree with earlier ones."""
    return all(_alike(now, first, order) for now, first in zip(after, before, strict=False))


def _alike(after: Array, before: Array, order: Array) -> bool:
    """Return whether a result on rearranged operands agrees up to what an element's place in a vector may change."""
    expected = in_order(before, order) if after.shape == before.shape else before
    if after.shape != expected.shape or after.dtype != expected.dtype or not is_float(after.dtype):
        return after.shape == expected.shape and after.dtype == expected.dtype
    size = np.abs(expected)
    largest = np.max(size[np.isfinite(size)], initial=0.0)
    with np.errstate(all="ignore"):
        near = np.abs(after - expected) <= PLACE * limits(after.dtype).eps * (size + largest)
    return bool(np.all(near | (after == expected) | np.isnan(after) & np.isnan(expected)))


def _overlaps_itself(result: Any) -> bool:
    strides = getattr(result, "strides", None)
    return isinstance(result, np.ndarray) and result.size > 1 and min(map(abs, strides or ())) < result.itemsize


def _shared(result: Any, other: Any) -> bool:
    """Return whether two objects are identical, or arrays whose memory overlaps."""
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
