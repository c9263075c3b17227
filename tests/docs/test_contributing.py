"""The walk-through in CONTRIBUTING adds an activation."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from actbench import registry
from actbench.engine.working.checking import Verification, all_passing
from actbench.formula import Activation
from actbench.model.cases import Arm, Block
from actbench.model.checks import STATED_ULP
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.documents import CONTRIBUTING
from tests.support.fake import FakeBench
from tests.support.registered import register


@pytest.fixture
def walked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Activation:
    """Follow the walk-through in CONTRIBUTING: put its one file where it belongs, as far as this process can see."""
    (code,) = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    assert len(code.splitlines()) <= 40
    path = tmp_path / "added.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("added", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "added", module)
    spec.loader.exec_module(module)
    (added,) = (value for value in vars(module).values() if isinstance(value, Activation))
    assert added.name not in registry.activations(), "it would show nothing"
    assert f"actbench/activations/{added.name}.py" in CONTRIBUTING
    register(monkeypatch, added)
    return added


def test_the_walk_through_in_contributing_adds_an_activation_that_the_oracle_accepts(
    walked_through: Activation, bench: FakeBench
) -> None:
    added = walked_through
    arms = tuple(
        Arm(Variant(strategy), backend) for strategy in added.strategies for backend in ("python", "numpy", "numba")
    )
    plan = Plan((Block(added.name, Op.STEP, Dtype.FLOAT64, 10, arms),), seed=0)
    checks = [event.check for event in all_passing(Verification(plan).check_kernels(bench.launch))]
    assert {check.kernel.strategy for check in checks} == {"recompute", "cached"}
    assert all(check.max_ulp <= STATED_ULP for check in checks if check.kernel.strategy == "recompute")


def test_what_the_walk_through_adds_is_listed_measured_and_shown(
    walked_through: Activation, actbench: Actbench
) -> None:
    name = walked_through.name
    assert f"{name} " in actbench("list", "activations").stdout
    done = actbench("run", "-a", name, "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", "1000")
    assert done.exit_code == 0, done.output
    assert name in actbench("compare", "latest").stdout
    assert walked_through.reference in actbench("show", f"{name}/cached/numpy/step/float64/10").stdout
