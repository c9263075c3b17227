"""What the tests of two runs share: the runs, changed in some way, and the figures of their comparison."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actbench.model.cases import Arm, Block, Case
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds

OLD, NEW = "old", "new"

BLOCK = Block(
    "logistic",
    Op.DERIVATIVE,
    Dtype.FLOAT64,
    1000,
    (Arm(Variant("recompute"), "numpy"), Arm(Variant("cached"), "numpy")),
)

RECOMPUTE = "logistic/recompute/numpy/derivative/float64/1000"

CACHED = "logistic/cached/numpy/derivative/float64/1000"


def scaled(**factors: float) -> Callable[[Case], float]:
    """Return exact times in which strategies take so many times as long."""
    return lambda case: exact_seconds(case) * factors.get(case.strategy, 1.0)


def edited(directory: str, old: str, new: str) -> None:
    path = Path(directory, "run.json")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def on_another_host(directory: str) -> None:
    environment = json.loads(Path(directory, "run.json").read_text())["environment"]
    edited(directory, f'"cpu_model": "{environment["cpu_model"]}"', '"cpu_model": "Abacus 3000"')


def figures(actbench: Actbench, *arguments: str) -> list[dict[str, Any]]:
    result = actbench("compare", *arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    figures: list[dict[str, Any]] = json.loads(result.stdout)["figures"]
    return figures


def words(text: str) -> str:
    return " ".join(text.split())


NOTE = (
    "± is the longer side of the 95 % interval over rounds; an interval is shown as (low to high) where one side is at "
    "least 1.5 times the other, or where ± would misleadingly include 1. ≈ marks an interval that includes 1. "
    "Differences between whole runs, often a few percent, are not in the interval. The false discovery rate of the "
    "findings is 5 %."
)
