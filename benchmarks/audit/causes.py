"""Why a framework returns what it does: the formula that it executes, where that is known.

torch's formulas are those of ``aten/src/ATen/native/cpu/Activation.cpp``, ``Gelu.h`` and ``derivatives.yaml``; jax's
are those of ``jax/_src/nn/functions.py`` and of the rules for derivatives in ``jax/_src/lax``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.audit.findings import Fault, Finding

TAILS = (Fault.ZERO, Fault.WRONG, Fault.IMPRECISE)
LOST = (Fault.NAN, *TAILS)
ENDS = (Fault.INFINITY,)
G, Y = "derivative", "forward"


@dataclass(frozen=True, slots=True)
class Cause:
    """A formula, and which findings it explains."""

    framework: str
    activations: tuple[str, ...]
    of: tuple[str, ...]
    faults: tuple[Fault, ...]
    words: str
    only_arrays: bool = False
    """Whether it explains what a call on one number does not show."""

    def explains(self, finding: Finding) -> bool:
        """Return whether a finding is due to it."""
        named = finding.framework == self.framework and finding.activation in self.activations
        return (
            named
            and finding.of in self.of
            and finding.fault in self.faults
            and not (self.only_arrays and finding.elements == 1)
        )


CAUSES = (
    Cause(
        *("torch", ("hard-sigmoid",), (G,), (Fault.IMPRECISE,)),
        "`hardsigmoid_backward` multiplies by the constant `1.0f / 6.0f`, which is rounded to float32 in float64 as "
        "well.",
    ),
    Cause(
        *("torch", ("softplus",), (G, Y), (Fault.IMPRECISE,)),
        "From `threshold=20` on, softplus is taken for z, and its derivative for 1. Both differ from that by e^-20 = "
        "2e-9, which float32 does not resolve, and float64 does.",
    ),
    Cause(
        *("torch", ("gelu",), (G, Y), LOST),
        "The cdf is computed as `0.5 * (1 + erf(z / sqrt(2)))`, which cancels on the left; `0.5 * erfc(-z / sqrt(2))` "
        "does not.",
    ),
    Cause(
        *("torch", ("gelu",), (G, Y), (*LOST, *ENDS)),
        "Arrays of two and more float32 or bfloat16 go to oneDNN, whose results differ from those of torch's own "
        "kernel for one number. With `torch.backends.mkldnn.flags(enabled=False)` they are the same.",
        only_arrays=True,
    ),
    Cause(
        *("torch", ("gelu-tanh",), (G, Y), TAILS),
        "`0.5 * (1 + tanh(u))` cancels on the left, where tanh(u) rounds to -1.",
    ),
    Cause(*("torch", ("gelu",), (G,), ENDS), "z times the density is inf * 0 at ±inf."),
    Cause(
        *("torch", ("gelu-tanh",), (G,), (Fault.NAN, *ENDS)),
        "z * z overflows where `1 - tanh(u)**2` is 0: inf * 0.",
    ),
    Cause(*("torch", ("gelu", "gelu-tanh"), (Y,), ENDS), "z * cdf(z) is -inf * 0 at -inf."),
    Cause(
        *("torch", ("silu",), (G, Y), LOST),
        "`1 / (1 + exp(-z))`: exp(-z) overflows to inf where the sigmoid is still a normal number.",
    ),
    Cause(
        *("torch", ("silu",), (G,), ENDS),
        "`sigmoid * (1 + z * (1 - sigmoid))` is 0 * -inf at -inf, and inf * 0 at inf.",
    ),
    Cause(*("torch", ("silu",), (Y,), ENDS), "`z / (1 + exp(-z))` is -inf / inf at -inf."),
    Cause(
        *("torch", ("mish",), (G,), LOST),
        "`mish_backward` has the sigmoid as `1 / (1 + exp(-z))`, where exp(-z) overflows while `tanh(log1p(exp(z)))` "
        "is still a normal number: only the smaller of the two terms is left.",
    ),
    Cause(
        *("torch", ("mish",), (G,), ENDS),
        "`z * sigmoid * (1 - tanh(softplus(z))**2)` is -inf * 0 at -inf, and inf * 0 at inf.",
    ),
    Cause(*("torch", ("mish",), (Y,), ENDS), "`z * tanh(log1p(exp(z)))` is -inf * 0 at -inf."),
    Cause(
        *("torch", ("softsign",), (G,), LOST),
        "It is composed, `z / (z.abs() + 1)`: autograd adds 1 / (1 + |z|) and -|z| / (1 + |z|)², which cancel. "
        "(1 + |z|)⁻² does not.",
    ),
    Cause(*("torch", ("softsign",), (G, Y), ENDS), "`z / (z.abs() + 1)` is inf / inf at ±inf."),
    Cause(
        *("torch", ("logistic",), (G,), LOST),
        "`sigmoid_backward` is `dy * (1 - y) * y` of the saved y: 1 - y cancels, and is 0 from where y rounds to 1.",
    ),
    Cause(
        *("torch", ("tanh",), (G,), LOST),
        "`tanh_backward` is `dy * (1 - y * y)` of the saved y, which cancels, and is 0 from where y rounds to ±1.",
    ),
    Cause(
        *("torch", ("hard-swish",), (Y,), (Fault.NAN, *ENDS)),
        "`z * min(max(z + 3, 0), 6) / 6` multiplies by 6 before it divides by 6, which overflows, and is -inf * 0 at "
        "-inf.",
    ),
    Cause(
        *("jax", ("logistic",), (G,), LOST),
        "The derivative of `lax.logistic` is `y * (1 - y)` of the saved y, except with `accuracy=HIGHEST`: 1 - y "
        "cancels, and is 0 from where y rounds to 1.",
    ),
    Cause(
        *("jax", ("elu", "celu", "selu"), (G,), TAILS),
        "The derivative of `lax.expm1` is y + 1 of its result y, which cancels on the left, and is 0 from where y "
        "rounds to -1; with `accuracy=HIGHEST` it is exp(z), which does not.",
    ),
    Cause(*("jax", ("hard-swish",), (Y,), ENDS), "`z * relu6(z + 3) / 6` is -inf * 0 at -inf."),
    Cause(
        *("jax", ("tanh",), (G,), LOST),
        "The derivative of `lax.tanh` is `(1 + y) * (1 - y)` of the saved y, except with `accuracy=HIGHEST`: the small "
        "factor cancels, and is 0 from where y rounds to ±1.",
    ),
    Cause(
        *("jax", ("silu",), (G, Y), LOST),
        "XLA on the processor flushes subnormal numbers to 0: `logistic(z)` is one, where z times it is a normal "
        "number.",
    ),
    Cause(*("jax", ("silu",), (G, Y), ENDS), "`z * logistic(z)` and its derivative are inf * 0 at ±inf."),
    Cause(
        *("jax", ("gelu",), (G, Y), LOST),
        "XLA on the processor flushes subnormal numbers to 0: `erfc` or the density is one, where z times it is a "
        "normal number.",
    ),
    Cause(*("jax", ("gelu",), (G, Y), ENDS), "`z * erfc(-z / sqrt(2))` and its derivative are inf * 0 at ±inf."),
    Cause(
        *("jax", ("gelu-tanh",), (G, Y), TAILS),
        "`0.5 * (1 + tanh(u))` cancels on the left, where tanh(u) rounds to -1.",
    ),
    Cause(
        *("jax", ("gelu-tanh",), (G, Y), (Fault.NAN, *ENDS)),
        "`z * cdf` is -inf * 0 at -inf; in the derivative, that of z**3 overflows where `1 - tanh(u)**2` is 0.",
    ),
    Cause(
        *("jax", ("mish",), (G, Y), ENDS),
        "`z * tanh(softplus(z))` is -inf * 0 at -inf, and its derivative inf * 0 at ±inf.",
    ),
    Cause(
        *("jax", ("mish",), (G, Y), LOST),
        "XLA on the processor flushes subnormal numbers to 0: softplus(z) is one, where z times it is a normal number.",
    ),
    Cause(
        *("jax", ("softsign",), (G,), LOST),
        "It is composed, `z / (abs(z) + 1)`: the derivative adds 1 / (1 + |z|) and -|z| / (1 + |z|)², which cancel. "
        "(1 + |z|)⁻² does not.",
    ),
    Cause(*("jax", ("softsign",), (G, Y), ENDS), "`z / (abs(z) + 1)` is inf / inf at ±inf."),
    Cause(
        *("jax", ("squareplus",), (G, Y), LOST),
        "`(z + sqrt(z**2 + b)) / 2` cancels on the left, and z**2 overflows.",
    ),
    Cause(
        *("jax", ("squareplus",), (G, Y), ENDS),
        "`z + sqrt(z**2 + b)` is -inf + inf at -inf; its derivative has inf / inf.",
    ),
    Cause(
        *("jax", ("softplus", "log-sigmoid"), (G,), TAILS),
        "The derivative of `logaddexp(z, 0)` is `exp(z - y)` of its result y, and z - y cancels where y is near z.",
    ),
    Cause(
        *("jax", ("selu",), (Y,), TAILS),
        "alpha and scale are rounded to bfloat16 before they are multiplied.",
    ),
)


def causes(findings: Sequence[Finding]) -> list[str]:
    """Return what explains some findings about one function, each once."""
    return [cause.words for cause in CAUSES if any(map(cause.explains, findings))]
