"""What commands do with gated activations, y = g(a) b, with those of a user's file, and with those along rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Actbench


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("accuracy", "-a", "glu", "--residuals", "exact"), "--residuals exact is for activations of one input"),
        (("accuracy", "-a", "glu", "--exhaustive"), "--exhaustive is for activations of one input"),
        (("train", "-a", "swiglu"), "the network glu-ffn multiplies g(a) by b, so name its g, such as silu"),
        (("recommend", "-a", "reglu", "--within", "mlp:8-8-4"), "the network glu-ffn multiplies g(a) by b"),
        (("run", "-a", "swiglu", "--op", "derivative"), "use --op backward, or --op step"),
    ],
)
def test_what_takes_one_input_refuses_a_gated_activation_with_the_way_out(
    actbench: Actbench, words: tuple[str, ...], reason: str
) -> None:
    result = actbench(*words)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("accuracy", "--residuals", "exact"), "--residuals exact is for activations of one element: leave it out"),
        (("accuracy", "--exhaustive"), "--exhaustive is for activations of one element: leave it out"),
        (("train",), "networks have activations of one element: use actbench run"),
    ],
)
def test_what_takes_one_element_refuses_an_activation_along_rows_with_the_way_out(
    actbench: Actbench, words: tuple[str, ...], reason: str
) -> None:
    result = actbench(*words, "-a", "softmax")
    assert result.exit_code == 2
    assert f"'softmax' works along rows, and {reason}" in result.stderr


def test_accuracy_surveys_the_worse_gradient_by_band_of_a(actbench: Actbench) -> None:
    result = actbench("accuracy", "-a", "glu", "-b", "numpy", "-d", "float32", "--points", "20")
    assert result.exit_code == 0, result.output
    assert "the worse of the gradients of a and b, z being a" in " ".join(result.output.split())
    assert "glu          cached" in result.output


GATE = """
from actbench import Formulas, Strategy, activation

@activation
def mine(m):
    "2 a b"
    return Formulas(forward=lambda a, b: 2.0 * a * b, recompute={0}, uncached="no")
"""


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("lambda a, b: 2.0 * b", "returns a ndarray: return two factors of dy, b g'(a) for a and g(a) for b"),
        (
            "lambda b, a: (2.0 * b, 2.0 * a)",
            "keeps (b, a): it can keep (a, b), (y, b), (a, b, y), or one array of its own",
        ),
        (
            "lambda a, b, s: (2.0 * b, s)",
            "keeps s, which nothing saves: return Strategy(derivative, save=...), save(a, b) giving",
        ),
        (
            "Strategy(lambda b, s: (b, s), save=lambda a: (a, a))",
            "has a save that takes (a): write a function of a and b",
        ),
    ],
)
def test_a_strategy_that_cannot_be_executed_is_refused_where_it_is_loaded(
    actbench: Actbench, strategy: str, reason: str
) -> None:
    Path("mine.py").write_text(GATE.format(strategy), encoding="utf-8")
    result = actbench("list", "activations", "--load", "mine.py")
    assert result.exit_code == 2, result.output
    assert reason in " ".join(result.stderr.split())


def test_a_kernel_for_a_gated_activation_is_refused_with_the_way_out(actbench: Actbench) -> None:
    declared = '@kernel("glu", name="fast", op="backward", backends=("numpy",))'
    code = f"from actbench import kernel\n\n{declared}\ndef fast(dy, z):\n    return dy\n"
    Path("fast.py").write_text(code, encoding="utf-8")
    result = actbench("list", "activations", "--load", "fast.py")
    assert result.exit_code == 2
    assert 'is for glu, which is gated: write a strategy, @strategy("glu")' in " ".join(result.stderr.split())
