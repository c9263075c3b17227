"""Whether strategy ``shipped`` takes the time of a bare call of the framework: `python -m benchmarks.shipped`.

For every activation of torch or jax, calls that a run would time alternate with the same calls written by hand, in
slices of half a millisecond of processor time, in the order A B B A, on operands of the same size. Printed is
the median of the paired ratios, with its 95 % interval, for ``backward`` and ``step``.

Of torch, ``backward`` is compared with a few of its kernels, called by hand, and with autograd where it has no kernel.
Of the others, the ratio is that of a kernel's time to the time of autograd's graph around it, and below 1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from actbench import registry
from actbench.kernels.calls import repeated
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.training import SHIPPED

SIZE = 100_000
PAIRS = 300
SLICE = 5e-4
"""Seconds."""

Call = tuple[Callable[..., Any], tuple[Any, ...]]


def bare_torch(function: Callable[[Any], Any], z: Any, dy: Any) -> dict[Op, Call]:
    """Return what a user of torch writes: autograd, or a kernel for `backward` of a few activations."""
    import torch

    leaf, upstream = torch.from_numpy(z).requires_grad_(), torch.from_numpy(dy)
    y = function(leaf)

    def step() -> Any:
        output = function(leaf)
        return output, torch.autograd.grad(output, leaf, upstream)

    def backward() -> Any:
        return torch.autograd.grad(y, leaf, upstream, retain_graph=True)

    aten = torch.ops.aten
    kernels = {
        torch.sigmoid: (aten.sigmoid_backward.default, (upstream, y.detach())),
        torch.tanh: (aten.tanh_backward.default, (upstream, y.detach())),
        torch.nn.functional.gelu: (aten.gelu_backward.default, (upstream, leaf.detach())),
        torch.nn.functional.mish: (aten.mish_backward.default, (upstream, leaf.detach())),
        torch.nn.functional.silu: (aten.silu_backward.default, (upstream, leaf.detach())),
    }
    return {Op.STEP: (step, ()), Op.BACKWARD: kernels.get(function, (backward, ()))}


def bare_jax(function: Callable[[Any], Any], z: Any, dy: Any) -> dict[Op, Call]:
    """Return jax.vjp in two compiled functions, as a user of jax writes them."""
    import jax

    inputs, upstream = jax.numpy.array(z), jax.numpy.array(dy)
    forward = jax.jit(lambda at: jax.vjp(function, at))
    pull = jax.jit(lambda vjp, of: vjp(of)[0])
    _, kept = forward(inputs)

    def step() -> Any:
        y, vjp = forward(inputs)
        return y, pull(vjp, upstream).block_until_ready()

    def backward() -> Any:
        return pull(kept, upstream).block_until_ready()

    return {Op.STEP: (step, ()), Op.BACKWARD: (backward, ())}


BARE = {"torch": bare_torch, "jax": bare_jax}


def seconds(call: Call, count: int) -> float:
    """Time so many calls, after an untimed one."""
    function, arguments = call
    function(*arguments)
    timed = repeated(function, arguments, count)
    start = time.thread_time()
    timed()
    return (time.thread_time() - start) / count


def ratios(ours: Call, bare: Call) -> np.ndarray[Any, Any]:
    """Return the paired ratios of times."""
    count = max(1, round(SLICE / min(seconds(bare, 3) for _ in range(5))))
    pairs = []
    for _ in range(PAIRS):
        one, two, three, four = (seconds(call, count) for call in (ours, bare, bare, ours))
        pairs.append((one + four) / (two + three))
    return np.array(pairs)


def median(samples: np.ndarray[Any, Any]) -> str:
    """Return the median, with its 95 % interval from order statistics."""
    half = 0.98 / np.sqrt(samples.size)
    low, middle, high = np.quantile(samples, [0.5 - half, 0.5, 0.5 + half])
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def main(name: str, size: int = SIZE) -> None:
    """Print a line for each activation and op."""
    backend = registry.backend(name)
    for activation in registry.activations():
        if backend.unshipped(activation):
            continue
        rng = np.random.default_rng(1)
        z, dy = (rng.standard_normal(size).astype(np.float32) for _ in range(2))
        calls: dict[Op, Call] = {}
        for op in (Op.BACKWARD, Op.STEP):  # first: the library gets its threads here
            subject = resolve(KernelId(activation, SHIPPED, name, op, Dtype.FLOAT32))
            placement = Placement(Operands(subject.activation, z, dy), rng)
            invocation = subject.invocation(size, placement)
            calls[op] = invocation.function, invocation.arguments
        bare = BARE[name](backend.shipped_function(activation), z.copy(), dy.copy())  # type: ignore[attr-defined]
        for op, call in calls.items():
            samples = ratios(call, bare[op])
            print(f"{name:6} {activation:13} {op:9} n = {size:>9}  {median(samples)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
