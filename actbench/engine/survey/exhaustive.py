"""Survey of the accuracy of kernels on every finite number of a format of 32 or 16 bits.

The truth is the activation's stable form in float64. The oracle holds it to 8 ULP of float64, which are 2^-26 of a ULP
of float32, but for weaknesses that it declares. So it is compared with the true values at some z beforehand, and is no
truth where it is off. There are 4 278 190 080 finite numbers of float32, which take minutes per kernel, and 65 000 of
16 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any

import numpy as np

from actbench import backends
from actbench.analysis.accuracy import FEWEST, LOSS_TESTS, Accuracy, Errors, Loss, Part, bands, is_normal, is_wrong
from actbench.analysis.deviations import NO_ERROR, Deviations, Largest
from actbench.analysis.stretches import Stretches
from actbench.engine.launch import Launch, RestartingWorker, WorkerLostError
from actbench.engine.survey.accuracy import Survey, Unexamined, sample
from actbench.engine.survey.look import computed_of, with_conventions
from actbench.engine.working.examined import Examined, Residuals
from actbench.errors import BenchmarkError, InputError
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.cases import KernelId
from actbench.model.names import Op
from actbench.model.number_formats import limits, numpy_dtype
from actbench.model.rule import Dialect, Formula, Rule
from actbench.verification import oracle
from actbench.verification.oracle import Truth

NUMBERS_AT_ONCE = 1 << 22
"""Number of values per call."""

WIDEST = 4
"""Bytes of the widest format of which every number can be evaluated."""

STABLE = "recompute"
"""The strategy that serves as the truth, in float64."""

TRUSTED = 2.0**-6
"""ULP of the kernel's type by which the stable form may be off: errors of kernels are from half a ULP on."""

TRIED = 20
"""Points per band and tail at which it is compared."""

BINS_PER_OCTAVE = 32
"""Bins of the histogram of errors per octave: quantiles are known to 2 %."""

LEAST_LOG2_ERROR = -10
"""log2 of the smallest error with its own bin."""

BINS = BINS_PER_OCTAVE * 60


@dataclass(frozen=True, slots=True)
class Going:
    """The progress of a survey."""

    done: int
    total: int
    kernel: KernelId


def survey(kernels: Sequence[Kernel], launch: Launch, sampled: Survey) -> Iterator[Going | Accuracy | Unexamined]:
    """Survey each kernel; `InputError` for one of float64, or whose activation has no stable form that is exact."""
    for kernel in kernels:
        if kernel.dtype.itemsize > WIDEST:
            raise InputError(
                f"{kernel.id}: --exhaustive is for 16 and 32 bits, there are too many float64: add -d float32"
            )
        if STABLE not in kernel.formulas.strategies:
            raise InputError(
                f"{kernel.activation.name} has no strategy '{STABLE}', which --exhaustive takes for the truth"
            )
        _require_trusted(kernel)
    with RestartingWorker(launch) as restarting:
        for kernel, result in zip(kernels, sampled.of(kernels, launch), strict=True):
            if isinstance(result, Unexamined):
                yield result
            elif isinstance(result, Accuracy):
                yield from _every_number(kernel, restarting, result, rounded=sampled.rounds(kernel))


def _stable(kernel: Kernel) -> Formula:
    """Return the stable form of what a kernel computes: y of a step, else the derivative."""
    rule = kernel.activation.rule(STABLE, Dialect.ARRAY, backends.namespace("numpy"))
    return rule.forward if kernel.op is Op.STEP else rule.derivative


