"""The check of a block before it is timed: one call of every kernel on the timed operands, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from actbench.kernels.forward_pass import ForwardPass
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Operands
from actbench.kernels.subject import Subject
from actbench.model.names import Op
from actbench.model.sizes import counted_elements
from actbench.verification.behaviour import Doubt
from actbench.verification.behaviour.form import wrong_form
from actbench.verification.behaviour.guarded import Callee, GuardedCalls
from actbench.verification.behaviour.guarded_memory import GuardedMemory
from actbench.verification.behaviour.reference import Reference
from actbench.verification.behaviour.repeated import remembers


def compared(subjects: Sequence[Subject], operands: Operands, *, passes_alone: bool = False) -> Iterator[Doubt]:
    """Yield the doubts about the kernels of a block; subjects that do not compute g' are skipped.

    With `passes_alone`, the forward and the backward pass of a step are called alone as well, unless they are a
    framework's, which hands more from one to the other than arrays.
    """
    reference = Reference(operands)
    memory = GuardedMemory(operands)
    for arm, kernel in enumerate(subjects):
        if isinstance(kernel, Kernel):
            yield from _compared(arm, kernel, operands, memory, reference)
            if passes_alone and kernel.op is Op.STEP and not kernel.is_shipped:
                yield from _passes_alone(arm, kernel, operands, memory)


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
    if words := wrong_form(kernel, answer.outputs, size, operands.rows):
        yield Doubt(arm, f"on {counted_elements(size)} {words}")
        return
    yield Doubt(arm, elements=reference.suspects(kernel, kernel.gradient(answer.outputs)))
    if kernel.op is Op.STEP:
        yield Doubt(arm, elements=reference.suspects_of_output(kernel, answer.outputs[0]), of_output=True)


def _passes_alone(arm: int, kernel: Kernel, operands: Operands, memory: GuardedMemory) -> Iterator[Doubt]:
    """Yield the forbidden behaviour of the passes of a step; `Watch` compares their results."""
    passes: dict[str, Callee] = {"forward": ForwardPass(kernel), "backward": kernel.backward}
    with np.errstate(all="ignore"):
        for name, one_pass in passes.items():
            for fault in GuardedCalls().call(one_pass, operands, memory).faults:
                yield Doubt(arm, f"of its {name} pass alone: {fault}")
