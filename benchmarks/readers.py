"""What does a result that bypasses the caches cost its reader? Kernels either way, alone and with a reader called next.

    python -m benchmarks.readers [-n 100000,1000000,...] [-d float32,float64] [--repeats 30]

Prints, with 95 % intervals, how many times faster a copy with non-temporal stores is than one by loads and stores, and
likewise the derivative of the logistic function by numba-simd-streaming and by numba-simd, from y and from z: by
itself, and together with a call that reads its result, g' of the logistic function from y by numba-simd. All take turns
in one process, on the same arrays. Compared is processor time, which bears neighbours. Beside each size stands whether
the arrays exceed half of the last-level cache: only there is a kernel held against such a copy, and only there does
numba-simd-streaming differ from numba-simd.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

from actbench import registry
from actbench.backends._limits import copies
from actbench.backends.numba_simd import NumbaSimd
from actbench.backends.numba_simd_streaming import NumbaSimdStreaming
from actbench.host import environment
from actbench.kernels.traffic import leaves_last_level_cache
from actbench.model.kernel_copies import LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect
from actbench.report.numbers import count, ratio
from benchmarks.limits import ratios

Kernel = Callable[..., None]

SIZES = "16384,100000,1000000,4000000,16000000"


def derivative(backend: NumbaSimd, strategy: str, dtype: Dtype) -> Kernel:
    """Return a kernel of the logistic function: ``function(out, y or z)``."""
    rule = registry.activation("logistic").rule(strategy, Dialect.ARRAY, backend.namespace())
    function: Kernel = backend.bind(Op.DERIVATIVE, rule, dtype).function
    return function


def both_ways(dtype: Dtype) -> dict[str, tuple[Kernel, Kernel]]:
    """Return the kernels by ordinary stores and by those that bypass the caches."""
    plain, bypassing = NumbaSimd(), NumbaSimdStreaming()
    return {
        "copy": (copies.compiled(LOOP_COPY, dtype), copies.compiled(NON_TEMPORAL_COPY, dtype)),
        **{
            strategy: (derivative(plain, strategy, dtype), derivative(bypassing, strategy, dtype))
            for strategy in ("cached", "recompute")
        },
    }


def then(kernel: Kernel, read: Kernel, out: Any, z: Any) -> None:
    """Call a kernel, and write g' of its result where z is; what becomes of the values over calls changes no time."""
    kernel(out, z)
    read(z, out)


def main() -> None:
    """Measure all sizes, one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", default=SIZES)
    parser.add_argument("-d", default="float32,float64")
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    if reason := copies.unavailable(NON_TEMPORAL_COPY):
        print(f"skipped: {reason}")
        return
    cache = environment.last_level_cache(environment.choose_cpu(None))
    print(f"last-level cache: {cache / 2**20:.0f} MiB")
    print(f"{'':34}{'beyond half of it':>20}{'alone':>20}{'with its reader':>20}")
    for dtype in map(Dtype, options.d.split(",")):
        read = derivative(NumbaSimd(), "cached", dtype)
        for size, (name, kernels) in product(map(int, options.n.split(",")), both_ways(dtype).items()):
            ways = dict(zip(("plain", "bypassing"), kernels, strict=True))
            alone = ratios(ways, size, dtype, options.repeats)
            with_reader: dict[str, Kernel] = {way: partial(then, kernel, read) for way, kernel in ways.items()}
            together = ratios(with_reader, size, dtype, options.repeats)
            beyond = "yes" if leaves_last_level_cache(2 * size * dtype.itemsize, cache) else "no"
            columns = (beyond, ratio(alone["bypassing"]), ratio(together["bypassing"]))
            print(f"{f'{name}, {dtype}, n = {count(size)}':34}", *(f"{column:>19}" for column in columns), flush=True)


if __name__ == "__main__":
    main()
