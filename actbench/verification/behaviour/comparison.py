"""The check of a block before it is timed: one call of every kernel on the timed operands, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Operands
from actbench.kernels.subject import Subject
from actbench.model.names import Op
from actbench.verification.behaviour import Doubt
from actbench.verification.behaviour.guarded import GuardedCalls, GuardedMemory
from actbench.verification.behaviour.reference import Reference
from actbench.verification.behaviour.repeated import remembers


def compared(subjects: Sequence[Subject], operands: Operands) -> Iterator[Doubt]:
    """Yield the doubts about the kernels of a block; subjects that do not compute g' are skipped."""
    reference = Reference(operands)
    memory = GuardedMemory(operands)
    for arm, kernel in enumerate(subjects):
        if isinstance(kernel, Kernel):
            yield from _compared(arm, kernel, operands, memory, reference)


def _compared(
    arm: int, kernel: Kernel, operands: Operands, memory: GuardedMemory, reference: Reference
) -> Iterator[Doubt]:
    size = operands.z.size
    with np.errstate(all="ignore"):
        answer = GuardedCalls().call(kernel, operands, memory)
        if not (answer.faults or kernel.is_built_in) and remembers(kernel, size, memory):
            yield Doubt(arm, "it takes less than half as long on operands that it has just seen: it remembers them")
            return
    yield from (Doubt(arm, fault) for fault in answer.faults)
    if answer.faults:
        return
    shapes = {(output.shape, str(output.dtype)) for output in (answer.outputs[0], answer.outputs[-1])}
    if shapes != {((size,), str(kernel.dtype))}:
        yield Doubt(arm, f"on {size} elements it returns {' and '.join(map(str, sorted(shapes)))}")
        return
    yield Doubt(arm, elements=reference.suspects(kernel, answer.outputs[-1]))
    if kernel.op is Op.STEP:
        yield Doubt(arm, elements=reference.suspects_of_output(kernel, answer.outputs[0]), of_output=True)
