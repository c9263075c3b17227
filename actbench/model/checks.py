"""What the oracle says of a kernel: its accuracy, and what the compiler made of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf

from actbench.model.cases import KernelId

EDGES = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0, inf)
"""Where bands of |z| begin and end."""

BANDS = (*((-high, -low) for low, high in reversed([*pairwise(EDGES)])), *pairwise(EDGES))
"""Bands of z, from -inf to inf; 0 is in the right tail."""

STATED_ULP = 8.0
"""The accuracy every strategy has where no weakness is declared."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler made of a kernel, read off the generated code."""

    signature: str
    vector_bits: int
    """Width of the widest packed floating-point arithmetic; 0 if all of it is scalar."""
    library_calls: tuple[str, ...]
    double_conversions: int
    """Instructions that widen float32 to float64."""


@dataclass(frozen=True, slots=True)
class Check:
    """What the oracle found of a kernel: its largest error in ULP, where, and its declared weaknesses."""

    kernel: KernelId
    ulp: float | None
    """The largest error; None where the kernel gives no number at some z. JSON has no infinity."""
    worst_z: float
    weaknesses: tuple[str, ...] = ()
    compile_seconds: float | None = None
    from_cache: bool = False
    compiled: Compiled | None = None
    """None where the backend compiles nothing that can be read."""
    digits: float | None = None
    """To how many digits the truth is known, typically, where it is by differences and not by mpmath."""
    kept_bytes: int | None = None
    """Bytes per element that the kernel keeps; with `moved_bytes`, so that a run is read without what it loaded."""
    moved_bytes: int | None = None
    """Bytes per element that a call reads and writes, temporaries not counted."""
    preallocates: bool | None = None
    """Whether the backend writes its results to arrays that it is given; None where that was not recorded."""
    by_band: tuple[float | None, ...] = ()
    """The largest error in each of `BANDS`, the left tail's first; None where the kernel gives no number at some z."""
    points: int | None = None
    """The number of z at which the kernel was checked."""
    unknown: int = 0
    """How many of these were not checked, since g' is not known there."""
    unknown_at: tuple[tuple[float, float], ...] = ()
    """The lowest and the highest of these z, of each stretch of them; stretches near each other are reported as one."""

    @property
    def max_ulp(self) -> float:
        """The largest error; inf where the kernel gives no number at some z."""
        return float("inf") if self.ulp is None else self.ulp
