"""What users declare in files: an activation that a test writes to the current directory and loads, and a strategy."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from actbench import plugins

HEAD = """\
import mpmath
import numpy as np
from actbench.formula import Formulas, Piecewise, Strategy, activation

"""
STRATEGY = """\
from actbench.formula import Strategy, strategy

@strategy("logistic")
def mine(m):
    '''from z'''
    def derivative(z):
        e = m.exp(-abs(z))
        d = 1.0 + e
        return e / (d * d)
    return Strategy(derivative)
"""
"""A file with a strategy for an activation that is built in."""


def declare(forward: str, derivative: str = "0.0 * z + 1.0", more: str = "") -> None:
    """Load an activation called mine, whose derivative is its strategy recompute."""
    Path("mine.py").write_text(
        HEAD
        + dedent(f"""
            @activation
            def mine(m):
                '''mine'''
                def forward(z): return {forward}
                def derivative(z): return {derivative}
                return Formulas(forward=forward, recompute=derivative{more})
        """)
    )
    plugins.load("mine.py")
