"""oneDNN's elementwise algorithms by actbench's activations, with what is known to be wrong of each.

Sources: oneDNN's developer guide ("Eltwise") for the algorithms, and its injectors
(``src/cpu/x64/injectors/jit_uni_eltwise_injector.cpp``) for how they compute. Several compute g' from z by way of y,
and have the weaknesses of that. The oracle holds all of them to what is declared here, with AVX-512 and with AVX2.
Without fused multiply-adds (SSE 4.1), oneDNN's exponentials are off by |z| / 2 ULP, and most kernels are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, log
from types import MappingProxyType

from actbench.backends._dnnl import EltwiseKind
from actbench.formula import Activation, Flaw, Weakness
from actbench.model.names import Quantity

LOST = 2.0**24
"""ULP: at least an error of the size of the number itself."""

VANISHES = 1.5
"""Smallest normal numbers: what oneDNN's exponential returns is 0 below, since it halves it meanwhile."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm with its numbers, and how its results differ from those of a formula of the catalogue."""

    from_z: EltwiseKind
    """That whose backward pass reads z."""
    alpha: float = 0.0
    beta: float = 0.0
    from_y: EltwiseKind | None = None
    """That whose backward pass reads y; None where oneDNN has none."""
    like: str = "recompute"
    """The strategy of the catalogue whose weaknesses g' from z has."""
    also: tuple[Weakness, ...] = ()
    """The weaknesses that it has besides."""
    forward: tuple[Weakness, ...] = ()
    """The weaknesses that y has besides those of the catalogue."""

    def kind(self, strategy: str) -> EltwiseKind | None:
        """Return the algorithm of a strategy; None where there is none."""
        return {"recompute": self.from_z, "cached": self.from_y}.get(strategy)

    def weaknesses(self, activation: Activation, strategy: str, of: Quantity) -> tuple[Weakness, ...]:
        """Return what is known to be wrong of g' by a strategy, or of y."""
        if of is Quantity.FORWARD:
            return (*activation.formulas.weaknesses, *self.forward)
        like, also = (self.like, self.also) if strategy == "recompute" else (strategy, ())
        return (*activation.formulas.strategies[like].weaknesses, *also)


def _overflows(why: str, least: float, most: float = inf) -> Weakness:
    """Return the weakness of results that are NaN or inf for z below -`least` or above `most`."""
    return Weakness(Flaw.OVERFLOWS, why, lambda z, _: (z < -least) | (z > most))


def _left_tail(why: str) -> Weakness:
    """Return the weakness of a y whose digits cancel for z < 0, where it is small: its error is absolute."""
    return Weakness(Flaw.INACCURATE, why, lambda z, _: z < 0)


def _near(why: str, root: float) -> Weakness:
    """Return the weakness of a number that is computed as the difference of two near a root."""
    return Weakness(Flaw.INACCURATE, why, lambda z, _: (abs(z - root) < 1.0) * _part(4.0, abs(z - root)))


def _part(of: float, size: float) -> float:
    """Return a number of ULP that is inversely proportional to something, at most all of them."""
    return 2.0 * LOST / (1.0 + (LOST / of) * size)


def _vanishes(exponent: Callable[[float], float], factor: Callable[[float], float]) -> Weakness:
    """Return the weakness of an exponential that is multiplied; exponent and factor are functions of z."""
    return Weakness(
        Flaw.AMPLIFIES,
        "oneDNN's exponential is 0 below 1.5 of the smallest normal number, and its error is multiplied",
        lambda z, fmt: factor(z) * (exponent(z) < log(VANISHES * fmt.tiny)),
    )


def _same(z: float) -> float:
    return z


def _twice(z: float) -> float:
    return 2.0 * abs(z)


def _elu(alpha: float = 1.0) -> Algorithm:
    cancels = Weakness(Flaw.INACCURATE, "e^z - 1 cancels near 0", lambda z, _: (z < 0) * (8.0 + _part(4.0, abs(z))))
    also = (_vanishes(lambda z: z, lambda z: abs(alpha) * (z < 0)),) if abs(alpha) > 1.0 else ()
    return Algorithm(
        EltwiseKind.eltwise_elu, alpha, also=also, from_y=EltwiseKind.eltwise_elu_use_dst_for_bwd, forward=(cancels,)
    )


def _gelu() -> Algorithm:
    return Algorithm(
        EltwiseKind.eltwise_gelu_erf,
        like="textbook",
        forward=(_left_tail("1 + erf cancels for z < 0"), _overflows("2 y overflows", inf, 1.7014e38)),
    )


def _gelu_tanh() -> Algorithm:
    cancels = Weakness(Flaw.CANCELS, "1 + tanh cancels for z < 0, where it is small", lambda z, _: z < 0)
    cube = _overflows("z^3 overflows, and inf - inf is NaN", 1.17e13, 1.47e13)
    return Algorithm(
        EltwiseKind.eltwise_gelu_tanh, also=(cancels, cube), forward=(_left_tail("1 + tanh cancels for z < 0"),)
    )


