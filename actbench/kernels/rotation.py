"""Cold operands: each call uses the next of many sets of operands, so that no call finds its operands in a cache.

One cursor moves from set to set through all slices of all arms, untimed calls included. There are so many sets that a
set is touched again only after others of `TIMES_CACHE` times the capacity of the last-level cache, counting for each
call the bytes of the kernel that touches the fewest. Their order in memory is random, so that prefetchers cannot learn
it, and their pages are touched beforehand.

A ``step`` does the forward pass of a set, and the backward pass of the set whose forward pass was half of all sets ago:
what is kept comes from memory, as if all forward passes had been done first and the backward passes in the same order.
To do so literally, a slice would have to go over all sets; it would take a hundred times as long, and arms could not
alternate.

With ``residuals-cold`` operands, dy and the result of the backward pass stay where they are, in cache. So does z while
the forward pass of a step reads it, which a network has just computed: it is read once before the slice.

Results that a backend allocates itself lie where its allocator puts them: as a rule where the result before lay, in
cache. What such a backend's forward pass keeps is held until its set comes again, and thus is cold as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from actbench.backends import Backend
from actbench.kernels.calls import Calls, Timed, each
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, RESULT, Array, Operand, Operands, Z
from actbench.kernels.placement import ALIGNMENT, PAGE, Invocation, Placement, address
from actbench.kernels.subject import Subject
from actbench.model.names import Op, OperandState

TIMES_CACHE = 2
"""A set is touched again only after others of so many times the capacity of the last-level cache."""

MOST_SETS = 8192
"""With more, the Python objects around the arrays would come from memory too, and take as long as small arrays do."""

Arguments = Sequence[tuple[Any, ...]]
"""Of several calls."""

PARTS_OF_STEP = 2
"""Passes of a step over every set; each comes at least a cache's passing after the other."""


