"""The functions that minimax polynomials approximate, with their intervals, degrees and formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import mpmath
from mpmath import mpf

Real = Callable[[Any], Any]


@dataclass(frozen=True)
class Target:
    """A function on [low, high], and the weight that turns its absolute error into a relative one."""

    formula: str
    relative_to: str
    function: Real
    weight: Real
    low: float
    high: float


@dataclass(frozen=True)
class Fit:
    """A polynomial to fit: its target, degree and format."""

    name: str
    target: Target
    degree: int
    dtype: str


HALF_LN2 = 0.34658  # a little more than ln(2)/2, for the rounding of x/ln(2)
SKEW = 0.0585  # as in exponential.py
NEAR = 0.75  # as in complementary.py
HALFWAY = {"float32": 2.375, "float64": 3.5}  # as in complementary.py; with these, rounding hardly changes the constant
SCALE = 21 / 64  # as in complementary.py
GELU_VANISHES = {"float32": 14.6, "float64": 38.7}  # as in normal.py
GELU_HALFWAY = {"float32": 4.0, "float64": 6.0}  # as in normal.py
EIGHTH_TURN = 0.787  # a little more than pi/4, for the rounding of x/(pi/2)
TABLE = {"float32": 16, "float64": 8}  # entries, as in table.py
SQRT2 = 2.0**0.5
SQRT_HALF = 0.5**0.5


def _expm1_tail(r: Any) -> Any:
    return (mpmath.expm1(r) - r) / r**2


def _log1p_tail(f: Any) -> Any:
    return (mpmath.log1p(f) - f + f**2 / 2) / f**3


def _even(formula: str, relative_to: str, function: Real, weight: Real, farthest: float) -> Target:
    """Return an even function on [-farthest, farthest] as a function of the square."""
    return Target(
        f"{formula} of the square",
        relative_to,
        lambda z: function(mpmath.sqrt(z)),
        lambda z: weight(mpmath.sqrt(z)),
        0.0,
        farthest**2,
    )


DEGREES = {
    "float32": {
        "EXP": 4,
        "EXP_CENTRED": 4,
        "EXP_TABULATED": 1,
        "EXPM1": 5,
        "SINH": 2,
        "COSH": 2,
        "LOG": 7,
        "ATAN": 8,
        "ERF": 6,
        "LOG_ERFC": 7,
        "ERFC_NEAR_0": 5,
        "ERFCX": 9,
        "MILLS": 9,
        "SIN": 2,
        "COS": 3,
    },
    "float64": {
        "EXP": 9,
        "EXP_CENTRED": 9,
        "EXP_TABULATED": 5,
        "EXPM1": 10,
        "SINH": 4,
        "COSH": 4,
        "LOG": 6,
        "ATAN": 11,
        "ERF": 12,
        "LOG_ERFC": 18,
        "ERFC_NEAR_0": 10,
        "ERFCX": 20,
        "MILLS": 20,
        "SIN": 5,
        "COS": 6,
    },
}
"""The lowest degrees at which the error stays well below a unit in the last place."""

EXP = Target(
    "(e^r - 1 - r) / r^2", "e^r", _expm1_tail, lambda r: r**2 / mpmath.exp(r), SKEW - HALF_LN2, SKEW + HALF_LN2
)
EXP_CENTRED = replace(EXP, low=-HALF_LN2, high=HALF_LN2)
EXPM1 = Target(EXP.formula, "expm1(r)", _expm1_tail, lambda r: r**2 / mpmath.expm1(r), -HALF_LN2, HALF_LN2)
SINH = _even(
    "(sinh(r) - r) / r^3", "sinh(r)", lambda r: (mpmath.sinh(r) - r) / r**3, lambda r: r**3 / mpmath.sinh(r), HALF_LN2
)
COSH = _even(
    "(cosh(r) - 1) / r^2",
    "cosh(r)",
    lambda r: 2 * mpmath.sinh(r / 2) ** 2 / r**2,
    lambda r: r**2 / mpmath.cosh(r),
    HALF_LN2,
)
LOG = Target(
    "(log(1 + f) - f + f^2/2) / f^3",
    "log(1 + f)",
    _log1p_tail,
    lambda f: f**3 / mpmath.log1p(f),
    SQRT_HALF - 1.0,
    SQRT2 - 1.0,
)
ATANH = _even(
    "(2 atanh(s) - 2 s) / s^3",
    "2 atanh(s)",
    lambda s: (2 * mpmath.atanh(s) - 2 * s) / s**3,
    lambda s: s**3 / (2 * mpmath.atanh(s)),
    (SQRT2 - 1.0) / (SQRT2 + 1.0),
)
ERF = _even("erf(x) / x - 1", "erf(x)", lambda x: mpmath.erf(x) / x - 1, lambda x: x / mpmath.erf(x), 1.0)


ERFC_NEAR_0 = _even("erf(x) / x - 1", "erfc(x)", lambda x: mpmath.erf(x) / x - 1, lambda x: x / mpmath.erfc(x), NEAR)


SIN = _even(
    "(sin(r) - r) / r^3", "sin(r)", lambda r: (mpmath.sin(r) - r) / r**3, lambda r: r**3 / mpmath.sin(r), EIGHTH_TURN
)
COS = _even(
    "(cos(r) - 1) / r^2",
    "cos(r)",
    lambda r: -2 * mpmath.sin(r / 2) ** 2 / r**2,
    lambda r: r**2 / mpmath.cos(r),
    EIGHTH_TURN,
)


def _tabulated(entries: int) -> Target:
    return replace(EXP, low=-HALF_LN2 / entries, high=HALF_LN2 / entries)


def _atan(farthest: float) -> Target:
    return _even(
        "(atan(t) - t) / t^3",
        "atan(t)",
        lambda t: (mpmath.atan(t) - t) / t**3,
        lambda t: t**3 / mpmath.atan(t),
        farthest,
    )


def _log_erfc(farthest: float) -> Target:
    """Return log(erfc x), whose absolute error is a relative error of erfc, weighted relative to erf = 1 - erfc."""
    return Target(
        "log(erfc(x))",
        "erf(x)",
        lambda x: mpmath.log(mpmath.erfc(x)),
        lambda x: mpmath.erfc(x) / mpmath.erf(x),
        1.0,
        farthest,
    )


def _erfcx(farthest: float, halfway: float) -> Target:
    """Return erfcx(x) = e^(x^2) erfc(x) without its decay by 1/x, which is nearly a constant."""

    def left_over(q: Any) -> Any:
        x = halfway * (1 + q) / (1 - q)
        return (x + mpf(0.5)) * mpmath.exp(x**2) * mpmath.erfc(x) / SCALE

    return Target(
        f"64/21 (x + 1/2) erfcx(x) of (x - {halfway}) / (x + {halfway})",
        "itself",
        left_over,
        lambda q: 1 / left_over(q),
        (NEAR - halfway) / (NEAR + halfway),
        (farthest - halfway) / (farthest + halfway),
    )


def _mills(farthest: float, halfway: float) -> Target:
    """Return e^(x^2 / 2) times the normal distribution function at -x, which is 1 / x of a density farther out."""

    def size(q: Any) -> Any:
        return halfway * (1 + q) / (1 - q)

    def ratio(q: Any) -> Any:
        x = size(q)
        return mpmath.exp(x**2 / 2) * mpmath.erfc(x / mpmath.sqrt(2)) / 2

    return Target(
        f"erfcx(x/sqrt(2)) / 2 of (x - {halfway}) / (x + {halfway})",
        "it + x / sqrt(2 pi)",
        ratio,
        lambda q: 1 / (ratio(q) + size(q) / mpmath.sqrt(2 * mpmath.pi)),
        -1.0,
        (farthest - halfway) / (farthest + halfway),
    )


TARGETS = {
    "float32": {
        "EXP": EXP,
        "EXP_CENTRED": EXP_CENTRED,
        "EXP_TABULATED": _tabulated(TABLE["float32"]),
        "EXPM1": EXPM1,
        "SINH": SINH,
        "COSH": COSH,
        "LOG": LOG,
        "ATAN": _atan(1.0),
        "ERF": ERF,
        "LOG_ERFC": _log_erfc(4.0),
        "ERFC_NEAR_0": ERFC_NEAR_0,
        "ERFCX": _erfcx(10.25, HALFWAY["float32"]),
        "MILLS": _mills(GELU_VANISHES["float32"], GELU_HALFWAY["float32"]),
        "SIN": SIN,
        "COS": COS,
    },
    "float64": {
        "EXP": EXP,
        "EXP_CENTRED": EXP_CENTRED,
        "EXP_TABULATED": _tabulated(TABLE["float64"]),
        "EXPM1": EXPM1,
        "SINH": SINH,
        "COSH": COSH,
        "LOG": ATANH,
        "ATAN": _atan(0.5),
        "ERF": ERF,
        "LOG_ERFC": _log_erfc(6.0),
        "ERFC_NEAR_0": ERFC_NEAR_0,
        "ERFCX": _erfcx(27.5, HALFWAY["float64"]),
        "MILLS": _mills(GELU_VANISHES["float64"], GELU_HALFWAY["float64"]),
        "SIN": SIN,
        "COS": COS,
    },
}


def fits() -> list[Fit]:
    """Return all polynomials that the functions use."""
    return [
        Fit(f"{name}_{dtype.removeprefix('float')}", target, DEGREES[dtype][name], dtype)
        for dtype, targets in TARGETS.items()
        for name, target in targets.items()
    ]
