"""The accuracy of a kernel: its error in ULP by band of z, and the zones of z in which g' is lost.

The two tails of an activation differ and are kept apart; z = 0 belongs to the right one. Losses far out may not matter
to users whose z are small. Therefore a sample of N(0, 1), the pre-activations of a normalised layer, is evaluated as
well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.conventions import NO_CONVENTIONS, Conventions
from actbench.analysis.deviations import Deviations, Largest
from actbench.model.cases import KernelId
from actbench.model.checks import EDGES, WRONG
from actbench.model.names import Quantity
from actbench.model.number_formats import limits

if TYPE_CHECKING:
    from actbench.verification.truth import Truth  # it brings mpmath, which reports need not

Array = NDArray[np.float64]

LEAST_WRONG = 2.0
"""ULP that a wrong result is off by at least: the numbers of bfloat16 are up to 0.8 % apart."""

FEWEST = 100
"""Number of points from which on a 99th percentile is given: among fewer, not even one is expected beyond it."""

NEARBY = 1.1
"""Results that are lost at two |z| with at most this ratio belong to one zone, even if some between are right.

Where rounding decides, lost and right results alternate: for the logistic's g' from y in float64, from 32 to 37.
"""


class Part(StrEnum):
    """The z over which errors are summarised."""

    LEFT = "left"
    RIGHT = "right"
    NORMAL = "normal"
    """Drawn from N(0, 1)."""
    SPREAD = "spread"
    """Rows, by their spread, which is in place of z; in ULP of the row's largest."""
    EACH = "spread-each"
    """The same, in ULP of each element."""


@dataclass(frozen=True, slots=True)
class Errors:
    """The errors over some z; in ULP of the kernel's format where nothing else is stated.

    An error is inf where the truth is a number and the result is not, or where float64 cannot hold it. The largest
    errors are those of the evaluated points; elsewhere they may be larger, unless every number was evaluated.
    """

    part: Part
    low: float
    high: float
    """The band of |z|: low is included, high is not."""
    points: int
    median: float
    p99: float | None
    """None where there are fewer than `FEWEST` points."""
    largest: Largest
    relative: Largest
    """The largest relative error (`Deviations.relative`)."""
    absolute: Largest
    """The largest absolute error."""
    wrong: float
    """Share of the points where the result is off by more than 1 %, among those where g' is a normal number."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A range of |z| in which the results of a tail are lost; both ends are numbers of the format, and included."""

    first: float
    last: float
    """inf where results are lost up to the largest finite number."""
    whole: bool = True
    """Whether the results at all evaluated points between the ends are lost."""

    @property
    def is_open(self) -> bool:
        """Whether the zone reaches the largest finite number."""
        return self.last == inf


@dataclass(frozen=True, slots=True)
class Loss:
    """The zones in which the results of a tail are lost, outward from 0."""

    wrong: tuple[Zone, ...] = ()
    """Off by more than 1 % where g' is a normal number; elsewhere, by more than the smallest normal number."""
    zero: tuple[Zone, ...] = ()
    """0 where g' is a normal number."""
    nan: tuple[Zone, ...] = ()
    """Not a finite number, or an exception, where g' is a finite number."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The accuracy of a kernel."""

    kernel: KernelId
    bands: tuple[Errors, ...]
    """Errors by tail and band, outward from 0."""
    tails: dict[Part, Errors]
    """Errors by tail."""
    normal: Errors
    losses: dict[Part, Loss]
    exhaustive: bool = False
    """Whether the points are all numbers of the format."""
    digits: float | None = None
    """Number of known digits of g', where it comes from differences; the uncertainty does not count as error."""
    conventions: Conventions = NO_CONVENTIONS
    """The results at NaN, at ±inf and at kinks."""
    gated: bool = False
    """Whether z is the a of y = g(a) b, b is from N(0, 1), and errors are those of the worse of two gradients."""

    @property
    def quantity(self) -> Quantity:
        """What was compared with the truth."""
        return Quantity.of(self.kernel.op)

    @property
    def largest_relative(self) -> Largest:
        """The largest relative error over both tails."""
        return self.tails[Part.LEFT].relative.or_larger(self.tails[Part.RIGHT].relative)

    @property
    def largest_absolute(self) -> Largest:
        """The largest absolute error over both tails."""
        return self.tails[Part.LEFT].absolute.or_larger(self.tails[Part.RIGHT].absolute)