def _hard_sigmoid() -> Algorithm:
    cancels = _near("z / 6 + 1/2 cancels near z = -3", -3.0)
    return Algorithm(EltwiseKind.eltwise_hardsigmoid, 1 / 6, 0.5, like="cached", forward=(cancels,))


def _hard_swish() -> Algorithm:
    merges = Weakness(
        Flaw.MERGES, "z / 6 + 1/2 rounds to 1 just below z = 3", lambda z, fmt: (z < 3) & (z > 3 - 8 * fmt.eps)
    )
    crosses = Weakness(Flaw.CANCELS, "z / 3 + 1/2 cancels near z = -1.5", lambda z, _: abs(z + 1.5) < 0.2)
    cancels = _near("z / 6 + 1/2 cancels near z = -3", -3.0)
    return Algorithm(EltwiseKind.eltwise_hardswish, 1 / 6, 0.5, also=(merges, crosses), forward=(cancels,))


def _leaky_relu(slope: float = 0.01) -> Algorithm:
    return Algorithm(EltwiseKind.eltwise_relu, slope, from_y=EltwiseKind.eltwise_relu_use_dst_for_bwd)


def _log_sigmoid() -> Algorithm:
    cancels = Weakness(Flaw.INACCURATE, "the logarithm of 1 + e^-z loses the digits of e^-z", lambda z, _: z > 0)
    return Algorithm(EltwiseKind.eltwise_soft_relu, -1.0, forward=(cancels,))


def _mish() -> Algorithm:
    square = _overflows("the square of z e^z overflows", 8.507e37, 3.491e13)
    nearly = Weakness(Flaw.AMPLIFIES, "1 - tanh^2 is divided by itself", lambda z, _: 8.0 * (z > 1e12))
    return Algorithm(
        EltwiseKind.eltwise_mish,
        also=(square, nearly, _vanishes(_same, _twice)),
        forward=(_left_tail("a difference cancels for z < 0"),),
    )


def _quick_gelu() -> Algorithm:
    return Algorithm(EltwiseKind.eltwise_swish, 1.702, also=(_overflows("1.702 z overflows", 1.9993e38, 1.9993e38),))


def _silu() -> Algorithm:
    vanishes = _vanishes(_same, _twice)
    return Algorithm(EltwiseKind.eltwise_swish, 1.0, also=(vanishes,), forward=(vanishes,))


def _softplus() -> Algorithm:
    return Algorithm(
        EltwiseKind.eltwise_soft_relu, 1.0, forward=(_left_tail("the logarithm of 1 + e^z loses the digits of e^z"),)
    )


def _clipped(low: float, high: float) -> Callable[[], Algorithm]:
    return lambda: Algorithm(EltwiseKind.eltwise_clip_v2, low, high, from_y=EltwiseKind.eltwise_clip_v2_use_dst_for_bwd)


ALGORITHMS: Mapping[str, Callable[..., Algorithm]] = MappingProxyType(
    {
        "elu": _elu,
        "exp": lambda: Algorithm(EltwiseKind.eltwise_exp, from_y=EltwiseKind.eltwise_exp_use_dst_for_bwd),
        "gelu": _gelu,
        "gelu-tanh": _gelu_tanh,
        "hard-sigmoid": _hard_sigmoid,
        "hard-swish": _hard_swish,
        "hard-tanh": _clipped(-1.0, 1.0),
        "leaky-relu": _leaky_relu,
        "log-sigmoid": _log_sigmoid,
        "logistic": lambda: Algorithm(
            EltwiseKind.eltwise_logistic, from_y=EltwiseKind.eltwise_logistic_use_dst_for_bwd, like="cached"
        ),
        "mish": _mish,
        "quick-gelu": _quick_gelu,
        "relu": lambda: Algorithm(EltwiseKind.eltwise_relu, from_y=EltwiseKind.eltwise_relu_use_dst_for_bwd),
        "relu6": _clipped(0.0, 6.0),
        "silu": _silu,
        "softplus": _softplus,
        "tanh": lambda: Algorithm(
            EltwiseKind.eltwise_tanh, from_y=EltwiseKind.eltwise_tanh_use_dst_for_bwd, like="cached"
        ),
    }
)
"""By activation: a function of those of its parameters that oneDNN has as well, with the same defaults."""


def algorithm(activation: str) -> Algorithm | None:
    """Return the algorithm of an activation, ``elu`` or ``elu:alpha=0.5``; None where oneDNN has none."""
    name, *settings = activation.split(":")
    values = {key: float(value) for key, _, value in (setting.partition("=") for setting in settings)}
    make = ALGORITHMS.get(name)
    if make is None or not values.keys() <= {*make.__code__.co_varnames[: make.__code__.co_argcount]}:
        return None
    return make(**values)
