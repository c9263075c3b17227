"""What the branch-free functions should return: by the functions of a library, and where no library need be called."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

BELLS = {"logistic_derivative": (1.0, 1.0), "tanh_derivative": (2.0, 4.0)}
"""Functions a e / (1 + e)^2 with e = exp(-b |x|): b and a."""

PERIODIC = ("sin", "cos")
LIMITS = {"float32": 1e4, "float64": 1e8}
"""Beyond these, the periodic functions are undefined."""

FAR_OUT = 1000.0
GROWING = ("exp", "expm1", "sinh", "cosh", "erfc", *BELLS)
"""What over- or underflows float64, or is constant, far out, and Arb's exponents still further."""


class _Arb:
    """Arb's functions, which are methods of its numbers."""

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        return lambda x: getattr(x, name)()


Arb = _Arb()


def definition(function: str, library: Any) -> Callable[[Any], Any]:
    """Return the truth of a function by a library: its function of that name, or what its exponential gives."""
    if function not in BELLS:
        truth: Callable[[Any], Any] = getattr(library, function)
        return truth
    steepness, factor = BELLS[function]
    exp = library.exp

    def bell(x: Any) -> Any:
        e = exp(-steepness * abs(x))
        return factor * e / ((1 + e) * (1 + e))

    return bell


def special_truth(function: str, x: float) -> float | None:
    """Return the truth where it is no finite real, or the sign of a zero counts."""
    if abs(x) > FAR_OUT:
        x = math.copysign(math.inf, x) if function in GROWING else x
    if function in PERIODIC and abs(x) > LIMITS["float64"]:
        return math.nan
    if math.isnan(x) or (x < 0 and function == "log") or (x < -1 and function == "log1p"):
        return math.nan
    if x == 0:
        at_zero = {"exp": 1.0, "cosh": 1.0, "erfc": 1.0, "cos": 1.0, "log": -math.inf}
        return (at_zero | {"logistic_derivative": 0.25, "tanh_derivative": 1.0}).get(function, x)
    if math.isinf(x):
        if function in BELLS:
            return 0.0
        at_plus = {"tanh": 1.0, "erf": 1.0, "atan": math.pi / 2, "erfc": 0.0}.get(function, math.inf)
        at_minus = {"exp": 0.0, "expm1": -1.0, "cosh": math.inf, "erfc": 2.0}.get(function, -at_plus)
        return at_plus if x > 0 else at_minus
    return -math.inf if function == "log1p" and x == -1 else None
