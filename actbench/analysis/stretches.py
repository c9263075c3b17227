"""Zones of lost results, collected outward from all numbers of a format."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.accuracy import NEARBY, Zone
from actbench.model.number_formats import limits

Array = NDArray[np.floating[Any]]


class Stretches:
    """The zones of one kind of loss in one tail, collected piece by piece."""

    def __init__(self) -> None:
        """Begin without a zone."""
        self._zones: list[Zone] = []
        self._touching = False
        """Whether the last number so far is lost."""
        self._largest = inf

    def add(self, z: Array, lost: NDArray[np.bool_]) -> None:
        """Add the next numbers, which follow each other without a gap, and where results are lost."""
        self._largest = float(limits(z.dtype).max)
        places = np.flatnonzero(lost)
        if places.size:
            size = np.abs(z[places].astype(np.float64))
            holes = np.diff(places) > 1
            cuts = np.flatnonzero(holes & (size[1:] > NEARBY * size[:-1])) + 1
            bounds = [0, *cuts.tolist(), places.size]
            for start, stop in pairwise(bounds):
                whole = not bool(holes[start : stop - 1].any())
                adjacent = self._touching and bool(places[start] == 0)
                self._join(Zone(float(size[start]), float(size[stop - 1]), whole), adjacent=adjacent)
        self._touching = bool(lost[-1])

    def zones(self) -> tuple[Zone, ...]:
        """Return the zones so far; a zone that reaches the largest number is open."""
        return tuple(Zone(zone.first, inf, zone.whole) if zone.last == self._largest else zone for zone in self._zones)

    def _join(self, zone: Zone, *, adjacent: bool) -> None:
        if self._zones and (adjacent or zone.first <= NEARBY * self._zones[-1].last):
            before = self._zones.pop()
            zone = Zone(before.first, zone.last, before.whole and zone.whole and adjacent)
        self._zones.append(zone)
