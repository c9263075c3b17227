"""The search for zones in which a kernel's results are lost, down to the float at which each begins and ends.

It has three steps. First the kernel is called at many z between those with known g', which costs little; where a result
is far from the expected g', the truth is computed. Then each end of a zone is searched more finely, since lost and
right results alternate where rounding decides. Finally each end is bisected between a lost result and a right one,
until the two are neighbours. Every step sends the worker one call for all zones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.accuracy import LOSS_TESTS, NEARBY, Loss, Part, Zone, tail_of
from actbench.analysis.expectation import RIGHT, SUSPECT, UNKNOWN, States
from actbench.kernels.operands import Array
from actbench.model.number_formats import limits

Hits = Mapping[str, NDArray[np.bool_]]
"""By field of `Loss`, where results are lost, or may be."""

VERIFIED = 5
"""Number of suspects beyond an end of a zone whose truth is computed at a time, evenly from the outermost on."""

MOST_ZONES = 24
"""Largest number of zones of one kind and tail that are searched: those nearest to 0."""

MOST_ATTEMPTS = 6
"""Number of repetitions after which the remaining suspects count as unknown."""

INWARD = 1 / NEARBY
"""How far beyond an end of a zone one looks more finely, as a share of it: as far as would belong to it."""

FINER = 8
"""How often that is repeated, each time from where results are now known to be lost, as long as others are."""

IS_LOST = 2
"""The state of a result that is lost, by the truth; `actbench.analysis.expectation` has the other states."""


class Evaluator(Protocol):
    """The questions of the search about a kernel."""

    finer: tuple[int, int]
    """Points to evaluate beyond the inner end of a zone, and beyond the outer one."""

    def states(self, z: Array) -> States:
        """Call the kernel, and return its results' states by expectation: a guess without the truth."""

    def lost(self, z: Array, wanted: Hits) -> Hits:
        """Call the kernel, and return where its results are lost, among those that `wanted` selects."""


def ranks(z: Array) -> NDArray[np.int64]:
    """Return the rank of |z| among the format's numbers, 0 for 0; ranks of neighbours differ by 1."""
    size = np.abs(z)
    return np.asarray(size.view(f"u{z.dtype.itemsize}").astype(np.int64))


def at_ranks(places: NDArray[np.int64], part: Part, dtype: np.dtype[np.floating[Any]]) -> Array:
    """Return the numbers of a tail with these ranks."""
    size = places.astype(f"u{dtype.itemsize}").view(dtype)
    return np.asarray(-size if part is Part.LEFT else size)


@dataclass
class _TailStates:
    """The points of a tail, outward, with the states of the results there, by kind of loss."""

    part: Part
    dtype: np.dtype[np.floating[Any]]
    places: NDArray[np.int64]
    states: dict[str, NDArray[np.int8]]

    def z(self, places: NDArray[np.int64]) -> Array:
        return at_ranks(places, self.part, self.dtype)

    def add(self, places: NDArray[np.int64], states: States) -> bool:
        """Add new points; return whether any of them is a suspect."""
        after = np.minimum(np.searchsorted(self.places, places), self.places.size - 1)
        fresh = self.places[after] != places
        merged = np.concatenate([self.places, places[fresh]])
        order = np.argsort(merged, kind="stable")
        self.places = merged[order]
        for name, before in self.states.items():
            self.states[name] = np.concatenate([before, states[name][fresh]])[order]
        return any(bool((states[name][fresh] == SUSPECT).any()) for name in states)

    def stretches(self, name: str) -> Iterator[tuple[int, int]]:
        """Yield the first and the last point of every zone, including suspects."""
        hits = np.flatnonzero(self.states[name] >= SUSPECT)
        if not hits.size:
            return
        size = np.abs(self.z(self.places[hits]).astype(np.float64))
        apart = (np.diff(hits) > 1) & (size[1:] / NEARBY > size[:-1])
        starts = [0, *(np.flatnonzero(apart) + 1).tolist()]
        for start, stop in list(zip(starts, [*starts[1:], hits.size], strict=True))[:MOST_ZONES]:
            yield int(hits[start]), int(hits[stop - 1])


