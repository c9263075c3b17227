"""In a worker: how fast this processor computes on registers alone, and copies arrays, repeat by repeat.

Whatever is measured takes turns, so that a disturbance spoils one repeat of all rather than all of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle

import numpy as np

from actbench.backends.numba import Numba
from actbench.kernels.calls import Timed, repeated
from actbench.measure.protocol import ArithmeticRates, CopyRates, MeasuredLimits, Taken
from actbench.model.names import Dtype

SAMPLE_SECONDS = 0.001
"""The least that one repeat takes: short enough for most to escape other processes on the same processor."""

FIRST_COUNT = 1024
"""Turns of the loop to begin with."""

COPIED_BYTES = 1 << 22
"""Bytes of an array that are copied at a time."""

Undisturbed = Callable[[Callable[[], Timed]], Taken]
"""From what makes calls ready to be timed, to what they took."""


def measured(copies: Sequence[int], repeats: int, undisturbed: Undisturbed) -> MeasuredLimits:
    """Measure both, so many repeats; arithmetic only where numba is available."""
    forms = [] if Numba().unavailable else _forms(undisturbed)
    arrays = [_CopyLoop(nbytes, undisturbed) for nbytes in copies]
    arithmetic: list[list[float]] = [[] for _ in forms]
    copied: list[list[float]] = [[] for _ in arrays]
    for _ in range(repeats):
        for form, rates in zip(forms, arithmetic, strict=True):
            rates.append(form.rate())
        for array, rates in zip(arrays, copied, strict=True):
            rates.append(array.rate())
    return MeasuredLimits(
        tuple(
            ArithmeticRates(form.dtype, form.bits, tuple(rates)) for form, rates in zip(forms, arithmetic, strict=True)
        ),
        tuple(CopyRates(array.nbytes, tuple(rates)) for array, rates in zip(arrays, copied, strict=True)),
    )


class _Form:
    """One form of the loop of multiply-adds, calibrated."""

    def __init__(self, dtype: Dtype, bits: int, chains: int, undisturbed: Undisturbed) -> None:
        """Compile it, and find how many turns take long enough."""
        from actbench.backends._limits import fma

        self.dtype, self.bits = dtype, bits
        self._operations = fma.operations(dtype, bits, chains)
        self._undisturbed = undisturbed
        self._run = fma.compiled(dtype, bits, chains)
        self._count = FIRST_COUNT
        while self._seconds() < SAMPLE_SECONDS:
            self._count *= 2

    def rate(self) -> float:
        """Return operations a second."""
        return self._operations * self._count / self._seconds()

    def _seconds(self) -> float:
        real = np.dtype(self.dtype).type
        arguments = real(0.75), real(0.25)  # x stays where it is a number of ordinary size

        def ready() -> Timed:
            self._run(FIRST_COUNT, *arguments)
            return partial(self._run, self._count, *arguments)

        return self._undisturbed(ready).seconds


class _CopyLoop:
    """Two arrays of so many bytes, copied in pieces where they are large: one after the other, round and round.

    What does not fit a cache is then still not in it, and a piece takes no longer than any other repeat.
    """

    def __init__(self, nbytes: int, undisturbed: Undisturbed) -> None:
        """Fill both, so that their pages exist, and find how many calls take long enough."""
        self.nbytes = nbytes
        self._undisturbed = undisturbed
        target, source = (np.ones(nbytes, np.uint8) for _ in range(2))
        pieces = [slice(start, start + COPIED_BYTES) for start in range(0, nbytes, COPIED_BYTES)]
        self._piece = nbytes // len(pieces)
        if len(pieces) > 1:
            in_turn = cycle([(target[piece], source[piece]) for piece in pieces])
            self._copy: Callable[[], None] = lambda: np.copyto(*next(in_turn))
        else:
            self._copy = partial(np.copyto, target, source)
        self._count = 1
        while self._seconds() < SAMPLE_SECONDS:
            self._count *= 2

    def rate(self) -> float:
        """Return bytes a second, read and written."""
        return 2 * self._piece * self._count / self._seconds()

    def _seconds(self) -> float:
        def ready() -> Timed:
            self._copy()
            return repeated(self._copy, (), self._count)

        return self._undisturbed(ready).seconds


def _forms(undisturbed: Undisturbed) -> list[_Form]:
    from actbench.backends._limits import fma

    return [_Form(dtype, bits, chains, undisturbed) for dtype in Dtype for bits, chains in fma.FORMS]
