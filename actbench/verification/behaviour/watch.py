"""One more call after every timed value: it must repeat the first result, and leave the operands unchanged.

The first result of a process is compared with the reference (`actbench.verification.behaviour.reference`), every later
result with the first. Small arrays are compared as a whole, large ones in windows at random places: reading all of them
would take as long as the timed calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import TypeGuard

import numpy as np

from actbench.kernels.calls import Calls
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array, Operands, same_bits
from actbench.kernels.placement import PHASED
from actbench.kernels.subject import Subject
from actbench.model.checks import STATED_ULP
from actbench.model.names import Op
from actbench.model.number_formats import limits
from actbench.verification.behaviour import Doubt
from actbench.verification.behaviour.form import wrong_form
from actbench.verification.behaviour.reference import Reference

Changed = Callable[[Sequence[slice]], Iterable[str]]
"""Returns the names of operands that were changed, as far as windows of them tell."""

WINDOW = 512
"""Number of elements of a window."""

WINDOWS = 64
"""Number of windows of an array that is too large to compare as a whole; its first and last elements are included."""


class Watch:
    """The checks of one block in one process."""

    def __init__(self, subjects: Sequence[Subject], operands: Operands, *, whole: bool = False) -> None:
        """Take the kernels of a block; subjects that do not compute g' are skipped.

        With `whole`, every element of each first result is compared, however large the result is.
        """
        self._whole = whole
        self._subjects = subjects
        self._operands = operands
        self._windows = _windows(operands.nbytes, operands.z.size)
        self._first: dict[int, list[Array]] = {}
        self._doubts: dict[tuple[int, str, bool], Doubt] = {}

    @staticmethod
    def compares(subject: Subject) -> TypeGuard[Kernel]:
        """Return whether results of a subject are compared."""
        return isinstance(subject, Kernel)

    def look(self, calls: Sequence[Calls], arms: Iterable[int]) -> None:
        """Call these arms once more and compare the results."""
        for arm in arms:
            kernel = self._subjects[arm]
            if self.compares(kernel):
                for doubt in self._doubts_of(arm, kernel, calls[arm]):
                    self._doubts.setdefault((arm, doubt.fault, doubt.of_output), doubt)

    def look_at_operands(self, changed: Sequence[Changed]) -> None:
        """Compare the operands with what they were."""
        for name in chain.from_iterable(of_memory(self._windows) for of_memory in changed):
            doubt = Doubt(
                len(self._subjects) - 1, f"a kernel of this block changes the operand {name} that others share"
            )
            self._doubts.setdefault((doubt.arm, doubt.fault, False), doubt)

    @cached_property
    def _reference(self) -> Reference:
        return Reference(self._operands)

    def doubts(self) -> tuple[Doubt, ...]:
        """Return the doubts since the last call of this method."""
        doubts = tuple(self._doubts.values())
        self._doubts.clear()
        return doubts

    def _doubts_of(self, arm: int, kernel: Kernel, calls: Calls) -> Iterator[Doubt]:
        results = calls.results()
        if words := wrong_form(kernel, results, self._operands.z.size, self._operands.rows):
            yield Doubt(arm, words)
            return
        gradient = kernel.gradient(results)
        ends = [gradient, results[0]] if kernel.op is Op.STEP else [gradient]
        if arm in self._first:
            for of_output, (result, first) in enumerate(zip(ends, self._first[arm], strict=True)):
                indices = self._differing(result, first)
                if indices.size:
                    yield Doubt(arm, elements=self._reference.at(kernel, indices, result), of_output=bool(of_output))
            return
        self._first[arm] = [self._looked_at(result).copy() for result in ends]
        windows = None if self._whole else self._windows
        yield Doubt(arm, elements=self._reference.suspects(kernel, gradient, windows))
        if kernel.op is Op.STEP:
            yield Doubt(arm, elements=self._reference.suspects_of_output(kernel, results[0], windows), of_output=True)

    def _looked_at(self, result: Array) -> Array:
        """Return the windows of a result, one after the other."""
        if len(self._windows) == 1 or len(result) != self._operands.z.size:
            return result
        return np.concatenate([result[window] for window in self._windows])

    def _differing(self, result: Array, first: Array) -> Array:
        """Return some indices where a result differs from the first result by more than rounding."""
        now = self._looked_at(result)
        if same_bits(now, first):
            return np.array([], dtype=np.int64)
        with np.errstate(all="ignore"):
            fmt = limits(now.dtype)
            same = np.abs(now - first) <= STATED_ULP * fmt.eps * np.abs(first) + fmt.tiny
            same |= (now == first) | np.isnan(now) & np.isnan(first)
        windows = self._windows if len(result) == self._operands.z.size else [slice(0, len(result))]
        places = np.concatenate([np.arange(window.start, window.stop) for window in windows])
        differing = ~same.reshape(places.size, -1).all(axis=1)
        return np.asarray(places[np.flatnonzero(differing)[:WINDOWS]])


def _windows(nbytes: int, size: int) -> list[slice]:
    """Return the stretches of an array that are compared, in order."""
    if nbytes <= PHASED:
        return [slice(0, size)]
    starts = np.random.default_rng().integers(size - WINDOW, size=WINDOWS)
    return [slice(int(start), int(start) + WINDOW) for start in np.unique([0, size - WINDOW, *starts])]
