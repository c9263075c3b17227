"""Calls on other inputs than the oracle's, which a kernel must answer as well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actbench.errors import WrongKernelError
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.verification.calls import check_calls
from tests.support.spoilt import Change, spoilt

LOGISTIC = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)


def fault(kernel: KernelId, change: Change) -> str:
    with pytest.raises(WrongKernelError) as refused:
        check_calls(resolve(kernel), spoilt(change))
    return str(refused.value)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_kernel_that_is_wrong_for_arrays_of_one_length_alone_is_refused(size: int) -> None:
    message = fault(LOGISTIC, lambda z, g: g + 1 if z.size == size else g)
    assert f"in a call on {size} element{'' if size == 1 else 's'}: " in message


def test_an_infinite_derivative_of_the_wrong_sign_at_infinity_is_refused() -> None:
    squared = replace(LOGISTIC, activation="squared-relu")
    assert "where g' tends to" in fault(squared, lambda z, g: np.where(np.isinf(z), -g, g))
