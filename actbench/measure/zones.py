"""Find the zones in which a kernel's results are lost, down to the float at which each begins and ends.

Three steps. First the kernel is called at many z between those where g' is known, which costs little; where a result is
far from what g' is expected to be there, the truth is asked. Then each end of a zone is looked at more finely, because
where rounding decides, results are lost here and there at first. Last each end is bisected between a result that is
lost and one that is not, until the two are neighbours. Every step asks the worker for all zones at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.accuracy import LOST, NEARBY, Loss, Part, Zone, tail_of
from actbench.kernel import Array

Hits = Mapping[str, NDArray[np.bool_]]
"""By field of `Loss`, where results are lost, or may be."""

VERIFIED = 4
"""Suspects at an end of a zone of which the truth is asked at a time."""

MOST = 24
"""Zones of one kind and tail that are looked at, those nearest to 0."""

ATTEMPTS = 4
"""How often suspects are asked for before those that are left are dropped."""

INWARD = 0.95
"""How far beyond an end of a zone one looks more finely, as a share of it."""

FINER = 8
"""How often that is repeated, each time from where results are now known to be lost, as long as others are."""

RIGHT, SUSPECT, IS_LOST = 0, 1, 2


class Look(Protocol):
    """What the search asks about a kernel."""

    finer: int
    """Points to look at beyond an end of a zone."""

    def suspects(self, z: Array) -> Hits:
        """Call the kernel, and return where its results may be lost; a guess without the truth."""

    def lost(self, z: Array, wanted: Hits) -> Hits:
        """Call the kernel, and return where its results are lost, of those that are wanted."""


def ranks(z: Array) -> NDArray[np.int64]:
    """Return the place of |z| among the format's numbers, 0 for 0: neighbours differ by 1."""
    size = np.abs(z)
    return np.asarray(size.view(f"u{z.dtype.itemsize}").astype(np.int64))


def at_ranks(places: NDArray[np.int64], part: Part, dtype: np.dtype[np.floating]) -> Array:
    """Return the numbers of a tail that have these places."""
    size = places.astype(f"u{dtype.itemsize}").view(dtype)
    return np.asarray(-size if part is Part.LEFT else size)


@dataclass
class _Line:
    """The points of a tail, outward, and what is known of the results there, by kind of loss."""

    part: Part
    dtype: np.dtype[np.floating]
    places: NDArray[np.int64]
    states: dict[str, NDArray[np.int8]]

    def z(self, places: NDArray[np.int64]) -> Array:
        return at_ranks(places, self.part, self.dtype)

    def add(self, places: NDArray[np.int64], hits: Hits) -> bool:
        """Add points that are not known yet; return whether any of them is a suspect."""
        fresh = ~np.isin(places, self.places)
        merged = np.concatenate([self.places, places[fresh]])
        order = np.argsort(merged, kind="stable")
        self.places = merged[order]
        for name, states in self.states.items():
            self.states[name] = np.concatenate([states, hits[name][fresh].astype(np.int8) * SUSPECT])[order]
        return any(bool(hits[name][fresh].any()) for name in self.states)

    def stretches(self, name: str) -> Iterator[tuple[int, int]]:
        """Yield the first and the last point of every zone, suspects included."""
        hits = np.flatnonzero(self.states[name])
        if not hits.size:
            return
        size = np.abs(self.z(self.places[hits]).astype(np.float64))
        apart = (np.diff(hits) > 1) & (size[1:] > NEARBY * size[:-1])
        starts = [0, *(np.flatnonzero(apart) + 1).tolist()]
        for start, stop in list(zip(starts, [*starts[1:], hits.size], strict=True))[:MOST]:
            yield int(hits[start]), int(hits[stop - 1])


