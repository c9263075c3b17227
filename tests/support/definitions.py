"""g and g' of every activation over mpmath, written down independently of the package's formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath


def _logistic(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


def _squareplus(z: Any) -> Any:
    root = mpmath.sqrt(z * z + 4)
    return 2 / (root - z) if z < 0 else (z + root) / 2


def _twice_u(z: Any) -> Any:
    return 2 * mpmath.sqrt(2 / mpmath.pi) * (z + mpmath.mpf(0.044715) * z**3)


def _gelu_tanh_slope(z: Any) -> Any:
    if abs(z) > 1e6:
        return mpmath.mpf(z > 0)
    s = _logistic(_twice_u(z))
    inner = 2 * mpmath.sqrt(2 / mpmath.pi) * (1 + 3 * mpmath.mpf(0.044715) * z**2)
    return s + z * inner * s * _logistic(-_twice_u(z))


def _mish_slope(z: Any) -> Any:
    w = mpmath.tanh(mpmath.log1p(mpmath.exp(z)))
    return w + z * _logistic(z) * mpmath.sech(mpmath.log1p(mpmath.exp(z))) ** 2


def _log_cosh(z: Any) -> Any:
    a = abs(z)
    return mpmath.log1p(2 * mpmath.sinh(a / 2) ** 2) if a < 1 else a + mpmath.log1p(mpmath.exp(-2 * a)) - mpmath.log(2)


def _tanh_shrink(z: Any) -> Any:
    with mpmath.workprec(2000 if abs(z) < 1 else mpmath.mp.prec):  # z^3 / 3 near 0
        return z - mpmath.tanh(z)


_QUICK = mpmath.mpf(1.702)
_SCALE = mpmath.mpf(1.0507009873554804934193349852946)
_STEEP = mpmath.mpf(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717)

PERIODIC = ("sine", "snake")
"""They have no limits at infinity, and neither output nor slope at numbers that overflow to it."""


def _log_ndtr(z: Any) -> Any:
    if z > 0:
        return mpmath.log1p(-mpmath.ncdf(-z)) if z < 1e6 else mpmath.mpf(0)
    return mpmath.log(mpmath.ncdf(z)) if z > -1e6 else -z * z / 2 - mpmath.log(-z * mpmath.sqrt(2 * mpmath.pi))


def _log_ndtr_slope(z: Any) -> Any:
    if abs(z) < 1e6:
        return mpmath.npdf(z) / mpmath.ncdf(z)
    return mpmath.mpf(0) if z > 0 else -z - 1 / z


TRUTH: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "arctan": (mpmath.atan, lambda z: 1 / (1 + z**2)),
    "celu": (lambda z: z if z > 0 else mpmath.expm1(z), lambda z: mpmath.exp(min(z, 0))),
    "elu": (lambda z: z if z > 0 else mpmath.expm1(z), lambda z: mpmath.exp(min(z, 0))),
    "exp": (mpmath.exp, mpmath.exp),
    "gaussian": (lambda z: mpmath.exp(-z * z), lambda z: -2 * z * mpmath.exp(-z * z)),
    "gelu": (
        lambda z: z * mpmath.ncdf(z) if abs(z) < 1e6 else max(z, 0),
        lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z) if abs(z) < 1e6 else mpmath.mpf(z > 0),
    ),
    "gelu-tanh": (lambda z: z * _logistic(_twice_u(z)) if abs(z) < 1e6 else max(z, 0), _gelu_tanh_slope),
    "hard-shrink": (lambda z: z if abs(z) > 0.5 else mpmath.mpf(0), lambda z: mpmath.mpf(abs(z) > 0.5)),
    "hard-sigmoid": (
        lambda z: min(max((z + 3) / 6, mpmath.mpf(0)), mpmath.mpf(1)),
        lambda z: mpmath.mpf(abs(z) < 3) / 6,
    ),
    "hard-swish": (
        lambda z: z * min(max((z + 3) / 6, mpmath.mpf(0)), mpmath.mpf(1)),
        lambda z: (2 * z + 3) / 6 if abs(z) < 3 else mpmath.mpf(z > 0),
    ),
    "hard-tanh": (lambda z: min(max(z, mpmath.mpf(-1)), mpmath.mpf(1)), lambda z: mpmath.mpf(abs(z) < 1)),
    "identity": (lambda z: z, lambda _: mpmath.mpf(1)),
    "leaky-relu": (lambda z: z if z > 0 else mpmath.mpf(0.01) * z, lambda z: mpmath.mpf(1.0 if z > 0 else 0.01)),
    "log-cosh": (_log_cosh, mpmath.tanh),
    "log-ndtr": (_log_ndtr, _log_ndtr_slope),
    "log-sigmoid": (lambda z: -mpmath.log1p(mpmath.exp(-z)), lambda z: _logistic(-z)),
    "logistic": (_logistic, lambda z: mpmath.exp(-abs(z)) / (1 + mpmath.exp(-abs(z))) ** 2),
    "mish": (lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))), _mish_slope),
    "probit": (
        lambda z: mpmath.ncdf(z) if abs(z) < 1e6 else mpmath.mpf(z > 0),
        lambda z: mpmath.npdf(z) if abs(z) < 1e6 else mpmath.mpf(0),
    ),
    "quick-gelu": (
        lambda z: z * _logistic(_QUICK * z),
        lambda z: _logistic(_QUICK * z) * (1 + _QUICK * z * _logistic(-_QUICK * z)),
    ),
    "relu": (lambda z: max(z, mpmath.mpf(0)), lambda z: mpmath.mpf(z > 0)),
    "relu6": (lambda z: min(max(z, mpmath.mpf(0)), mpmath.mpf(6)), lambda z: mpmath.mpf(0 < z < 6)),
    "sech": (mpmath.sech, lambda z: -mpmath.sech(z) * mpmath.tanh(z)),
    "selu": (
        lambda z: _SCALE * z if z > 0 else _STEEP * mpmath.expm1(z),
        lambda z: _SCALE if z > 0 else _STEEP * mpmath.exp(z),
    ),
    "silu": (lambda z: z * _logistic(z), lambda z: _logistic(z) * (1 + z * _logistic(-z))),
    "soft-shrink": (
        lambda z: z - 0.5 if z > 0.5 else z + 0.5 if z < -0.5 else mpmath.mpf(0),
        lambda z: mpmath.mpf(abs(z) > 0.5),
    ),
    "sine": (mpmath.sin, mpmath.cos),
    "snake": (lambda z: z + mpmath.sin(z) ** 2, lambda z: 1 + mpmath.sin(2 * z)),
    "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), _logistic),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: (1 + abs(z)) ** -2),
    "sparse-plus": (
        lambda z: z if z > 1 else max(z + 1, mpmath.mpf(0)) ** 2 / 4,
        lambda z: min(max((z + 1) / 2, mpmath.mpf(0)), mpmath.mpf(1)),
    ),
    "sparse-sigmoid": (
        lambda z: min(max((z + 1) / 2, mpmath.mpf(0)), mpmath.mpf(1)),
        lambda z: mpmath.mpf(abs(z) < 1) / 2,
    ),
    "squared-relu": (lambda z: max(z, mpmath.mpf(0)) ** 2, lambda z: 2 * max(z, mpmath.mpf(0))),
    "squareplus": (_squareplus, lambda z: _squareplus(z) / mpmath.sqrt(z * z + 4)),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "tanh-shrink": (_tanh_shrink, lambda z: mpmath.tanh(z) ** 2),
    "threshold": (lambda z: z if z > 1 else mpmath.mpf(0), lambda z: mpmath.mpf(z > 1)),
}
"""g and g' of every activation, written down independently of the formulas; parameters are the float64 numbers."""
