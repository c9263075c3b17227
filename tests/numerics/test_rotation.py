"""Cold operands: no call finds its own in a cache, and every set gives the right results."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from actbench.backends import Bound
from actbench.backends.numpy import Numpy
from actbench.backends.numpy_blocked import NumpyBlocked
from actbench.engine.protocol import Compare, ListDoubts, Prepare, Slice, Sweep, Time
from actbench.engine.working.prepared import PreparedBlock
from actbench.errors import WrongKernelError
from actbench.kernels.operands import Array
from actbench.kernels.resolution import subjects
from actbench.kernels.sets import TIMES_CACHE
from actbench.model.cases import Arm, Block
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.plan import Plan
from actbench.model.rule import Rule
from actbench.model.variants import Variant
from actbench.verification.behaviour.watch import Watch
from tests.support.judged import InProcess, declared, verification
from tests.support.registered import register
from tests.support.tiers import exhaustive_but
from tests.support.written import in_place

CACHE = 1 << 18
"""Bytes."""

SIZE = 1000

COLD = (OperandState.COLD, OperandState.RESIDUALS_COLD)

Touched = list[tuple[str, int, int]]
"""The arrays that a call touched: name, address and bytes."""


class Recorder:
    """Records which arrays the calls of a backend touch."""

    def __init__(self) -> None:
        """Start without calls."""
        self.calls: list[Touched] = []

    def of(self, names: tuple[str, ...], function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that also records the arrays that it is called with."""

        def recorded(*arrays: Any) -> Any:
            self.calls.append(
                [(name, array.ctypes.data, array.nbytes) for name, array in zip(names, arrays, strict=True)]
            )
            return function(*arrays)

        return recorded


def recording(base: type[Numpy], recorder: Recorder, named: str = "recording") -> Numpy:
    """Return a backend whose calls are recorded."""

    class Recording(base):  # type: ignore[misc, valid-type]
        name = named

        def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
            names = ("dz",) * base.preallocates + ("dy",) * (op is Op.BACKWARD) + rule.residuals
            function = super().bind(op, rule, dtype).function
            return Bound(function if op is Op.STEP else recorder.of(names, function))

        def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
            names = (*(("y", *rule.saved) if base.preallocates else ()), "z")
            return Bound(recorder.of(names, super().bind_forward(rule, dtype).function))

    backend: Numpy = Recording()
    return backend


def slices(arms: int) -> Iterator[Slice]:
    """Yield slices of one call and of many, so that the cursor wraps between and inside them."""
    calls = np.random.default_rng(1).integers(1, 60, size=60)
    yield from (Slice(number % arms, int(count)) for number, count in enumerate(calls))


@pytest.mark.parametrize("state", COLD)
@pytest.mark.parametrize("op", [Op.DERIVATIVE, Op.BACKWARD, Op.STEP])
@pytest.mark.parametrize("base", [Numpy, NumpyBlocked])
def test_nothing_is_touched_again_before_the_cache_has_passed_twice(
    monkeypatch: pytest.MonkeyPatch, base: type[Numpy], op: Op, state: OperandState
) -> None:
    recorder = Recorder()
    register(monkeypatch, recording(base, recorder))
    arms = (Arm(Variant("recompute"), "recording"), Arm(Variant("cached"), "recording"))
    cases = Block("tanh", op, Dtype.FLOAT64, SIZE, arms, operands=state).cases
    block = PreparedBlock(subjects(cases), 1, STANDARD_NORMAL, CACHE, whole=False)
    recorder.calls.clear()
    monkeypatch.setattr(Watch, "look", lambda *_: None)  # it is not timed, and does both passes of a step on one set
    block.sweep(Sweep(1, tuple(slices(len(arms)))), None)
    warm = {"dy", "dz"} if state is OperandState.RESIDUALS_COLD else set()
    passed, shortest = 0, float("inf")
    last: dict[int, int] = {}
    for call in recorder.calls:
        for name, address, nbytes in call:
            if name not in warm:
                shortest = min(shortest, passed - last.get(address, -(1 << 40)))
                passed += nbytes
                last[address] = passed
    assert TIMES_CACHE * CACHE <= shortest < 1 << 40
    if state is OperandState.RESIDUALS_COLD and op is not Op.DERIVATIVE:
        assert len({address for call in recorder.calls for name, address, _ in call if name == "dy"}) == 1


def test_no_arm_of_a_step_reads_what_another_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    recorders = {name: Recorder() for name in ("first", "second")}
    for name, recorder in recorders.items():
        register(monkeypatch, recording(NumpyBlocked, recorder, name))
    arms = tuple(Arm(Variant("cached"), name) for name in recorders)
    block = Block("tanh", Op.STEP, Dtype.FLOAT64, SIZE, arms, operands=OperandState.COLD)
    prepared = PreparedBlock(subjects(block.cases), 1, STANDARD_NORMAL, CACHE, whole=False)
    for recorder in recorders.values():
        recorder.calls.clear()
    prepared.sweep(Sweep(1, tuple(slices(len(arms)))), None)
    first, second = (
        {address for call in recorder.calls for name, address, _ in call if name == "y"}
        for recorder in recorders.values()
    )
    assert first
    assert second
    assert not first & second


