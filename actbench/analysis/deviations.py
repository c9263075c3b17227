"""The errors of results at many z in three measures, and the largest of each.

In ULP an error says how far a result is from the best one of its type. The relative error is what is left of a small
g' in a tail. The absolute error is what counts near a root, where the others grow beyond all bounds, and in 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from actbench.model.number_formats import limits

if TYPE_CHECKING:
    from actbench.verification.truth import Truth  # it brings mpmath, which reports need not

Array = NDArray[Any]


class Largest(NamedTuple):
    """The largest error over some z, and the z at which it is; of several, the one nearest to 0."""

    size: float
    """inf where a result is no finite number and should be one."""
    z: float

    @classmethod
    def of(cls, z: Array, error: Array) -> Self:
        """Return the largest of at least one error."""
        worst = int(np.lexsort((np.abs(z), -error))[0])
        return cls(float(error[worst]), float(z[worst]))

    def or_larger(self, other: Self) -> Self:
        """Return the larger one of two; this one where they are equal."""
        return other if other.size > self.size else self


NO_ERROR = Largest(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Deviations:
    """The distances of results from the truth."""

    z: Array
    ulp: Array
    """In units in the last place of the results' type."""
    relative: Array
    """As a fraction of the truth, or of the smallest normal number where the truth is smaller."""
    absolute: Array

    @classmethod
    def of(cls, z: Array, computed: Array, truth: Truth) -> Self:
        """Compare results at some z with the truth there."""
        error = truth.error(computed)
        with np.errstate(all="ignore"):
            absolute = error * truth.ulp
            size = np.maximum(np.abs(truth.nearest.astype(np.float64)), float(limits(truth.nearest.dtype).tiny))
            relative = np.where(error > 0, absolute / size, 0.0)
            relative = np.where(np.isfinite(error) & ~np.isnan(relative), relative, error)
        return cls(z, error, relative, absolute)

    @classmethod
    def joined(cls, parts: list[Self], empty: Array) -> Self:
        """Return all of some parts; without any, those at `empty`, which has no z."""
        if not parts:
            return cls(empty, *(np.empty(0) for _ in range(3)))
        names = ("z", "ulp", "relative", "absolute")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def at(self, mask: NDArray[np.bool_]) -> Deviations:
        """Return those that a boolean array selects."""
        return Deviations(self.z[mask], self.ulp[mask], self.relative[mask], self.absolute[mask])

    @property
    def largest(self) -> tuple[Largest, Largest, Largest]:
        """The largest errors: in ULP, relative, and absolute."""
        return Largest.of(self.z, self.ulp), Largest.of(self.z, self.relative), Largest.of(self.z, self.absolute)
