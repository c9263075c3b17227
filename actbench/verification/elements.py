"""Judge single elements: of calls in other sizes, and of what a worker saw on the operands that are timed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from actbench.errors import WrongKernelError
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.names import Op
from actbench.verification import allowance, kept, refusal
from actbench.verification.evaluation import Evaluation
from actbench.verification.truth import Array, Truth, truth_at
from actbench.verification.wording import mismatch, place

PRODUCT = 2.0
"""ULP that a multiplication by any dy, and the division by it here, may add to an error."""

EXACT = (1.0, 2.0)
"""|dy| by which nothing is rounded."""


def truth_of(activation: Activation, z: Array) -> tuple[Truth, Truth]:
    """Return g' and y at finite z, as `actbench.verification.truth.truth_at` does, and remember them."""
    return _truth(activation, z.tobytes(), str(z.dtype))


@lru_cache(maxsize=512)
def _truth(activation: Activation, data: bytes, dtype: str) -> tuple[Truth, Truth]:
    return truth_at(activation, np.frombuffer(data, dtype))


def hold(  # noqa: PLR0913, PLR0917  # what was asked, what came, and what is true
    kernel: Kernel, z: Array, dy: Array, answer: Evaluation, slope: Truth, output: Truth, when: str
) -> None:
    """Raise `WrongKernelError` where a kernel's answer is not what it is declared to be; `when` names the call."""
    refusal.check_form(kernel, answer.derivative, z)
    with np.errstate(all="ignore"):
        derivative = answer.derivative if kernel.op is Op.DERIVATIVE else answer.derivative / dy
        size = np.abs(slope.nearest * dy)
    slack = 0.0 if np.isin(np.abs(dy), EXACT).all() else PRODUCT
    wrong = _wrong(kernel, z, derivative, slope, slack)
    if slack:  # a subnormal product has few digits
        wrong &= (size >= np.finfo(z.dtype).tiny) | ~np.isfinite(answer.derivative)
    if wrong.any():
        raise _refused(kernel, "g'", z, derivative, slope, wrong, when)
    if answer.y is not None:
        refusal.check_form(kernel, answer.y, z)
        wrong = allowance.output_exceeding(kernel, answer.y, output, z, answer.raised)
        if wrong.any():
            raise _refused(kernel, "y", z, answer.y, output, wrong, when)


def settle(  # noqa: PLR0913  # what was asked, what came, and in a call of which size
    kernel: Kernel, size: int, z: Array, dy: Array, computed: Array, *, of_output: bool
) -> None:
    """Raise `WrongKernelError` where elements of a result on the operands that are timed are wrong.

    z, dy and `computed` have one length and the case's dtype; `computed` is y, or g', or dy * g'.
    """
    when = f"on {size} elements"
    slope, output = truth_of(kernel.activation, z)
    if of_output:
        wrong = allowance.output_exceeding(kernel, computed, output, z, None)
        if wrong.any():
            raise _refused(kernel, "y", z, computed, output, wrong, when)
    else:
        some = dy != 0
        hold(kernel, z[some], dy[some], Evaluation(computed[some], None), slope.at(some), output.at(some), when)


def _wrong(kernel: Kernel, z: Array, derivative: Array, slope: Truth, slack: float) -> Array:
    if kernel.storage is None:
        return allowance.exceeding(kernel, derivative, slope, z, slack)
    forward = kernel.formulas.weaknesses
    expected, at = kept.expected(kernel, z, 2 * STATED_ULP * allowance.factor(forward, z))
    wrong = [allowance.exceeding(kernel, derivative, truth, inputs, slack) for truth in expected for inputs in (z, at)]
    return np.asarray(np.logical_and.reduce(wrong))


def _refused(  # noqa: PLR0913, PLR0917  # all of it is said
    kernel: Kernel, what: str, z: Array, computed: Array, expected: Truth, wrong: Array, when: str
) -> WrongKernelError:
    error = np.where(wrong, expected.error(computed), -1.0)
    at = int(np.argmax(error))
    fault = mismatch(place(z, at, wrong), what, computed[at], expected.nearest[at])
    return WrongKernelError(f"{kernel.id} is wrong {when}: {fault} ({error[at]:.3g} ULP)")
