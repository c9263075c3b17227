"""What a call moves and keeps, and which kernels there are."""

from __future__ import annotations

from itertools import product

import pytest

from actbench import registry
from actbench.errors import LOADED, InputError
from actbench.kernels.resolution import kernel as resolved
from actbench.kernels.resolution import resolve
from actbench.kernels.traffic import Traffic, traffic
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant
from actbench.planning.costs import bytes_moved, residual_bytes
from tests.support.placed import SAMPLE, SIZE, placed
from tests.support.resolved import prepare

TRAFFIC = {
    # arrays of its size that one call reads or writes, and how many are kept
    ("z", Op.DERIVATIVE): (2, 1),  # z | g'
    ("z", Op.BACKWARD): (3, 1),  # dy z | dz
    ("z", Op.STEP): (5, 1),  # z | y, dy z | dz
    ("y", Op.DERIVATIVE): (2, 1),  # y | g'
    ("y", Op.BACKWARD): (3, 1),  # dy y | dz
    ("y", Op.STEP): (5, 1),  # z | y, dy y | dz
    ("c", Op.DERIVATIVE): (2, 1),  # c | g'
    ("c", Op.BACKWARD): (3, 1),  # dy c | dz
    ("c", Op.STEP): (6, 1),  # z | y c, dy c | dz
    ("z y", Op.DERIVATIVE): (3, 2),  # z y | g'
    ("z y", Op.BACKWARD): (4, 2),  # dy z y | dz
    ("z y", Op.STEP): (6, 2),  # z | y, dy z y | dz
    ("z s", Op.DERIVATIVE): (3, 2),  # z s | g'
    ("z s", Op.BACKWARD): (4, 2),  # dy z s | dz
    ("z s", Op.STEP): (7, 2),  # z | y s, dy z s | dz
}
TRAFFIC |= {(kept, Op.SECOND): of for (kept, op), of in TRAFFIC.items() if op is Op.DERIVATIVE}

KEPT = {"textbook": "z", "recompute": "z", "cached": "y", "complement": "c", "intermediate": "z s", "pair": "z y"}
"""What the strategies of the activations that are sampled keep."""


@pytest.mark.parametrize("chosen", SAMPLE, ids=lambda chosen: chosen.id)
def test_bytes_moved_and_kept_follow_from_the_traffic(chosen: KernelId) -> None:
    kept = KEPT[chosen.strategy]
    assert resolved(chosen).rule.residuals == tuple(kept.split())
    streams, arrays = TRAFFIC[kept, chosen.op]
    bytes_each = {Dtype.FLOAT32: 4, Dtype.FLOAT64: 8}[chosen.dtype]
    assert resolve(chosen).traffic == Traffic(arrays, streams)
    assert bytes_moved(chosen.at(SIZE)) == streams * SIZE * bytes_each
    assert residual_bytes(chosen.at(SIZE)) == arrays * bytes_each


def test_every_strategy_of_a_name_keeps_as_much() -> None:
    for activation in registry.elementwise().values():
        for strategy, op in product(activation.strategies, Op):
            streams, arrays = TRAFFIC[KEPT[strategy], op]
            assert traffic(activation, strategy, None, op) == Traffic(arrays, streams)


def test_a_function_that_a_backend_lacks_is_a_reason_for_a_kernel_not_to_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.backends()["numpy"]), "lacks", ("erf", "erfc"))
    for strategy, op, missing in (
        ("textbook", Op.DERIVATIVE, "erf"),
        ("textbook", Op.STEP, "erf and no erfc"),
        ("recompute", Op.BACKWARD, "erfc"),
        ("intermediate", Op.STEP, "erfc"),
        ("pair", Op.STEP, "erfc"),
    ):
        chosen = KernelId("gelu", Variant(strategy), "numpy", op, Dtype.FLOAT64)
        assert resolve(chosen).unsupported == f"numpy has no {missing}"
        with pytest.raises(InputError) as refused:
            resolved(chosen).require_supported()
        assert str(refused.value) == f"{chosen.id} does not exist: numpy has no {missing}"
    for strategy, op in (("intermediate", Op.DERIVATIVE), ("pair", Op.BACKWARD)):
        assert resolve(KernelId("gelu", Variant(strategy), "numpy", op, Dtype.FLOAT64)).unsupported is None
    assert resolve(KernelId("logistic", Variant("recompute"), "numpy", Op.STEP, Dtype.FLOAT64)).unsupported is None


@pytest.mark.parametrize(("op", "dtype"), [*product(Op, WIDE)])
def test_the_yardstick_reads_one_array_and_writes_one_and_keeps_nothing(op: Op, dtype: Dtype) -> None:
    case = Block("tanh", op, dtype, SIZE, (Arm(Variant("cached"), "numpy"),)).yardstick
    assert bytes_moved(case) == 2 * SIZE * dtype.itemsize
    assert residual_bytes(case) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activation": "logistik"}, "unknown activation 'logistik': did you mean 'logistic'?"),
        ({"strategy": "cache"}, "unknown strategy of logistic 'cache': did you mean 'cached'?"),
        ({"backend": "numbra"}, "unknown backend 'numbra': did you mean 'numba'?"),
        ({"activation": "identity"}, "unknown strategy of identity 'cached': known are recompute"),
        ({"backend": "zzz"}, f"unknown backend 'zzz': known are {', '.join(sorted(registry.backends()))}{LOADED}"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: dict[str, str], message: str) -> None:
    names = {"activation": "logistic", "strategy": "cached", "backend": "numpy"} | wrong
    chosen = KernelId(names["activation"], Variant(names["strategy"]), names["backend"], Op.DERIVATIVE, Dtype.FLOAT64)
    with pytest.raises(InputError) as refused:
        resolve(chosen)
    assert str(refused.value) == message
    with pytest.raises(InputError):
        prepare(chosen.at(SIZE), placed())


def test_an_unavailable_backend_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.backends()["numba"]), "requires", "no_such_distribution")
    with pytest.raises(InputError, match="backend 'numba' is not available: no_such_distribution is not installed"):
        registry.backend("numba")
