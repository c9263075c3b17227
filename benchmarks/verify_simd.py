"""How far are the branch-free functions from the truth? Every float32, and a million float64 for each.

    python -m benchmarks.verify_simd [--functions exp tanh] [--dtypes float32 float64] [--samples 1000000] [--registers]

A ULP is the spacing of the format's numbers where the truth lies. For float32 the truth is float64 libm, whose own
error of a float64 ULP or so is 2^-28 of a float32 ULP; for float64 it is Arb's (python-flint), which bounds its own
error, at 160 bits, and a part of it is held to mpmath's. What crosses 0 is compared except near there. Signs of zeros,
infinities and NaN must be right, too. Exits with 1 when an error is above what the function's docstring states.
NUMBA_CPU_NAME=x86-64 NUMBA_CPU_FEATURES= makes it describe processors without fused multiply-add. With AVX-512 the
functions that look a part of an exponential up in a table are verified in that form, too; with --registers in that one
alone. Nearly all of the time goes into libm.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from typing import Any

import flint
import mpmath
import numba
import numpy as np

from actbench.backends._simd import functions, vector_width
from benchmarks.simd_loops import kernel
from benchmarks.simd_truth import (
    AT_ONCE,
    CRITICAL,
    CROSSINGS,
    LIMITS,
    PERIODIC,
    UNSIGNED,
    Arb,
    definition,
    special_truth,
)

VERIFIED_FUNCTIONS = (
    *("exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "erf", "atan", "erfc", "sin", "cos"),
    *AT_ONCE,
)
DTYPES = ("float32", "float64")
FLOAT32_TASKS = 256
"""Of the 2^32 float32, each of 2^24."""

INPUTS_PER_CALL = 1 << 14
SMALLEST_NORMAL_FIELD = 1023 - 126
"""The exponent's field, in float64, of the smallest normal float32."""

PRECISION = 160
SAMPLES_PER_TASK = 50_000
COMPARED = 500
"""Samples of a chunk whose truth mpmath confirms."""


@dataclass(frozen=True)
class Worst:
    """The largest error found, where, and over how many inputs."""

    function: str
    dtype: str
    ulp: float
    at: float
    inputs: int

    def joined(self, other: Worst) -> Worst:
        """Return the worst of both."""
        worse = self if self.ulp >= other.ulp else other
        return Worst(self.function, self.dtype, worse.ulp, worse.at, self.inputs + other.inputs)


def stated(function: str, dtype: str) -> float:
    """Return the bound in the function's docstring, in ULP."""
    match = re.search(rf"([\d.]+) ULP off in {dtype}|, ([\d.]+) in {dtype}", getattr(functions, function).__doc__)
    assert match, f"{function} states no bound for {dtype}"
    return float(match[1] or match[2])


def _float32_error(computed: Any, truth: Any) -> float:
    """Return the error of a float32 against a float64, in its ULP; infinite where zero, infinity or NaN is wrong."""
    if math.isnan(truth) or math.isnan(computed):
        return 0.0 if math.isnan(truth) and math.isnan(computed) else math.inf
    if math.copysign(1.0, truth) != math.copysign(1.0, computed):
        return math.inf
    if math.isinf(computed):
        if abs(truth) >= 2.0**128 - 2.0**103:  # rounds to infinity
            return 0.0
        computed = math.copysign(2.0**128, computed)
    elif math.isinf(truth):
        return math.inf
    field = (np.float64(truth).view(np.int64) >> 52) & 0x7FF
    spacing = np.int64((max(np.int64(field), np.int64(SMALLEST_NORMAL_FIELD)) - 23) << 52)
    return float(abs(computed - truth) / spacing.view(np.float64))


float32_error: Callable[[Any, Any], float] = numba.njit(_float32_error)


