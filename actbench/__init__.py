"""Microbenchmarks of activation derivatives: re-evaluate the exponential, or reuse the cached activation.

The public names are those that a file of your own needs (`actbench run --load FILE.py`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actbench.backends import Backend
    from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, strategy

__all__ = ["Backend", "Flaw", "Formulas", "Piecewise", "Strategy", "Weakness", "__version__", "activation", "strategy"]
__version__ = "0.2.0"

if not TYPE_CHECKING:  # a type checker would take every name for one of this module

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used: `import actbench` alone imports neither numpy nor numba."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module("actbench.backends" if name == "Backend" else "actbench.formula"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
