"""An activation of a user's that a test declares in a file of the current directory, and loads."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from actbench import plugins

HEAD = """\
import mpmath
import numpy as np
from actbench.formula import Formulas, Piecewise, Strategy, activation

"""


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
