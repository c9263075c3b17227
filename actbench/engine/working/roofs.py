"""In a worker: peak rates of this processor, of arithmetic on registers and of copying arrays, and its clock.

All measurements take turns, so that a disturbance spoils one repeat of each rather than all repeats of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from time import perf_counter

import numpy as np

from actbench.backends._limits import clock
from actbench.backends._limits import copies as copies_of_kernels
from actbench.backends.numba import Numba
from actbench.engine.protocol import Taken
from actbench.engine.protocol_limits import ArithmeticRates, CopyRates, MeasuredLimits
from actbench.kernels.calls import Timed, repeated
from actbench.model.kernel_copies import KERNEL_COPIES, LOOP_COPY
from actbench.model.names import WIDE, Dtype
from actbench.model.variants import Variant

SAMPLE_SECONDS = 0.001
"""Least duration of a repeat: short enough for most to escape other processes on the same processor."""

FIRST_COUNT = 1024
"""Iterations of the loop at the start of the calibration."""

COPIED_BYTES = 1 << 22
"""Bytes of an array that are copied at a time."""

Undisturbed = Callable[[Callable[[], Timed]], Taken]
"""Times the calls that a function makes ready, until they are not disturbed."""


def measured(copies: Sequence[int], repeats: int, undisturbed: Undisturbed) -> MeasuredLimits:
    """Measure both rates with this many repeats; arithmetic only where numba is available."""
    compiles = not Numba().unavailable
    forms = _forms(undisturbed) if compiles else []
    clocks = [Clock()] if compiles else []
    arrays = [_CopyLoop(nbytes, kind, undisturbed) for nbytes in copies for kind in _kinds(nbytes)]
    cycles: list[float] = []
    arithmetic: list[list[float]] = [[] for _ in forms]
    copied: list[list[float]] = [[] for _ in arrays]
    for _ in range(repeats):
        for form, rates in zip(forms, arithmetic, strict=True):
            rates.append(form.rate())
        for array, rates in zip(arrays, copied, strict=True):
            rates.append(array.rate())
        cycles.extend(clock.seconds(forms[-1].load) for clock in clocks)
    return MeasuredLimits(
        tuple(
            ArithmeticRates(form.dtype, form.bits, tuple(rates)) for form, rates in zip(forms, arithmetic, strict=True)
        ),
        tuple(CopyRates(array.nbytes, tuple(rates), array.kind) for array, rates in zip(arrays, copied, strict=True)),
        tuple(cycles),
    )


def _kinds(nbytes: int) -> list[str]:
    """Return numpy's copy, an empty name, and those as of kernels that can differ from it at this size."""
    beyond_caches = nbytes > COPIED_BYTES
    kinds = [kind for kind in KERNEL_COPIES if kind == LOOP_COPY or beyond_caches]
    return ["", *(kind for kind in kinds if not copies_of_kernels.unavailable(kind))]


class Clock:
    """The chain of dependent instructions: how long a cycle takes immediately after some load.

    The clock depends on what the processor computes, and not for long: a Granite Rapids Xeon had 4.1 GHz for integers
    alone, 3.8 beside a multiply-add of 512 bits a cycle and 3.5 beside two, and 4.1 within 10 microseconds after them.
    So a chain is short, and what takes longer in the longer of two is not the call.
    """

    ITERATIONS = 1024, 4096
    RUNS = 9
    """Of both chains, of which the fastest count."""

    def __init__(self) -> None:
        """Compile it."""
        self._run = clock.compiled()

    def seconds(self, load: Callable[[], object]) -> float:
        """Return the seconds of a cycle after the load, which takes a tenth of a millisecond or more."""
        shorter, longer = (min(self._timed(load, count) for _ in range(self.RUNS)) for count in self.ITERATIONS)
        return (longer - shorter) / ((self.ITERATIONS[1] - self.ITERATIONS[0]) * clock.CYCLES)

    def _timed(self, load: Callable[[], object], count: int) -> float:
        load()
        start = perf_counter()
        self._run(count, 1)
        return perf_counter() - start


class _Form:
    """One form of the loop of multiply-adds, calibrated."""

    def __init__(self, dtype: Dtype, bits: int, chains: int, undisturbed: Undisturbed) -> None:
        """Compile the loop, and find the number of iterations that takes long enough."""
        from actbench.backends._limits import fma

        self.dtype, self.bits = dtype, bits
        self._operations = fma.operations(dtype, bits, chains)
        self._undisturbed = undisturbed
        self._loop = fma.compiled(dtype, bits, chains)
        self._count = FIRST_COUNT
        while self._seconds() < SAMPLE_SECONDS:
            self._count *= 2

    def rate(self) -> float:
        """Return operations per second."""
        return self._operations * self._count / self._seconds()

    def load(self) -> None:
        """Run a fifth of the iterations that are timed at once."""
        self._ready(self._count // 5)()

    def _ready(self, count: int) -> Timed:
        real = np.dtype(self.dtype).type
        arguments = real(0.75), real(0.25)  # with these, x stays of ordinary size
        self._loop(FIRST_COUNT, *arguments)
        return partial(self._loop, count, *arguments)

    def _seconds(self) -> float:
        return self._undisturbed(partial(self._ready, self._count)).seconds


class _CopyLoop:
    """Two arrays of this many bytes, one of which is copied to the other; large ones in pieces, one after the other.

    So an array that does not fit a cache is never in it, and a piece takes no longer than any other repeat.
    """

    def __init__(self, nbytes: int, kind: str, undisturbed: Undisturbed) -> None:
        """Fill both arrays, so that their pages exist, and find the number of calls that takes long enough."""
        self.nbytes, self.kind = nbytes, kind
        self._undisturbed = undisturbed
        copy = copies_of_kernels.compiled(Variant(kind), Dtype.FLOAT64) if kind else np.copyto
        target, source = (np.ones(nbytes // np.dtype(float).itemsize) for _ in range(2))
        per_piece = COPIED_BYTES // target.itemsize
        pieces = [slice(start, start + per_piece) for start in range(0, target.size, per_piece)]
        self._piece = nbytes // len(pieces)
        if len(pieces) > 1:
            in_turn = cycle([(target[piece], source[piece]) for piece in pieces])
            self._copy: Callable[[], None] = lambda: copy(*next(in_turn))
        else:
            self._copy = partial(copy, target, source)
        self._count = 1
        while self._seconds() < SAMPLE_SECONDS:
            self._count *= 2

    def rate(self) -> float:
        """Return bytes per second, read and written."""
        return 2 * self._piece * self._count / self._seconds()

    def _seconds(self) -> float:
        def ready() -> Timed:
            self._copy()
            return repeated(self._copy, (), self._count)

        return self._undisturbed(ready).seconds


def _forms(undisturbed: Undisturbed) -> list[_Form]:
    from actbench.backends._limits import fma

    return [_Form(dtype, bits, chains, undisturbed) for dtype in WIDE for bits, chains in fma.FORMS]
