"""What an arm's timed slices call: one invocation again and again, or the next of many sets of operands.

Whatever a slice needs is made ready before it is timed: the arguments of all its calls, and an untimed call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from typing import Any

from actbench.kernels.operands import Array
from actbench.kernels.placement import Invocation, Placement

Timed = Callable[[], None]
"""Makes all calls of a slice, and nothing else."""


def repeated(function: Callable[..., Any], arguments: tuple[Any, ...], calls: int) -> Timed:
    """Return what calls a function so many times with the same arguments."""
    return partial(_same, function, arguments, calls)


def _same(function: Callable[..., Any], arguments: tuple[Any, ...], calls: int) -> None:
    for _ in repeat(None, calls):
        function(*arguments)


def call_with_each(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> None:
    """Call a function with each of these arguments."""
    for of_call in arguments:
        function(*of_call)


class Calls(ABC):
    """The calls of one arm of a block."""

    @abstractmethod
    def ready(self, placement: Placement, calls: int, phase: int) -> Timed:
        """Make an untimed call or more, and return what makes `calls` calls.

        A result that a call allocates starts at 16 x `phase` bytes in a cache line (`Placement.warm`). What moves it
        there lives as long as the `placement` of the sweep.
        """

    @abstractmethod
    def timed(self, calls: int) -> Timed:
        """Return what makes `calls` calls, without an untimed one."""

    @abstractmethod
    def results(self) -> list[Array]:
        """Call once and return the outputs as arrays: the derivative, or dz, or (y, ..., dz) of a step."""


class WarmCalls(Calls):
    """Every call has the operands and outputs of the call before."""

    def __init__(self, invocation: Invocation) -> None:
        """Take the call."""
        self._invocation = invocation

    def ready(self, placement: Placement, calls: int, phase: int) -> Timed:
        """Call until operands are in cache and the result is in its phase."""
        placement.warm(self._invocation.result_address, phase)
        return self.timed(calls)

    def timed(self, calls: int) -> Timed:
        """Return the calls."""
        return repeated(self._invocation.function, self._invocation.arguments, calls)

    def results(self) -> list[Array]:
        """Call once."""
        return self._invocation.results()
