from __future__ import annotations

import math
from pathlib import Path

import pytest

from actbench import activations
from actbench.errors import InputError
from actbench.formula import Dialect
from actbench.model import STRATEGIES
from tests import kernels


def test_every_activation_file_is_discovered_and_summarised() -> None:
    files = {path.stem.replace("_", "-") for path in Path(activations.__file__).parent.glob("[!_]*.py")}
    assert set(activations.catalogue()) == files
    assert all(activation.summary for activation in activations.catalogue().values())


def test_every_strategy_is_one_of_the_vocabulary() -> None:
    for activation in activations.catalogue().values():
        assert set(activation.strategies) <= set(STRATEGIES)
        assert "recompute" in activation.strategies


def test_an_independent_truth_is_known_for_every_activation() -> None:
    assert set(kernels.TRUTH) == set(activations.catalogue())


def test_an_unknown_activation_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown activation 'logistc': did you mean 'logistic'"):
        activations.get("logistc")


@pytest.mark.parametrize(
    ("activation", "strategy", "residuals"),
    [
        ("identity", "recompute", ("z",)),
        ("logistic", "textbook", ("z",)),
        ("logistic", "recompute", ("z",)),
        ("logistic", "cached", ("y",)),
        ("logistic", "complement", ("c",)),
        ("tanh", "textbook", ("z",)),
        ("tanh", "recompute", ("z",)),
        ("tanh", "cached", ("y",)),
        ("tanh", "complement", ("c",)),
        ("silu", "intermediate", ("z", "s")),
        ("silu", "pair", ("z", "y")),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_the_name_of_its_parameter_is_what_a_strategy_keeps(
    activation: str, strategy: str, residuals: tuple[str, ...], dialect: Dialect
) -> None:
    assert activations.get(activation).rule(strategy, dialect, math).residuals == residuals
