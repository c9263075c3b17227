"""Backends that flush denormal numbers."""

from __future__ import annotations

import numpy as np
import pytest

from actbench import registry
from actbench.errors import WrongKernelError
from actbench.kernels.operands import Array
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.support import kernels


@pytest.fixture
def flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare that numpy flushes."""
    monkeypatch.setattr(type(registry.backends()["numpy"]), "flushes", "for a test")


KERNEL = KernelId("logistic", Variant("recompute"), "numpy", Op.STEP, Dtype.FLOAT32)


def changed(below: float, to: float) -> oracle.Evaluate:
    """Evaluate with what is below so many smallest normal numbers replaced."""

    def answer(chosen: KernelId, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(chosen, z, dy)
        tiny = np.finfo(np.float32).tiny
        assert right.y is not None
        slope, y = (np.where(abs(part) < below * tiny, np.float32(to), part) for part in (right.derivative, right.y))
        return Evaluation(slope, y)

    return answer


@pytest.mark.usefixtures("flushing")
def test_an_intermediate_that_is_flushed_may_be_multiplied_by_z() -> None:
    gelu = KernelId("gelu", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT32)

    def flushed_from(edge: float) -> oracle.Evaluate:
        def answer(chosen: KernelId, z: Array, dy: Array) -> Evaluation:
            right = kernels.evaluate(chosen, z, dy)
            return Evaluation(np.where(z < edge, np.float32(0), right.derivative), right.y)

        return answer

    phi_is_subnormal = -13.15
    oracle.check(resolve(gelu), flushed_from(phi_is_subnormal))
    with pytest.raises(WrongKernelError):
        oracle.check(resolve(gelu), flushed_from(-12.0))


def test_flushing_is_refused_where_it_is_not_declared() -> None:
    with pytest.raises(WrongKernelError):
        oracle.check(resolve(KERNEL), changed(1, 0))


@pytest.mark.usefixtures("flushing")
def test_flushing_is_a_weakness_where_it_is_seen_and_excuses_nothing_else() -> None:
    assert oracle.check(resolve(KERNEL), kernels.evaluate).weaknesses == ()
    assert oracle.check(resolve(KERNEL), changed(1, 0)).weaknesses == ("for a test",)
    for below, to in ((1, 1e-36), (1, np.nan), (100, 0)):
        with pytest.raises(WrongKernelError):
            oracle.check(resolve(KERNEL), changed(below, to))