def _require_trusted(kernel: Kernel) -> None:
    """Raise `InputError` where the stable form in float64 is further off than can be neglected, at z of all bands."""
    z = sample(kernel.dtype, TRIED, 0)
    slope, output = oracle.truth_at(kernel.activation, z)
    truth = output if kernel.op is Op.STEP else slope
    with np.errstate(all="ignore"):
        computed = np.broadcast_to(_stable(kernel)(z.astype(np.float64)), z.shape)
        off = np.abs((computed - truth.nearest.astype(np.float64)) / truth.ulp - truth.rest)
        off = np.where(computed.astype(z.dtype) == truth.nearest, np.nan_to_num(off, posinf=0.0), off)
    off = np.where(truth.known, np.nan_to_num(off, nan=inf) - (0.0 if truth.slack is None else truth.slack), 0.0)
    worst = int(np.argmax(off))
    if off[worst] > TRUSTED:
        raise InputError(
            f"{kernel.id}: --exhaustive takes '{STABLE}' in float64 for the truth, which is off by {off[worst]:.3g} "
            f"ULP of {kernel.dtype} at z = {z[worst]:.3g}: leave --exhaustive out"
        )


def _every_number(
    kernel: Kernel, restarting: RestartingWorker, sampled: Accuracy, *, rounded: bool
) -> Iterator[Going | Accuracy | Unexamined]:
    stable = _stable(kernel)
    residuals = partial(_residuals, kernel.formula(Dialect.ARRAY, backends.namespace("numpy"))) if rounded else None
    tallies = {(part, band): _Tally() for part in (Part.LEFT, Part.RIGHT) for band in bands()}
    stretches = {(part, name): Stretches() for part in (Part.LEFT, Part.RIGHT) for name in LOSS_TESTS}
    dtype = numpy_dtype(kernel.dtype)
    total = 2 * -(-_count(dtype) // NUMBERS_AT_ONCE)
    for done, (part, z) in enumerate(_numbers(dtype), start=1):
        try:
            computed = _evaluated(restarting, kernel, z, residuals)
        except BenchmarkError as error:
            restarting.end()
            yield Unexamined.by(error, kernel.identity, f", between z = {z[0]:.9g} and {z[-1]:.9g}")
            return
        truth = _truth(stable, z)
        for name, test in LOSS_TESTS.items():
            stretches[part, name].add(z, test(computed, truth))
        for band in bands():
            inside = (np.abs(z) >= band[0]) & (np.abs(z) < band[1])
            if inside.any():
                tallies[part, band].add(z[inside], computed[inside], truth.at(inside))
        yield Going(done, total, kernel.identity)
    tallies = {key: tally for key, tally in tallies.items() if tally.points}
    yield replace(
        sampled,
        bands=tuple(tally.errors(*key) for key, tally in tallies.items()),
        tails={part: _sum(tallies, part).errors(part, (0.0, inf)) for part in (Part.LEFT, Part.RIGHT)},
        losses={
            part: Loss(**{name: stretches[part, name].zones() for name in LOSS_TESTS})
            for part in (Part.LEFT, Part.RIGHT)
        },
        exhaustive=True,
    )


def _evaluated(restarting: RestartingWorker, kernel: Kernel, z: Array, residuals: Residuals | None) -> Array:
    """Return a worker's results at z; a worker that is lost is replaced once."""
    for last in (False, True):
        try:
            answer = Examined(restarting.get(), residuals)(kernel.identity, z, np.ones_like(z))
            return with_conventions(kernel, z, computed_of(answer))
        except WorkerLostError:
            restarting.end()
            if last:
                raise
    raise AssertionError("the second loss is raised")


def _count(dtype: np.dtype[Any]) -> int:
    """Return how many numbers of a format there are from 0 to the largest finite one."""
    return int(np.array(inf, dtype).view(f"u{dtype.itemsize}"))


def _numbers(dtype: np.dtype[Any]) -> Iterator[tuple[Part, Array]]:
    """Yield every finite number of a format, outward from 0, by tail; -0 is left out."""
    unsigned = np.dtype(f"u{dtype.itemsize}")
    count, negative = _count(dtype), 1 << (8 * dtype.itemsize - 1)
    for part, sign in ((Part.RIGHT, 0), (Part.LEFT, negative)):
        for start in range(0, count, NUMBERS_AT_ONCE):
            first = start or (part is Part.LEFT)
            bits = np.arange(first, min(start + NUMBERS_AT_ONCE, count), dtype=unsigned) | unsigned.type(sign)
            yield part, bits.view(dtype)


def _truth(stable: Formula, z: Array) -> Truth:
    with np.errstate(all="ignore"):
        exact = np.asarray(stable(z.astype(np.float64)))
        nearest = exact.astype(z.dtype)
        ulp = np.fmin(np.spacing(np.abs(nearest)), float(limits(z.dtype).max)).astype(np.float64)
        rest = np.where(np.isfinite(nearest), (exact - nearest.astype(np.float64)) / ulp, 0.0)
    return Truth(nearest, rest, ulp)


def _residuals(rule: Rule, z: Array) -> Mapping[str, Array]:
    """Return the residuals of a strategy, correctly rounded except for float64's own error."""
    wide = z.astype(np.float64)
    with np.errstate(all="ignore"):
        y, *saved = rule.save(wide) if rule.save else (rule.forward(wide),)
        known = {"z": z, "y": y.astype(z.dtype)}
        known |= {name: kept.astype(z.dtype) for name, kept in zip(rule.saved, saved, strict=True)}
    return {name: known[name] for name in rule.residuals}


@dataclass(slots=True)
class _Tally:
    """Counts of errors."""

    points: int = 0
    largest: tuple[Largest, Largest, Largest] = (NO_ERROR, NO_ERROR, NO_ERROR)
    """In ULP, relative, and absolute."""
    wrong: int = 0
    normal: int = 0
    counts: Any = field(default_factory=lambda: np.zeros(BINS + 1, dtype=np.int64))

    def add(self, z: Array, computed: Array, truth: Truth) -> None:
        """Count the errors of these results."""
        deviations = Deviations.of(z, computed, truth)
        self._enlarge(deviations.largest)
        self.points += z.size
        normal = is_normal(truth)
        self.wrong += int((is_wrong(computed, truth) & normal).sum())
        self.normal += int(normal.sum())
        with np.errstate(divide="ignore"):
            bins = np.clip((np.log2(deviations.ulp) - LEAST_LOG2_ERROR) * BINS_PER_OCTAVE, 0, BINS)
        self.counts += np.bincount(bins.astype(np.int64), minlength=BINS + 1)

    def merge(self, other: _Tally) -> None:
        """Add the counts of another tally."""
        self._enlarge(other.largest)
        self.points += other.points
        self.wrong += other.wrong
        self.normal += other.normal
        self.counts += other.counts

    def errors(self, part: Part, band: tuple[float, float]) -> Errors:
        """Return the summary of the counts."""
        return Errors(
            part,
            *band,
            self.points,
            self._quantile(0.5),
            self._quantile(0.99) if self.points >= FEWEST else None,
            *self.largest,
            wrong=self.wrong / self.normal if self.normal else 0.0,
        )

    def _enlarge(self, largest: tuple[Largest, Largest, Largest]) -> None:
        if not self.points:
            self.largest = largest
        else:
            in_ulp, relative, absolute = map(Largest.or_larger, self.largest, largest)
            self.largest = in_ulp, relative, absolute

    def _quantile(self, share: float) -> float:
        """Return the upper edge of the bin that contains a quantile, at most the largest error."""
        at = int(np.searchsorted(np.cumsum(self.counts), share * self.points))
        return min(float(2.0 ** (LEAST_LOG2_ERROR + (at + 1) / BINS_PER_OCTAVE)), self.largest[0].size)


def _sum(tallies: Mapping[tuple[Part, tuple[float, float]], _Tally], part: Part) -> _Tally:
    total = _Tally()
    for (tail, _), tally in tallies.items():
        if tail is part:
            total.merge(tally)
    return total
