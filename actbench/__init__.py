"""Microbenchmarks of activation derivatives: re-evaluate the exponential, or reuse the cached activation.

The public names are those that a file of your own needs (`actbench run --load FILE.py`), and those with which Python
measures and reads runs: `open_run`, `measure`, `accuracy`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # for a type checker it is True: importing typing takes as long as all else here

if TYPE_CHECKING:
    from actbench.api.measuring import measure
    from actbench.api.opened import open_run
    from actbench.api.surveying import accuracy
    from actbench.backends import Backend
    from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, strategy
    from actbench.model.networks import Activate, Linear, Multiply, network
    from actbench.model.user_kernels import kernel

_HOMES = {
    "Backend": "actbench.backends",
    "accuracy": "actbench.api.surveying",
    "kernel": "actbench.model.user_kernels",
    "measure": "actbench.api.measuring",
    "open_run": "actbench.api.opened",
} | dict.fromkeys(("Activate", "Linear", "Multiply", "network"), "actbench.model.networks")
"""The modules of the public names; `actbench.formula` has all others."""

__all__ = [
    "Activate",
    "Backend",
    "Flaw",
    "Formulas",
    "Linear",
    "Multiply",
    "Piecewise",
    "Strategy",
    "Weakness",
    "__version__",
    "accuracy",
    "activation",
    "kernel",
    "measure",
    "network",
    "open_run",
    "strategy",
]
__version__ = "0.3.0.dev0"

if not TYPE_CHECKING:  # a type checker would take every name for one of this module

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used: `import actbench` alone imports neither numpy nor numba."""
        if name not in {*__all__, "errors"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        if name == "errors":  # its exceptions are documented as attributes of this package
            return import_module("actbench.errors")
        value = getattr(import_module(_HOMES.get(name, "actbench.formula")), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
