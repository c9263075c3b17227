"""The logarithm of the normal distribution function, y = log Phi(z), with values in (-inf, 0); g' = phi / Phi."""

from __future__ import annotations

from math import inf, log, pi, sqrt
from typing import Any

from actbench.activations._sixteen_bits import SQUARE_ROUNDED
from actbench.activations._squares import rounding_error_of_square
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits
from actbench.model.rule import Formula

ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "z / sqrt(2) is rounded, and erfc multiplies the error by z^2",
    lambda z, _: z * z * (z > 0),
)
UNDERFLOWS = Weakness(
    Flaw.AMPLIFIES,
    "erfc may give 0 where it is subnormal",
    lambda z, fmt: 1e16 * ((z > 0) & (z * z > -2 * log(fmt.tiny))),
)
EXPONENT_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "z^2 / 2 and y are rounded, and the exponential multiplies the errors by z^2",
    lambda z, _: z * z * (z >= -4),
)
ERFC_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "erfc of scipy and jax is off by 4 to 7 ULP there",
    lambda z, _: 2.0 * ((z < 0) & (z >= -4)),
)
SECOND_CANCELS = Weakness(
    Flaw.AMPLIFIES,
    "z + g' is a difference for z < 0, of which about 1 / |z| is left",
    lambda z, _: 3 * (1 + z * z) * ((z < 0) & (z >= -4)),
)
FEW_DIGITS = few_digits(exponent=lambda z: -z * z / 2 * (z > 0), factor=abs)


def _excess(x: Any) -> Any:
    """Return x (phi(x) / Phi(-x) - x), which is nearly 1, for x from 4 on: a minimax fit in 16 / x^2, off by 9e-17."""
    q = 4.0 / x
    s = q * q
    p = 0.0005327936978942256 * s + 0.049718185335772484
    p = ((p * s + 0.6575039404196313) * s + 2.8473251719795427) * s + 5.068646037510823
    d = 0.0026275856903489225 * s + 0.0978281700829499
    d = ((d * s + 0.9274912890613181) * s + 3.401593593458059) * s + 5.522895147211482
    return ((p * s + 3.8214928775727697) * s + 1.0) / ((d * s + 3.9464928775727244) * s + 1.0)


def _middle(m: Any) -> tuple[Formula, Formula]:
    """Return phi / Phi for z from -4 to 40, in the scalar and in the array dialect.

    Below 0, phi and Phi are of the same rounded z / sqrt(2), whose error nearly cancels. Above, Phi is nearly 1, and z
    itself is squared.
    """
    root_half, twice_peak = sqrt(0.5), sqrt(2.0 / pi)
    square_error = rounding_error_of_square(m)

    def of_number(z):
        x = root_half * z
        if z < 0.0:
            square = x * x
            e = m.exp(-square)
            e = e - e * square_error(x, square)
        else:
            square = z * z
            e = m.exp(-0.5 * square)
            e = e - 0.5 * e * square_error(z, square)
        return twice_peak * e / m.erfc(-x)

    def of_array(z):
        negative, x = z < 0.0, root_half * z
        base = m.where(negative, x, z)
        square = base * base
        error = square_error(base, square)
        e = m.exp(-m.where(negative, square, 0.5 * square))
        return twice_peak * (e - e * m.where(negative, error, 0.5 * error)) / m.erfc(-x)

    return of_number, of_array


def _second(m: Any) -> Piecewise:
    """Return g'' from z."""
    middle, middle_of_array = _middle(m)

    def second(z):
        if z < -4.0:
            excess = _excess(-z)
            return -excess - (excess / z) * (excess / z)
        if z <= 40.0:
            h = middle(z)
            return -h * (z + h)
        return 0.0 if z > 40.0 else z

    def second_array(z):
        far = z < -4.0
        x = m.where(far, -z, 4.0)
        t = m.where(far, -4.0, m.where(z > 40.0, 40.0, z))
        excess, h = _excess(x), middle_of_array(t)
        return m.where(far, -excess - (excess / x) * (excess / x), -h * (t + h))

    return Piecewise(scalar=second, array=second_array)


@activation
def log_ndtr(m: Any) -> Formulas:
    """log(erfc(-z / sqrt(2)) / 2)

    C. I. Bliss, "The Calculation of the Dosage-Mortality Curve", 1935: the log-likelihood of probit regression.
    """
    root_half = sqrt(0.5)
    peak = 1.0 / sqrt(2.0 * pi)
    middle, middle_of_array = _middle(m)

    def definition(z):
        if z > 0.0:
            return m.log1p(-m.erfc(z / m.sqrt(2.0)) / 2.0)
        if z < -1e9:
            return -z * z / 2.0 - m.log(-z * m.sqrt(2.0 * m.pi))  # to 35 digits
        return m.log(m.erfc(-z / m.sqrt(2.0)) / 2.0)

    def forward(z):
        if z < -4.0:
            return -0.5 * z * z - m.log((_excess(-z) / -z - z) / peak)
        p = 0.5 * m.erfc(root_half * abs(z))
        if z < 0.6:  # log1p of jax is off by 128 ULP between -0.5 and -0.29
            return m.log(p if z < 0.0 else 1.0 - p)
        return m.log1p(-p)

    def forward_array(z):
        far = z < -4.0
        x = m.where(far, -z, 4.0)
        p = 0.5 * m.erfc(root_half * m.where(far, 4.0, abs(z)))
        below = m.where(z < 0.0, p, m.where(z < 0.6, 1.0 - p, 1.0))
        logarithm = m.log(m.where(far, peak / (x + _excess(x) / x), below))
        return (logarithm + m.log1p(m.where(z < 0.6, 0.0, -p))) - m.where(far, 0.5 * x * x, 0.0)

    def recompute(z):
        if z < -4.0:
            return _excess(-z) / -z - z
        if z <= 40.0:
            return middle(z)
        return 0.0 if z > 40.0 else z  # or NaN, which has no floor

    def recompute_array(z):
        far = z < -4.0
        x = m.where(far, -z, 4.0)
        return m.where(far, x + _excess(x) / x, middle_of_array(m.where(far, -4.0, m.where(z > 40.0, 40.0, z))))

    def pair(z, y):
        if z < -4.0:
            return _excess(-z) / -z - z
        t = 40.0 if z > 40.0 else z
        return peak * m.exp(-0.5 * t * t - y)

    def pair_array(z, y):
        far = z < -4.0
        x = m.where(far, -z, 4.0)
        t = m.where(far, -4.0, m.where(z > 40.0, 40.0, z))
        return m.where(far, x + _excess(x) / x, peak * m.exp(-0.5 * t * t - m.where(far, -8.0, y)))

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(-inf, 0.0),
        weaknesses=(ROUNDED, UNDERFLOWS),
        uncached="z is the inverse of the normal distribution function at e^y, which no backend has",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array),
            weaknesses=(ERFC_ROUNDED, SQUARE_ROUNDED),
            second=Strategy(_second(m), weaknesses=(SECOND_CANCELS, FEW_DIGITS, SQUARE_ROUNDED)),
        ),
        pair=Strategy(Piecewise(scalar=pair, array=pair_array), weaknesses=(EXPONENT_ROUNDED,)),
    )
