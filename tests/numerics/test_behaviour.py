from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.backends import Bound
from actbench.backends.numpy import Numpy
from actbench.engine.protocol import ListDoubts, Prepare, Slice, Sweep, Time
from actbench.errors import WrongKernelError
from actbench.formula import Activation, Formulas
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, Array, Operands
from actbench.kernels.resolution import kernel as resolved
from actbench.kernels.resolution import resolve
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.rule import Rule
from actbench.model.variants import Variant
from actbench.plugins import with_room
from actbench.verification import elements, oracle
from actbench.verification.behaviour.reference import Reference
from actbench.verification.oracle import Evaluation
from actbench.verification.points import further
from tests.support import kernels
from tests.support.judged import InProcess, block, declared, declared_as_kernel, refusal, verification
from tests.support.registered import register
from tests.support.tiers import exhaustive_but
from tests.support.written import in_place, one, right

NAMES = sorted(registry.elementwise())
DIALECTS = ("numpy", "python")
"""A backend of arrays, and one of numbers."""


def stateful() -> dict[str, Callable[..., Any]]:
    """Return kernels that remember something, each new."""
    last: dict[Any, Array] = {}
    calls = [0]
    buffer = np.empty(1 << 20)
    buffers: dict[Any, Array] = {}
    by_ends: dict[Any, Array] = {}

    def remembers(z: Array) -> Array:
        key = (z.ctypes.data, z.size)
        if key not in last:
            last[key] = right(z)
        return last[key]

    def right_at_first(z: Array) -> Array:
        calls[0] += 1
        return right(z) if calls[0] <= 2 else np.full_like(z, 0.25)

    def knows_both_ends(z: Array) -> Array:
        key = (z[:1].tobytes(), z[-1:].tobytes(), z.size)
        return by_ends.setdefault(key, right(z)).copy()

    def compares_with_the_last(z: Array) -> Array:
        previous, result = last.get("seen", z[:0]), last.get("result", z[:0])
        if not np.array_equal(previous, z):
            previous, result = last["seen"], last["result"] = z.copy(), right(z)
        return result.copy()

    def two_buffers_in_turn(z: Array) -> Array:
        calls[0] += 1
        out = buffers.setdefault((calls[0] % 2, z.size, z.dtype), np.empty_like(z))
        out[:] = right(z)
        return out

    def reuses_a_buffer(z: Array) -> Array:
        out = buffer[: z.size].view(z.dtype)[: z.size]
        out[:] = right(z)
        return out

    return {
        "shares memory with the result of an earlier call": reuses_a_buffer,
        "shares memory with the result of an earlier call ": remembers,
        "it gives another result": right_at_first,
        "on the same elements in another order it gives another result": knows_both_ends,
        "it takes less than half as long on operands that it has just seen": compares_with_the_last,
        "shares memory with the result of an earlier call  ": two_buffers_in_turn,
    }


def window(z: Array) -> Array:
    return np.where((z > 0.3001) & (z < 0.3007), np.nan, right(z))


def forgets_the_rest(z: Array) -> Array:
    out = np.zeros_like(z)
    whole = z.size - z.size % 64
    out[:whole] = right(z[:whole])
    return out


def reads_beyond(z: Array) -> Array:
    """Mix what lies after the end into the last element."""
    beyond = ctypes.cast(z.ctypes.data + z.nbytes, ctypes.POINTER(ctypes.c_ubyte))[0]
    out = right(z)
    out[-1] *= 1.0 + beyond / 1e3
    return out


def writes_beyond(z: Array) -> Array:
    place = ctypes.cast(z.ctypes.data + z.nbytes, ctypes.POINTER(ctypes.c_ubyte))
    place[0] ^= 0xFF
    return right(z)