@cache
def sweep(function: str) -> Callable[..., tuple[float, float]]:
    """Return a function of arrays of float32 and what was computed for them: the largest error, and where."""
    truth = definition(function, math)
    if function in AT_ONCE:
        truth = _clamped(numba.njit(truth))
    limit = LIMITS["float32"] if function in PERIODIC else math.inf
    centre, width = CROSSINGS.get(function, (0.0, -1.0))
    has_unsigned_zero = function in UNSIGNED

    def or_nan(value: Any) -> Any:
        return math.nan if abs(value) > limit else truth(value)

    safe_truth: Callable[[Any], Any] = numba.njit(or_nan)

    def loop(values: Any, computed: Any) -> tuple[float, float]:
        ulp, at = 0.0, 0.0
        for i in range(values.size):
            right, result = safe_truth(np.float64(values[i])), np.float64(computed[i])
            signed = math.copysign(result, right) if has_unsigned_zero and result == 0.0 else result
            error = float32_error(signed, right)
            if error > ulp and abs(values[i] - centre) > width:
                ulp, at = error, values[i]
        return ulp, at

    compiled: Callable[..., tuple[float, float]] = numba.njit(error_model="numpy")(loop)
    return compiled


def _clamped(truth: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the truth of finite numbers, from which on it is that of infinity in float32."""
    farthest = 200.0

    def clamped(x: Any) -> Any:
        return truth(farthest if x > farthest else max(x, -farthest))

    compiled: Callable[[Any], Any] = numba.njit(clamped)
    return compiled


def every_float32(function: str, part: int, *, registers: bool = False) -> Worst:
    """Return the worst of one of `FLOAT32_TASKS` equal parts of all float32."""
    size = (1 << 32) // FLOAT32_TASKS
    values = np.arange(part * size, (part + 1) * size, dtype=np.uint32).view(np.float32)
    computed = np.empty_like(values)
    kernel(function, "float32", registers=registers)(computed, values)
    return Worst(function, "float32", *sweep(function)(values, computed), inputs=size)


def samples(function: str, part: int, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return float64 inputs: of every magnitude and sign, special ones, and many where it matters."""
    random = np.random.default_rng([part, VERIFIED_FUNCTIONS.index(function)])
    everywhere = random.integers(0, 1 << 64, count // 4, dtype=np.uint64).view(np.float64)
    special = np.array([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.2250738585072014e-308, 1.0, -1.0])
    size = (count - everywhere.size - special.size) // len(CRITICAL[function])
    critical = [random.uniform(low, high, size) for low, high in CRITICAL[function]]
    if function in PERIODIC:  # near its zeros, too
        critical[-1][::2] = np.rint(critical[-1][::2] * (2 / math.pi)) * (math.pi / 2)
    return np.concatenate([special, everywhere, *critical])


def float64_error(function: str, x: float, computed: float) -> float:
    """Return the error in ULP; infinite where zero, infinity or NaN is wrong."""
    centre, width = CROSSINGS.get(function, (0.0, -1.0))
    if abs(x - centre) <= width:
        return 0.0
    special = special_truth(function, x)
    if special is not None:
        right = math.isnan(computed) if math.isnan(special) else str(computed) == str(special)
        return 0.0 if right or (function, abs(computed)) == ("atan", math.pi / 2) else math.inf
    truth = definition(function, Arb)(flint.arb(x))
    nearest = float(truth.mid())
    if function in UNSIGNED and computed == 0.0:
        computed = math.copysign(computed, nearest)
    if math.isnan(computed) or math.copysign(1.0, nearest) != math.copysign(1.0, computed):
        return math.inf
    if math.isinf(nearest):
        return 0.0 if math.isinf(computed) else math.inf
    compared = flint.arb(2) ** 1024 * int(math.copysign(1, computed)) if math.isinf(computed) else flint.arb(computed)
    return abs(float(((compared - truth) / math.ulp(nearest)).mid()))


def confirmed(function: str, x: float) -> bool:
    """Return whether mpmath agrees on the truth."""
    if special_truth(function, x) is not None or not -700 < x < 700:
        return True
    ours = definition(function, Arb)(flint.arb(x))
    with mpmath.workprec(PRECISION):
        theirs = definition(function, mpmath)(mpmath.mpf(x))
        mantissa, exponent = (int(part) for part in ours.mid().man_exp())
        return bool(mpmath.almosteq(mpmath.mpf(mantissa) * mpmath.mpf(2) ** exponent, theirs, rel_eps=2.0**-90))


def sampled_float64(function: str, part: int, count: int, *, registers: bool = False) -> Worst:
    """Return the worst of some samples."""
    flint.ctx.prec = PRECISION
    values = samples(function, part, count)
    computed = np.empty_like(values)
    kernel(function, "float64", registers=registers)(computed, values)
    for x in values[:: max(1, count // COMPARED)].tolist():
        assert confirmed(function, x), f"Arb and mpmath differ on {function}({x!r})"
    errors = [float64_error(function, x, y) for x, y in zip(values.tolist(), computed.tolist(), strict=True)]
    worst = int(np.argmax(errors))
    return Worst(function, "float64", errors[worst], float(values[worst]), values.size)


def tasks(chosen: argparse.Namespace, named: Sequence[str]) -> Iterator[tuple[Callable[..., Worst], tuple[Any, ...]]]:
    """Yield what to compute of functions, in pieces of a few seconds."""
    for function in named:
        if "float64" in chosen.dtypes:
            parts = range(-(-chosen.samples // SAMPLES_PER_TASK))
            yield from ((sampled_float64, (function, part, SAMPLES_PER_TASK)) for part in parts)
        if "float32" in chosen.dtypes:
            yield from ((every_float32, (function, part)) for part in range(FLOAT32_TASKS))


def report(results: dict[tuple[str, str], Worst]) -> bool:
    """Print a row for every function; return whether all is as stated."""
    print(f"{'function':9} {'dtype':8} {'max ULP':>8} {'stated':>7}  {'at':24} {'inputs':>13}")
    for (function, dtype), worst in sorted(results.items()):
        bound = stated(function, dtype)
        verdict = "" if worst.ulp <= bound else "  ABOVE"
        print(f"{function:9} {dtype:8} {worst.ulp:8.3f} {bound:7.2f}  {worst.at!r:24} {worst.inputs:13,}{verdict}")
    return all(worst.ulp <= stated(*key) for key, worst in results.items())


def main() -> None:
    """Compute everything on every CPU there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", nargs="+", choices=VERIFIED_FUNCTIONS)
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=DTYPES)
    parser.add_argument("--samples", type=int, default=1_000_000, help="float64 inputs of each function")
    parser.add_argument("--registers", action="store_true", help="the form for registers of AVX-512 alone")
    chosen = parser.parse_args()
    if chosen.registers and not vector_width.has_registers():
        parser.error("--registers: this processor has no AVX-512")
    named = chosen.functions or VERIFIED_FUNCTIONS
    right = chosen.registers or verified(chosen, named, registers=False)
    tabulated = [function for function in named if function in functions.TABULATED]
    if tabulated and vector_width.has_registers():
        print("with a table in registers of AVX-512:")
        right = verified(chosen, tabulated, registers=True) and right
    sys.exit(not right)


def verified(chosen: argparse.Namespace, named: Sequence[str], *, registers: bool) -> bool:
    """Compute functions in one form, and print their errors; return whether all is as stated."""
    start = time.monotonic()
    results: dict[tuple[str, str], Worst] = {}
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        pending = [pool.submit(work, *arguments, registers=registers) for work, arguments in tasks(chosen, named)]
        for done, future in enumerate(as_completed(pending), start=1):
            worst = future.result()
            key = worst.function, worst.dtype
            results[key] = results[key].joined(worst) if key in results else worst
            progress = f"\r{done}/{len(pending)} in {time.monotonic() - start:.0f} s, {worst.function}  "
            print(progress, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return report(results)


if __name__ == "__main__":
    main()