def between(places: NDArray[np.int64], count: int, gaps: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return up to `count` places between neighbours, evenly, only in the chosen gaps."""
    step = np.diff(places) // (count + 1)
    wide = gaps & (step > 0)
    return np.asarray((places[:-1][wide, None] + step[wide, None] * np.arange(1, count + 1)).ravel())


def zones(look: Evaluator, z: Array, hits: Hits, screened: Array) -> dict[Part, Loss]:
    """Return the zones of both tails, from lost results at some z and from further z to screen."""
    lines = [_line(part, z, hits) for part in (Part.LEFT, Part.RIGHT)]
    for line, mine in zip(lines, _by_line(lines, screened), strict=True):
        if mine.size:
            line.add(ranks(mine), look.states(mine))
    _verify(look, lines)
    _refine(look, lines)
    _settle(look, lines)
    return _bisected(look, lines)


def _line(part: Part, z: Array, hits: Hits) -> _TailStates:
    inside = tail_of(z, part)
    places, first = np.unique(ranks(z[inside]), return_index=True)
    states = {name: hits[name][inside][first].astype(np.int8) * IS_LOST for name in LOSS_TESTS}
    return _TailStates(part, z.dtype, places, states)


def _by_line(lines: list[_TailStates], z: Array) -> list[Array]:
    return [z[tail_of(z, line.part)] for line in lines]


def _ask(look: Evaluator, wanted: list[tuple[_TailStates, str, NDArray[np.int64]]]) -> list[NDArray[np.bool_]]:
    """Return where results are lost at places by line and kind, with one call of the kernel for all of them."""
    z = np.concatenate([line.z(places) for line, _, places in wanted])
    kinds = np.concatenate([np.full(places.size, name) for _, name, places in wanted])
    answer = look.lost(z, {name: kinds == name for name in LOSS_TESTS})
    lost = np.any([answer[name] for name in LOSS_TESTS], axis=0)
    return np.split(lost, np.cumsum([places.size for _, _, places in wanted])[:-1])


def _verify(look: Evaluator, lines: list[_TailStates]) -> None:
    """Compute the truth at suspects beyond the known ends of zones, until none are left there."""
    for attempt in range(MOST_ATTEMPTS + 1):
        wanted = [
            (line, name, line.places[chosen])
            for line in lines
            for name in LOSS_TESTS
            for chosen in [_unverified(line, name)]
            if chosen.size
        ]
        if not wanted:
            return
        if attempt == MOST_ATTEMPTS:
            break
        for (line, name, places), lost in zip(wanted, _ask(look, wanted), strict=True):
            line.states[name][np.searchsorted(line.places, places)] = np.where(lost, IS_LOST, RIGHT)
    for line in lines:
        for name in LOSS_TESTS:
            _drop(line, name)


def _unverified(line: _TailStates, name: str) -> NDArray[np.int64]:
    """Return the suspects whose truth is computed next: beyond each end, or in a zone that has only suspects."""
    states = line.states[name]
    chosen: list[NDArray[np.int64]] = []
    for first, last in line.stretches(name):
        stretch = np.arange(first, last + 1)
        suspects, lost = stretch[states[stretch] == SUSPECT], stretch[states[stretch] == IS_LOST]
        beyond = [suspects[suspects < lost[0]], suspects[suspects > lost[-1]]] if lost.size else [suspects]
        for some in beyond:
            picks = np.linspace(0, some.size - 1, min(some.size, VERIFIED)).round().astype(np.int64)
            chosen.append(some[picks])
    return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)


def _drop(line: _TailStates, name: str) -> None:
    """Mark the suspects beyond the known ends of zones as unknown."""
    states = line.states[name]
    for first, last in list(line.stretches(name)):
        stretch = np.arange(first, last + 1)
        lost = stretch[states[stretch] == IS_LOST]
        outside = (stretch < lost[0]) | (stretch > lost[-1]) if lost.size else np.ones(stretch.size, dtype=bool)
        states[stretch[outside & (states[stretch] == SUSPECT)]] = UNKNOWN


def _refine(look: Evaluator, lines: list[_TailStates]) -> None:
    """Evaluate more points beyond the ends of zones, as long as results are lost there."""
    done: dict[Part, set[tuple[int, bool]]] = {line.part: set() for line in lines}
    for _ in range(FINER):
        suspected = False
        for line in lines:
            ends = {
                (int(line.places[end]), outward)
                for name in LOSS_TESTS
                for first, last in line.stretches(name)
                for end, outward in ((first, False), (last, True))
            }
            spans = [
                _beyond(line, place, look.finer[outward], outward=outward) for place, outward in ends - done[line.part]
            ]
            done[line.part] |= ends
            places = np.unique(np.concatenate(spans)) if spans else line.places[:0]
            if places.size:
                suspected |= line.add(places, look.states(line.z(places)))
        if not suspected:
            return
        _verify(look, lines)


def _beyond(line: _TailStates, place: int, count: int, *, outward: bool) -> NDArray[np.int64]:
    """Return places beyond an end of a zone, evenly, up to |z| times `INWARD` or, outward, over `INWARD`; never 0."""
    size = abs(line.z(np.array([place])).astype(np.float64)[0])
    far = min(size, INWARD * float(limits(line.dtype).max)) / INWARD if outward else size * INWARD
    limit = int(ranks(np.array([far]).astype(line.dtype))[0])
    places = np.unique(np.linspace(place, limit, count).round().astype(np.int64))  # as float64, which may round outward
    return np.asarray(places[(places > 0) & (places != place) & (places <= max(place, limit))])


@dataclass
class _End:
    """An end of a zone: between a place with a lost result and one with a right result."""

    line: _TailStates
    name: str
    lost: int
    right: int


def _bisected(look: Evaluator, lines: list[_TailStates]) -> dict[Part, Loss]:
    zones = {(line.part, name): list(_ends(line, name)) for line in lines for name in LOSS_TESTS}
    ends = [end for kind in zones.values() for begin, stop, _ in kind for end in (begin, stop) if end]
    while unsettled := [end for end in ends if abs(end.right - end.lost) > 1]:
        middles = [(end.lost + end.right) // 2 for end in unsettled]
        wanted = [(end.line, end.name, np.array([middle])) for end, middle in zip(unsettled, middles, strict=True)]
        for end, middle, (lost,) in zip(unsettled, middles, _ask(look, wanted), strict=True):
            if lost:
                end.lost = middle
            else:
                end.right = middle
    return {
        line.part: Loss(**{name: tuple(_zone(line, *zone) for zone in zones[line.part, name]) for name in LOSS_TESTS})
        for line in lines
    }


def _ends(line: _TailStates, name: str) -> Iterator[tuple[_End, _End | None, bool]]:
    """Yield both ends of every zone, and whether all of it is lost; no outer end for one up to the largest number."""
    states = line.states[name]
    right = line.places[states == RIGHT]
    for first, last in line.stretches(name):
        inner, outer = int(line.places[first]), int(line.places[last])
        before, after = right[right < inner], right[right > outer]
        begin = _End(line, name, inner, int(before[-1]) if before.size else inner - 1)
        end = _End(line, name, outer, int(after[0])) if after.size else None
        yield begin, end, bool((states[first : last + 1] != RIGHT).all())


def _settle(look: Evaluator, lines: list[_TailStates]) -> None:
    """Compute the truth at the right results next to each zone, which may be lost despite the expectation."""
    looked_up: set[tuple[Part, str, int]] = set()
    for _ in range(MOST_ATTEMPTS):
        fresh = {
            (line.part, name, end.right): (line, name, end.right)
            for line in lines
            for name in LOSS_TESTS
            for begin, stop, _ in _ends(line, name)
            for end in (begin, stop)
            if end and end.right in line.places
        }
        wanted = [(line, name, np.array([place])) for key, (line, name, place) in fresh.items() if key not in looked_up]
        if not wanted:
            return
        looked_up |= fresh.keys()
        for (line, name, places), lost in zip(wanted, _ask(look, wanted), strict=True):
            line.states[name][np.searchsorted(line.places, places)] = np.where(lost, IS_LOST, RIGHT)
        _verify(look, lines)


def _zone(line: _TailStates, begin: _End, end: _End | None, whole: bool) -> Zone:  # noqa: FBT001  # as it was seen
    first = float(abs(line.z(np.array([begin.lost]))[0]))
    last = inf if end is None else float(abs(line.z(np.array([end.lost]))[0]))
    return Zone(first, last, whole)
