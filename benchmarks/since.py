"""How many times faster are the kernels of numba-simd than in an older revision? Slices of both in turn.

    python -m benchmarks.since REVISION|DIRECTORY [-a '*'] [-s recompute] [-n 4096,100000] [-d float32,float64]
                               [--rounds 8] [--slices 12]

A round is a pair of fresh processes on one processor, of this checkout and of the older one, which time a kernel in
turn, in slices of 2 ms of processor time, with operands in cache at random offsets. Printed are, with 95 % intervals
over the rounds, how many times faster the derivative is here, and what a call takes here, ns an element. An activation
that the older revision lacks is left out. A revision is checked out into a temporary directory, and its kernels are
compiled; a directory has a checkout already, and keeps what was compiled there. Without -a, it is the derivatives that
compute more than they move.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Self

from actbench import registry
from actbench.analysis.statistics import intervals_of_logs
from actbench.backends.numba_simd import NumbaSimd
from actbench.model.rule import Dialect
from actbench.report.numbers import ratio
from benchmarks import kernel_options
from benchmarks.kernel_options import Derivative

HERE = Path(__file__).parents[1]
SLICER = Path(__file__).with_name("kernel_slices.py")

OFFSETS = 64 * 64
"""Of the two arrays, in lines of the cache, within a page."""

Case = tuple[str, str, str, int]
"""Activation, strategy, dtype and number of elements."""


class Slicer:
    """A process that times the kernels of a checkout."""

    def __init__(self, place: Path, processor: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(SLICER)],
            cwd=place,
            env=os.environ | {"PYTHONPATH": str(place)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, {processor})

    def __enter__(self) -> Self:
        """Return the process, which ends with the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its input, and wait for its end."""
        self._process.communicate()

    def seconds(self, case: Case, offset: int) -> float | str:
        """Return the processor seconds of a call, or why the checkout has no such kernel."""
        assert self._process.stdin is not None  # it is a pipe, as is its output
        assert self._process.stdout is not None
        print(json.dumps([*case, offset]), file=self._process.stdin, flush=True)
        answer: float | str = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def checkout(older: str) -> Iterator[Path]:
    """Yield the directory of the older revision."""
    if Path(older).is_dir():
        yield Path(older).resolve()
        return
    with tempfile.TemporaryDirectory() as place:
        archive = output("git", "-C", str(HERE), "archive", older)
        output("tar", "-x", "-C", place, fed=archive)
        yield Path(place)


def output(*command: str, fed: bytes = b"") -> bytes:
    """Return what a command writes."""
    return subprocess.run(command, input=fed, check=True, stdout=subprocess.PIPE).stdout


def is_exponential(derivative: Derivative) -> bool:
    """Return whether a derivative takes a function of many operations."""
    backend, activation = NumbaSimd(), registry.activation(derivative.activation)
    rule = activation.rule(derivative.strategy, Dialect.ARRAY, backend.namespace())
    return backend.interleave([rule.derivative]) > 0


def round_of(
    cases: Sequence[Case], places: Sequence[Path], slices: int, rng: random.Random
) -> dict[Case, tuple[float, float]]:
    """Return the median logarithm of the ratio, and the median seconds of a call here, of each case that both have."""
    processor = max(os.sched_getaffinity(0))
    values: dict[Case, tuple[float, float]] = {}
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(Slicer(place, processor)) for place in places)
        for case in cases:
            if any(isinstance(side.seconds(case, 0), str) for side in (ours, theirs)):
                continue
            pairs = [
                pair_of_slices((ours, theirs) if number % 2 else (theirs, ours), case, number % 2, rng)
                for number in range(slices)
            ]
            logs = [math.log(there / here) for here, there in pairs]
            values[case] = statistics.median(logs), statistics.median(here for here, _ in pairs)
    return values


def pair_of_slices(order: Sequence[Slicer], case: Case, ours_first: int, rng: random.Random) -> tuple[float, float]:
    """Return the seconds here and there of two slices, one after the other, with the same offset."""
    offset = rng.randrange(OFFSETS)
    first, second = (float(side.seconds(case, offset)) for side in order)
    return (first, second) if ours_first else (second, first)


def main() -> None:
    """Measure all, and print a row for every kernel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("older", metavar="REVISION|DIRECTORY")
    kernel_options.add(parser, "*")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--slices", type=int, default=12)
    options = parser.parse_args()
    named = kernel_options.derivatives(options)
    if options.a == "*":
        named = filter(is_exponential, named)
    cases: list[Case] = [(*derivative, size) for derivative, size in product(named, kernel_options.sizes(options))]
    with checkout(options.older) as older:
        rng = random.Random(1)  # noqa: S311  # not for cryptography
        rounds = [round_of(cases, (HERE, older), options.slices, rng) for _ in range(options.rounds)]
    report(rounds)


def report(rounds: Sequence[dict[Case, tuple[float, float]]]) -> None:
    """Print the ratios of the cases, and how many reach a figure."""
    cases = list(rounds[0])
    intervals = intervals_of_logs([one[case][0] for one in rounds] for case in cases)
    print(f"{'':38} {'times faster':>24} {'ns an element':>14}")
    for case, interval in zip(cases, intervals, strict=True):
        ns = statistics.median(one[case][1] for one in rounds) / case[3] * 1e9
        print(f"{'/'.join(map(str, case)):38} {ratio(interval):>24} {ns:14.3f}")
    reached = {figure: sum(interval.value >= figure for interval in intervals) for figure in (1.1, 1.25)}
    print(*(f"{count} of {len(cases)} at least {figure}" for figure, count in reached.items()), sep="; ")


if __name__ == "__main__":
    main()