CHEATS: dict[str, Callable[..., Any]] = {
    **stateful(),
    "it changes its operand z": in_place,
    "it gives nan where g' = ": window,
    "on the same elements in reverse it gives another result ": forgets_the_rest,
    "is wrong": reads_beyond,
    "it writes outside of its arrays": writes_beyond,
    "elements of its result share memory with each other": lambda z: np.broadcast_to(np.float64(0.25), z.shape),
    "it returns a memmap where a ndarray is expected": lambda z: right(z).view(np.memmap),
    "it returns a list where a ndarray is expected": lambda z: right(z).tolist(),
    "it returns nothing where a ndarray is expected": lambda z: None,  # noqa: ARG005  # its name says that z is kept
    "it returns an array of objects": lambda z: right(z).astype(object),
    "on the same elements it gives another result in the next call": lambda z: (
        right(z) * (1 + 1e-3 * np.random.default_rng().random())
    ),
    "it returns complex numbers": lambda z: right(z).astype(complex),
    "it returns float32": lambda z: right(z).astype(np.float32),
    "for 5000 elements and more": lambda z: right(z) if z.size < 5000 else np.full_like(z, 0.25),
}


@pytest.mark.parametrize("words", CHEATS)
def test_a_kernel_that_cheats_has_no_speed(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    declared(monkeypatch, CHEATS[words], "logistic", scalar=one)
    reason = refusal(block(size=10_000))
    assert reason.startswith("logistic/mine/numpy/derivative/float64 is wrong")
    assert words.strip() in reason or words == "for 5000 elements and more" or "depends on the other elements" in reason


@pytest.mark.parametrize("words", CHEATS)
def test_a_user_kernel_that_cheats_is_refused_with_the_same_words(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    declared_as_kernel(monkeypatch, (CHEATS | stateful())[words], "logistic")
    reason = refusal(block(size=10_000))
    assert reason.startswith("logistic/mine/numpy/derivative/float64 is wrong")
    assert words.strip() in reason or words == "for 5000 elements and more"


def test_a_backend_that_finds_its_result_in_the_memory_it_is_given_has_no_speed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Lazy(Numpy):
        name = "lazy"
        preallocates = True

        def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
            plain = super().bind(op, rule, dtype).function

            def call(out: Array, *kept: Array) -> None:
                if not lazy or np.isnan(out[0]):
                    out[:] = plain(*kept)

            return Bound(call)

    register(monkeypatch, Lazy())
    lazily = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 1000, (Arm(Variant("recompute"), "lazy"),))
    lazy = False
    assert not refusal(lazily)
    lazy = True
    assert "on the same elements in reverse it gives another result" in refusal(lazily)


def test_a_view_of_what_was_kept_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, lambda y: y, "exp", scalar=None)
    assert "its result shares memory with an operand" in refusal(block("exp"))


def test_code_that_writes_beyond_an_array_spoils_nothing_of_the_process_that_knows_the_truth() -> None:
    array = with_room(np.arange(3.0))
    for place in (array.ctypes.data - 8, array.ctypes.data + array.nbytes):
        ctypes.cast(place, ctypes.POINTER(ctypes.c_double))[0] = 1.0
    assert np.array_equal(array, np.arange(3.0))


def test_a_kernel_that_goes_wrong_while_it_is_timed_is_found_after_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [0]

    def tires(z: Array) -> Array:
        calls[0] += 1
        return right(z) if calls[0] < 20 else right(z) * 1.001

    declared(monkeypatch, tires, "logistic", scalar=one)
    worker, of = InProcess(), block()
    worker.ask(Prepare.of(of, Plan((), seed=1)))
    worker.ask(Time((Sweep(1, (Slice(0, 3),)),)))
    verification(of).settle(of, worker.ask(ListDoubts()).doubts)
    worker.ask(Time((Sweep(2, (Slice(0, 30),)),)))
    with pytest.raises(WrongKernelError, match=r"is wrong on 1000 elements: at z = "):
        verification(of).settle(of, worker.ask(ListDoubts()).doubts)


