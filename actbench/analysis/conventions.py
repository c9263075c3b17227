"""What a kernel returns where mathematics leaves a choice: at NaN, at ±inf, and at the kinks of an activation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan


@dataclass(frozen=True, slots=True)
class AtInfinity:
    """The result at -inf or inf."""

    result: float
    limit: float
    """What the truth tends to, rounded to the format; NaN where that is unknown."""

    @property
    def differs(self) -> bool:
        """Whether there is a limit, and the result is another number, or none."""
        return not isnan(self.limit) and self.result != self.limit


@dataclass(frozen=True, slots=True)
class AtKink:
    """The derivative at a z where its sides differ."""

    z: float
    result: float
    before: float
    """The slope just before z."""
    after: float
    declared: float
    """What actbench's formulas return."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """The results of a kernel at special z."""

    at_nan: float = nan
    infinities: Mapping[str, AtInfinity] = field(default_factory=dict)
    """By tail."""
    kinks: tuple[AtKink, ...] = ()
    """In ascending order of z; none of y, which is continuous."""


NO_CONVENTIONS = Conventions()
