"""What does a result that bypasses the caches cost its reader? A copy either way, alone and with a reader called next.

    python -m benchmarks.readers [-n 100000,1000000,...] [-d float32,float64] [--repeats 30]

Prints, with 95 % intervals, how many times faster a copy with non-temporal stores is than one by loads and stores: by
itself, and together with a call that reads its result, g' of the logistic function from y by numba-simd. All take turns
in one process, on the same arrays. Compared is processor time, which bears neighbours. Beside each size stands whether
the arrays exceed half of the last-level cache: only there is a kernel held against such a copy.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from actbench import registry
from actbench.backends._limits import copies
from actbench.backends.numba_simd import NumbaSimd
from actbench.host import environment
from actbench.kernels.traffic import leaves_last_level_cache
from actbench.model.kernel_copies import LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect
from actbench.report.numbers import count, ratio
from benchmarks.limits import ratios

SIZES = "16384,100000,1000000,4000000,16000000"


def reader(dtype: Dtype) -> Callable[..., None]:
    """Return what reads a result: ``function(out, y)``."""
    backend = NumbaSimd()
    rule = registry.activation("logistic").rule("cached", Dialect.ARRAY, backend.namespace())
    read: Callable[..., None] = backend.bind(Op.DERIVATIVE, rule, dtype).function
    return read


def then(copy: Callable[..., None], read: Callable[..., None], out: Any, z: Any) -> None:
    """Copy z, and write g' of the copy where z is; what becomes of the values over many calls changes no time."""
    copy(out, z)
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
    print(f"{'':24}{'beyond half of it':>20}{'alone':>20}{'with its reader':>20}")
    for dtype in map(Dtype, options.d.split(",")):
        read = reader(dtype)
        plain, bypassing = (copies.compiled(kind, dtype) for kind in (LOOP_COPY, NON_TEMPORAL_COPY))
        for size in map(int, options.n.split(",")):
            alone = ratios({"plain": plain, "bypassing": bypassing}, size, dtype, options.repeats)
            both: dict[str, Callable[..., None]] = {
                "plain": partial(then, plain, read),
                "bypassing": partial(then, bypassing, read),
            }
            together = ratios(both, size, dtype, options.repeats)
            beyond = "yes" if leaves_last_level_cache(2 * size * dtype.itemsize, cache) else "no"
            columns = (beyond, ratio(alone["bypassing"]), ratio(together["bypassing"]))
            print(f"{f'{dtype}, n = {count(size)}':24}", *(f"{column:>19}" for column in columns), flush=True)


if __name__ == "__main__":
    main()