def test_no_kernel_can_change_what_other_kernels_read(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = KernelId("logistic", Variant("mine"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    declared(monkeypatch, right, "logistic", scalar=None)
    assert resolved(kernel).takes_read_only
    declared(monkeypatch, in_place, "logistic", scalar=None)
    assert not resolved(kernel).takes_read_only
    worker, of = InProcess(), block()
    worker.ask(Prepare.of(of, Plan((), seed=1)))
    worker.ask(Time((Sweep(1, (Slice(0, 1),)),)))
    with pytest.raises(WrongKernelError, match="changes the operand z that others share"):
        verification(of).settle(of, worker.ask(ListDoubts()).doubts)


@pytest.mark.parametrize(
    ("name", "backend"),
    exhaustive_but(product(NAMES, DIALECTS), lambda of: of[1] == DIALECTS[NAMES.index(of[0]) % len(DIALECTS)]),
)
def test_nan_and_infinity_give_what_is_stated_and_nothing_beside_them_changes(name: str, backend: str) -> None:
    for strategy in registry.activation(name).strategies:
        kernel = KernelId(name, Variant(strategy), backend, Op.STEP, Dtype.FLOAT64)
        oracle.check_calls(resolve(kernel), kernels.evaluate)


SPOILT: dict[str, tuple[Callable[[Array, Array], Array], str]] = {
    "a number at NaN": (lambda z, g: np.where(np.isnan(z), 0.25, g), "at z = NaN it gives 0.25 where g' = nan"),
    "a number at infinity": (lambda z, g: np.where(np.isinf(z), 0.25, g), "it gives 0.25 where g' tends to 0"),
    "NaN beside NaN": (lambda z, g: np.where(np.isnan(z).any(), np.nan, g), "beside NaN and ±inf"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_comes_of_nan_and_infinity_is_looked_at(what: str) -> None:
    change, words = SPOILT[what]
    kernel = KernelId("logistic", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)

    def evaluate(of: KernelId, z: Array, dy: Array) -> Evaluation:
        answer = kernels.evaluate(of, z, dy)
        return Evaluation(change(z, answer.derivative), answer.y, answer.raised)

    with pytest.raises(WrongKernelError, match=words.replace("(", r"\(")):
        oracle.check_calls(resolve(kernel), evaluate)


def test_points_lie_beside_kinks_roots_saturation_and_powers_of_two() -> None:
    z = further(registry.activation("gelu"), Dtype.FLOAT64)
    root = -0.7517915246935645  # where g' of GELU changes its sign
    assert np.min(np.abs(z - root)) <= 8 * np.spacing(abs(root))
    assert np.count_nonzero(np.frexp(z)[0] == 0.5) > 10
    beside = further(registry.activation("hard-tanh"), Dtype.FLOAT32)
    assert {-1.0, 1.0} <= set(beside.tolist())
    assert any(0 < abs(point - 1.0) < 1e-6 for point in beside.tolist())
    assert math.isclose(
        max(point for point in further(registry.activation("tanh"), Dtype.FLOAT64) if point < 20), 19.06, rel_tol=0.05
    )


def test_where_dy_rounds_nothing_no_error_is_excused_by_it() -> None:
    subject = resolved(KernelId("logistic", Variant("recompute"), "numpy", Op.BACKWARD, Dtype.FLOAT64))
    z, dy = np.linspace(-2, 2, 9), np.full(9, 2.0)
    slope, _ = elements.truth_of(subject.activation, z)
    elements.settle(subject, 9, z, dy, slope.nearest * dy, of_output=False)
    with pytest.raises(WrongKernelError, match="on 9 elements"):
        elements.settle(subject, 9, z, dy, slope.nearest * dy * (1 + 1e-12), of_output=False)


@pytest.mark.parametrize("op", [Op.DERIVATIVE, Op.BACKWARD])
def test_where_the_only_formula_is_a_user_s_results_are_held_to_differences_of_the_forward_function(
    op: Op,
) -> None:
    def recompute(z: Array) -> Array:
        slope: Array = np.tanh(z) + z / np.cosh(z) ** 2
        return slope

    mine = Activation("mine", "mine", lambda m: Formulas(forward=lambda z: z * m.tanh(z), recompute=recompute))
    identity = KernelId("mine", Variant("recompute"), "numpy", op, Dtype.FLOAT64)
    operands = Operands(mine, np.random.default_rng(0).standard_normal(1000))
    of_user = Kernel(identity, registry.backend("numpy"), mine, "recompute", None)
    result = recompute(operands.z) * (operands.array(DY) if op.takes_dy else 1.0)
    assert not Reference(operands).suspects(of_user, result).z.size
    result[123] *= 1.001
    assert Reference(operands).suspects(of_user, result).z.tolist() == [operands.z[123]]
