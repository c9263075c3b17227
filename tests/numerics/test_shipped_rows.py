"""What frameworks ship along rows, as strategy ``shipped`` executes it."""

from __future__ import annotations

import numpy as np
import pytest

from actbench import registry
from actbench.errors import InputError, WrongKernelError
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.rows import per_row
from actbench.model.cases import KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.verification import oracle
from actbench.verification.evaluation import Evaluation
from tests.support.along_rows import answers
from tests.support.peers import usable

NAMES = ("softmax", "log-softmax", "logsumexp", "softmax-cross-entropy")

FRAMEWORKS = [usable("torch"), usable("jax")]


def shipped(name: str, backend: str, op: Op = Op.BACKWARD, dtype: Dtype = Dtype.FLOAT64) -> Kernel:
    return resolution.kernel(KernelId(registry.activation(name).name, SHIPPED, backend, op, dtype))


def test_frameworks_ship_what_they_have_which_is_known_without_them() -> None:
    assert [registry.backends()["torch"].unshipped(name) for name in NAMES] == [None] * 4
    assert (
        registry.backends()["jax"].unshipped("softmax-cross-entropy") == "jax has no softmax-cross-entropy of its own"
    )
    assert "has no softmax:temperature=2 of its own" in str(shipped("softmax:temperature=2", "torch").unsupported)
    assert "works along rows" in str(shipped("softmax", "torch", Op.DERIVATIVE).unsupported)
    with pytest.raises(InputError, match="numpy has no softmax of its own"):
        registry.backend("numpy").function_autograd("softmax", Dtype.FLOAT64, ("z",))


@pytest.mark.parametrize("backend", FRAMEWORKS)
@pytest.mark.parametrize("op", [Op.BACKWARD, Op.STEP])
def test_the_gradient_is_that_of_the_formula(backend: str, op: Op) -> None:
    z, dy = np.random.default_rng(0).standard_normal((2, 6, 7))
    for name in NAMES:
        one = shipped(name, backend, op)
        ours = resolution.kernel(KernelId(name, Variant("recompute"), "numpy", op, Dtype.FLOAT64))
        if not one.unsupported:
            upstream = dy[:, :1] if "dy" in per_row(one.activation, "") else dy
            answer, right = (answers(of)(of.identity, z, upstream) for of in (one, ours))
            np.testing.assert_allclose(answer.derivative, right.derivative, atol=1e-14)
            if answer.y is not None and right.y is not None:
                np.testing.assert_allclose(answer.y, right.y, rtol=1e-13)


@pytest.mark.exhaustive
@pytest.mark.parametrize("backend", FRAMEWORKS)
def test_it_passes_the_oracle_whatever_its_error_is(backend: str) -> None:
    for name in NAMES:
        for dtype in WIDE:
            one = shipped(name, backend, Op.STEP, dtype)
            if not one.unsupported:
                check = oracle.check(one, answers(one))
                oracle.check_calls(one, answers(one))
                assert all(why.startswith("as shipped by ") for why in check.weaknesses)


@pytest.mark.parametrize("backend", [usable("torch")])
def test_what_is_kept_is_the_choice_of_the_framework(backend: str) -> None:
    kept = {name: [(one.name, one.per_row) for one in shipped(name, backend).residuals] for name in NAMES}
    assert kept == {
        "softmax": [("y", False)],
        "log-softmax": [("y", False)],
        "logsumexp": [("z", False), ("y", True)],
        "softmax-cross-entropy": [("saved_1", False)],
    }
    assert [shipped(name, backend, Op.STEP).moved_bytes for name in NAMES] == [40, 40, 24, 24]
    assert [shipped(name, backend).row_bytes.kept for name in NAMES] == [0, 0, 8, 8]


@pytest.mark.parametrize("backend", [usable("torch")])
def test_another_function_is_refused_and_lost_digits_are_described(backend: str) -> None:
    one = shipped("softmax-cross-entropy", backend, dtype=Dtype.FLOAT32)
    (why,) = oracle.check(one, answers(one)).weaknesses
    assert "the gradient is off by up to" in why

    def spoiling(identity: KernelId, z: Array, dy: Array) -> Evaluation:
        return Evaluation(1.05 * answers(one)(identity, z, dy).derivative, None)

    with pytest.raises(WrongKernelError, match="1 % is allowed"):
        oracle.check(one, spoiling)
