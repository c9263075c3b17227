"""What the branch-free functions should return: by the functions of a library, and where no library need be called."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

BELLS = {"logistic_derivative": (1.0, 1.0), "tanh_derivative": (2.0, 4.0)}
"""Functions a e / (1 + e)^2 with e = exp(-b |x|): b and a."""

CROSSINGS = {
    "silu_derivative": (-1.278, 0.25),
    "gelu_tanh_derivative": (-0.7525, 0.2),
    "mish_derivative": (-1.1925, 0.2),
    "gelu_derivative": (-1.425, 0.975),
}
"""Sigmoids that change sign: where, and the distance within which few digits may be left, as activations declare."""

UNSIGNED = ("gelu_derivative",)
"""Whose 0 has no sign, though they come from below."""

AT_ONCE = (*BELLS, "logistic", *CROSSINGS, "gaussian_derivative", "capped_exp")
"""Functions that no library has, made of its exponential and the like."""

PERIODIC = ("sin", "cos")
LIMITS = {"float32": 1e4, "float64": 1e8}
"""Beyond these, the periodic functions are undefined."""

FAR_OUT = 1000.0
GROWING = ("exp", "expm1", "sinh", "cosh", "erfc", *AT_ONCE)
"""What over- or underflows float64, or is constant, far out, and Arb's exponents still further."""


CRITICAL: dict[str, tuple[tuple[float, float], ...]] = {
    "exp": ((-1.0, 1.0), (-745.2, -700.0), (700.0, 709.9), (-40.0, 40.0)),
    "expm1": ((-0.8, 0.8), (0.3, 1.2), (-40.0, 1.0), (700.0, 709.9)),
    "log": ((0.4, 3.0), (0.98, 1.02), (0.6, 0.8), (1.3, 1.5)),
    "log1p": ((-0.7, 2.0), (-0.02, 0.02), (-1.0, -0.2), (0.3, 0.5)),
    "tanh": ((-0.6, 0.6), (0.1, 1.2), (-20.0, 20.0), (0.15, 0.3)),
    "sinh": ((-1.2, 1.2), (0.3, 0.6), (-40.0, 40.0), (700.0, 710.5)),
    "cosh": ((-1.2, 1.2), (0.3, 0.6), (-40.0, 40.0), (700.0, 710.5)),
    "erf": ((-1.1, 1.1), (0.9, 1.1), (1.0, 2.0), (-6.2, 6.2)),
    "erfc": ((-1.0, 1.0), (0.4, 0.6), (0.5, 6.0), (5.0, 27.3), (26.5, 27.3)),
    "sin": ((-1.0, 1.0), (0.7, 0.9), (-20.0, 20.0), (-1e8, 1e8)),
    "cos": ((-1.0, 1.0), (0.7, 0.9), (-20.0, 20.0), (-1e8, 1e8)),
    "atan": ((-0.6, 0.6), (0.45, 0.6), (0.4, 2.2), (1.8, 6.0)),
    "logistic_derivative": ((-1.0, 1.0), (-40.0, 40.0), (-746.0, -700.0)),
    "tanh_derivative": ((-1.0, 1.0), (-20.0, 20.0), (350.0, 374.0)),
    "logistic": ((-2.5, 2.5), (-40.0, 40.0), (-746.0, -700.0)),
    "silu_derivative": ((-2.5, 2.5), (-40.0, 40.0), (-760.0, -700.0)),
    "gelu_tanh_derivative": ((-2.5, 2.5), (-22.0, 10.0), (-22.0, -20.0)),
    "mish_derivative": ((-2.5, 2.5), (-40.0, 40.0), (-760.0, -700.0)),
    "gelu_derivative": ((-2.5, 2.5), (-38.8, 38.8), (-38.8, -37.0)),
    "gaussian_derivative": ((-2.5, 2.5), (-27.5, 27.5), (26.0, 27.5)),
    "capped_exp": ((-1.0, 1.0), (-40.0, 0.0), (-746.0, -700.0)),
}
"""Where the functions change over, over- or underflow; a quarter of the samples is everywhere, and the rest is here."""


class _Arb:
    """Arb's functions, which are methods of its numbers."""

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        return lambda x: getattr(x, name)()


Arb = _Arb()


def definition(function: str, library: Any) -> Callable[[Any], Any]:
    """Return the truth of a function by a library: its function of that name, or what its exponential gives."""
    if function in BELLS:
        return _bell(library.exp, *BELLS[function])
    if function in AT_ONCE:
        return _at_once(library)[function]
    truth: Callable[[Any], Any] = getattr(library, function)
    return truth


