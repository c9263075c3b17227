"""The request for how fast the processor is at most, and its answer: a part of the protocol (`protocol`)."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.engine.wire import Request


@dataclass(frozen=True, slots=True)
class ArithmeticRates:
    """Floating-point operations a second, in one width of vectors, by repeat."""

    dtype: str
    bits: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CopyRates:
    """Bytes read and written a second by copying an array of `nbytes`, by repeat."""

    nbytes: int
    rates: tuple[float, ...]
    kind: str = ""
    """What makes it (`actbench.model.cases.KERNEL_COPIES`); empty where that is numpy."""


@dataclass(frozen=True, slots=True)
class MeasuredLimits:
    """How fast the processor computes and copies at most."""

    arithmetic: tuple[ArithmeticRates, ...]
    """Nothing where numba is not available."""
    copies: tuple[CopyRates, ...]
    cycle: tuple[float, ...] = ()
    """Seconds of a cycle, by repeat; nothing where numba is not available."""


@dataclass(frozen=True, slots=True)
class MeasureLimits(Request[MeasuredLimits]):
    """Measure how fast the processor computes, and copies arrays of so many bytes, each so many times."""

    copies: tuple[int, ...]
    repeats: int


@dataclass(frozen=True, slots=True)
class MeasuredCall:
    """A case's calls, and the clock meanwhile, by repeat."""

    seconds: tuple[tuple[float, ...], ...]
    """Of a call, for each number of elements."""
    cycle: tuple[float, ...]
    """Seconds of a cycle of the processor."""


@dataclass(frozen=True, slots=True)
class MeasureCall(Request[MeasuredCall]):
    """Measure the calls of a case, on these numbers of elements, and the clock in turns, so many times.

    Operands are warm, and drawn from N(0, 1).
    """

    case: str
    sizes: tuple[int, ...]
    seed: int
    repeats: int
