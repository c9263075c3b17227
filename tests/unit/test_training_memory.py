from __future__ import annotations

from collections.abc import Iterable

import pytest

from actbench import registry
from actbench.kernels.training_memory import KeptBytes, predicted
from actbench.model.names import Dtype
from actbench.model.training import FREE, Optimizer
from tests.support.training import BATCH, DECLARED, ODD, arms, arrays, step

KINDS = ("relu", "logistic", "silu", "identity")
"""Activations with all kinds of strategies between them: what is kept is z, y, both, an array beside them, nothing."""

NARROW = ("float16", "float32")

HIDDEN, OUTPUT = 128 * 512, 128 * 10
"""Elements of what mlp:784-512-10 makes of a batch of 128."""


def supported(names: Iterable[str], activations: Iterable[str]) -> list[tuple[str, str, str]]:
    return [
        (name, activation, arm)
        for name in names
        for activation in activations
        for arm in arms(activation, NARROW)
        if step(name, arm, activation).unsupported is None
    ]


def counted(name: str, arm: str, activation: str, backend: str = "numpy") -> KeptBytes:
    """Count what steps hold, without g' and with it."""
    of = step(name, arm, activation, backend)
    kept, alive = (one.step(arrays(one), Optimizer.SGD).kept_bytes() for one in (of, of.beside(FREE)))
    return KeptBytes(alive, kept - alive)


@pytest.mark.parametrize("name", [*DECLARED, *ODD])
def test_what_declarations_predict_is_what_steps_of_any_network_hold(name: str) -> None:
    cases = supported([name], KINDS)
    assert {case: predicted(step(name, case[2], case[1]), BATCH) for case in cases} == {
        case: counted(name, case[2], case[1]) for case in cases
    }


def test_what_declarations_predict_is_what_every_strategy_holds() -> None:
    cases = supported(["glu-ffn:6-8"], registry.elementwise())
    assert len(cases) > 100
    assert {case: predicted(step(case[0], case[2], case[1]), BATCH) for case in cases} == {
        case: counted(case[0], case[2], case[1]) for case in cases
    }


def test_what_declarations_predict_is_what_loops_that_write_their_results_hold() -> None:
    for arm in ("recompute", "pair:float16", "intermediate", "checkpoint", "free"):
        of = step("twice:5-4" if arm != "checkpoint" else "ffn:5-8", arm, backend="numpy+numba-simd")
        assert predicted(of, BATCH) == counted(of.network.name, arm, "silu", "numpy+numba-simd")


@pytest.mark.parametrize(
    ("activation", "arm", "for_gradient"),
    [
        ("logistic", "recompute", 4 * HIDDEN),
        ("logistic", "cached", 0),
        ("logistic", "cached:float16", 2 * HIDDEN),
        ("logistic", "complement", 4 * HIDDEN),
        ("silu", "intermediate", 8 * HIDDEN),
        ("silu", "intermediate:float16", 4 * HIDDEN),
        ("silu", "pair", 4 * HIDDEN),
        ("silu", "pair:float16", 4 * HIDDEN),
        ("silu", "checkpoint", 0),
        ("silu", "free", 0),
    ],
)
def test_y_is_kept_by_the_next_layer_and_z_for_its_derivative_alone(
    activation: str, arm: str, for_gradient: int
) -> None:
    of = step("mlp:784-512-10", arm, activation, dtype=Dtype.FLOAT32)
    kept = predicted(of, 128)
    assert kept == KeptBytes(4 * (HIDDEN + OUTPUT), for_gradient)
    assert kept.total == 4 * (HIDDEN + OUTPUT) + for_gradient


def test_nothing_is_predicted_of_a_gradient_that_a_framework_ships() -> None:
    assert predicted(step("mlp:784-512-10", "shipped"), 128) is None
