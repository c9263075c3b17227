"""Minimax polynomials for the branch-free functions: prints actbench/backends/_simd/coefficients.py.

    python -m benchmarks.minimax > actbench/backends/_simd/coefficients.py

It runs E. Y. Remez's exchange (1934; J.-M. Muller, "Elementary Functions", on minimax approximation) on a grid, in
300-bit arithmetic. Coefficients are then rounded to the format one by one from the lowest power up. After each, the
remaining ones are fitted again, so that they compensate for its rounding error (N. Brisebarre, J.-M. Muller and A.
Tisserand, "Computing machine-efficient polynomial approximations", 2006, find the best such polynomial; this one is
close).
"""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from benchmarks.minimax_targets import Fit, fits

PRECISION = 300
GRID_PER_COEFFICIENT = 40
COARSE = 8
EXCHANGES = 30
SETTLED = 1e-2


def rounded(value: Any, dtype: str) -> Any:
    """Return the nearest number of the format."""
    return mpf(float(np.float32(float(value)))) if dtype == "float32" else mpf(float(value))


def grid(fit: Fit) -> list[Any]:
    """Return Chebyshev points, dense where a polynomial's error changes fastest; the middle is not among them."""
    count = GRID_PER_COEFFICIENT * (fit.degree + 2)
    middle, half = (mpf(fit.target.high) + fit.target.low) / 2, (mpf(fit.target.high) - fit.target.low) / 2
    return [middle - half * mpmath.cos(mp.pi * (i + 0.5) / count) for i in range(count)]


def alternating(errors: list[Any], wanted: int) -> list[int]:
    """Return the indices of the wanted number of extrema of the error, with alternating signs: the largest ones."""
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
        if 0 < least < len(peaks) - 1:  # its neighbours now have the same sign: drop the lower one
            doomed.add(least + 1 if heights[least + 1] < heights[least - 1] else least - 1)
        peaks = [peak for place, peak in enumerate(peaks) if place not in doomed]
    return peaks


def least_squares(rows: list[list[Any]], values: list[Any], weights: list[Any]) -> list[Any]:
    """Return least-squares coefficients, whose error changes sign often enough to start the exchange."""
    design = mpmath.matrix([[weight * entry for entry in row] for row, weight in zip(rows, weights, strict=True)])
    target = mpmath.matrix([weight * value for value, weight in zip(values, weights, strict=True)])
    return list(mpmath.lu_solve(design.T * design, design.T * target))


def exchange(points: list[Any], values: list[Any], weights: list[Any], powers: range) -> list[Any]:
    """Return the coefficients of ``powers`` with the smallest maximum of the weighted error on the points."""
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
            """Return the largest error with these values of the remaining coefficients."""
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


HEADING = '''"""Minimax polynomials: coefficients from the constant up, as benchmarks/minimax.py prints them.

The text below each states the approximated function, its interval, what the error is relative to, and the largest error
after the coefficients were rounded to the format.
"""

from __future__ import annotations

import numpy as np

'''


def printed(fit: Fit) -> str:
    """Return the text of a set of coefficients in coefficients.py."""
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
