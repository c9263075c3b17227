"""What branch-free functions return at zeros, at infinities and far out: pairs of a number and its value."""

from __future__ import annotations

import math

INF, NAN = math.inf, math.nan
SPECIAL = {
    "exp": ((0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e4, INF), (-1e4, 0.0)),
    "expm1": ((0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (1e4, INF), (-1e4, -1.0)),
    "log": ((0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-INF, NAN)),
    "log1p": ((0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-1.5, NAN), (-INF, NAN)),
    "tanh": ((0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e4, 1.0), (-1e4, -1.0)),
    "sinh": ((0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (1e4, INF), (-1e4, -INF)),
    "cosh": ((0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (1e4, INF), (-1e4, INF)),
    "erf": ((0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e4, 1.0), (-1e4, -1.0)),
    "atan": ((0.0, 0.0), (-0.0, -0.0), (INF, math.pi / 2), (-INF, -math.pi / 2)),
    "erfc": ((0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (1e4, 0.0), (-1e4, 2.0)),
    "sin": ((0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)),
    "cos": ((0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN)),
    "logistic": ((0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e4, 1.0), (-1e4, 0.0)),
    "gaussian_derivative": ((0.0, -0.0), (-0.0, 0.0), (INF, -0.0), (-INF, 0.0), (1e4, -0.0), (-1e4, 0.0)),
    "capped_exp": ((0.0, 1.0), (-0.0, 1.0), (INF, 1.0), (-INF, 0.0), (1e4, 1.0), (-1e4, 0.0)),
    "silu_derivative": ((0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, -0.0), (1e4, 1.0), (-1e4, -0.0)),
    "gelu_tanh_derivative": ((0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, -0.0), (1e4, 1.0), (-1e4, -0.0)),
    "gelu_derivative": ((0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e4, 1.0), (-1e4, 0.0)),
    "floor": ((0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (0.5, 0.0), (-0.5, -1.0)),
}
