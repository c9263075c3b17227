"""When gradients of two steps may be of the same batch, whose rows have changed places."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.engine.working.prepared_training import _sketches
from actbench.model.names import Dtype
from actbench.model.number_formats import numpy_dtype


def moved(dtype: Dtype, change: float) -> bool:
    """Return whether a gradient that changes by this factor, less 1, is taken for that of another batch."""
    gradient = np.random.default_rng(1).standard_normal((8, 4)).astype(numpy_dtype(dtype))
    changed = (gradient.astype(np.float64) * (1 + change)).astype(gradient.dtype)
    (before,), (after,) = _sketches([gradient]), _sketches([changed])
    return not after.is_near(before)


@pytest.mark.parametrize(("dtype", "change"), [(Dtype.FLOAT64, 1e-4), (Dtype.FLOAT32, 1e-4), (Dtype.BFLOAT16, 1e-2)])
def test_a_gradient_may_change_by_what_another_order_of_summation_does(dtype: Dtype, change: float) -> None:
    assert not moved(dtype, change)


@pytest.mark.parametrize(("dtype", "change"), [(Dtype.FLOAT64, 1e-2), (Dtype.FLOAT16, 0.1), (Dtype.BFLOAT16, 0.5)])
def test_a_gradient_that_changes_by_more_is_another(dtype: Dtype, change: float) -> None:
    assert moved(dtype, change)
