"""The namespace of formulas for compiled code: every function takes a float32 or a float64."""

from __future__ import annotations

from numba.core import types
from numba.extending import overload

from actbench.backends._simd.arctangent import atan
from actbench.backends._simd.bells import logistic_derivative, tanh_derivative
from actbench.backends._simd.bits import round_down, select, square_root
from actbench.backends._simd.complementary import erfc
from actbench.backends._simd.decay import capped_exp
from actbench.backends._simd.dispatch import by_dtype
from actbench.backends._simd.error_function import erf
from actbench.backends._simd.exponential import exp, expm1
from actbench.backends._simd.formats import FLOAT32, FLOAT64
from actbench.backends._simd.fused import one_minus_square, times_complement
from actbench.backends._simd.gates import gelu_tanh_derivative, logistic, mish_derivative, silu_derivative
from actbench.backends._simd.hyperbolic import cosh, sinh, tanh
from actbench.backends._simd.logarithm import log, log1p
from actbench.backends._simd.normal import gaussian_derivative, gelu_derivative
from actbench.backends._simd.registers import common, element_of
from actbench.backends._simd.trigonometric import cos, sin

__all__ = [
    "atan",
    "capped_exp",
    "copy",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "floor",
    "gaussian_derivative",
    "gelu_derivative",
    "gelu_tanh_derivative",
    "log",
    "log1p",
    "logistic",
    "logistic_derivative",
    "mish_derivative",
    "one_minus_square",
    "ones_like",
    "silu_derivative",
    "sin",
    "sinh",
    "sqrt",
    "tanh",
    "tanh_derivative",
    "times_complement",
    "where",
]

AT_ONCE = (
    *("capped_exp", "gaussian_derivative", "gelu_derivative", "gelu_tanh_derivative", "logistic"),
    *("logistic_derivative", "mish_derivative", "silu_derivative", "tanh_derivative"),
)
"""The functions that are derivatives, in fewer operations than their parts take."""

COMPUTED = (
    *("atan", "cos", "cosh", "erf", "erfc", "exp", "expm1", "log", "log1p", "sin", "sinh", "tanh"),
    *AT_ONCE,
)
"""The functions that take many operations."""

TABULATED = ("exp", *AT_ONCE)
"""The functions whose exponential of registers is looked up in part (`actbench.backends._simd.table`)."""

LONG = ("erfc",)
"""The functions of so many constants that these have no room in registers beside several numbers: on Zen 4 LLVM's loops
over these are faster by a few hundredths."""

BY_EIGHT = (
    "gelu_tanh_derivative",
    "logistic",
    "logistic_derivative",
    "mish_derivative",
    "silu_derivative",
    "tanh_derivative",
)
"""The functions that are 1.02 to 1.15 times faster of eight registers than of four on Zen 5, whose two pipes that
multiply have more to do meanwhile. GELU's and the Gaussian's have too many constants, and exponentials alone move as
much as they compute. On Zen 4, the logistic derivative took as long in float32 and 1.02 times as long in float64 with
eight, and 1.04 times as long with two."""

_ONE_32, _ONE_64 = FLOAT32.real(1.0), FLOAT64.real(1.0)


def _sqrt(x):
    """Return the square root, correctly rounded."""
    return square_root(x)


def _floor(x):
    """Return the largest integer not above x, exactly."""
    return round_down(x)


def _copy(x):
    """Return x."""
    return x


def _one_32(x):  # noqa: ARG001 - only the type of x matters
    """Return 1 in the type of x."""
    return _ONE_32


def _one_64(x):  # noqa: ARG001 - only the type of x matters
    """Return 1 in the type of x."""
    return _ONE_64


sqrt = by_dtype("sqrt", _sqrt, _sqrt)
floor = by_dtype("floor", _floor, _floor)
copy = by_dtype("copy", _copy, _copy)
ones_like = by_dtype("ones_like", _one_32, _one_64)


def where(condition, x, y):
    """Return x where the condition holds, otherwise y; both are evaluated."""
    raise TypeError(f"where({condition}, {x}, {y}) is for code that numba compiles")


@overload(where, jit_options={"forceinline": True})
def _where(condition, x, y):
    if element_of(condition) != types.boolean or element_of(x) not in {types.float32, types.float64}:
        return None
    if common(x, y) is None:
        return None

    def version(condition, x, y):
        return select(condition, x, y)

    return version


where.__wrapped__ = _where  # type: ignore[attr-defined]  # `inspect` finds the source here