def between(places: NDArray[np.int64], count: int, gaps: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return `count` places between neighbours, evenly and as far as there are so many; in the chosen gaps alone."""
    start, step = places[:-1][gaps], np.diff(places)[gaps] // (count + 1)
    return np.setdiff1d(start[:, None] + step[:, None] * np.arange(1, count + 1), places)


def zones(look: Look, z: Array, hits: Hits, screened: Array) -> dict[Part, Loss]:
    """Return the zones of both tails, from where results are lost at some z and from further z to screen."""
    lines = [_line(part, z, hits) for part in (Part.LEFT, Part.RIGHT)]
    for line, mine in zip(lines, _by_line(lines, screened), strict=True):
        if mine.size:
            line.add(ranks(mine), look.suspects(mine))
    _verify(look, lines)
    _refine(look, lines)
    return _bisected(look, lines)


def _line(part: Part, z: Array, hits: Hits) -> _Line:
    inside = tail_of(z, part)
    places, first = np.unique(ranks(z[inside]), return_index=True)
    states = {name: hits[name][inside][first].astype(np.int8) * IS_LOST for name in LOST}
    return _Line(part, z.dtype, places, states)


def _by_line(lines: list[_Line], z: Array) -> list[Array]:
    return [z[tail_of(z, line.part)] for line in lines]


def _ask(look: Look, wanted: list[tuple[_Line, str, NDArray[np.int64]]]) -> list[NDArray[np.bool_]]:
    """Return where results are lost, of places by line and kind: one call of the kernel for all of them."""
    z = np.concatenate([line.z(places) for line, _, places in wanted])
    kinds = np.concatenate([np.full(places.size, name) for _, name, places in wanted])
    answer = look.lost(z, {name: kinds == name for name in LOST})
    lost = np.any([answer[name] for name in LOST], axis=0)
    return np.split(lost, np.cumsum([places.size for _, _, places in wanted])[:-1])


def _verify(look: Look, lines: list[_Line]) -> None:
    """Ask for the truth at suspects beyond the ends of what is known to be lost, until none are left there."""
    for attempt in range(ATTEMPTS + 1):
        wanted = [
            (line, name, line.places[chosen])
            for line in lines
            for name in LOST
            for chosen in [_unverified(line, name)]
            if chosen.size
        ]
        if not wanted:
            return
        if attempt == ATTEMPTS:
            for line, name, places in wanted:
                states = line.states[name]
                states[np.isin(line.places, places)] = RIGHT
            break
        for (line, name, places), lost in zip(wanted, _ask(look, wanted), strict=True):
            line.states[name][np.searchsorted(line.places, places)] = np.where(lost, IS_LOST, RIGHT)
    for line in lines:
        for name in LOST:
            _drop(line, name)


def _unverified(line: _Line, name: str) -> NDArray[np.int64]:
    """Return the suspects of which the truth is asked next: the outermost of each end, some of a zone without any."""
    states = line.states[name]
    chosen: list[NDArray[np.int64]] = []
    for first, last in line.stretches(name):
        stretch = np.arange(first, last + 1)
        suspects, lost = stretch[states[stretch] == SUSPECT], stretch[states[stretch] == IS_LOST]
        if not lost.size:
            picks = np.linspace(0, suspects.size - 1, 2 * VERIFIED).round().astype(np.int64)
            chosen.append(suspects[np.unique(picks)])
        else:
            chosen.extend([suspects[suspects < lost[0]][:VERIFIED], suspects[suspects > lost[-1]][-VERIFIED:]])
    return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)


def _drop(line: _Line, name: str) -> None:
    """Take suspects for right that lie beyond what is known to be lost."""
    states = line.states[name]
    for first, last in list(line.stretches(name)):
        stretch = np.arange(first, last + 1)
        lost = stretch[states[stretch] == IS_LOST]
        outside = stretch if not lost.size else stretch[(stretch < lost[0]) | (stretch > lost[-1])]
        states[outside] = RIGHT


def _refine(look: Look, lines: list[_Line]) -> None:
    """Look more finely beyond the ends of zones, as long as results are lost there."""
    done: set[tuple[Part, int, bool]] = set()
    for _ in range(FINER):
        suspected = False
        for line in lines:
            ends = {(line.part, int(line.places[at[side]]), bool(side)) for name in LOST for at in line.stretches(name) for side in (0, 1)}
            fresh = sorted(ends - done)
            done |= ends
            if fresh:
                size = [np.abs(line.z(np.array([place])).astype(np.float64))[0] for _, place, _ in fresh]
                span = [
                    np.geomspace(edge, edge / INWARD if outward else edge * INWARD, look.finer)[1:]
                    for edge, (_, _, outward) in zip(size, fresh, strict=True)
                    if edge
                ]
                if span:
                    places = _places(np.concatenate(span), line.dtype)
                    suspected |= line.add(places, look.suspects(line.z(places)))
        if not suspected:
            return
        _verify(look, lines)


def _places(magnitudes: NDArray[np.float64], dtype: np.dtype[np.floating]) -> NDArray[np.int64]:
    """Return the places of finite numbers other than 0, in order."""
    with np.errstate(over="ignore"):
        size = magnitudes.astype(dtype)
    return np.unique(ranks(size[np.isfinite(size) & (size > 0)]))


@dataclass
class _End:
    """An end of a zone: between a place where results are lost and one where they are not."""

    line: _Line
    name: str
    lost: int
    right: int

    @property
    def open(self) -> bool:
        """Whether there are places between the two."""
        return abs(self.right - self.lost) > 1


def _bisected(look: Look, lines: list[_Line]) -> dict[Part, Loss]:
    pairs: dict[tuple[Part, str], list[tuple[_End, _End | None, bool]]] = {}
    ends: list[_End] = []
    for line in lines:
        for name in LOST:
            pairs[line.part, name] = []
            for first, last in line.stretches(name):
                begin, end = _ends(line, name, first, last)
                whole = bool((line.states[name][first : last + 1] != RIGHT).all())
                pairs[line.part, name].append((begin, end, whole))
                ends += [each for each in (begin, end) if each]
    while unsettled := [end for end in ends if end.open]:
        middles = [(end.lost + end.right) // 2 for end in unsettled]
        wanted = [(end.line, end.name, np.array([middle])) for end, middle in zip(unsettled, middles, strict=True)]
        for end, middle, (lost,) in zip(unsettled, middles, _ask(look, wanted), strict=True):
            if lost:
                end.lost = middle
            else:
                end.right = middle
    return {
        line.part: Loss(**{name: tuple(_zone(line, *ends) for ends in pairs[line.part, name]) for name in LOST})
        for line in lines
    }


def _ends(line: _Line, name: str, first: int, last: int) -> tuple[_End, _End | None]:
    """Return the ends of a stretch of points; None for one that lies at the largest number."""
    inner, outer = int(line.places[first]), int(line.places[last])
    before = int(line.places[first - 1]) if first else inner - 1
    begin = _End(line, name, inner, before)
    if last + 1 == line.places.size:
        return begin, None
    return begin, _End(line, name, outer, int(line.places[last + 1]))


def _zone(line: _Line, begin: _End, end: _End | None, whole: bool) -> Zone:  # noqa: FBT001  # as it was seen
    first = float(abs(line.z(np.array([begin.lost]))[0]))
    last = inf if end is None else float(abs(line.z(np.array([end.lost]))[0]))
    return Zone(first, last, whole)
