"""The largest errors of g' over some z, with the size that g' has where they are."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from actbench.analysis.deviations import Array, Deviations, Largest
from actbench.model.checks import WRONG


@dataclass(frozen=True, slots=True)
class PointError:
    """The largest errors of g' over some z.

    A relative error says nothing of a tail in which g' itself is negligible, so that |g'| stands beside it.
    """

    relative: Largest
    """As a fraction of g', or of the smallest normal number where g' is smaller; what one rounding of z would cause is
    not counted."""
    ulp: Largest
    """In units in the last place, with what rounding of z causes."""
    absolute: Largest
    """The same as a difference."""
    slope: float
    """|g'| where the relative error is largest."""
    wrong_from: float
    """The least |z| at which the relative error exceeds `WRONG`; inf where it does at none."""
    wrong_slope: float
    """The largest |g'| at such z; 0 where there is none."""
    points: int
    """Number of z that these are the largest errors of."""
    has_finite: bool = True
    """Whether g' is finite at any of them; otherwise a result can only overflow, as it does."""
    constant: float | None = None
    """g' where it is the same at all z: nothing need be kept for it."""

    @classmethod
    def of(cls, deviations: Deviations, relative: Array, slope: Array, points: int) -> PointError:
        """Return the largest errors at some z, with the relative errors that count, and g' there, float64.

        `points` is the number of z that they are the largest of.
        """
        z, size = deviations.z, np.abs(slope)
        wrong = relative > WRONG
        worst = int(np.lexsort((np.abs(z), -relative))[0])
        return cls(
            relative=Largest.of(z, relative),
            ulp=Largest.of(z, deviations.ulp),
            absolute=Largest.of(z, np.where(np.isfinite(deviations.ulp), deviations.absolute, inf)),
            slope=float(size[worst]),
            wrong_from=float(np.min(np.abs(z[wrong]), initial=inf)),
            wrong_slope=float(np.max(size[wrong], initial=0.0)),
            points=points,
            has_finite=bool(np.isfinite(slope).any()),
            constant=float(slope[0]) if np.isfinite(slope[0]) and bool((slope == slope[0]).all()) else None,
        )
