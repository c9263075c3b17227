"""Floating-point formats as numpy has them, under the names of `Dtype` and `Storage`.

numpy has no bfloat16; ml_dtypes, which jax and TensorFlow use as well, adds it. It is imported where bfloat16 is used.
numpy treats that type as a stranger: `np.finfo` refuses it, `np.clip` widens it, `np.nan_to_num` ignores it, and a
Python number makes float32 of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.model.names import Dtype


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return the numpy dtype of this name."""
    if name == Dtype.BFLOAT16:
        import ml_dtypes

        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    return np.dtype(name)


def unavailable(name: str) -> str | None:
    """Return why numpy, which makes all operands, lacks this type here, or None where it has it."""
    if name == Dtype.BFLOAT16 and find_spec("ml_dtypes") is None:
        return "ml_dtypes is not installed, which gives numpy its bfloat16; python -m pip install ml_dtypes"
    return None


def limits(dtype: np.dtype[Any] | str) -> np.finfo[Any]:
    """Return the limits of a format, as `numpy.finfo` gives them; its numbers are scalars of the format."""
    return _limits(str(dtype))


@cache
def _limits(name: str) -> np.finfo[Any]:
    if name == Dtype.BFLOAT16:
        import ml_dtypes

        of_bfloat16: Callable[[np.dtype[Any]], np.finfo[Any]] = ml_dtypes.finfo
        return of_bfloat16(numpy_dtype(name))
    return np.finfo(numpy_dtype(name))


def is_float(dtype: np.dtype[Any]) -> bool:
    """Return whether an array's numbers are real floating-point numbers."""
    return dtype.kind == "f" or dtype.name == Dtype.BFLOAT16


def clipped(array: NDArray[Any], limit: float) -> NDArray[Any]:
    """Return numbers between -limit and limit, in their format, which has the limit."""
    bound = np.asarray(limit, dtype=array.dtype)
    return np.asarray(np.minimum(np.maximum(array, -bound), bound))


def computed_in(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which numpy computes for a format: float32 for those of 16 bits, each result rounded once."""
    return np.dtype(np.float32) if dtype.itemsize < np.dtype(np.float32).itemsize else dtype
