"""A training step in float64, written once more and as plainly as possible: the gradients that arms are held against.

It shares nothing with the backends' steps but the activation's formulas: a layer returns what it makes of its input,
and a function from the gradient of its output to that of its input. Where g' comes from is a parameter of the latter:
it is the declared one, or what a strategy computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import sqrt

import numpy as np

from actbench import backends
from actbench.backends import StepArrays
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.model.networks import Activate, Layer, Linear, Multiply, Network
from actbench.model.number_formats import numpy_dtype
from actbench.model.rule import Dialect
from actbench.model.variants import Variant
from actbench.plugins import evaluating

Slope = Callable[[Array], Array]
"""g' at every z of an array of float64."""

Pullback = Callable[[Array, Slope], Array]
"""From the gradient of a layer's output, that of its input; on the way it notes those of parameters."""


def slope_of(activation: Activation, variant: Variant) -> Slope:
    """Return g' as a strategy computes it in float64, from residuals that are rounded to the variant's type, if any."""
    rule = activation.rule(variant.name, Dialect.ARRAY, backends.namespace("numpy"))
    narrow = numpy_dtype(variant.storage) if variant.storage else np.dtype(np.float64)

    @evaluating
    def slope(z: Array) -> Array:
        y, *saved = rule.save(z) if rule.save else (rule.forward(z),)
        known = {"z": z, "y": y, **dict(zip(rule.saved, saved, strict=True))}
        return np.asarray(rule.derivative(*(known[name].astype(narrow).astype(np.float64) for name in rule.residuals)))

    return slope


def parameter_names(network: Network) -> list[str]:
    """Return the names of W, b of all linear layers in turn: ``W1 (784 x 512)``, ``b1``."""
    return [
        name
        for number, linear in enumerate(network.linears, 1)
        for name in (f"W{number} ({linear.inputs} x {linear.outputs})", f"b{number}")
    ]


class ReferenceStep:
    """A network with its parameters on a batch, all in float64."""

    def __init__(self, network: Network, activation: Activation, arrays: StepArrays, moved: float = 0.0) -> None:
        """Widen the arrays, which stay what they are.

        All z are moved by `moved` times their root mean square, but for those exactly on a kink, as 0 is after a relu.
        """
        self._network, self._moved = network, moved
        self._kinks = [*activation.formulas.kinks]
        self._forward = evaluating(activation.forward(Dialect.ARRAY, backends.namespace("numpy")))
        self._x, self._target = (array.astype(np.float64) for array in (arrays.x, arrays.target))
        pairs = zip(arrays.weights, arrays.biases, strict=True)
        self.parameters = [array.astype(np.float64) for pair in pairs for array in pair]
        """W, b of all linear layers in turn."""

    def loss(self, parameters: Sequence[Array]) -> float:
        """Return the mean of the squared errors with these parameters."""
        output, _ = self._through(self._network.layers, self._x, iter(parameters), [])
        return float(np.mean((output - self._target) ** 2))

    def gradients(self, *slopes: Slope) -> list[list[Array]]:
        """Return the gradients of the parameters by all of these g', from one forward pass."""
        noted: list[Array] = []
        output, pullback = self._through(self._network.layers, self._x, iter(self.parameters), noted)
        upstream = 2.0 * (output - self._target) / output.size
        results = []
        for slope in slopes:
            noted.clear()
            pullback(upstream, slope)
            results.append(noted[::-1])
        return results

    def _through(
        self, layers: Sequence[Layer], h: Array, parameters: Iterator[Array], noted: list[Array]
    ) -> tuple[Array, Pullback]:
        """Return what layers make of h; gradients are noted from the last parameter to the first."""
        if not layers:
            return h, lambda dy, _: dy
        first, *rest = layers
        y, through_first = self._layer(first, h, parameters, noted)
        output, through_rest = self._through(rest, y, parameters, noted)
        return output, lambda dy, slope: through_first(through_rest(dy, slope), slope)

    def _layer(self, layer: Layer, h: Array, parameters: Iterator[Array], noted: list[Array]) -> tuple[Array, Pullback]:
        match layer:
            case Linear():
                weight, bias = next(parameters), next(parameters)

                def through_product(dy: Array, _: Slope) -> Array:
                    noted.extend((dy.sum(axis=0), h.T @ dy))
                    return np.asarray(dy @ weight.T)

                return h @ weight + bias, through_product
            case Activate():
                z = self._beside(h) if self._moved else h
                return self._forward(z), lambda dy, slope: dy * slope(z)
            case Multiply():
                left, through_left = self._through(layer.left, h, parameters, noted)
                right, through_right = self._through(layer.right, h, parameters, noted)

                def through_gate(dy: Array, slope: Slope) -> Array:
                    from_right = through_right(dy * left, slope)
                    return through_left(dy * right, slope) + from_right

                return left * right, through_gate

    def _beside(self, z: Array) -> Array:
        return np.where(np.isin(z, self._kinks), z, z + self._moved * sqrt(np.mean(z * z)))
