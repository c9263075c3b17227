# ruff: noqa: E501  # tables of what is written and what is said
"""Mistakes in the row activations, and in the gated ones, of a user's file: one sentence with the way out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench.formula import Activation, Formulas, Piecewise, Strategy
from actbench.model import row_graph
from actbench.plugins._row_requirements import unsupported_along_rows
from tests.conftest import Actbench
from tests.unit.test_loading import refused, write

m: Any = row_graph.TRACING

INSTEAD = "along rows, operators are + - * / < > and the minus sign"
LIBRARY = "a function of a library cannot take an array of a formula: call those of m, such as m.exp(z) and m.sum(z)"
FUNCTIONS = "m.exp, m.expm1, m.log, m.log1p, m.sqrt, m.tanh, m.sum, m.max, m.where, m.pick, m.replace"


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        (lambda z: z if z > 0.0 else -z, "a formula cannot branch on its arrays: along rows, write m.where(condition, x, y)"),
        (lambda z: m.where(z == m.max(z), z, 0.0), f"'==': {INSTEAD}"),
        (lambda z: m.where(z >= 0.0, z, 0.0), f"'>=': {INSTEAD}"),
        (lambda z: z**2, f"'**': {INSTEAD}; write a power as a product"),
        (abs, "abs: along rows, write m.where(x > 0.0, x, -x)"),
        (lambda z: z[0], "an array of a formula has no parts: m.sum and m.max reduce a row"),
        (np.exp, LIBRARY),
        (np.mean, LIBRARY),
        (math.exp, LIBRARY),
        (lambda z: m.sin(z + 1.0), f"m.sin: along rows, functions are {FUNCTIONS}"),
        (lambda z: m.sum(z, axis=-1), "along rows, write m.sum(x), without options"),
        (lambda z: m.sum(m.max(z)), "m.sum takes one number an element, and this is one number a row already"),
        (lambda z: z + True, "a formula of rows is made of arrays and numbers, not of a bool"),
        (lambda _: None, "<lambda>(z) returns nothing: return what it computes"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_along_rows_is_refused_with_the_way_out(
    formula: Callable[[Any], Any], sentence: str
) -> None:
    with pytest.raises(TypeError) as refusal:
        row_graph.traced(lambda z: formula(z + 1.0))
    assert str(refusal.value) == sentence


def less_sum(z: Any) -> Any:
    """Return z less its sum."""
    return z - m.sum(z)


def gradient(dy: Any, z: Any) -> Any:
    """Return what a strategy might."""
    return dy - m.sum(dy) + 0.0 * z


@pytest.mark.parametrize(
    ("formulas", "reason"),
    [
        (
            Formulas(forward=lambda z: m.exp(-z), recompute=lambda dy, z: -dy * m.exp(-z)),
            "takes dy, as those of row activations do, but its forward function reduces no row, by m.sum or m.max: let it take what it keeps alone, and return g', as in def recompute(z)",
        ),
        (
            Formulas(forward=less_sum, recompute=Strategy(gradient, second=lambda z: z)),
            "has a second, and there is no g'' along rows: leave it out",
        ),
        (
            Formulas(forward=less_sum, recompute=Piecewise(scalar=gradient, array=gradient)),
            "has a Piecewise, and there are no branches along rows: write one function, with m.where",
        ),
        (
            Formulas(forward=less_sum, recompute=gradient, kinks={0.0: 1.0}, at_nan=0.0),
            "works along rows, where there is no g' of one z: leave out kinks and at_nan",
        ),
        (
            Formulas(forward=less_sum, recompute=lambda dy, z, total: dy - total + 0.0 * z),
            "keeps total, which nothing saves: return Strategy(recompute, save=...), save(z) giving y, total",
        ),
        (
            Formulas(forward=less_sum, recompute=Strategy(gradient, save=lambda z: (z, z))),
            "saves what it does not keep: let it take what is saved",
        ),
        (
            Formulas(forward=less_sum, recompute=Strategy(lambda dy, total: dy - total, save=lambda a, b: (a, b))),
            "has a save that does not take (z), as forward does",
        ),
        (
            Formulas(forward=less_sum, recompute=Strategy(lambda dy, total: dy - total, save=lambda z: (z, z, m.sum(z)))),
            "has a save that returns 3 arrays: return y, total",
        ),
        (
            Formulas(forward=less_sum, recompute=lambda dy, z: (dy, z)),
            "returns no gradient: return one array, of as many elements as z",
        ),
    ],
)  # fmt: skip
def test_a_strategy_that_makes_no_sense_along_rows_is_refused(formulas: Formulas, reason: str) -> None:
    activation = Activation("mine", "", lambda _: formulas)
    assert unsupported_along_rows(activation, "recompute", formulas.strategies["recompute"]) == reason


FILE = """
from actbench import Formulas, Strategy, activation

@activation
def mine(m):
    "mine"
    return Formulas({0}, uncached="no")
"""


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ("forward=lambda z: z / m.sum(abs(z)), recompute=lambda dy, z: dy", "activation 'mine': line 7 raised TypeError: abs: along rows, write m.where(x > 0.0, x, -x): correct that line"),
        ("forward=lambda a, b: a * b, recompute=Strategy(lambda a, b: (b, a), second=lambda a, b: b)", "strategy 'recompute' of mine has a second, and a gated activation has three second derivatives, which nothing measures: leave it out"),
    ],
)  # fmt: skip
def test_such_a_mistake_is_said_of_the_file_and_its_line(actbench: Actbench, declared: str, sentence: str) -> None:
    write(FILE.format(declared))
    assert refused(actbench, "list", "activations", "--load", "mine.py") == f"--load mine.py: {sentence}"
