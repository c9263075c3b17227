"""Whether a case can be measured on other inputs than N(0, 1)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from actbench.kernels.drawing import extremes, largest
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.subject import Subject
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import Dtype
from actbench.model.number_formats import numpy_dtype
from actbench.model.plan import IN_CACHE_SIZE
from actbench.plugins import evaluating


def unsuitable(subject: Subject, size: int, inputs: Inputs, seed: int) -> str | None:
    """Say why a case of `size` elements cannot be measured on what a seed draws from inputs; None where it can.

    Its dtype may have no such numbers, or the arithmetic of its backend may raise. To see that, its kernel is called on
    the lowest and the highest of the numbers: what overflows does so there. A file of the inputs has been read before.
    """
    if inputs == STANDARD_NORMAL:
        return None
    return _without_numbers(inputs, subject.dtype) or _raising(subject, size, inputs, seed)


@lru_cache
def _without_numbers(inputs: Inputs, dtype: Dtype) -> str | None:
    most = largest(inputs)
    with np.errstate(all="ignore"):
        rounded = np.float64(most).astype(numpy_dtype(dtype))
    if np.isinf(rounded):
        return f"such inputs overflow in {dtype}"
    return f"such inputs are all 0 in {dtype}" if most and not rounded else None


@evaluating
def _raising(subject: Subject, size: int, inputs: Inputs, seed: int) -> str | None:
    if not (isinstance(subject, Kernel) and subject.has_formula and subject.backend.raises):
        return None
    ends = extremes(inputs, subject.dtype, max(size, IN_CACHE_SIZE), seed)  # probes are measured as well
    operands = Operands(subject.activation, ends, np.ones_like(ends))
    try:
        subject.invocation(ends.size, Placement(operands, np.random.default_rng(seed))).results()
    except (ArithmeticError, ValueError) as error:  # math raises either
        return f"on such inputs {subject.backend.name} raises {type(error).__name__}: {error}"
    return None
