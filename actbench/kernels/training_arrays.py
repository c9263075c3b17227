"""Drawing what the steps of a training block share: a batch, its target, and the parameters of a network.

Weights are drawn from N(0, 1/inputs), which gives every z of a linear layer the variance of its input: Y. LeCun, L.
Bottou, G. B. Orr and K.-R. Müller, "Efficient BackProp", 1998, section 4.6. Biases are drawn from the same
distribution, so that a step which leaves them out has wrong gradients; PyTorch, too, draws them with a variance of the
order of 1/inputs.

Every array has a stream of random numbers for itself, which no change of the batch or of the inputs shifts.
"""

from __future__ import annotations

from itertools import count
from math import prod, sqrt

import numpy as np

from actbench.backends import StepArrays
from actbench.kernels.drawing import draw, standard_normal
from actbench.kernels.operands import Array
from actbench.kernels.placement import ALIGNMENT
from actbench.model.inputs import Inputs
from actbench.model.names import Dtype
from actbench.model.networks import Network
from actbench.model.number_formats import numpy_dtype

TARGET, FIRST_PARAMETER = 2, 3
"""Streams of random numbers; the first two are those of `actbench.kernels.drawing`, from which x is drawn."""


def drawn(network: Network, batch: int, dtype: Dtype, seed: int, inputs: Inputs) -> StepArrays:
    """Return the arrays of a step on a batch, always the same from the same seed, aligned to cache lines.

    x is drawn from `inputs`, and the target from N(0, 1). Apart from the numbers of a user's file, none is subnormal.
    `InputError` where a file cannot be read, or is not the one that the digest is of.
    """
    x, _ = draw(inputs, dtype, batch * network.inputs, seed)
    streams = count(FIRST_PARAMETER)

    def normal(stream: int, *shape: int, deviation: float = 1.0) -> Array:
        numbers = standard_normal(np.random.default_rng((seed, stream)), prod(shape), numpy_dtype(dtype))
        return _aligned(numbers * numbers.dtype.type(deviation), *shape)

    parameters = [
        (
            normal(next(streams), linear.inputs, linear.outputs, deviation=1 / sqrt(linear.inputs)),
            normal(next(streams), linear.outputs, deviation=1 / sqrt(linear.inputs)),
        )
        for linear in network.linears
    ]
    weights, biases = zip(*parameters, strict=True)
    target = normal(TARGET, batch, network.outputs)
    return StepArrays(_aligned(x, batch, network.inputs), target, weights, biases)


def _aligned(numbers: Array, *shape: int) -> Array:
    """Return the numbers in this shape, from a multiple of `ALIGNMENT` bytes on."""
    room = np.empty(numbers.nbytes + ALIGNMENT, dtype=np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    array = room[start : start + numbers.nbytes].view(numbers.dtype)
    array[...] = numbers
    return array.reshape(shape)
