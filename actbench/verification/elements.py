"""Checks of single elements: of calls in other sizes, and of results on the operands that a worker times."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from actbench.errors import WrongKernelError
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.model.number_formats import limits, numpy_dtype
from actbench.model.sizes import counted_elements
from actbench.verification import gated, refusal, rows
from actbench.verification.arguments import PRODUCT
from actbench.verification.evaluation import Evaluation
from actbench.verification.examination import Examination
from actbench.verification.truth import Array, Truth, truth_at
from actbench.verification.wording import mismatch, place

EXACT = (1.0, 2.0)
"""|dy| that round nothing."""


def truth_of(activation: Activation, z: Array) -> tuple[Truth, Truth]:
    """Return g' and y at finite z, as `actbench.verification.truth.truth_at` does, from a cache."""
    return _truth(activation, z.tobytes(), str(z.dtype))


@lru_cache(maxsize=512)
def _truth(activation: Activation, data: bytes, dtype: str) -> tuple[Truth, Truth]:
    return truth_at(activation, np.frombuffer(data, numpy_dtype(dtype)))


def hold(call: Examination, when: str) -> None:
    """Raise `WrongKernelError` where the answer of a kernel breaks its declaration; `when` describes the call."""
    refusal.check_form(call.kernel, call.answer.derivative, call.z)
    slack = 0.0 if np.isin(np.abs(call.dy), EXACT).all() else PRODUCT
    wrong = call.wrong_derivative(slack)
    if slack:  # a subnormal product has few digits
        with np.errstate(all="ignore"):
            size = np.abs(call.slope.nearest * call.dy)
        wrong &= (size >= limits(call.z.dtype).tiny) | ~np.isfinite(call.answer.derivative)
    if wrong.any():
        raise _refused(call, call.kernel.op.symbol, call.derivative, call.slope, wrong, when=when)
    if call.answer.y is not None:
        refusal.check_form(call.kernel, call.answer.y, call.z)
        _hold_output(call, call.answer.y, when)


def settle(  # noqa: PLR0913  # the result, its inputs, and the size of the call
    kernel: Kernel, size: int, z: Array, dy: Array, computed: Array, *, of_output: bool
) -> None:
    """Raise `WrongKernelError` where elements of a result on timed operands are wrong.

    z, dy and `computed` have one length and the case's dtype; `computed` is y, g', or dy * g'.
    """
    if kernel.is_gated:
        gated.settle(kernel, z, dy, computed, of_output=of_output)
        return
    if kernel.is_row:
        rows.settle(kernel, z, dy, computed, of_output=of_output)
        return
    when = f"on {counted_elements(size)}"
    slope, output = truth_of(kernel.activation, z)
    if of_output:
        _hold_output(Examination(kernel, z, dy, Evaluation(computed, computed), slope, output), computed, when)
    else:
        some = dy != 0
        answer = Evaluation(computed[some], None)
        hold(Examination(kernel, z[some], dy[some], answer, slope.at(some), output.at(some)), when)


def _hold_output(call: Examination, y: Array, when: str) -> None:
    wrong = call.wrong_output()
    if wrong.any():
        raise _refused(call, "y", y, call.output, wrong, when=when)


def _refused(  # noqa: PLR0913  # the message states all of it
    call: Examination, what: str, computed: Array, expected: Truth, wrong: Array, *, when: str
) -> WrongKernelError:
    error = np.where(wrong, expected.error(computed), -1.0)
    at = int(np.argmax(error))
    fault = mismatch(place(call.z, at, wrong), what, computed[at], expected.nearest[at])
    return WrongKernelError(f"{call.kernel.id} is wrong {when}: {fault} ({error[at]:.3g} ULP)")
