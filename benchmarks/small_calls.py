"""What does a call of numba-simd cost on one element, and what of it is numba's dispatcher? ns a call, and ratios.

    python -m benchmarks.small_calls [--repeats 60]

*looked up* calls numba's dispatcher, which finds the code by the types of the arrays; *used* calls that code, as the
backend does. *numba* is the backend of that name. *nothing* is a compiled function without arguments, called by the
dispatcher, and *len* is Python's, of an array. All are called in turn, in one process; compared is processor time, less
that of the loop around the calls.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from actbench.analysis.interval import Interval
from actbench.analysis.statistics import intervals_of_logs
from actbench.backends._compiling import jitted
from actbench.kernels.resolution import kernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report.numbers import ratio

CALLS = 3000
"""In a row, before the next one's turn."""


def nothing() -> None:
    """Do nothing."""


def calls() -> dict[str, Callable[[], Any]]:
    """Return what is compared: calls without arguments."""
    z = np.ones(1, np.float32)
    out = np.empty_like(z)
    bound = {
        name: kernel(KernelId("logistic", Variant("cached"), name, Op.DERIVATIVE, Dtype.FLOAT32)).bound
        for name in ("numba-simd", "numba")
    }
    empty: Callable[[], None] = jitted(nothing, [], cache=False)
    looked_up, used, numba = bound["numba-simd"].compiled, bound["numba-simd"].function, bound["numba"].function
    return {
        "looked up": lambda: looked_up(out, z),
        "used": lambda: used(out, z),
        "numba": lambda: numba(out, z),
        "nothing": lambda: empty(),  # noqa: PLW0108  # a function of Python around each
        "len": lambda: len(z),
        "loop": lambda: None,
    }


def seconds(call: Callable[[], Any]) -> float:
    """Return the processor seconds of a call, the mean of many."""
    start = time.thread_time()
    for _ in range(CALLS):
        call()
    return (time.thread_time() - start) / CALLS


def measured(repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each call, less those of the loop of the same turn."""
    compared = calls()
    times: dict[str, list[float]] = {name: [] for name in compared}
    for number in range(repeats):
        for name in list(compared)[:: 1 if number % 2 else -1]:
            times[name].append(seconds(compared[name]))
    empty = times.pop("loop")
    return {name: [max(1e-9, a - b) for a, b in zip(values, empty, strict=True)] for name, values in times.items()}


def faster(times: dict[str, list[float]]) -> dict[str, Interval]:
    """Return how many times faster each call is than the one that is looked up."""
    reference = np.log(times["looked up"])
    return dict(zip(times, intervals_of_logs(reference - np.log(values) for values in times.values()), strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=60)
    times = measured(parser.parse_args().repeats)
    print(f"{'logistic/cached/float32/1':28} {'ns':>6} {'times faster':>22}")
    for name, interval in faster(times).items():
        print(f"{name:28} {1e9 * float(np.median(times[name])):6.0f} {ratio(interval):>22}")


if __name__ == "__main__":
    main()
