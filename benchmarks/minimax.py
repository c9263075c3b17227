"""Minimax polynomials for the branch-free functions: prints actbench/backends/_simd/coefficients.py.

    python -m benchmarks.minimax > actbench/backends/_simd/coefficients.py

E. Y. Remez's exchange (1934; J.-M. Muller, "Elementary Functions", on minimax approximation) on a grid, in 300-bit
arithmetic. Coefficients are then rounded to the format one by one from the lowest power up, and after each the free
ones are fitted again, so that they make up for what rounding took (N. Brisebarre, J.-M. Muller and A. Tisserand,
"Computing machine-efficient polynomial approximations", 2006, find the best such polynomial; this one is close).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

PRECISION = 300
GRID_PER_COEFFICIENT = 40
COARSE = 8
EXCHANGES = 30
SETTLED = 1e-2

Real = Callable[[Any], Any]


@dataclass(frozen=True)
class Target:
    """A function on [low, high], and the weight that makes an error of it one relative to something."""

    formula: str
    relative_to: str
    function: Real
    weight: Real
    low: float
    high: float


@dataclass(frozen=True)
class Fit:
    """A polynomial to find: its target, degree and format."""

    name: str
    target: Target
    degree: int
    dtype: str


def rounded(value: Any, dtype: str) -> Any:
    """Return the nearest number of the format."""
    return mpf(float(np.float32(float(value)))) if dtype == "float32" else mpf(float(value))


def grid(fit: Fit) -> list[Any]:
    """Return Chebyshev points, dense where a polynomial's error turns fastest; none at the very middle."""
    count = GRID_PER_COEFFICIENT * (fit.degree + 2)
    middle, half = (mpf(fit.target.high) + fit.target.low) / 2, (mpf(fit.target.high) - fit.target.low) / 2
    return [middle - half * mpmath.cos(mp.pi * (i + 0.5) / count) for i in range(count)]


