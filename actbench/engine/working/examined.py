"""Calls of a kernel by a worker at any z, for what holds it to the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from actbench.engine.launch import Worker
from actbench.engine.protocol import Evaluate, Evaluated
from actbench.errors import WrongKernelError
from actbench.kernels.operands import Array
from actbench.model.cases import KernelId
from actbench.model.names import Op
from actbench.verification import oracle

Residuals = Callable[[Array], Mapping[str, Array]]


class Examined:
    """`oracle.Evaluate` by a worker; it keeps its latest answer for all of z, which has the facts of compilation."""

    def __init__(self, worker: Worker, residuals: Residuals | None = None) -> None:
        """Take a worker, and optionally a function of z that returns residuals to use in place of the worker's."""
        self._worker = worker
        self._residuals = residuals or (lambda _: {})
        self.answer: Evaluated

    def __call__(self, kernel: KernelId, z: Array, dy: Array) -> oracle.Evaluation:
        """Evaluate all z at once; where arithmetic raises, bisect, to find the z at which it does."""
        inputs = _CallArguments(z, dy, self._residuals(z))
        self.answer = self._ask(kernel, inputs)
        if self.answer.faults:
            raise WrongKernelError(f"{kernel.id} is wrong: {'; '.join(self.answer.faults)}")
        first, last = self._ends(kernel, inputs, self.answer)
        return oracle.Evaluation(last, first if kernel.op is Op.STEP else None, self.answer.raised)

    def _ask(self, kernel: KernelId, inputs: _CallArguments) -> Evaluated:
        return self._worker.ask(Evaluate.of(kernel, inputs.z, inputs.dy, inputs.residuals))

    def _ends(self, kernel: KernelId, inputs: _CallArguments, answer: Evaluated) -> tuple[Array, Array]:
        """Return the first output and the last; NaN where the call for a single element raised."""
        if answer.raised is None:
            outputs = [output.unpack() for output in answer.outputs]
            if inputs.dy.ndim > 1:  # of rows
                outputs = [output.reshape(len(inputs.z), -1) for output in outputs]
            return (outputs[0], outputs[-1]) if outputs else (inputs.dy[:0], inputs.z[:0])  # after an empty call
        if len(inputs.z) == 1:
            last = np.full_like(inputs.z, np.nan)
            return (np.full_like(inputs.dy, np.nan) if kernel.op is Op.STEP else last), last
        halves = [self._ends(kernel, half, self._ask(kernel, half)) for half in inputs.halves()]
        first, last = (np.concatenate(parts) for parts in zip(*halves, strict=True))
        return first, last


@dataclass(frozen=True, slots=True)
class _CallArguments:
    """The arguments of a call of a kernel."""

    z: Array
    dy: Array
    residuals: Mapping[str, Array]

    def halves(self) -> Iterator[_CallArguments]:
        """Yield the first half of the elements, and the second."""
        middle = len(self.z) // 2
        for part in (slice(middle), slice(middle, None)):
            yield _CallArguments(
                self.z[part], self.dy[part], {name: kept[part] for name, kept in self.residuals.items()}
            )