def sets_needed(cache: int, touched: int, op: Op) -> int:
    """Return how many sets there must be where a call touches so many bytes of one, and the cache has `cache` bytes."""
    sets = 1 + -(-TIMES_CACHE * cache // touched)
    return PARTS_OF_STEP * sets if op is Op.STEP else sets


def rotating(subject: Subject, state: OperandState) -> tuple[Operand, ...]:
    """Return the operands and outputs of a subject that are of another set in every call."""
    if state is OperandState.COLD:
        return subject.touches
    return tuple(operand for operand in subject.touches if operand not in {DY, RESULT})


def touched_bytes(subject: Subject, state: OperandState, size: int) -> int:
    """Return the bytes that a call of a subject touches of a set of `size` elements."""
    return sum(
        size * subject.backend.operand_bytes(operand.dtype(subject.dtype)) for operand in rotating(subject, state)
    )


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
        self._arrays: dict[Operand | tuple[int, np.dtype[Any]], list[Array]] = {}
        self._adopted: dict[tuple[str, Operand], list[Any]] = {}
        self._unchanging: set[Operand] = set()
        self._passed: list[int] = []
        self.kept: dict[str, list[Any]] = {}
        """What the forward passes of a kernel returned, by set, where its backend allocates that."""

    def take(self, calls: int) -> list[int]:
        """Move the cursor on by so many calls, and return their sets."""
        taken = [self._order[(self._position + call) % self.count] for call in range(calls)]
        self._position = (self._position + calls) % self.count
        self._passed = taken[-1:] or self._passed
        return taken

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

    def output(self, index: int, position: int, dtype: np.dtype[Any]) -> Array:
        """Return an array of a set to write to."""
        key = position, dtype
        if key not in self._arrays:
            self._arrays[key] = self._copies(np.zeros(self._operands.z.size, dtype))
        return self._arrays[key][index]

    def adopted(self, backend: Backend, index: int, operand: Operand) -> Any:
        """Return an operand of a set as a backend's own kind of array, of memory of its own."""
        key = backend.name, operand
        if key not in self._adopted:
            original = self._operands.array(operand)
            self._adopted[key] = [backend.adopt(original) for _ in range(self.count)]
        return self._adopted[key][index]

    def stored(self, index: int, operand: Operand) -> Array:
        """Return an operand of a set as what a forward pass writes and a later backward pass reads."""
        array = self.array(index, operand)
        self._unchanging.discard(operand)
        return array

    def changed(self, windows: Sequence[slice]) -> Iterator[str]:
        """Yield the names of operands of the last set that are not what they were, as far as windows of them tell."""
        for operand in self._unchanging:
            original = self._operands.array(operand)
            for index in self._passed:
                array = self._arrays[operand][index]
                if any(array[window].tobytes() != original[window].tobytes() for window in windows):
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

    def __init__(self, rotation: Rotation, index: int, placement: Placement) -> None:
        """Take the set's number."""
        self._rotation = rotation
        self._index = index
        self._placement = placement

    def operand(self, backend: Backend, operand: Operand, *, writable: bool = True) -> Any:
        """Return an operand for a backend."""
        if operand == DY and self._rotation.state is not OperandState.COLD:
            return self._placement.operand(backend, operand, writable=writable)
        if not backend.places:
            return self._rotation.adopted(backend, self._index, operand)
        array = self._rotation.array(self._index, operand).view()
        array.flags.writeable = writable
        return backend.adopt(array)

    def stored(self, operand: Operand) -> Array:
        """Return the array that a forward pass writes a residual to, or y."""
        return self._rotation.stored(self._index, operand)

    def output(self, position: int, dtype: np.dtype[Any] | None = None) -> Array:
        """Return the array that the result of a derivative or of a backward pass is written to."""
        placed = self._placement.output(position, dtype)
        if self._rotation.state is not OperandState.COLD:
            return placed
        return self._rotation.output(self._index, position, placed.dtype)


class RotatingCalls(Calls):
    """Calls of a derivative, of a backward pass or of a copy, each on the next set."""

    def __init__(self, subject: Subject, size: int, rotation: Rotation, placement: Placement) -> None:
        """Take the subject; the placement has what does not rotate."""
        self._rotation = rotation
        self._placement = placement
        self._at = cache(lambda index: subject.invocation(size, SetMemory(rotation, index, placement)))

    def ready(self, calls: int, phase: int) -> Timed:
        """Call on the next set until the result is in its phase, and make the sets after it ready."""
        self._placement.warm(lambda: self._next().result_address(), phase)
        invocations = [self._at(index) for index in self._rotation.take(calls)]
        arguments = [invocation.arguments for invocation in invocations]
        _look_at(arguments)
        return partial(each, invocations[0].function, arguments)

    def results(self) -> list[Array]:
        """Call on the next set."""
        return self._next().results()

    def _next(self) -> Invocation:
        invocation: Invocation = self._at(self._rotation.take(1)[0])
        return invocation


class RotatingSteps(Calls):
    """Steps: forward passes on the next sets, and backward passes on those whose forward pass was half of all ago."""

    def __init__(self, kernel: Kernel, size: int, rotation: Rotation, placement: Placement) -> None:
        """Do all forward passes once where a backend allocates what it keeps."""
        self._rotation = rotation
        self._placement = placement
        self._allocates = not kernel.backend.preallocates
        self._forward = cache(lambda index: _forward(kernel, size, SetMemory(rotation, index, placement)))
        self._backward = cache(lambda index: kernel.backward.invocation(size, SetMemory(rotation, index, placement)))
        self._kept = rotation.kept.setdefault(kernel.id, [])
        if self._allocates and not self._kept:
            for index in range(rotation.count):
                call = self._forward(index)
                self._kept.append(call.function(*call.arguments))

    def ready(self, calls: int, phase: int) -> Timed:
        """Do a step untimed, or more, and make the sets after it ready."""
        self._placement.warm(self._result_address, phase)
        forward = self._rotation.take(calls)
        return self._timed(forward, self._rotation.half_ago(calls))

    def results(self) -> list[Array]:
        """Do a step whose passes are on one set."""
        (index,) = self._rotation.take(1)
        forward, backward = self._forward(index), self._backward(index)
        if not self._allocates:
            return [*forward.results(), *backward.results()]
        outputs = self._kept[index] = forward.function(*forward.arguments)
        dz = backward.function(backward.arguments[0], *outputs[1:])
        return [backward.release(output) for output in (*outputs, dz)]

    def _timed(self, forward: Sequence[int], backward: Sequence[int]) -> Timed:
        passes = [self._forward(index) for index in forward]
        inputs = [invocation.arguments for invocation in passes]
        backward_passes = [self._backward(index) for index in backward]
        arguments = [invocation.arguments for invocation in backward_passes]
        _look_at([*inputs, *arguments])
        if self._rotation.state is not OperandState.COLD:
            for *_, z in inputs:
                _read(z)
        do_forward, do_backward = passes[0].function, backward_passes[0].function
        if not self._allocates:
            return partial(_steps, do_forward, do_backward, [*zip(inputs, arguments, strict=True)])
        upstream = [dy for dy, *_ in arguments]
        steps = [*zip(forward, inputs, backward, upstream, strict=True)]
        return partial(_keeping, do_forward, do_backward, steps, self._kept)

    def _result_address(self) -> int | None:
        """Do a step untimed, and return where the result of its backward pass starts, if that allocates one."""
        forward, backward = self._rotation.take(1), self._rotation.half_ago(1)
        if not self._allocates:
            self._timed(forward, backward)()
            return None
        (index,) = forward
        self._kept[index] = self._forward(index).function(*self._forward(index).arguments)
        (index,) = backward
        invocation = self._backward(index)
        return address(invocation.function(invocation.arguments[0], *self._kept[index][1:]))


def calls_of(subject: Subject, size: int, rotation: Rotation, placement: Placement) -> Calls:
    """Return the calls of a subject, on the sets of a rotation."""
    if isinstance(subject, Kernel) and subject.op is Op.STEP:
        return RotatingSteps(subject, size, rotation, placement)
    return RotatingCalls(subject, size, rotation, placement)


def _forward(kernel: Kernel, size: int, memory: SetMemory) -> Invocation:
    """Return the forward pass of a step on a set, which stores what it keeps there."""
    backend = kernel.backend
    z = memory.operand(backend, Z, writable=not kernel.takes_read_only)
    function = kernel.forward_at(size).function
    if not backend.preallocates:
        return Invocation(function, (z,), release=backend.release)
    stored = tuple(map(memory.stored, kernel.writes[:-1]))
    return Invocation(function, (*map(backend.adopt, stored), z), stored)


def _steps(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    arguments: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]],
) -> None:
    """Do a forward and a backward pass with each of these arguments."""
    for of_forward, of_backward in arguments:
        forward(*of_forward)
        backward(*of_backward)


def _keeping(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    steps: Sequence[tuple[int, tuple[Any, ...], int, Any]],
    kept: list[Any],
) -> None:
    """Do the same where a forward pass returns what it keeps, which is held until its set comes again."""
    for index, inputs, earlier, dy in steps:
        kept[index] = forward(*inputs)
        _, *residuals = kept[earlier]
        backward(dy, *residuals)


def _look_at(arguments: Arguments) -> None:
    """Touch the Python objects of arrays, so that only their elements come from memory."""
    for of_call in arguments:
        for argument in of_call:
            getattr(argument, "shape", None)


def _read(array: Any) -> None:
    """Read all elements."""
    array.sum() if hasattr(array, "sum") else sum(array)
