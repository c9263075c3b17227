"""Calls at several places of the stack: without them, a process has one place by chance, and keeps it.

numba's loops over exp of libm take 10 to 15 % longer where the stack pointer is an odd multiple of 16 bytes than where
it is an even one. Which of them it is follows from the length of the environment and from the random address of the
stack, and holds as long as the process lives: of 40 processes that timed the same calls, half took 4.29 ns an element,
and half 4.70. With slices at all places, processes agree within 0.2 %.
(T. Mytkowicz et al., "Producing wrong data without doing anything obviously wrong!", ASPLOS 2009, on the environment.)
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import PYFUNCTYPE, c_long, py_object
from functools import cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")

PLACES = 4
"""Number of places: on x86-64 they differ by 16 bytes in a cache line of 64."""

FEWEST = 7
"""Number of arguments at the first place: with one more, those that registers hold on x86-64 and AArch64."""

FURTHER = 2
"""Number of arguments that every further place adds: they take 16 bytes of the stack, or an odd multiple of that."""


class _Task(Generic[T]):
    """A call, and what it returned or raised: an exception does not pass through the foreign function."""

    result: T

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:  # noqa: BLE001  # raised by `call_at`
            self.error = error


def call_at(place: int, function: Callable[[], T]) -> T:
    """Call a function with the stack at one of `PLACES` places, relative to where it is without.

    A foreign function with so many arguments calls it: those that registers do not hold are on the stack.
    """
    task = _Task(function)
    _trampoline(place)(task, *(0,) * _arguments(place))
    if task.error is not None:
        raise task.error
    return task.result


@cache
def _trampoline(place: int) -> Any:
    return PYFUNCTYPE(None, py_object, *(c_long,) * _arguments(place))(_run)


def _run(task: _Task[Any], *_: int) -> None:
    task.run()


def _arguments(place: int) -> int:
    return FEWEST + FURTHER * place