def alternating(errors: list[Any], wanted: int) -> list[int]:
    """Return where the error has its extrema, with signs that alternate: the largest run of the wanted length."""
    peaks: list[int] = []
    for i, error in enumerate(errors):
        if peaks and (errors[peaks[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > wanted:
        heights = [abs(errors[peak]) for peak in peaks]
        least = heights.index(min(heights[0], heights[-1]) if len(peaks) == wanted + 1 else min(heights))
        doomed = {least}
        if 0 < least < len(peaks) - 1:  # its neighbours are now of one sign: the lower goes too
            doomed.add(least + 1 if heights[least + 1] < heights[least - 1] else least - 1)
        peaks = [peak for place, peak in enumerate(peaks) if place not in doomed]
    return peaks


def least_squares(rows: list[list[Any]], values: list[Any], weights: list[Any]) -> list[Any]:
    """Return the coefficients of the least squared error: it changes sign often enough to start the exchange from."""
    design = mpmath.matrix([[weight * entry for entry in row] for row, weight in zip(rows, weights, strict=True)])
    target = mpmath.matrix([weight * value for value, weight in zip(values, weights, strict=True)])
    return list(mpmath.lu_solve(design.T * design, design.T * target))


def exchange(points: list[Any], values: list[Any], weights: list[Any], powers: range) -> list[Any]:
    """Return the coefficients of ``powers`` whose largest weighted error on the points is least."""
    rows = [[point**power for power in powers] for point in points]
    wanted = len(powers) + 1
    solution = least_squares(rows[::COARSE], values[::COARSE], weights[::COARSE])
    level = mpf(0)
    for _ in range(EXCHANGES):
        errors = [
            weight * (value - mpmath.fdot(solution, row))
            for row, value, weight in zip(rows, values, weights, strict=True)
        ]
        chosen = alternating(errors, wanted)
        if len(chosen) < wanted or max(map(abs, errors)) < level * (1 + SETTLED):
            break
        system = mpmath.matrix([[weights[i] * entry for entry in rows[i]] + [(-1) ** n] for n, i in enumerate(chosen)])
        *solution, level = mpmath.lu_solve(system, mpmath.matrix([weights[i] * values[i] for i in chosen]))
        level = abs(level)
    return solution


def coefficients(fit: Fit) -> tuple[tuple[float, ...], float]:
    """Return the coefficients from the constant up, in the fit's format, and the largest weighted error."""
    with mp.workprec(PRECISION):
        points = grid(fit)
        values = [fit.target.function(point) for point in points]
        weights = [abs(fit.target.weight(point)) for point in points]
        done: list[Any] = []
        rest = values

        def error(free: list[Any]) -> Any:
            """Return the largest error, were these the coefficients that are still free."""
            return max(
                weight * abs(value - sum(c * point**power for power, c in enumerate(free, start=len(done))))
                for point, value, weight in zip(points, rest, weights, strict=True)
            )

        free: list[Any] = []
        while len(done) <= fit.degree:
            again = exchange(points, rest, weights, range(len(done), fit.degree + 1))
            free = again if not free else min(free, again, key=error)
            done.append(rounded(free.pop(0), fit.dtype))
            rest = [value - done[-1] * point ** (len(done) - 1) for value, point in zip(rest, points, strict=True)]
        largest = error([])
        return tuple(float(value) for value in done), float(largest)


HALF_LN2 = 0.34658  # a little more than ln(2)/2, for the rounding of x/ln(2)
SKEW = 0.0585  # exp's own, see there
NEAR = 0.75  # erfc's own
HALFWAY = {"float32": 2.375, "float64": 3.5}  # likewise; with these the constant hardly has to be rounded
SCALE = 21 / 64  # likewise
EIGHTH_TURN = 0.787  # a little more than pi/4, for the rounding of x/(pi/2)
SQRT2 = 2.0**0.5
SQRT_HALF = 0.5**0.5


def _expm1_tail(r: Any) -> Any:
    return (mpmath.expm1(r) - r) / r**2


def _log1p_tail(f: Any) -> Any:
    return (mpmath.log1p(f) - f + f**2 / 2) / f**3


def _even(formula: str, relative_to: str, function: Real, weight: Real, farthest: float) -> Target:
    """Return an even function on [-farthest, farthest] as one of the square."""
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
        "EXPM1": 5,
        "SINH": 2,
        "COSH": 2,
        "LOG": 7,
        "ATAN": 8,
        "ERF": 6,
        "LOG_ERFC": 7,
        "ERFC_NEAR_0": 5,
        "ERFCX": 9,
        "SIN": 2,
        "COS": 3,
    },
    "float64": {
        "EXP": 9,
        "EXPM1": 10,
        "SINH": 4,
        "COSH": 4,
        "LOG": 6,
        "ATAN": 11,
        "ERF": 12,
        "LOG_ERFC": 18,
        "ERFC_NEAR_0": 10,
        "ERFCX": 20,
        "SIN": 5,
        "COS": 6,
    },
}
"""The lowest at which the error stays well below a unit in the last place."""

EXP = Target(
    "(e^r - 1 - r) / r^2", "e^r", _expm1_tail, lambda r: r**2 / mpmath.exp(r), SKEW - HALF_LN2, SKEW + HALF_LN2
)
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


def _atan(farthest: float) -> Target:
    return _even(
        "(atan(t) - t) / t^3",
        "atan(t)",
        lambda t: (mpmath.atan(t) - t) / t**3,
        lambda t: t**3 / mpmath.atan(t),
        farthest,
    )


def _log_erfc(farthest: float) -> Target:
    """Where an absolute error of the logarithm is one of erfc, relative; erf is what it must not disturb."""
    return Target(
        "log(erfc(x))",
        "erf(x)",
        lambda x: mpmath.log(mpmath.erfc(x)),
        lambda x: mpmath.erfc(x) / mpmath.erf(x),
        1.0,
        farthest,
    )


def _erfcx(farthest: float, halfway: float) -> Target:
    """What is left of erfcx(x) = e^(x^2) erfc(x) after its decay by 1/x: nearly a constant."""

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


TARGETS = {
    "float32": {
        "EXP": EXP,
        "EXPM1": EXPM1,
        "SINH": SINH,
        "COSH": COSH,
        "LOG": LOG,
        "ATAN": _atan(1.0),
        "ERF": ERF,
        "LOG_ERFC": _log_erfc(4.0),
        "ERFC_NEAR_0": ERFC_NEAR_0,
        "ERFCX": _erfcx(10.25, HALFWAY["float32"]),
        "SIN": SIN,
        "COS": COS,
    },
    "float64": {
        "EXP": EXP,
        "EXPM1": EXPM1,
        "SINH": SINH,
        "COSH": COSH,
        "LOG": ATANH,
        "ATAN": _atan(0.5),
        "ERF": ERF,
        "LOG_ERFC": _log_erfc(6.0),
        "ERFC_NEAR_0": ERFC_NEAR_0,
        "ERFCX": _erfcx(27.5, HALFWAY["float64"]),
        "SIN": SIN,
        "COS": COS,
    },
}


def fits() -> list[Fit]:
    """Return every polynomial that the functions use."""
    return [
        Fit(f"{name}_{dtype.removeprefix('float')}", target, DEGREES[dtype][name], dtype)
        for dtype, targets in TARGETS.items()
        for name, target in targets.items()
    ]


HEADING = '''"""Minimax polynomials: coefficients from the constant up, as benchmarks/minimax.py prints them.

The comment on each gives the function approximated, its interval, what the error is relative to, and the largest error
after the coefficients were rounded to the format.
"""

from __future__ import annotations

import numpy as np

'''


def printed(fit: Fit) -> str:
    """Return a set as it stands in coefficients.py."""
    values, error = coefficients(fit)
    lines = "".join(f"    {f'np.float32({value!r})' if fit.dtype == 'float32' else repr(value)},\n" for value in values)
    return (
        f'{fit.name} = (\n{lines})\n"""{fit.target.formula} on [{fit.target.low:.6g}, {fit.target.high:.6g}]; '
        f'error 2^{math.log2(error):.2f} relative to {fit.target.relative_to}."""\n'
    )


def main() -> None:
    """Print coefficients.py."""
    print(HEADING + "\n".join(printed(fit) for fit in fits()), end="")


if __name__ == "__main__":
    main()
