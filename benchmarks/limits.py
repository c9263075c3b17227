"""How much faster are the loops of numba-simd for what is done to them? Each way beside the plain loop, in one process.

    python -m benchmarks.limits [-a logistic,tanh,...] [-n 4096,100000] [-d float32,float64] [--repeats 60]

Prints, with 95 % intervals, how many times faster than the plain loop a kernel is: *plain* is one loop over the formula
in its parts, as LLVM vectorises it. *2, 4, 8* are vectors interleaved in an iteration, of the same formula. *at once*
is the derivative by one function (of `actbench.backends._simd`), and *used* is what the backend does. *ahead* has
prefetching. *C, SVML* and the like are loops in C over the exponential of a vector library (`benchmarks.c_loops`),
where that is installed. All read the same array and write to the same, in turn. Compared is processor time, which bears
neighbours.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.statistics import intervals_of_logs
from actbench.backends._rewriting import unchanged
from actbench.backends._simd import ahead, functions
from actbench.backends.numba_simd import NumbaSimd
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect, Formula
from actbench.report.numbers import ratio
from benchmarks import c_loops, kernel_options

SLICE_SECONDS = 0.002
"""Of a loop, before the next one's turn."""


ALIGNMENT = 64

PARTS = ModuleType("parts", "The functions of one element, without those that compute a derivative at once.")
vars(PARTS).update({name: value for name, value in vars(functions).items() if name not in functions.AT_ONCE})


class Loops(NumbaSimd):
    """The backend with loops of one kind."""

    def __init__(self, vectors: int, *, parts: bool = True, prefetching: bool = False) -> None:
        super().__init__()
        self._vectors, self._parts, self._prefetching = vectors, parts, prefetching

    def namespace(self) -> Any:
        """Return the functions of the formula."""
        return PARTS if self._parts else functions

    def interleave(self, formulas: Sequence[Formula]) -> int:
        """Return the number of vectors of an iteration, whatever the formulas are."""
        del formulas
        return self._vectors

    def loop_over(self, factory: Callable[..., Any], formula: Formula) -> Callable[..., Any]:
        """Return the loop that LLVM vectorises, also where the processor has AVX-512."""
        del formula
        return factory

    def around(self, arrays: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return what adds prefetching, or nothing."""
        return ahead.OVER[len(arrays)] if self._prefetching else unchanged


KINDS = {
    "plain": Loops(0),
    "2": Loops(2),
    "4": Loops(4),
    "8": Loops(8),
    "at once": Loops(0, parts=False),
    "at once, 8": Loops(8, parts=False),
    "ahead": Loops(0, prefetching=True),
    "used": NumbaSimd(),
}


def aligned(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a copy that begins where a line of the cache does."""
    room = np.empty(values.nbytes + ALIGNMENT, np.uint8)
    first = -room.ctypes.data % ALIGNMENT
    placed: np.ndarray[Any, Any] = room[first : first + values.nbytes].view(values.dtype)
    placed[:] = values
    return placed


def seconds(call: Callable[..., None], out: Any, z: Any, loops: int) -> float:
    """Return the processor seconds of a call, the mean of some."""
    start = time.thread_time()
    for _ in range(loops):
        call(out, z)
    return (time.thread_time() - start) / loops


def ratios(calls: dict[str, Callable[..., None]], size: int, dtype: Dtype, repeats: int) -> dict[str, Interval]:
    """Return how many times faster each call is than the one called plain."""
    z = aligned(np.random.default_rng(1).standard_normal(size, dtype=np.dtype(dtype).type))
    out = aligned(np.zeros_like(z))
    for call in calls.values():
        call(out, z)
    loops = {name: max(1, round(SLICE_SECONDS / seconds(call, out, z, 3))) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats):
        for name in list(calls)[:: 1 if number % 2 else -1]:
            times[name].append(seconds(calls[name], out, z, loops[name]))
    plain = np.log(times["plain"])
    faster = intervals_of_logs(plain - np.log(values) for values in times.values())
    return dict(zip(times, faster, strict=True))


IN_C = {f"C, {library.name}": library for library in c_loops.LIBRARIES if not c_loops.skipped(library)}


def kernels(name: str, strategy: str, dtype: Dtype) -> Iterator[tuple[str, Callable[..., None]]]:
    """Yield the compiled loops of a derivative, by kind; those that are alike once."""
    for kind, backend in KINDS.items():
        rule = registry.activation(name).rule(strategy, Dialect.ARRAY, backend.namespace())
        yield kind, backend._compile(Op.DERIVATIVE, rule, dtype, cache=False)
    if strategy == "recompute" and name in c_loops.FUNCTIONS:
        yield from ((kind, c_loops.loop(library, name, dtype)) for kind, library in IN_C.items())


def main() -> None:
    """Measure all kernels, one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kernel_options.add(parser, "logistic,tanh")
    parser.add_argument("--repeats", type=int, default=60)
    options = parser.parse_args()
    for library in c_loops.LIBRARIES:
        if reason := c_loops.skipped(library):
            print(f"C, {library.name}: skipped: {reason}")
    print(f"{'':36}", *(f"{kind:>16}" for kind in (*KINDS, *IN_C)))
    for derivative in kernel_options.derivatives(options):
        calls = dict(kernels(*derivative))
        for size in kernel_options.sizes(options):
            faster = ratios(calls, size, derivative.dtype, options.repeats)
            row = (f"{ratio(interval):>16}" for interval in faster.values())
            print(f"{'/'.join((*derivative, str(size))):36}", *row, flush=True)


if __name__ == "__main__":
    main()
