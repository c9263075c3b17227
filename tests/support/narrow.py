"""What the tests of narrow residuals share."""

from __future__ import annotations

from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.conftest import Actbench


def kernel(
    strategy: str, activation: str = "logistic", backend: str = "numpy", op: Op = Op.DERIVATIVE, dtype: str = "float32"
) -> KernelId:
    return KernelId(activation, Variant(strategy), backend, op, Dtype(dtype))


def cases(actbench: Actbench, *arguments: str) -> list[str]:
    result = actbench("list", "cases", "-a", "logistic", "-b", "numpy", "-d", "float32", "-n", "1000", *arguments)
    assert result.exit_code == 0, result.output
    return [line.split("/")[1] for line in result.stdout.splitlines()]
