"""What actbench says of a strategy of one's own: checked, and compared on the operands it would be timed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pytest

from actbench import registry
from actbench.errors import BenchmarkError
from actbench.formula import Extension, Piecewise, Strategy
from actbench.kernels.kernel import Array
from actbench.measure import protocol
from actbench.measure.checking import check_kernels, compare, settle
from actbench.measure.protocol import Slice, Sweep
from actbench.measure.worker import Worker
from actbench.model.cases import Arm, Block, Kernel
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.plugins.by_name import forget
from tests.support.registered import register

SWEEPS, CALLS = 3, 25
"""How often a kernel is timed, and so many calls at a time."""


class InProcess:
    """A worker in this process, as far as kernels are judged."""

    def __init__(self) -> None:
        """Hold no block yet."""
        self._worker = Worker()

    def evaluate(
        self, kernel: Kernel, z: Array, dy: Array, residuals: Mapping[str, Array] | None = None
    ) -> protocol.Evaluated:
        """Call a kernel."""
        packed = {name: asdict(protocol.Array.pack(array)) for name, array in {"z": z, "dy": dy}.items()}
        given = {name: asdict(protocol.Array.pack(array)) for name, array in (residuals or {}).items()}
        return self._worker.evaluate(kernel.at(z.size).id, packed["z"], packed["dy"], given)

    def inspect(self, kernel: Kernel) -> protocol.Inspected:
        """Read what the compiler made of a kernel."""
        return self._worker.inspect(kernel.at(1).id)

    def prepare(self, block: Block, seed: int, *, whole: bool = False) -> None:
        """Take up a block."""
        self._worker.prepare([case.id for case in block.timed], seed, whole=whole)

    def compare(self) -> tuple[protocol.Doubt, ...]:
        """Look at every element."""
        return self._worker.compare().doubts

    def doubts(self) -> tuple[protocol.Doubt, ...]:
        """Tell what was seen after timed values."""
        return self._worker.doubts().doubts

    def time(self, sweeps: Any, timeout: float = 1.0) -> tuple[tuple[float, ...], ...]:
        """Time slices."""
        del timeout
        return self._worker.time([asdict(sweep) for sweep in sweeps]).seconds

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
    forget()


def block(
    activation: str = "logistic", op: Op = Op.DERIVATIVE, dtype: Dtype = Dtype.FLOAT64, size: int = 1000
) -> Block:
    return Block(activation, op, dtype, size, (Arm("mine", "numpy"),))


def refusal(*blocks: Block) -> str:
    """Return why a run of these blocks refuses a kernel, before they are timed or after; nothing where all pass."""
    worker: Any = InProcess()
    try:
        for _ in check_kernels(Plan(blocks, seed=1), lambda: worker):
            pass
        for of in blocks:
            worker.prepare(of, 1)
            compare(of, worker)
            for seed in range(SWEEPS):
                worker.time([Sweep(seed, (Slice(0, CALLS),))])
                settle(of, worker.doubts())
    except BenchmarkError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  # a worker tells of whatever a kernel raises, and the run ends
        return f"it raised {type(error).__name__}: {error}"
    return ""
