"""Is the truth true? The catalogue and definitions as papers print them, against differences in 1 200 digits.

    python -m benchmarks.truth [-n 2000] [-a logistic,"gelu (printed)"]

For every definition g' is looked at on z over all of float64: half of them random bits, the others where activations
bend and where they fade. It must be equal to 17 digits to a central difference of the same definition in the ball
arithmetic of FLINT, in 1 204 digits, with a step of z / 2^700 or 2^-700, where |g'| is at least the smallest subnormal
number; where g' is below that, the truth must be below as well. Exits with 1 when it is not; less than a minute of
processor time.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import flint
import numpy as np

from actbench import registry
from actbench.formula import Activation, Formulas
from actbench.kernels.operands import Array
from actbench.model.rule import Formula
from actbench.verification.truth.exact import Exact, unsupported

PRECISION_BITS = 4000
"""Of the reference: 1 204 decimal digits."""

STEP = 700
"""Bits by which the reference's step is smaller than z, and than 1."""

EQUAL_DIGITS = 17

SMALLEST = math.ulp(0.0)

SEED = 19


def _elu(m: Any, z: Any, alpha: float) -> Any:
    return z if z > 0 else alpha * (m.exp(z) - 1)


PRINTED: dict[str, Callable[[Any, Any], Any]] = {
    "logistic": lambda m, z: 1 / (1 + m.exp(-z)),
    "logistic by tanh": lambda m, z: (1 + m.tanh(z / 2)) / 2,
    "tanh by exponentials": lambda m, z: (m.exp(z) - m.exp(-z)) / (m.exp(z) + m.exp(-z)),
    "softplus": lambda m, z: m.log(1 + m.exp(z)),
    "log-sigmoid": lambda m, z: m.log(1 / (1 + m.exp(-z))),
    "silu": lambda m, z: z / (1 + m.exp(-z)),
    "gelu": lambda m, z: z * (1 + m.erf(z / m.sqrt(2))) / 2,
    "gelu by erfc": lambda m, z: z * m.erfc(-z / m.sqrt(2)) / 2,
    "gelu by tanh": lambda m, z: 0.5 * z * (1 + m.tanh(m.sqrt(2 / m.pi) * (z + 0.044715 * z**3))),
    "mish": lambda m, z: z * m.tanh(m.log(1 + m.exp(z))),
    "elu": lambda m, z: _elu(m, z, 0.75),
    "celu": lambda m, z: max(z, 0 * z) + min(0 * z, 2.0 * (m.exp(z / 2.0) - 1)),
    "log cosh": lambda m, z: m.log(m.cosh(z)),
    "tanhshrink": lambda m, z: z - m.tanh(z),
    "complementary log-log": lambda m, z: 1 - m.exp(-m.exp(z)),
    "tanh of exp": lambda m, z: z * m.tanh(m.exp(z)),
    "softsign": lambda _, z: z / (1 + abs(z)),
    "inverse square root unit": lambda m, z: z / m.sqrt(1 + z * z),
    "bent identity": lambda m, z: (m.sqrt(z * z + 1) - 1) / 2 + z,
    "smish": lambda m, z: z * m.tanh(m.log(1 + 1 / (1 + m.exp(-z)))),
    "soft clipping": lambda m, z: m.log((1 + m.exp(z)) / (1 + m.exp(z - 1))),
    "gaussian": lambda m, z: m.exp(-z * z),
    "cube": lambda _, z: z**3 / 3,
    "squared relu": lambda _, z: max(z, 0 * z) ** 2,
    "snake": lambda m, z: z + m.sin(z) ** 2,
    "hard swish": lambda _, z: z * min(max(z + 3, 0 * z), 6 + 0 * z) / 6,
}
"""Definitions by name, as papers print them: of a namespace and z."""


class Reference:
    """mpmath's names for the balls of FLINT."""

    pi = property(lambda _: flint.arb.pi())

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        """Return a function of a number."""
        return lambda z: getattr(flint.arb(z), name)()


class Mismatch(NamedTuple):
    """Where the truth is not true."""

    z: float
    truth: float | None
    reference: float


def subjects() -> Iterator[Activation]:
    """Yield the catalogue, and what is printed."""
    yield from map(registry.activation, registry.elementwise())
    for name, definition in PRINTED.items():
        yield Activation(f"{name} (printed)", name, lambda m, definition=definition: _formulas(m, definition))


def _formulas(m: Any, definition: Callable[[Any, Any], Any]) -> Formulas:
    return Formulas(forward=lambda z: definition(m, z))


def points(count: int) -> Array:
    """Return z over all of float64, no more than so many."""
    random = np.random.default_rng(SEED)
    bits = random.integers(0, 2**64, 2 * count, dtype=np.uint64).view(np.float64)
    near = [random.normal(0.0, scale, count // 8) for scale in (3.0, 30.0, 400.0)]
    round_numbers = np.array([0.0, -0.0, 1.0, -1.0, -1.5, 3.0, -3.0, 6.0, SMALLEST, -SMALLEST])
    chosen = np.concatenate([round_numbers, *near, bits[np.isfinite(bits)]])
    return np.asarray(chosen[:count])


def slope(definition: Formula, z: float) -> Any:
    """Return g'(z) as a ball: a central difference."""
    at = flint.arb(z)
    step = flint.arb(min(abs(z), 1.0) or SMALLEST) * flint.arb(2) ** -STEP
    return (definition(at + step) - definition(at - step)) / (2 * step)


def mismatches(activation: Activation, z: Array) -> list[Mismatch]:
    """Return where the truth about an activation differs from the reference; `AssertionError` where that is vague."""
    assert unsupported(activation) is None, activation.name
    kinks = activation.formulas.kinks
    at = np.array([number for number in z if number not in kinks])
    truth = Exact(activation).at(at)
    different = []
    with flint.ctx.workprec(PRECISION_BITS):
        definition = activation.build(Reference()).definition
        for number, point in zip(at.tolist(), truth, strict=True):
            reference = slope(definition, number)
            if not same(point.slope, reference):
                different.append(Mismatch(number, point.slope and float(point.slope), float(reference.mid())))
    return different


def same(truth: Any, reference: Any) -> bool:
    """Say whether a number of mpmath, or None, is in the digits that count what a ball says."""
    if truth is None:
        return False
    sign, mantissa, exponent, _ = truth._mpf_
    ball = flint.arb((-int(mantissa) if sign else int(mantissa), exponent))
    if abs(reference) < SMALLEST:
        return bool(abs(ball) < SMALLEST)
    if mantissa == 0:
        return bool(abs(reference) < flint.arb(2) ** -STEP)  # where g' meets 0, a difference has what is beside it
    return bool(abs(ball - reference) <= abs(reference) * flint.arb(10) ** -EQUAL_DIGITS)


def main() -> None:
    """Print a line a definition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--count", type=int, default=2000)
    parser.add_argument("-a", "--activations", default="")
    arguments = parser.parse_args()
    chosen = [item for item in arguments.activations.split(",") if item]
    z, wrong, begun = points(arguments.count), 0, time.process_time()
    for activation in subjects():
        if not chosen or activation.name in chosen:
            start = time.process_time()
            different = mismatches(activation, z)
            wrong += len(different)
            first = f", first {different[0]}" if different else ""
            seconds = time.process_time() - start
            print(f"{activation.name:<38} {len(different):4d} of {z.size} differ, {seconds:5.2f} s{first}", flush=True)
    print(f"{wrong} differ; {time.process_time() - begun:.1f} s of processor time")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
