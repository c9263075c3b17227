"""How well ratios with cold operands repeat, and how fast the cold copy is beside one of a gigabyte.

    python -m benchmarks.cold [--runs 8] [--rounds 12]

Printed are, for either cold state, the standard deviation over runs of recompute / cached (logistic, numba-simd,
float32, n = 100 000), and the widest interval of the runs; before, for each dtype, the rate of the cold yardstick over
that of copying a gigabyte, whole and in pieces of the yardstick's size: processor time, in turns in one process.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import thread_time

import numpy as np

from actbench.engine.protocol import Slice, Sweep
from actbench.engine.working.prepared import PreparedBlock
from actbench.host import environment, processors
from actbench.kernels.resolution import subjects
from actbench.model.cases import Arm, Block
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import WIDE, Dtype, Op, OperandState
from actbench.model.variants import Variant

SIZE = 100_000
"""Elements."""

GIGABYTE = 10**9

TURNS = 15
"""How often each copy is timed."""

SELECTION = (
    *("-a", "logistic", "-s", "recompute,cached", "-b", "numba-simd", "-d", "float32", "-n", str(SIZE)),
    *("--operands", "residuals-cold,cold"),
)


def speedups(rounds: int) -> dict[str, tuple[float, float]]:
    """Return what one run finds, by state: recompute / cached, and the relative half width of its interval."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place, "run")
        command = [sys.executable, "-m", "actbench", "run", *SELECTION, "--rounds", str(rounds), "-q", "-o", str(run)]
        subprocess.run(command, check=True, capture_output=True)
        with (run / "speedups.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    return {row["operands"]: (float(row["ratio"]), (float(row["high"]) / float(row["low"])) ** 0.5 - 1) for row in rows}


def repeat(runs: int, rounds: int) -> None:
    """Print how far ratios of several runs lie apart."""
    results = [speedups(rounds) for _ in range(runs)]
    for state in results[0]:
        ratios = [of_run[state][0] for of_run in results]
        deviation = statistics.stdev(ratios) / statistics.mean(ratios)
        widest = max(of_run[state][1] for of_run in results)
        print(
            f"{state}: {statistics.mean(ratios):.3f} times, standard deviation over {runs} runs "
            f"{100 * deviation:.1f} %, widest interval ± {100 * widest:.1f} %",
            flush=True,
        )


def cold_copy(dtype: Dtype, cache: int) -> Callable[[], float]:
    """Return what times cold yardsticks, in bytes a second, read and written."""
    block = Block("logistic", Op.DERIVATIVE, dtype, SIZE, (Arm(Variant("cached"), "numba-simd"),))
    cold = Block(block.activation, block.op, dtype, SIZE, block.arms, operands=OperandState.COLD)
    prepared = PreparedBlock(subjects(cold.timed), 1, STANDARD_NORMAL, cache, whole=False)
    calls, slices = 8, 40

    def rate() -> float:
        timings = prepared.sweep(Sweep(1, tuple(Slice(1, calls) for _ in range(slices))), None)
        return 2 * SIZE * dtype.itemsize * calls * slices / sum(part.seconds for part in timings)

    return rate


def large_copies(dtype: Dtype) -> dict[str, Callable[[], float]]:
    """Return what times copies of a gigabyte, in bytes a second, read and written."""
    elements = GIGABYTE // dtype.itemsize // SIZE * SIZE
    source, target = np.ones(elements, dtype), np.ones(elements, dtype)
    pieces = [slice(start, start + SIZE) for start in range(0, elements, SIZE)]

    def whole() -> float:
        start = thread_time()
        np.copyto(target, source)
        return 2 * source.nbytes / (thread_time() - start)

    def in_pieces() -> float:
        start = thread_time()
        for piece in pieces:
            np.copyto(target[piece], source[piece])
        return 2 * source.nbytes / (thread_time() - start)

    return {"whole": whole, "in pieces": in_pieces}


def compare_copies() -> None:
    """Print the rate of the cold yardstick over that of copying a gigabyte."""
    cpu = environment.choose_cpu(None)
    if cpu is not None:
        processors.pin(cpu, 1)
    for dtype in WIDE:
        copies = {"cold": cold_copy(dtype, environment.last_level_cache(cpu)), **large_copies(dtype)}
        rates: dict[str, list[float]] = {name: [] for name in copies}
        for _ in range(TURNS):
            for name, rate in copies.items():
                rates[name].append(rate())
        cold, *others = (statistics.median(of_copy) for of_copy in rates.values())
        against = ", ".join(
            f"{cold / other:.3f} of a gigabyte {name} ({other / 1e9:.1f} GB/s)"
            for name, other in zip([*copies][1:], others, strict=True)
        )
        print(f"{dtype}: the cold copy moves {cold / 1e9:.1f} GB/s, {against}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    compare_copies()
    repeat(options.runs, options.rounds)


if __name__ == "__main__":
    main()
