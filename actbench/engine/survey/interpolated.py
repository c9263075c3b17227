"""The truth on an interval, interpolated: good for a million z a second, where mpmath takes 100 µs for one.

The interval is divided at 0, at kinks and at powers of 2, and on until polynomials meet the truth. Each is relative to
the value in the middle of its panel, which has the digits of two float64, and is evaluated in numpy's widest type:
errors of far less than a ULP show. It only decides at which z the truth is worth computing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from math import frexp, inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench.errors import BenchmarkError
from actbench.model.number_formats import limits
from actbench.verification.truth import Truth

Floats = NDArray[Any]

Format = np.dtype[Any]

WIDEST = np.dtype(np.longdouble)
"""Of 64 bits beside the exponent on x86, and no wider than float64 on some other processors."""

DEGREE = 12

CHECKED = np.array([-0.97, -0.43, 0.29, 0.91])
"""Where a polynomial is compared with the truth."""

OCTAVES = 20
"""Powers of 2 below 1, or below the largest |z|, down to which there are panels."""

FAR, STRIDE = 10, 8
"""From this power of 2 on a panel is of so many powers: functions hardly change there."""

MOST = 400
"""Number of panels that are divided before all others stay as they are: what is not accurate by then is uncertain."""

EXACT_ENOUGH = 2.0**-6
"""ULP by which a polynomial may be off."""

PIECE = 1 << 15
"""Number of z that are evaluated at once: they stay in a cache."""

TruthAt = Callable[[Floats], Truth]


def _nodes() -> Floats:
    """Return the nodes of a polynomial between -1 and 1, 0 first, in an order in which Newton's form is stable."""
    rest = [*np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))]
    del rest[DEGREE // 2]
    nodes = [0.0]
    while rest:
        nodes.append(rest.pop(int(np.argmax([np.prod(np.abs(np.subtract(one, nodes))) for one in rest]))))
    return np.array(nodes)


NODES = _nodes()


class Near(NamedTuple):
    """The truth at some z, as the sum of two numbers."""

    high: Floats
    low: Floats
    """In the widest type that is needed."""
    steepness: Floats
    """Size of its derivative by z."""
    unsure: Floats
    """By how much it may be off; inf where nothing is known."""


class InterpolatedTruth:
    """A function of z on an interval, as polynomials on panels."""

    def __init__(self, truth_at: TruthAt, panels: Iterable[tuple[float, float]], dtype: Format) -> None:
        """Interpolate a truth on panels in ascending order, for results of a dtype."""
        self._truth_at, self._dtype = truth_at, dtype
        self._wide = WIDEST if dtype == np.float64 else np.dtype(np.float64)
        self._rounding = 8 * float(limits(self._wide).eps)
        divided = 0
        parts: list[_Panels] = []
        ends = np.array([*panels]).reshape(-1, 2)
        while len(ends) or not parts:
            fitted, accurate = self._fitted(ends)
            finished = accurate | (divided >= MOST) | np.isinf(fitted.unsure)
            divided += int(np.count_nonzero(~finished))
            parts.append(fitted.at(finished))
            rest = fitted.at(~finished)
            ends = np.stack([rest.start, rest.middle, rest.middle, rest.end], axis=-1).reshape(-1, 2)
        every = _Panels.joined(parts)
        self._panels = every.at(np.argsort(every.start))
        self._newton, self._nodes = self._panels.newton.T.copy(), self._panels.nodes.T.copy()

    @property
    def panels(self) -> list[tuple[float, float]]:
        """The ends of panels, in ascending order; there may be gaps between them."""
        return [*zip(self._panels.start.tolist(), self._panels.end.tolist(), strict=True)]

    def at(self, z: Floats) -> Near:
        """Return the truth at some z, soonest where they are in order."""
        z = z.astype(np.float64)
        pieces = [self._at(z[start : start + PIECE]) for start in range(0, max(z.size, 1), PIECE)]
        return Near(*map(np.concatenate, zip(*pieces, strict=True)))

    def _at(self, z: Floats) -> Near:
        panels = self._panels
        if not panels.start.size:
            return Near(*(np.full(z.size, value) for value in (0.0, 0.0, 0.0, inf)))
        place = np.clip(np.searchsorted(panels.start, z, side="right") - 1, 0, panels.start.size - 1)
        outside = (z < panels.start[place]) | (z > panels.end[place])
        half = panels.half[place]
        with np.errstate(all="ignore"):
            where = np.clip((z.astype(self._wide) - panels.middle[place]) / half, -1, 1)
            total, slope = self._newton[DEGREE][place], np.zeros(z.size, self._wide)
            for newton, nodes in zip(self._newton[-2::-1], self._nodes[-2::-1], strict=True):
                beside = where - nodes[place]
                slope = slope * beside + total
                total = total * beside + newton[place]
            steepness = np.abs(slope / half).astype(np.float64)
            unsure = panels.unsure[place] + self._rounding * np.abs(total).astype(np.float64)
        return Near(panels.high[place], total, steepness, np.where(outside | np.isnan(unsure), inf, unsure))

    def _fitted(self, ends: Floats) -> tuple[_Panels, NDArray[np.bool_]]:
        """Return polynomials between some ends, and which of them are accurate."""
        middle, half = ends[:, :1] / 2 + ends[:, 1:] / 2, ends[:, 1:] / 2 - ends[:, :1] / 2
        z = middle + half * np.concatenate([NODES, CHECKED])
        try:
            truth = self._truth_at(z.reshape(-1))
        except BenchmarkError:  # the definition raises at one of these
            if len(ends) > 1:
                parts = [self._fitted(some) for some in np.array_split(ends, 2)]
                return _Panels.joined([one for one, _ in parts]), np.concatenate([accurate for _, accurate in parts])
            zero = np.zeros(z.size)
            truth = Truth(zero, zero, zero + 1, zero + inf)
        wide = half.astype(self._wide)
        with np.errstate(all="ignore"):
            value = truth.nearest.reshape(z.shape)
            beside = (value - value[:, :1]).astype(self._wide) + (truth.rest * truth.ulp).reshape(z.shape)
            where = (z.astype(self._wide) - middle) / wide
            newton = _differences(where[:, : DEGREE + 1], beside[:, : DEGREE + 1])
            checked = slice(DEGREE + 1, None)
            apart = _newton_sum(newton, where[:, : DEGREE + 1], where[:, checked]) - beside[:, checked]
            off, size = (np.abs(one).astype(np.float64) for one in (apart, beside[:, checked]))
            accurate = off <= EXACT_ENOUGH * self._unit(value[:, checked]) + self._rounding * size
            unsure = 2 * off.max(axis=1)
            if truth.slack is not None:
                unsure += (truth.slack * truth.ulp).reshape(z.shape).max(axis=1)
            unsure[~np.isfinite(newton).all(axis=1) | np.isnan(unsure)] = inf
        start, end = ends.T
        nodes = where[:, : DEGREE + 1]
        return _Panels(start, end, middle[:, 0], wide[:, 0], value[:, 0], newton, nodes, unsure), accurate.all(axis=1)

    def _unit(self, values: Floats) -> Floats:
        """Return the ULP of the dtype, also beyond its largest number."""
        return np.maximum(ulp_of(values, self._dtype), float(limits(self._dtype).eps) * np.abs(values))


@dataclass(frozen=True, slots=True)
class _Panels:
    """Polynomials in Newton's form: arrays with a row for each."""

    start: Floats
    end: Floats
    middle: Floats
    half: Floats
    """Half of the width."""
    high: Floats
    """The value in the middle, of which a polynomial gives the rest."""
    newton: Floats
    nodes: Floats
    """Between -1 and 1."""
    unsure: Floats

    def at(self, selection: NDArray[Any]) -> _Panels:
        """Return those that an index selects."""
        return _Panels(*(getattr(self, one.name)[selection] for one in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[_Panels]) -> _Panels:
        """Return all of some parts."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


def _differences(where: Floats, values: Floats) -> Floats:
    """Return the coefficients of Newton's form, a row for every row of nodes and values: divided differences."""
    newton = values.copy()
    for order in range(1, DEGREE + 1):
        newton[:, order:] = np.diff(newton[:, order - 1 :], axis=1) / (where[:, order:] - where[:, :-order])
    return newton


def _newton_sum(newton: Floats, nodes: Floats, where: Floats) -> Floats:
    """Return the polynomials of rows of coefficients and nodes, at the row of places."""
    total = np.zeros_like(where)
    for power in range(DEGREE, -1, -1):
        total = total * (where - nodes[:, power, np.newaxis]) + newton[:, power, np.newaxis]
    return total


def panels_on(low: float, high: float, kinks: Iterable[float]) -> list[tuple[float, float]]:
    """Return panels of an interval in ascending order: between powers of 2, and kinks, without what is nearest to 0."""
    top = frexp(max(abs(low), abs(high)))[1]
    near = range(min(-OCTAVES, top - OCTAVES), min(top, FAR) + 1)
    sizes = [2.0**power for power in (*near, *range(FAR + STRIDE, min(top, 1023) + 1, STRIDE))]
    inner = {one for size in sizes for one in (-size, size)} | {*map(float, kinks)}
    ends = sorted({low, high, *(one for one in inner if low < one < high)})
    return [(one, following) for one, following in pairwise(ends) if max(abs(one), abs(following)) > sizes[0]]


def ulp_of(values: Floats, dtype: Format) -> Floats:
    """Return the units in the last place of numbers of a dtype; where they overflow, of its largest number."""
    with np.errstate(all="ignore"):
        nearest = values.astype(dtype)
        return np.asarray(np.fmin(np.spacing(np.abs(nearest)), limits(dtype).max).astype(np.float64))
