"""The form of what a call returns: how many arrays, of which shape and dtype.

It is looked at before anything else of a result: no check of the values means anything where they are too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array, Operand
from actbench.model.names import Op
from actbench.model.number_formats import numpy_dtype

T = TypeVar("T")


def wrong_shape(kernel: Kernel, outputs: Sequence[Array], size: int, rows: int) -> str:
    """Return in words that a call on so many elements returned a wrong number of arrays, or a wrong shape; else ""."""
    expected = len(kernel.gradients) + (kernel.op is Op.STEP)
    may_have_more = kernel.op is Op.STEP or kernel.is_shipped  # what it keeps, or holds
    if len(outputs) < expected or (len(outputs) > expected and not may_have_more):
        return f"it returns {_arrays(len(outputs))} and not {_arrays(expected)}"
    dtype = numpy_dtype(kernel.dtype)
    for output, operand in _ends(kernel, outputs):
        elements = operand.elements(size, rows)
        if output.shape != (elements,):
            return f"it returns {output.dtype} of shape {output.shape} where {dtype} of shape ({elements},) is expected"
    return ""


def wrong_rows(kernel: Kernel, raw: Sequence[Any], size: int, rows: int) -> str:
    """Return in words that what a row kernel of the user's returned is not rows by columns, as its operands are."""
    if kernel.is_built_in or not kernel.is_row:
        return ""
    expected = rows, size // rows
    shapes = [_shape(result) for result, _ in _ends(kernel, raw) if result is not None]
    return next((f"it returns shape {of} where {expected} is expected" for of in shapes if of != expected), "")


def wrong_form(kernel: Kernel, outputs: Sequence[Array], size: int, rows: int) -> str:
    """Return in words what is wrong with the number, shape or dtype of what a call returned; "" where nothing is."""
    if words := wrong_shape(kernel, outputs, size, rows):
        return words
    dtype = numpy_dtype(kernel.dtype)
    narrow = (output.dtype for output, _ in _ends(kernel, outputs) if output.dtype != dtype)
    return next((f"it returns {of} where {dtype} is expected" for of in narrow), "")


def _ends(kernel: Kernel, outputs: Sequence[T]) -> list[tuple[T, Operand]]:
    """Return y of a step, and the gradients, with the operands that they are."""
    gradients = [*zip(outputs[-len(kernel.gradients) :], kernel.gradients, strict=True)]
    return [(outputs[0], kernel.writes[0]), *gradients] if kernel.op is Op.STEP else gradients


def _shape(result: Any) -> tuple[int, ...]:
    """Return the shape of an array, or of a list of rows."""
    return np.shape(result) if isinstance(result, list) else tuple(result.shape)


def _arrays(count: int) -> str:
    return "1 array" if count == 1 else f"{count} arrays"
