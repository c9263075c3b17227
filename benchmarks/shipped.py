"""Whether strategy ``shipped`` takes the time of a bare call of the framework: `python -m benchmarks.shipped`.

For every activation of torch or jax, calls that a run would time alternate with the same calls written by hand, in
slices of half a millisecond of processor time, in the order A B B A B A A B: neither a drift nor what comes back every
fourth slice, as other processes may on a busy host, is taken for a difference. Both have the same
operands in memory, which move from time to time: the places of operands of their own would be compared as well.
Printed is the median of the paired ratios, with its 95 % interval, for ``backward`` and ``step``, and at the end how
many of them are within 2 %.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from actbench import registry
from actbench.engine.working.worker import SETTLING
from actbench.kernels.calls import repeated
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.training import SHIPPED

SIZE = 100_000
PAIRS = 150
PLACES = 10
"""How often operands move."""

SLICE = 5e-4
"""Seconds."""

ORDER = (0, 1, 1, 0, 1, 0, 0, 1)
"""Of the slices behind one ratio: ours, or the bare call."""

EQUAL = 0.02
"""The difference from 1 up to which a ratio counts as none."""

Call = tuple[Callable[..., Any], tuple[Any, ...]]

Arguments = Mapping[Op, tuple[Any, ...]]
"""The operands of the calls of a run: of a step z and dy, of a backward pass dy and what is saved."""


def bare_torch(activation: str, function: Callable[[Any], Any], arguments: Arguments) -> dict[Op, Call]:
    """Return what a user of torch writes: autograd, and for `backward` the kernel where there is one."""
    import torch

    z, dy = arguments[Op.STEP]
    leaf = z.detach().requires_grad_()

    def step() -> Any:
        output = function(leaf)
        return output, torch.autograd.grad(output, leaf, dy)

    y = function(leaf)

    def backward() -> Any:
        return torch.autograd.grad(y, leaf, dy, retain_graph=True)

    aten = torch.ops.aten
    upstream, *saved = (one for one in arguments[Op.BACKWARD] if isinstance(one, torch.Tensor))
    kernels: dict[str, Call] = {
        "celu": (aten.elu_backward.default, (upstream, 1.0, 1.0, 1.0, False, *saved)),
        "elu": (aten.elu_backward.default, (upstream, 1.0, 1.0, 1.0, False, *saved)),
        "gelu": (aten.gelu_backward.default, (upstream, *saved)),
        "gelu-tanh": (partial(aten.gelu_backward.default, approximate="tanh"), (upstream, *saved)),
        "hard-shrink": (aten.hardshrink_backward.default, (upstream, *saved, 0.5)),
        "hard-sigmoid": (aten.hardsigmoid_backward.default, (upstream, *saved)),
        "hard-swish": (aten.hardswish_backward.default, (upstream, *saved)),
        "hard-tanh": (aten.hardtanh_backward.default, (upstream, *saved, -1.0, 1.0)),
        "leaky-relu": (aten.leaky_relu_backward.default, (upstream, *saved, 0.01, False)),
        "log-sigmoid": (aten.log_sigmoid_backward.default, (upstream, *saved)),
        "logistic": (aten.sigmoid_backward.default, (upstream, *saved)),
        "mish": (aten.mish_backward.default, (upstream, *saved)),
        "relu": (aten.threshold_backward.default, (upstream, *saved, 0.0)),
        "relu6": (aten.hardtanh_backward.default, (upstream, *saved, 0.0, 6.0)),
        "selu": (
            aten.elu_backward.default,
            (upstream, 1.6732632423543772, 1.0507009873554805, 1.0, False, *saved),
        ),
        "silu": (aten.silu_backward.default, (upstream, *saved)),
        "soft-shrink": (aten.softshrink_backward.default, (upstream, *saved, 0.5)),
        "softplus": (aten.softplus_backward.default, (upstream, *saved, 1.0, 20.0)),
        "threshold": (aten.threshold_backward.default, (upstream, *saved, 1.0)),
        "tanh": (aten.tanh_backward.default, (upstream, *saved)),
    }
    return {Op.STEP: (step, ()), Op.BACKWARD: kernels.get(activation, (backward, ()))}


def bare_jax(activation: str, function: Callable[[Any], Any], arguments: Arguments) -> dict[Op, Call]:
    """Return jax.vjp in two compiled functions, as a user of jax writes them.

    For `backward` alone, what jax.vjp returns is taken apart before: flattening that object in Python takes 0.3
    microseconds a call, 2 % of the shortest, and no step that is compiled as a whole does it.
    """
    import jax

    del activation
    z, dy = arguments[Op.STEP]
    forward = jax.jit(lambda at: jax.vjp(function, at))
    pull = jax.jit(lambda vjp, of: vjp(of)[0])
    leaves, tree = jax.tree.flatten(forward(z)[1])
    upstream, *saved = arguments[Op.BACKWARD]
    kept = _in_place_of(leaves, saved)
    pull_flat = jax.jit(lambda leaves, of: jax.tree.unflatten(tree, leaves)(of)[0])

    def step() -> Any:
        y, vjp = forward(z)
        return y, pull(vjp, dy).block_until_ready()

    def backward() -> Any:
        return pull_flat(kept, upstream).block_until_ready()

    return {Op.STEP: (step, ()), Op.BACKWARD: (backward, ())}


def _in_place_of(leaves: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
    """Return the arrays that equal the leaves of a vjp, each once: leaves that are equal lie in memory of their own.

    A leaf that equals none is returned itself.
    """
    left, found = [*arrays], []
    for leaf in leaves:
        alike = (place for place, array in enumerate(left) if array.shape == leaf.shape and array.dtype == leaf.dtype)
        place = next((place for place in alike if bool((left[place] == leaf).all())), None)
        found.append(leaf if place is None else left.pop(place))
    return found


BARE = {"torch": bare_torch, "jax": bare_jax}


def seconds(call: Call, count: int) -> float:
    """Time so many calls, after an untimed one."""
    function, arguments = call
    function(*arguments)
    timed = repeated(function, arguments, count)
    start = time.thread_time()
    timed()
    return (time.thread_time() - start) / count


def ratios(ours: Call, bare: Call, pairs: int) -> list[float]:
    """Return the ratios of times, each of four slices of ours and four of the bare call."""
    count = max(1, round(SLICE / min(seconds(bare, 3) for _ in range(5))))
    paired = []
    for _ in range(pairs):
        totals = [0.0, 0.0]
        for which in ORDER:
            totals[which] += seconds((ours, bare)[which], count)
        paired.append(totals[0] / totals[1])
    return paired


def median(samples: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Return the median, and the bounds of its 95 % interval from order statistics."""
    half = 0.98 / np.sqrt(samples.size)
    low, middle, high = np.quantile(samples, [0.5 - half, 0.5, 0.5 + half])
    return float(middle), float(low), float(high)