@dataclass(frozen=True, slots=True)
class RowAccuracy:
    """The accuracy of a kernel of a row activation, by the spread of rows: their largest z less the lowest."""

    kernel: KernelId
    bands: tuple[Errors, ...]
    """Errors in ULP of the row's largest."""
    each: tuple[Errors, ...]
    """Errors in ULP of each element."""
    rows: int
    """The number of rows of a band."""
    columns: int
    """The number of z of a row."""

    @property
    def quantity(self) -> Quantity:
        """What was compared with the truth."""
        return Quantity.of(self.kernel.op)


Surveyed = Accuracy | RowAccuracy


def is_zero(computed: Array, truth: Truth) -> NDArray[np.bool_]:
    """Return where a result is 0 and should not be."""
    return np.asarray((computed == 0) & is_normal(truth))


def is_nan(computed: Array, truth: Truth) -> NDArray[np.bool_]:
    """Return where a result is no finite number and should be one."""
    return np.asarray(~np.isfinite(computed) & np.isfinite(truth.nearest))


def is_wrong(computed: Array, truth: Truth) -> NDArray[np.bool_]:
    """Return where a result is off by more than `WRONG` and `LEAST_WRONG`, or normal although g' is subnormal."""
    size = np.abs(truth.nearest.astype(np.float64))
    tiny = float(limits(truth.nearest.dtype).tiny)
    with np.errstate(all="ignore"):
        off = truth.error(computed) * truth.ulp
        allowed = np.where(size >= tiny, np.maximum(WRONG * size, LEAST_WRONG * truth.ulp), tiny)
    return np.asarray((off > allowed) & np.isfinite(size))


LOSS_TESTS: dict[str, Callable[[Array, Truth], NDArray[np.bool_]]] = {"wrong": is_wrong, "zero": is_zero, "nan": is_nan}
"""Tests of results against the truth, by field of `Loss`."""

MAY_BE: dict[str, Callable[[Array], NDArray[np.bool_]]] = {
    "wrong": lambda computed: np.ones(computed.shape, dtype=bool),
    "zero": lambda computed: np.asarray(computed == 0),
    "nan": lambda computed: ~np.isfinite(computed),
}
"""Tests of results alone, by field of `Loss`: where a loss of that kind is possible."""


def errors(part: Part, band: tuple[float, float], z: Array, computed: Array, truth: Truth) -> Errors:
    """Summarise the errors at the z of a band."""
    deviations = Deviations.of(z, computed, truth)
    median, p99 = np.quantile(deviations.ulp, [0.5, 0.99], method="inverted_cdf")
    normal = is_normal(truth)
    share = float(is_wrong(computed, truth)[normal].mean()) if normal.any() else 0.0
    return Errors(
        part,
        *band,
        z.size,
        float(median),
        float(p99) if z.size >= FEWEST else None,
        *deviations.largest,
        wrong=share,
    )


def with_further(summary: Errors, further: Deviations) -> Errors:
    """Return a summary whose largest errors include further points, as far as they belong to its band."""
    z = further.z
    inside = tail_of(z, summary.part) & (np.abs(z) >= summary.low) & (np.abs(z) < summary.high)
    if not inside.any():
        return summary
    largest, relative, absolute = further.at(inside).largest
    return replace(
        summary,
        largest=summary.largest.or_larger(largest),
        relative=summary.relative.or_larger(relative),
        absolute=summary.absolute.or_larger(absolute),
    )


def tail_of(z: Array, part: Part) -> NDArray[np.bool_]:
    """Return which z belong to a tail."""
    return np.asarray(z < 0 if part is Part.LEFT else z >= 0)


def in_bands(z: Array, computed: Array, truth: Truth) -> tuple[Errors, ...]:
    """Summarise the errors by tail and band; bands without numbers of the format are left out."""
    summaries = []
    for part in (Part.LEFT, Part.RIGHT):
        for band in bands():
            inside = tail_of(z, part) & (np.abs(z) >= band[0]) & (np.abs(z) < band[1])
            if inside.any():
                summaries.append(errors(part, band, z[inside], computed[inside], truth.at(inside)))
    return tuple(summaries)


def in_tails(z: Array, computed: Array, truth: Truth) -> dict[Part, Errors]:
    """Summarise the errors by tail."""
    inside = {part: tail_of(z, part) for part in (Part.LEFT, Part.RIGHT)}
    return {part: errors(part, (0.0, inf), z[mask], computed[mask], truth.at(mask)) for part, mask in inside.items()}


def bands() -> Sequence[tuple[float, float]]:
    """Return the bands of |z|."""
    return list(pairwise(EDGES))


def is_normal(truth: Truth) -> NDArray[np.bool_]:
    """Return where g' is a normal number."""
    return np.asarray(np.isfinite(truth.nearest) & (np.abs(truth.nearest) >= limits(truth.nearest.dtype).tiny))
