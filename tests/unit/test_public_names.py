from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import actbench
from actbench import backends, formula
from actbench.api import measuring, opened, surveying
from actbench.model import networks, user_kernels

PUBLIC = {
    "activation": formula.activation,
    "strategy": formula.strategy,
    "Formulas": formula.Formulas,
    "Strategy": formula.Strategy,
    "Piecewise": formula.Piecewise,
    "Weakness": formula.Weakness,
    "Flaw": formula.Flaw,
    "Backend": backends.Backend,
    "kernel": user_kernels.kernel,
    "network": networks.network,
    "Linear": networks.Linear,
    "Activate": networks.Activate,
    "Multiply": networks.Multiply,
    "accuracy": surveying.accuracy,
    "measure": measuring.measure,
    "open_run": opened.open_run,
}

FRESH = """
import sys
import actbench
assert not {"numpy", "numba"} & sys.modules.keys()
from actbench import Backend, Flaw, Formulas, Linear, Piecewise, Strategy, Weakness
from actbench import activation, kernel, network, strategy
assert "numba" not in sys.modules
"""


def test_the_public_names_are_these() -> None:
    assert {*actbench.__all__} == {*PUBLIC, "__version__"}
    assert {*PUBLIC} <= {*dir(actbench)}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_what_it_is_where_it_is_defined(name: str) -> None:
    assert getattr(actbench, name) is PUBLIC[name]


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'actbench' has no attribute 'activations_'"):
        _ = actbench.activations_  # type: ignore[attr-defined]


def test_importing_the_package_imports_no_library() -> None:
    subprocess.run([sys.executable, "-c", FRESH], check=True)


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(actbench.__file__).with_name("py.typed").is_file()
