"""The truth of gated activations, y = g(a) b: products of g and g' with b and dy, which mpmath computes exactly.

Errors of the gradient of a are in units of |dy b| ULP of g'(a), or of ULP of the gradient where that is more: where g'
is subnormal, a large b does not give back the digits that it lacks. Likewise for y, and for dy where it is large.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import mpmath
import numpy as np
from mpmath import libmp

from actbench.errors import BenchmarkError
from actbench.formula import Activation, Formulas
from actbench.plugins import evaluating
from actbench.verification.truth import Array, Truth, nearest_to, points_at, unsupported

PROBES = ((0.75, -3.0), (-2.5, 0.5), (1.5, 0.0))
"""The (a, b) at which y is compared with g(a) b."""

SAME = 1e-12
"""Relative difference up to which they are equal."""


@cache
def gate_of(activation: Activation) -> Activation:
    """Return the elementwise activation g of a gated one, by its definition; it has no strategies.

    It is the same object whenever it is asked for: what is known of it is cached by the object.
    """

    def of_a(m: Any, **parameters: float) -> Formulas:
        formulas = activation.build(m, **parameters)
        definition = formulas.definition

        def forward(a: Any) -> Any:
            return definition(a, 1.0)

        return Formulas(forward=forward, range=formulas.range, kinks=formulas.kinks)

    return replace(activation, build=of_a, declared_kernels=())


@dataclass(frozen=True, slots=True)
class Product:
    """The true values of one result, and the unit of its error."""

    truth: Truth
    unit: Array

    def at(self, chosen: Array) -> Product:
        """Return those with these indices."""
        return Product(self.truth.at(chosen), self.unit[chosen])

    def error(self, computed: Array) -> Array:
        """Return |computed - truth| in units."""
        with np.errstate(all="ignore"):
            scaled = self.truth.error(computed) * (self.truth.ulp / self.unit)
        return np.where(np.isnan(scaled), np.inf, scaled)


Truths = tuple[Product, ...]
"""Of the gradients of a and b, and of y."""


@evaluating
def expected(activation: Activation, inputs: Array, dy: Array) -> Truths:
    """Return the gradients of a and b, and y; `BenchmarkError` where mpmath cannot evaluate g, or it is unknown."""
    gate = gate_of(activation)
    if reason := unsupported(gate):
        raise BenchmarkError(f"g of {activation.name} is not known: mpmath cannot evaluate it ({reason})")
    b, up = inputs[:, 1].astype(np.float64), dy.astype(np.float64)
    distinct, place = np.unique(inputs[:, 0], return_inverse=True)
    at = points_at(gate, distinct)
    slopes, outputs = [one.slope for one in at], [one.output for one in at]
    if missing := [z for z, slope, output in zip(distinct, slopes, outputs, strict=True) if None in {slope, output}]:
        raise BenchmarkError(f"g of {activation.name} is not known at a = {missing[0]:.9g}")

    def products(numbers: list[Any], *factors: Array) -> Product:
        units = nearest_to(numbers, inputs.dtype).ulp[place]
        exact = [numbers[index] for index in place]
        for factor in factors:
            exact = [_exact_product(one, by) for one, by in zip(exact, factor.tolist(), strict=True)]
            with np.errstate(all="ignore"):
                units = units * np.abs(factor)
        truth = nearest_to(exact, inputs.dtype)
        return Product(truth, np.maximum(truth.ulp, units))

    return products(slopes, b, up), products(outputs, up), products(outputs, b)


def _exact_product(number: Any, factor: float) -> Any:
    """Return a product in as many bits as it has."""
    return mpmath.mp.make_mpf(libmp.mpf_mul(number._mpf_, libmp.from_float(factor)))


@evaluating
def no_product(activation: Activation) -> str | None:
    """Return where y is not a product with b, in words; None where it is one."""
    definition = activation.build(mpmath.mp).definition
    for a, b in PROBES:
        product, y = definition(mpmath.mpf(a), mpmath.mpf(1)) * b, definition(mpmath.mpf(a), mpmath.mpf(b))
        if not mpmath.almosteq(product, y, SAME, SAME):
            return (
                f"y of {activation.name} is not g(a) b: at a = {a}, b = {b} it is {float(y):.6g} where g(a) b is "
                f"{float(product):.6g}; a gated activation multiplies by its second input"
            )
    return None