def _bell(exp: Callable[[Any], Any], steepness: float, factor: float) -> Callable[[Any], Any]:
    def bell(x: Any) -> Any:
        e = exp(-steepness * abs(x))
        return factor * e / ((1 + e) * (1 + e))

    return bell


def _at_once(library: Any) -> dict[str, Callable[[Any], Any]]:
    exp, erfc, sqrt, atan = library.exp, library.erfc, library.sqrt, library.atan

    def logistic(x: Any) -> Any:
        e = exp(-abs(x))
        return 1 / (1 + e) if x > 0 else e / (1 + e)

    def silu_derivative(x: Any) -> Any:
        e = exp(-abs(x))
        below = e * (1 - abs(x) + e) / ((1 + e) * (1 + e))
        return 1 - below if x > 0 else below

    def gelu_tanh_derivative(x: Any) -> Any:
        one = 0 * x + 1
        slope, cubic = sqrt(2 / atan(one)), 44715 * one / 1000000
        e = exp(-slope * abs(x) * (1 + cubic * x * x))
        below = e * (1 - slope * abs(x) * (1 + 3 * cubic * x * x) + e) / ((1 + e) * (1 + e))
        return 1 - below if x > 0 else below

    def mish_derivative(x: Any) -> Any:
        e = exp(-abs(x))
        d = 1 + 2 * e * (1 + e) if x > 0 else 2 + e * (2 + e)
        if x > 0:
            return (1 + e * (4 + e * (4 * x + 6 + 4 * e * (1 + x)))) / (d * d)
        return e * (4 * (1 + x) + e * (4 * x + 6 + e * (4 + e))) / (d * d)

    def gelu_derivative(x: Any) -> Any:
        one = 0 * x + 1
        return erfc(-x / sqrt(2 * one)) / 2 + x * exp(-x * x / 2) / sqrt(8 * atan(one))

    def gaussian_derivative(x: Any) -> Any:
        return -2 * x * exp(-x * x)

    def capped_exp(x: Any) -> Any:
        return exp(x if x < 0 else 0 * x)

    truths = (logistic, silu_derivative, gelu_tanh_derivative, mish_derivative, gelu_derivative)
    return {truth.__name__: truth for truth in (*truths, gaussian_derivative, capped_exp)}


AT_0 = {"exp": 1.0, "cosh": 1.0, "erfc": 1.0, "cos": 1.0, "log": -math.inf, "logistic_derivative": 0.25}
AT_0 |= {"tanh_derivative": 1.0, "capped_exp": 1.0, "mish_derivative": 0.6, "logistic": 0.5, "gelu_derivative": 0.5}
AT_0 |= {"silu_derivative": 0.5, "gelu_tanh_derivative": 0.5}
AT_PLUS = {"tanh": 1.0, "erf": 1.0, "atan": math.pi / 2, "erfc": 0.0} | dict.fromkeys(BELLS, 0.0)
AT_PLUS |= dict.fromkeys(AT_ONCE[len(BELLS) :], 1.0) | {"gaussian_derivative": -0.0}
AT_MINUS = {"exp": 0.0, "expm1": -1.0, "cosh": math.inf, "erfc": 2.0, "logistic": 0.0, "capped_exp": 0.0}
AT_MINUS |= dict.fromkeys(CROSSINGS, -0.0) | dict.fromkeys((*BELLS, *UNSIGNED), 0.0)
"""Values at 0 and at the infinities; what is absent is 0 at 0, with the sign of x, and odd at minus infinity."""


def special_truth(function: str, x: float) -> float | None:
    """Return the truth where it is no finite real, or the sign of a zero counts."""
    if abs(x) > FAR_OUT:
        x = math.copysign(math.inf, x) if function in GROWING else x
    if function in PERIODIC and abs(x) > LIMITS["float64"]:
        return math.nan
    if math.isnan(x) or (x < 0 and function == "log") or (x < -1 and function == "log1p"):
        return math.nan
    if x == 0:
        return AT_0.get(function, -x if function == "gaussian_derivative" else x)
    if math.isinf(x):
        at_plus = AT_PLUS.get(function, math.inf)
        return at_plus if x > 0 else AT_MINUS.get(function, -at_plus)
    return -math.inf if function == "log1p" and x == -1 else None