@pytest.mark.parametrize(
    ("backends", "activation", "op", "state"),
    exhaustive_but(
        product(("plain", "compiled, some", "compiled, all"), ("logistic", "silu"), Op, COLD),
        lambda of: of[0] == "plain" or of == ("compiled, some", "logistic", Op.STEP, OperandState.COLD),
    ),
)
def test_every_set_gives_the_right_results(backends: str, activation: str, op: Op, state: OperandState) -> None:
    variants = ["recompute", "cached", "recompute:float16", "cached:float16"]
    if activation == "silu":
        variants = ["recompute", "pair", "intermediate", "intermediate:float16"]
    by_backend = {
        "plain": {"python": variants[:2], "numpy": variants, "numpy-blocked": variants},
        "compiled, some": {"numba-simd": [variants[0], variants[-1]]},
        "compiled, all": {"numba-simd": variants},
    }[backends]
    arms = tuple(Arm(Variant(name), backend) for backend, names in by_backend.items() for name in names)
    block = Block(activation, op, Dtype.FLOAT64, 100, arms, operands=state)
    worker = InProcess()
    worker.ask(Prepare.of(block, Plan((block,), seed=1, cache=4096), whole=True))
    for seed in range(3):
        worker.ask(Time((Sweep(seed, tuple(Slice(arm, 7) for arm in range(len(block.timed)))),)))
    verification(block).settle(block, worker.ask(ListDoubts()).doubts)


@pytest.mark.parametrize("state", OperandState)
def test_sweeps_hold_no_memory_when_they_are_done(state: OperandState) -> None:
    """What moves an allocated result to another phase of a cache line is freed with the sweep."""
    arms = (Arm(Variant("cached"), "numpy"),)
    block = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, SIZE, arms, operands=state)
    prepared = PreparedBlock(subjects(block.cases), 1, STANDARD_NORMAL, CACHE, whole=False)

    def sweep(number: int) -> int:
        prepared.sweep(Sweep(number, tuple(Slice(0, 1, phase) for phase in range(4)) * 5), None)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first, *_, last = (sweep(number) for number in range(20))
    finally:
        tracemalloc.stop()
    assert last - first < 10 * block.size * block.dtype.itemsize


def test_a_kernel_that_changes_a_cold_operand_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, in_place, "logistic", scalar=None)
    arms = (Arm(Variant("mine"), "numpy"),)
    block = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, SIZE, arms, operands=OperandState.COLD)
    worker = InProcess()
    worker.ask(Prepare.of(block, Plan((block,), seed=1, cache=CACHE)))
    worker.ask(Time((Sweep(1, (Slice(0, 1),)),)))
    with pytest.raises(WrongKernelError, match="changes the operand z that others share"):
        verification(block).settle(block, worker.ask(ListDoubts()).doubts)


def test_a_kernel_that_changes_operands_only_in_timed_calls_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The set of the watched call, which follows them, is as it was; no set is used twice."""
    calls = 0

    def seldom(y: Array) -> Array:
        nonlocal calls
        result = np.asarray(y * (1 - y))
        y[:] = y if not 60 < calls < 80 else result  # it always writes, and so is not called on read-only operands
        calls += 1
        return result

    declared(monkeypatch, seldom, "logistic", scalar=None)
    arms = (Arm(Variant("mine"), "numpy"),)
    block = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, SIZE, arms, operands=OperandState.COLD)
    worker = InProcess()
    worker.ask(Prepare.of(block, Plan((block,), seed=1, cache=32 * CACHE)))
    worker.ask(Time((Sweep(1, (Slice(0, 20),) * 5),)))
    with pytest.raises(WrongKernelError, match="changes the operand y that others share"):
        verification(block).settle(block, worker.ask(ListDoubts()).doubts)


def outside(right: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arrays: Array) -> None:
        right(*arrays)
        y = arrays[0]
        np.lib.stride_tricks.as_strided(y, shape=(y.size + 1,))[-1] = 7.0

    return call


def only_once(right: Callable[..., Any]) -> Callable[..., Any]:
    written_before: set[int] = set()

    def call(*arrays: Array) -> None:
        y = arrays[0]
        if y.ctypes.data not in written_before or np.isnan(y[0]):
            right(*arrays)
        written_before.add(y.ctypes.data)

    return call


def one_buffer(right: Callable[..., Any]) -> Callable[..., Any]:
    buffers: dict[int, Array] = {}

    def call(z: Array) -> tuple[Array, ...]:
        y, *residuals = right(z)
        buffer = buffers.setdefault(z.size, np.empty_like(y))
        buffer[:] = y
        return (buffer, *(buffer if residual is y else residual for residual in residuals))

    return call


@pytest.mark.parametrize("strategy", ["recompute", "cached", "complement", "cached:float16"])
@pytest.mark.parametrize(
    ("base", "forward", "fault"),
    [
        (NumpyBlocked, lambda right: right, None),
        (Numpy, lambda right: right, None),
        (NumpyBlocked, outside, "it writes outside of its arrays"),
        (NumpyBlocked, only_once, "it remembers or counts something"),
        (Numpy, one_buffer, "its result shares memory with the result of an earlier call"),
    ],
)
def test_the_forward_pass_of_a_cold_step_is_checked_as_a_kernel_is(
    monkeypatch: pytest.MonkeyPatch, base: type[Numpy], forward: Callable[..., Any], fault: str | None, strategy: str
) -> None:
    class Mine(base):  # type: ignore[misc, valid-type]
        name = "mine"

        def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
            return Bound(forward(super().bind_forward(rule, dtype).function))

    register(monkeypatch, Mine())
    arms = (Arm(Variant(strategy), "mine"),)
    block = Block("logistic", Op.STEP, Dtype.FLOAT64, SIZE, arms, operands=OperandState.COLD)
    worker = InProcess()
    worker.ask(Prepare.of(block, Plan((block,), seed=1, cache=4096)))
    doubts = worker.ask(Compare()).doubts
    if fault is None:
        verification(block).settle(block, doubts)
    else:
        with pytest.raises(WrongKernelError, match=f"of its forward pass alone: .*{fault}"):
            verification(block).settle(block, doubts)
