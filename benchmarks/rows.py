"""How good are numba-simd's loops along rows, and of gated activations? Beside numpy, torch and jax, and beside copies.

    python -m benchmarks.rows [--shape 4096x1024] [-n 10000] [--rounds 8] [--repeats 8]

A round is a fresh process with one thread on one processor, in which all take turns on the same float32 arrays, in
slices of about 2 ms of processor time or one call, each time at other offsets. Printed are, with 95 % intervals over
the rounds, how many times faster numba-simd is than the fastest of numpy, torch and jax (where installed), their own
functions included: softmax forward and backward, each by `recompute`, `intermediate` and `cached`, and swiglu backward
in cache. For the backward pass of softmax from y, it is also its rate in percent of a copy: by loads and stores, for
numba-simd, and by stores that bypass the caches, for numba-simd-streaming, which stores its results so. The copies move
as many bytes in all as that pass, two arrays half as large again: of two arrays that are as large, on a processor whose
last-level cache holds these but not three, a copy would be a limit that no function of two arrays can come near. Beside
it is the backward pass of logistic from y, which reads and writes the same arrays, each once. A figure is reached where
the whole interval is at or above it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.statistics import intervals_of_logs
from actbench.backends._limits import copies
from actbench.kernels import resolution
from actbench.kernels.forward_pass import ForwardPass
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Operands, Z
from actbench.kernels.placement import Placement
from actbench.model.cases import KernelId
from actbench.model.kernel_copies import KERNEL_COPIES, LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report.numbers import plus_minus

OURS, STREAMING = "numba-simd", "numba-simd-streaming"
OTHERS = ("numpy", "torch", "jax")
"""The libraries that one would use instead."""

SLICE_SECONDS = 0.002
DTYPE = Dtype.FLOAT32
SHIPPED = "shipped"
FORWARD = "forward"

ELEMENTWISE = "logistic, cached"
"""What reads and writes the arrays of `cached` once."""

Call = Callable[[], Any]

Maker = Callable[[np.random.Generator], Call]
"""It makes a call on operands at random offsets."""

Seconds = Mapping[tuple[str, str], float]
"""Of a call, by what it computes and by the backend, or copy."""


class Figure(NamedTuple):
    """How many times faster than the fastest of the others a pass is to be."""

    task: str
    """Strategy of a backward pass of softmax, or what else is computed."""
    others: tuple[str, ...]
    """The tasks of the others that compute the same."""
    least: float | None


FIGURES = (
    Figure(FORWARD, (FORWARD, f"{FORWARD}, {SHIPPED}"), 1.5),
    Figure("recompute", ("recompute",), 1.5),
    Figure("intermediate", ("intermediate",), None),
    Figure("cached", ("cached", SHIPPED), None),
    Figure("swiglu", ("swiglu", f"swiglu, {SHIPPED}"), 2.0),
)

COPY_FIGURES = {OURS: LOOP_COPY, STREAMING: NON_TEMPORAL_COPY}
"""Which copy moves data as the cached backward pass of a backend does."""

LEAST_OF_COPY = 90.0
"""Percent of its rate."""


def makers_of(
    activation: str, tasks: Mapping[str, tuple[str, Op]], z: Any, dy: Any
) -> Iterator[tuple[str, str, Maker]]:
    """Yield every task in every backend that has it; the step of a strategy stands for its forward pass."""
    one = registry.activation(activation)
    operands = Operands(one, z, dy)
    for backend in (OURS, STREAMING, *OTHERS):
        if registry.backends()[backend].unavailable:
            continue
        for task, (strategy, op) in tasks.items():
            kernel = resolution.kernel(KernelId(one.name, Variant(strategy), backend, op, DTYPE))
            if not kernel.unsupported:
                yield task, backend, partial(placed, ForwardPass(kernel) if op is Op.STEP else kernel, operands, z.size)


def placed(kernel: Kernel | ForwardPass, operands: Operands, size: int, rng: np.random.Generator) -> Call:
    """Return the call of a kernel on operands at random offsets."""
    return kernel.invocation(size, Placement(operands, rng)).call


def own_forward(z: Any) -> Iterator[tuple[str, str, Maker]]:
    """Yield the functions of the libraries themselves, as their users call them."""
    task = f"{FORWARD}, {SHIPPED}"
    if not registry.backends()["torch"].unavailable:
        import torch

        tensor = torch.from_numpy(z)
        yield task, "torch", lambda _: partial(torch.softmax, tensor, -1)
    if not registry.backends()["jax"].unavailable:
        import jax

        array, softmax = jax.numpy.asarray(z), jax.jit(jax.nn.softmax)
        yield task, "jax", lambda _: lambda: softmax(array).block_until_ready()


def copying(z: Any) -> Iterator[tuple[str, str, Maker]]:
    """Yield the copies that exist here of an array half as large again, so that they move as much as three arrays."""
    operands = Operands(None, np.resize(z, z.size * 3 // 2))
    for kind in KERNEL_COPIES:
        if not copies.unavailable(kind):
            yield "copy", str(kind), partial(copied, copies.compiled(kind, DTYPE), operands)


def copied(copy: Callable[..., None], operands: Operands, rng: np.random.Generator) -> Call:
    """Return the call of a copy between arrays at random offsets."""
    memory = Placement(operands, rng)
    return partial(copy, memory.output(0, np.dtype(DTYPE)), memory.operand(registry.backend("numpy"), Z))


def medians(makers: Sequence[tuple[str, str, Maker]], repeats: int, seed: int) -> dict[tuple[str, str], float]:
    """Return the median processor seconds of calls that take turns, each time elsewhere in memory."""
    slices: dict[tuple[str, str], list[float]] = {(task, backend): [] for task, backend, _ in makers}
    for number in range(repeats):
        for task, backend, maker in makers[:: 1 if number % 2 else -1]:
            call = maker(np.random.default_rng([seed, number]))
            call()
            slices[task, backend].append(slice_of(call, max(1, round(SLICE_SECONDS / slice_of(call, 1)))))
    return {key: statistics.median(values) for key, values in slices.items()}


def slice_of(call: Call, loops: int) -> float:
    """Return the processor seconds of a call, of all threads, the mean of some after one that is not timed."""
    call()
    start = time.process_time()
    for _ in range(loops):
        call()
    return (time.process_time() - start) / loops


def a_round(shape: tuple[int, int], size: int, repeats: int, seed: int) -> Seconds:
    """Return the seconds of all calls, in this process."""
    rng = np.random.default_rng(seed)
    z, dy = rng.standard_normal((2, *shape), dtype=np.float32)
    strategies = ("recompute", "intermediate", "cached", SHIPPED)
    along_rows = {strategy: (strategy, Op.BACKWARD) for strategy in strategies} | {FORWARD: ("recompute", Op.STEP)}
    gated = {"swiglu": ("recompute", Op.BACKWARD), f"swiglu, {SHIPPED}": (SHIPPED, Op.BACKWARD)}
    of_rows = [*makers_of("softmax", along_rows, z, dy), *own_forward(z), *copying(z)]
    once = makers_of("logistic", {ELEMENTWISE: ("cached", Op.BACKWARD)}, z.reshape(-1), dy.reshape(-1))
    of_rows += [maker for maker in once if maker[1] in COPY_FIGURES]
    a, dy = rng.standard_normal((2, size), dtype=np.float32)
    return medians(of_rows, repeats, seed) | medians([*makers_of("swiglu", gated, a, dy)], repeats, seed)


def fastest(rounds: Sequence[Seconds], figure: Figure) -> tuple[str, str]:
    """Return what is the fastest of the others: the least median over the rounds."""
    keys = [(task, backend) for task, backend in rounds[0] if task in figure.others and backend in OTHERS]
    return min(keys, key=lambda key: statistics.median(one[key] for one in rounds))


def faster(rounds: Sequence[Seconds], than: tuple[str, str], this: tuple[str, str]) -> Interval:
    """Return how many times faster this is than that, with its interval."""
    (interval,) = intervals_of_logs([[float(np.log(one[than] / one[this])) for one in rounds]])
    return interval


def lines(rounds: Sequence[Seconds], elements: int) -> Iterator[str]:
    """Say what each figure comes to."""
    for figure in FIGURES:
        ours, best = (figure.task, OURS), fastest(rounds, figure)
        interval = faster(rounds, best, ours)
        name = f"{figure.task:14} {plus_minus(interval)} times faster than {best[1]} ({best[0]})"
        yield f"{name}{'' if figure.least is None else f': {reached(interval, figure.least)}'}"
    for backend, kind in COPY_FIGURES.items():
        for limit, name, least in (
            (("copy", str(kind)), f"{KERNEL_COPIES[kind]} of as much", LEAST_OF_COPY),
            ((ELEMENTWISE, backend), "the backward pass of logistic from y", None),
        ):
            if {limit, ("cached", backend)} <= {*rounds[0]}:
                percent = Interval(*(100.0 * bound for bound in faster(rounds, limit, ("cached", backend))))
                text = f"cached, {backend}: {plus_minus(percent)} % of the rate of {name}"
                yield f"{text}{'' if least is None else f': {reached(percent, least)}'}"
    for task, backend in rounds[0]:
        if not task.startswith("swiglu"):
            ns = statistics.median(one[task, backend] for one in rounds) / elements * 1e9
            yield f"    {task:20} {backend:24} {ns:7.3f} ns an element"


def reached(interval: Interval, least: float) -> str:
    """Say whether a figure is reached."""
    if not interval.has_bounds:
        return f"too few rounds to show {least:g}"
    return f"{least:g} is {'reached' if interval.low >= least else 'not shown to be reached'}"


def main() -> None:
    """Measure all rounds, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="4096x1024")
    parser.add_argument("-n", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=8)
    options = parser.parse_args()
    rows, columns = map(int, options.shape.split("x"))
    for name in (STREAMING, *OTHERS):
        if reason := registry.backends()[name].unavailable:
            print(f"{name}: skipped: {reason}")
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rounds = []
    for seed in range(options.rounds):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rounds.append(pool.submit(a_round, (rows, columns), options.n, options.repeats, seed).result())
    print("\n".join(lines(rounds, rows * columns)))


if __name__ == "__main__":
    main()
