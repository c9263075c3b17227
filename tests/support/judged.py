"""What actbench says of a user's strategy: checked, and compared on the operands it would be timed on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from actbench import registry
from actbench.engine.launch import Launch, WorkerOptions
from actbench.engine.protocol import ListDoubts, Prepare, Slice, Sweep, Time
from actbench.engine.wire import A, Request
from actbench.engine.working.checking import Refused, Verification
from actbench.engine.working.worker import Server
from actbench.errors import BenchmarkError
from actbench.formula import Activation, Extension, Piecewise, Strategy, Weakness
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.user_kernels import kernel
from actbench.model.variants import Variant
from tests.support.registered import register

SWEEPS, CALLS = 3, 25
"""How often a kernel is timed, and so many calls at a time."""


class InProcess:
    """A worker in this process."""

    def __init__(self) -> None:
        """Hold no block yet."""
        self._server = Server()

    def ask(self, request: Request[A], more_time: float = 0.0) -> A:
        """Answer a request."""
        del more_time
        return self._server.answer(request)

    def move_to(self, cpu: int) -> None:
        """Stay."""

    def close(self) -> None:
        """Nothing to end."""


def declared(
    monkeypatch: pytest.MonkeyPatch, array: Callable[..., Any], activation: str, scalar: Callable[..., Any] | None
) -> None:
    """Give an activation a strategy `mine`, over arrays, which keeps what the function's parameters name."""

    def build(m: Any) -> Strategy:
        del m
        return Strategy(Piecewise(scalar=scalar or array, array=array))

    extended = registry.activation(activation).with_strategy(Extension(activation, "mine", "for a test", build))
    register(monkeypatch, extended)


def declared_as_kernel(monkeypatch: pytest.MonkeyPatch, array: Callable[..., Any], activation: str) -> None:
    """Give an activation a user's kernel `mine` over arrays, which keeps what the function's parameters name."""
    register(monkeypatch, with_kernel(registry.activation(activation), "mine", array))


def with_kernel(
    activation: Activation, name: str, array: Callable[..., Any], weaknesses: tuple[Weakness, ...] = ()
) -> Activation:
    """Return an activation with a user's kernel for its derivative, which keeps what the function's parameters name."""
    keeps = tuple(inspect.signature(array).parameters)
    declare = kernel(activation.name, name, keeps=keeps, op="derivative", dtypes=tuple(Dtype), weaknesses=weaknesses)
    return activation.with_kernel(declare(array))


def block(
    activation: str = "logistic", op: Op = Op.DERIVATIVE, dtype: Dtype = Dtype.FLOAT64, size: int = 1000
) -> Block:
    return Block(activation, op, dtype, size, (Arm(Variant("mine"), "numpy"),))


def verification(*blocks: Block) -> Verification:
    return Verification(Plan(blocks, seed=1))


def refusal(*blocks: Block) -> str:
    """Return why a run of these blocks refuses a kernel, before they are timed or after; nothing where all pass."""
    worker = InProcess()
    try:
        held = verification(*blocks)
        for checked in held.check_kernels(Launch(lambda _: worker, WorkerOptions(None, 60.0))):
            if isinstance(checked, Refused):
                return checked.reason
        for of in blocks:
            worker.ask(Prepare.of(of, Plan((), seed=1)))
            held.compare(of, worker)
            for seed in range(SWEEPS):
                worker.ask(Time((Sweep(seed, (Slice(0, CALLS),)),)))
                held.settle(of, worker.ask(ListDoubts()).doubts)
    except BenchmarkError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  # a worker tells of whatever a kernel raises, and the run ends
        return f"it raised {type(error).__name__}: {error}"
    return ""
