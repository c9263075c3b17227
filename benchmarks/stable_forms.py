"""How near the truth are the stable forms that declare nothing? In float32, on every number that matters.

    python -m benchmarks.stable_forms [-a logistic,tanh] [-b numpy,numba-simd]

Looked at are recompute and complement, on every float32 from 2^-12 to 2^8 in absolute value and every 61st beyond,
wherever g' is a normal number; complement from what the backend's own forward pass keeps. The truth is recompute in
float64, which the oracle holds to 8 ULP of float64, 2^-26 of a ULP of float32. Exits with 1 when an error is larger
than 4.1 ULP: numpy's own exponential is up to 2.54 ULP off, and complement is 4.08 off at one |z| of two thousand
million. About half a minute a kernel.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import product

import numpy as np

from actbench import backends, registry
from actbench.kernels.operands import Array
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect
from actbench.model.variants import Variant
from tests.support import kernels

MOST_ULP = 4.1
STRATEGIES = ("recompute", "complement")
CLOSELY = (2.0**-12, 2.0**8)
STRIDE = 61
NUMBERS_AT_ONCE = 1 << 22
FRACTION_BITS = 23
"""Bits after the first of a float32."""


def bits(number: float) -> int:
    """Return a number's place among the float32 from 0 on."""
    return int(np.float32(number).view(np.uint32))


def numbers() -> Iterator[Array]:
    """Yield the numbers, a chunk at a time, each sign after the other."""
    low, high = map(bits, CLOSELY)
    spans = ((0, low, STRIDE), (low, high, 1), (high, bits(float(np.finfo(np.float32).max)), STRIDE))
    for start, end, stride in spans:
        for first in range(start, end, stride * NUMBERS_AT_ONCE):
            z = np.arange(first, min(first + stride * NUMBERS_AT_ONCE, end), stride, dtype=np.uint32).view(np.float32)
            yield z
            yield -z


def largest(kernel: KernelId) -> tuple[float, float]:
    """Return a kernel's largest error in ULP, and where."""
    rule = (
        registry.current().activation(kernel.activation).rule("recompute", Dialect.ARRAY, backends.namespace("numpy"))
    )
    worst = (0.0, 0.0)
    for z in numbers():
        with np.errstate(all="ignore"):
            truth = rule.derivative(z.astype(np.float64))
            _, exponent = np.frexp(truth)
            normal = (np.abs(truth) >= np.finfo(np.float32).tiny) & (np.abs(truth) <= np.finfo(np.float32).max)
            computed = kernels.outputs(kernel, z)[-1].astype(np.float64)
            errors = np.where(normal, np.abs(np.ldexp(computed - truth, FRACTION_BITS + 1 - exponent)), 0.0)
        place = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
        worst = max(worst, (float(errors[place]), float(z[place])))
    return worst


def main() -> None:
    """Print a line a kernel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-a", "--activations", default=",".join(registry.elementwise()))
    parser.add_argument("-b", "--backends", default="numpy,numba-simd")
    arguments = parser.parse_args()
    wrong = False
    for name, backend in product(arguments.activations.split(","), arguments.backends.split(",")):
        for strategy in STRATEGIES:
            rule = registry.activation(name).formulas.strategies.get(strategy)
            if rule is not None and not rule.weaknesses:
                op = Op.DERIVATIVE if strategy == "recompute" else Op.STEP
                ulp, at = largest(KernelId(name, Variant(strategy), backend, op, Dtype.FLOAT32))
                wrong |= not ulp <= MOST_ULP
                print(f"{name:<12} {strategy:<11} {backend:<11} {ulp:5.2f} ULP at {at:.7g}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