def main(name: str, size: int = SIZE, *activations: str) -> None:
    """Print a line for each of these activations, or all, and op."""
    backend = registry.backend(name)
    np.empty(SETTLING, dtype=np.uint8)  # as in a worker
    off: dict[str, list[str]] = {}
    for activation in activations or registry.elementwise():
        if backend.unshipped(activation):
            continue
        rng = np.random.default_rng(1)
        z, dy = (rng.standard_normal(size).astype(np.float32) for _ in range(2))
        subjects = {
            op: resolve(KernelId(activation, SHIPPED, name, op, Dtype.FLOAT32)) for op in (Op.BACKWARD, Op.STEP)
        }
        operands = Operands(subjects[Op.STEP].activation, z, dy)
        samples: dict[Op, list[float]] = {op: [] for op in subjects}
        for _ in range(PLACES):
            placement = Placement(operands, rng)
            ours = {op: subject.invocation(size, placement) for op, subject in subjects.items()}
            arguments = {op: invocation.arguments for op, invocation in ours.items()}
            function = backend.shipped_function(activation)  # type: ignore[attr-defined]
            bare = BARE[name](activation, function, arguments)
            for op, invocation in ours.items():
                samples[op] += ratios((invocation.function, invocation.arguments), bare[op], PAIRS // PLACES)
        off[activation] = []
        for op, of_op in samples.items():
            middle, low, high = median(np.array(of_op))
            off[activation] += [] if abs(middle - 1) <= EQUAL else [f"{activation} {op} {middle:.3f}"]
            print(f"{name:6} {activation:13} {op:9} n = {size:>9}  {middle:.3f} ({low:.3f} to {high:.3f})", flush=True)
    beyond = f"; not {', '.join(chain.from_iterable(off.values()))}" if any(off.values()) else ""
    equal = sum(not of_activation for of_activation in off.values())
    print(f"{name}: {equal} of {len(off)} activations take the time of the bare call to {100 * EQUAL:g} %{beyond}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else SIZE, *sys.argv[3:])
