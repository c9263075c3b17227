"""The search of an interval for the z at which g' of a kernel is furthest off, or lost.

Each panel of the interpolated truth has its share of a million z, drawn one from every stratum, or all of its numbers
where these are fewer. Where the errors are largest, and where the first one of more than 1 % is, every number around is
evaluated, several times over. Of a slow kernel fewer z are called. At the z that come out, the truth itself decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.accuracy import Part
from actbench.engine.survey.interpolated import Floats, Format, InterpolatedTruth, Near, ulp_of
from actbench.engine.survey.paced import PacedCalls
from actbench.engine.survey.zones import at_ranks, ranks
from actbench.kernels.operands import Array
from actbench.model.checks import WRONG
from actbench.model.number_formats import limits

Keys = NDArray[np.int64]

COARSE, FINE = 1 << 17, 1 << 20
"""Numbers of z: half of them are evenly spaced on an interval, half are in equal parts for each panel; the second where
a bound is to be met."""

EVALUATED = 1 << 15
"""For so many z, the numbers around one of those with the largest errors, by each measure, are evaluated."""

AROUND = 1 << 11
"""Numbers on either side of these."""

WIDELY = 64
"""Numbers that are farther away by this factor are drawn, too."""

MOST_ROOTS = 64
"""Of more roots, so many are evaluated around, from the lowest to the highest."""

ROUNDS = 6

GROWTH = 1.01
"""The search ends with a round that makes no largest error larger by more than this factor."""

INWARD, INWARD_COUNT = 1.25, 1 << 16
"""From where more than 1 % begins down to |z| over the first, so many z are drawn."""

SPARE = 8
"""Of so many more z than are needed those are picked that lie apart."""

CONFIRMED = 8
"""Number of z with the largest errors, by each measure, that are compared with the truth itself."""

MEASURES = ("ulp", "relative", "absolute")


@dataclass(frozen=True, slots=True)
class Indications:
    """Errors at some z by the interpolated truth, each less its uncertainty."""

    z: Array
    computed: Array
    ulp: Floats
    relative: Floats
    """Without what rounding z causes."""
    absolute: Floats
    slope: Floats
    """|g'|."""
    sure: NDArray[np.bool_]
    """Where the interpolated truth is off by less than a ULP."""

    @classmethod
    def of(cls, z: Array, computed: Array, near: Near) -> Indications:
        """Compare results with the interpolated truth at their z; where that is unknown, they are left out."""
        dtype = z.dtype
        with np.errstate(all="ignore"):
            truth = (near.high + near.low).astype(np.float64)
            apart = np.abs(computed.astype(near.low.dtype) - near.high.astype(near.low.dtype) - near.low)
            off = np.maximum(apart.astype(np.float64) - near.unsure, 0.0)
            overflown = np.abs(truth) > float(limits(dtype).max)
            off = np.where(overflown | np.isfinite(off), np.where(overflown, 0.0, off), inf)
            rounding = near.steepness * np.spacing(np.abs(z)).astype(np.float64) / 2
            size = np.abs(truth)
            relative = np.maximum(off - rounding, 0.0) / np.maximum(size, float(limits(dtype).tiny))
            relative = np.where(np.isinf(off), inf, relative)
            known = np.isfinite(near.unsure)
            unit = ulp_of(truth, dtype)
            sure = near.unsure <= unit
        return cls(z, computed, off / unit, relative, off, size, sure).at(known)

    def at(self, places: NDArray[Any]) -> Indications:
        """Return those that an index selects."""
        return Indications(*(getattr(self, name)[places] for name in self.__slots__))

    @classmethod
    def joined(cls, parts: Sequence[Indications]) -> Indications:
        """Return all of some parts."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))

    @property
    def largest(self) -> Floats:
        """The largest error by every measure, and the inverse of the least |z| from which on 1 % is exceeded."""
        size = np.abs(self.z[self.relative > WRONG].astype(np.float64))
        errors = [np.max(getattr(self, name), initial=0.0) for name in MEASURES]
        return np.array([*errors, 1 / np.min(size, initial=inf)])

    def leading(self, count: int) -> Indications:
        """Return those that decide the largest errors, and from where on 1 % is exceeded."""
        wrong = np.flatnonzero(self.relative > WRONG)
        places = [_largest(getattr(self, name), count) for name in MEASURES]
        if wrong.size:
            places += [wrong[_largest(-np.abs(self.z[wrong]), 1)], wrong[_largest(self.slope[wrong], 1)]]
        return self.at(np.unique(np.concatenate(places)))


@dataclass(frozen=True, slots=True)
class Searched:
    """The outcome of a search."""

    z: Array
    """Where the truth decides."""
    computed: Array
    compared: Array
    """All z that were compared with the interpolated truth."""


class Search:
    """Calls of kernels at many z, compared with an interpolated truth."""

    def __init__(self, truth: InterpolatedTruth, z: Array, kinks: Iterable[float], around: Array | None) -> None:
        """Take distinct z in ascending order, and the ends between which further numbers may be evaluated, if any."""
        self._kinks, self._around = np.array([*kinks], dtype=z.dtype), around
        self._truth = truth
        self.z = self._without_kinks(z)
        """The z that are called first."""
        self._near = truth.at(self.z)
        self._worst = -(-z.size // EVALUATED)

    def of(self, call: Callable[[Array], Array]) -> Searched:
        """Return the z at which a function of z is furthest off."""
        calls = PacedCalls(call)
        step, computed = calls.at(self.z)
        best = Indications.of(self.z[::step], computed, Near(*(one[::step] for one in self._near)))
        compared, largest = [best.z[best.sure]], best.largest
        if self._around is not None and best.z.size:
            neighbourhood = Neighbourhood(self._worst, self._roots)
            for _ in range(ROUNDS):
                best = best.leading(SPARE * self._worst)
                z = self._within(neighbourhood.further(best), self._around)
                if not z.size:
                    break
                step, computed = calls.at(z)
                z = z[::step]
                more = Indications.of(z, computed, self._truth.at(z))
                compared.append(more.z[more.sure])
                best = Indications.joined([best, more])
                if np.all(best.largest <= GROWTH * largest):
                    break
                largest = best.largest
        last = best.leading(CONFIRMED)
        return Searched(last.z, last.computed, np.unique(np.concatenate(compared)))

    @cached_property
    def _roots(self) -> Keys:
        """The keys of z that are next to a root of the function, at which relative errors have no bound.

        A change between two signs of which neither is certain is none.
        """
        with np.errstate(invalid="ignore"):
            value = self._near.high + self._near.low
            negative = np.signbit(value) | np.isinf(self._near.unsure)
            certain = np.abs(value) > self._near.unsure
        keys = keys_of(self.z)
        changed = (negative[1:] != negative[:-1]) & (certain[1:] | certain[:-1])
        changes = np.flatnonzero(changed & (np.sign(keys[1:]) == np.sign(keys[:-1])))
        if changes.size > MOST_ROOTS:
            changes = changes[np.linspace(0, changes.size - 1, MOST_ROOTS).astype(np.int64)]
        low, high = keys[changes], keys[changes + 1]
        while np.any(high - low > 1):
            middle = low + (high - low) // 2
            near = self._truth.at(numbers_of(middle, self.z.dtype))
            is_low = np.signbit(near.high + near.low) == negative[changes]
            low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
        return low

    def _within(self, keys: Keys, ends: Array) -> Array:
        """Return the numbers between two ends with these keys, in order."""
        low, high = keys_of(ends)
        return self._without_kinks(numbers_of(np.unique(keys[(keys >= low) & (keys <= high)]), ends.dtype))

    def _without_kinks(self, z: Array) -> Array:
        """Return z without those of kinks, where g' is what is declared."""
        return z[~np.isin(z, self._kinks)]


