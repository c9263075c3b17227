"""Whether a case can be measured on other inputs than N(0, 1)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from actbench.kernels.drawing import extremes, largest
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import resolve
from actbench.model.cases import Case
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import Dtype
from actbench.model.plan import IN_CACHE_SIZE
from actbench.plugins import evaluating


def unsuitable(case: Case, inputs: Inputs, seed: int) -> str | None:
    """Say why a case cannot be measured on what this seed draws from inputs, or return None where it can.

    Its dtype may have no such numbers, or the arithmetic of its backend may raise. To see that, its kernel is called on
    the lowest and the highest of the numbers: what overflows does so there. A file of the inputs has been read before.
    """
    if inputs == STANDARD_NORMAL:
        return None
    return _without_numbers(inputs, case.dtype) or _raising(case, inputs, seed)


@lru_cache
def _without_numbers(inputs: Inputs, dtype: Dtype) -> str | None:
    most = largest(inputs)
    with np.errstate(all="ignore"):
        rounded = np.float64(most).astype(dtype)
    if np.isinf(rounded):
        return f"such inputs overflow in {dtype}"
    return f"such inputs are all 0 in {dtype}" if most and not rounded else None


@evaluating
def _raising(case: Case, inputs: Inputs, seed: int) -> str | None:
    kernel = resolve(case)
    if not (isinstance(kernel, Kernel) and kernel.backend.raises):
        return None
    ends = extremes(inputs, case.dtype, max(case.size, IN_CACHE_SIZE), seed)  # probes are measured as well
    operands = Operands(kernel.activation, ends, np.ones_like(ends))
    try:
        kernel.invocation(ends.size, Placement(operands, np.random.default_rng(seed))).results()
    except (ArithmeticError, ValueError) as error:  # math raises either
        return f"on such inputs {case.backend} raises {type(error).__name__}: {error}"
    return None
