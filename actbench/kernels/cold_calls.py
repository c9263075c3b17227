"""The calls of an arm whose operands come from memory: each call uses the next set of a rotation.

A ``step`` does the forward pass of a set, and the backward pass of the set whose forward pass was half of all sets ago:
what is kept comes from memory, as if all forward passes had been done first and the backward passes in the same order.
To do so literally, a slice would have to go over all sets; it would take a hundred times as long, and arms could not
alternate.

With ``residuals-cold`` operands, z is in cache while the forward pass of a step reads it, since a network has just
computed it: it is read once before the slice.

A call that runs the graph of a forward pass has that of its set, which is made before any is timed: one that was made
for the call would have left what it reads in cache.

Results that a backend allocates lie where its allocator puts them: as a rule where the previous result was, in cache.
What the forward pass of such a backend keeps is held until its set is used again, and thus is cold as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from actbench.kernels.calls import Calls, Timed, call_with_each
from actbench.kernels.forward_pass import forward_invocation
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.placement import Invocation, Placement, address
from actbench.kernels.rotation import Rotation, SetMemory
from actbench.kernels.subject import Subject
from actbench.model.names import Op, OperandState

Arguments = Sequence[tuple[Any, ...]]
"""The arguments of several calls."""


class RotatingCalls(Calls):
    """Calls of a derivative, of a backward pass or of a copy, each on the next set."""

    def __init__(self, subject: Subject, size: int, rotation: Rotation, placement: Placement) -> None:
        """Take the subject; the placement has what does not rotate."""
        self._rotation = rotation
        self._at: Callable[[int], Invocation] = cache(
            lambda index: subject.invocation(size, SetMemory(rotation, index, placement))
        )
        if subject.follows_forward_pass:
            made = rotation.made.setdefault(subject.id, [])
            made += map(self._at, range(0 if made else rotation.count))
            self._at = made.__getitem__

    def ready(self, placement: Placement, calls: int, phase: int) -> Timed:
        """Call on the next set until the result is in its phase, and make the sets after it ready."""
        placement.warm(lambda: self._next().result_address(), phase)
        return self.timed(calls)

    def timed(self, calls: int) -> Timed:
        """Make the next sets ready."""
        invocations = [self._at(index) for index in self._rotation.take(calls)]
        arguments = [invocation.arguments for invocation in invocations]
        _look_at(arguments)
        return partial(call_with_each, invocations[0].function, arguments)

    def results(self) -> list[Array]:
        """Call on the next set."""
        return self._next().results()

    def _next(self) -> Invocation:
        return self._at(self._rotation.take(1)[0])


class RotatingSteps(Calls):
    """Steps: forward passes on the next sets, and backward passes on those whose forward pass was half of all ago."""

    def __init__(self, kernel: Kernel, size: int, rotation: Rotation, placement: Placement) -> None:
        """Do all forward passes once where a backend allocates what it keeps."""
        self._rotation = rotation
        self._allocates = not kernel.preallocates
        self._read = kernel.backend.read
        self._inputs = len(kernel.inputs)
        memory = partial(SetMemory, rotation, placement=placement, stores=kernel)
        self._forward = cache(lambda index: _forward(kernel, size, memory(index)))
        self._backward = cache(lambda index: kernel.backward_of_step(size, memory(index)))
        self._kept = rotation.kept.setdefault(kernel.id, [])
        if self._allocates and not self._kept:
            for index in range(rotation.count):
                call = self._forward(index)
                self._kept.append(call.function(*call.arguments))

    def ready(self, placement: Placement, calls: int, phase: int) -> Timed:
        """Do a step untimed, or more, and make the sets after it ready."""
        placement.warm(self._result_address, phase)
        return self.timed(calls)

    def timed(self, calls: int) -> Timed:
        """Make the next sets ready, and those of the backward passes."""
        forward = self._rotation.take(calls)
        return self._timed(forward, self._rotation.half_ago(calls))

    def results(self) -> list[Array]:
        """Do a step whose passes are on one set."""
        (index,) = self._rotation.take(1)
        forward, backward = self._forward(index), self._backward(index)
        if not self._allocates:
            return [*forward.results(), *backward.results()]
        outputs = self._kept[index] = forward.function(*forward.arguments)
        returned = backward.function(backward.arguments[0], *outputs[1:])
        gradients = returned if isinstance(returned, tuple) else (returned,)
        return [backward.release(output) for output in (*outputs, *gradients)]

    def _timed(self, forward: Sequence[int], backward: Sequence[int]) -> Timed:
        passes = [self._forward(index) for index in forward]
        inputs = [invocation.arguments for invocation in passes]
        backward_passes = [self._backward(index) for index in backward]
        arguments = [invocation.arguments for invocation in backward_passes]
        _look_at([*inputs, *arguments])
        if self._rotation.state is not OperandState.COLD:
            for arguments_of_call in inputs:
                for array in arguments_of_call[-self._inputs :]:
                    self._read(array)
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
    return forward_invocation(kernel, size, memory, memory.stored())


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