class Neighbourhood:
    """The z that are to be evaluated next, by their keys, around those with the largest errors."""

    def __init__(self, worst: int, roots: Keys) -> None:
        """Take the number of z by every measure, and keys with which to begin."""
        self._worst = worst
        self._next = roots
        self._centres = np.array([], dtype=np.int64)
        self._rng = np.random.default_rng(1)

    def further(self, best: Indications) -> Keys:
        """Return keys around the largest errors that were not centres yet."""
        keys, parts = keys_of(best.z), []
        centres = [*self._apart(self._next, self._next.size)]
        self._next = self._next[:0]
        for name in MEASURES:
            centres += self._apart(keys[_largest(getattr(best, name), SPARE * self._worst)], self._worst)
        wrong = best.relative > WRONG
        if wrong.any():
            size = float(np.min(np.abs(best.z[wrong])))
            inner, outer = keys_of(np.array([size / INWARD, size]).astype(best.z.dtype))
            strata = _strata(int(inner), int(outer), INWARD_COUNT, self._rng)
            parts += [strata, -strata]
            centres += self._apart(np.array([-outer, outer]), 2)
        around = np.arange(-AROUND, AROUND + 1)
        wide = self._rng.integers(-WIDELY * AROUND, WIDELY * AROUND, (len(centres), AROUND // 4))
        parts += [np.add.outer(centres, around).ravel(), (np.array(centres)[:, np.newaxis] + wide).ravel()]
        return np.asarray(np.concatenate(parts), dtype=np.int64)

    def _apart(self, keys: Keys, count: int) -> list[int]:
        """Return the first keys that are apart from all centres, and make them centres."""
        apart: list[int] = []
        for key in keys.tolist():
            if len(apart) < count and np.abs(self._centres - key).min(initial=AROUND) > AROUND // 2:
                apart.append(key)
                self._centres = np.append(self._centres, key)
        return apart


def spread(panels: Iterable[tuple[float, float]], ends: Array, count: int) -> Array:
    """Return about so many z of panels, and within two ends, in ascending order: one of every stratum."""
    rng, dtype = np.random.default_rng(0), ends.dtype
    low, high = map(float, ends)
    panels = [(max(one, low), min(following, high)) for one, following in panels]
    parts = [keys_of(ends[:0])]
    for start, end in panels:
        share = (end / 2 - start / 2) / (high / 2 - low / 2)
        first, last = keys_of(np.array([start, end]).astype(dtype)).tolist()
        parts.append(_strata(first, last, max(1, int(count * (share + 1 / len(panels)) / 2)), rng))
    keys = np.unique(np.concatenate(parts))
    first, last = keys_of(ends)
    return numbers_of(keys[(keys >= first) & (keys <= last)], dtype)


def keys_of(z: Array) -> Keys:
    """Return whole numbers in the order of z; those of neighbours in the format differ by 1."""
    return np.where(np.signbit(z), -ranks(z), ranks(z))


def numbers_of(keys: Keys, dtype: Format) -> Array:
    """Return the numbers of a format with these keys."""
    left, right = (at_ranks(np.abs(keys), part, dtype) for part in (Part.LEFT, Part.RIGHT))
    numbers: Array = np.where(keys < 0, left, right)
    return numbers


def _strata(low: int, high: int, count: int, rng: np.random.Generator) -> Keys:
    """Return keys from low to high, one of each of so many strata, or all."""
    number = high - low + 1
    if number <= count:
        return np.arange(low, high + 1)
    edges = np.linspace(0.0, 1.0, count, endpoint=False)
    return low + ((edges + rng.uniform(0.0, 1 / count, count)) * number).astype(np.int64)


def _largest(values: Floats, count: int) -> NDArray[np.int64]:
    """Return the places of the largest values, in descending order."""
    places = np.argpartition(-values, count)[:count] if values.size > count else np.arange(values.size)
    return places[np.argsort(-values[places], kind="stable")]
