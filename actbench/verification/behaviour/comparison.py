"""Every kernel of a block, called once on the operands that it will be timed on, and compared element by element."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from actbench.kernels.kernel import Operands, is_built_in
from actbench.model.cases import Case
from actbench.model.names import Op
from actbench.verification.behaviour import Doubt
from actbench.verification.behaviour.guarded import GuardedCalls, GuardedMemory
from actbench.verification.behaviour.reference import Reference
from actbench.verification.behaviour.repeated import remembers


def compared(cases: list[Case], operands: Operands) -> Iterator[Doubt]:
    """Yield what was seen of each case; nothing of yardsticks and of rungs of the overhead ladder."""
    first = cases[0]
    if first.is_rung:
        return
    reference = Reference(operands, first.activation, first.op)
    memory = GuardedMemory(operands)
    for arm, case in enumerate(cases):
        if case.is_yardstick:
            continue
        with np.errstate(all="ignore"):
            answer = GuardedCalls().call(case, operands, memory)
            if not (answer.faults or is_built_in(case.kernel)) and remembers(case, memory):
                yield Doubt(arm, "it takes less than half as long on operands that it has just seen: it remembers them")
                continue
        yield from (Doubt(arm, fault) for fault in answer.faults)
        if answer.faults:
            continue
        shapes = {(output.shape, str(output.dtype)) for output in (answer.outputs[0], answer.outputs[-1])}
        if shapes != {((case.size,), str(case.dtype))}:
            yield Doubt(arm, f"on {case.size} elements it returns {' and '.join(map(str, sorted(shapes)))}")
            continue
        yield Doubt(arm, elements=reference.suspects(case, answer.outputs[-1]))
        if case.op is Op.STEP:
            yield Doubt(arm, elements=reference.suspects_of_output(answer.outputs[0]), of_output=True)
