"""Loops whose result bypasses the caches where all of their arrays together exceed a number of bytes.

Such a loop computes a few lines of a cache at a time, which `actbench.backends._simd.streaming` stores. What precedes
the first line of the result, and follows the last whole ones, is stored by the loop itself, as are all results below
that number of bytes. So are those of a forward pass that stores several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actbench.backends._simd import streaming
from actbench.backends._simd.streaming import TOGETHER

Wrapper = Callable[[Callable[..., Any], int], Callable[..., Any]]
"""It takes a loop and a number of bytes, and returns the loop whose results bypass the caches beyond that."""


def one_from_one(loop: Callable[..., Any], most: int) -> Callable[..., Any]:
    """Return the loop that computes one array from one."""

    def kernel(out, a):
        room, n = streaming.room(out), out.size
        first = streaming.before_lines(out) if out.nbytes + a.nbytes > most else n
        end = first + streaming.whole(out, first)
        for start in range(first, end, TOGETHER):
            loop(room, a[start : start + TOGETHER])
            streaming.lines(out, start, room, 0)
        for start, stop in ((0, first), (end, n)):
            loop(out[start:stop], a[start:stop])
        streaming.fence()

    return kernel


def one_from_two(loop: Callable[..., Any], most: int) -> Callable[..., Any]:
    """Return the loop that computes one array from two."""

    def kernel(out, a, b):
        room, n = streaming.room(out), out.size
        first = streaming.before_lines(out) if out.nbytes + a.nbytes + b.nbytes > most else n
        end = first + streaming.whole(out, first)
        for start in range(first, end, TOGETHER):
            loop(room, a[start : start + TOGETHER], b[start : start + TOGETHER])
            streaming.lines(out, start, room, 0)
        for start, stop in ((0, first), (end, n)):
            loop(out[start:stop], a[start:stop], b[start:stop])
        streaming.fence()

    return kernel


def one_from_three(loop: Callable[..., Any], most: int) -> Callable[..., Any]:
    """Return the loop that computes one array from three."""

    def kernel(out, a, b, c):
        room, n = streaming.room(out), out.size
        first = streaming.before_lines(out) if out.nbytes + a.nbytes + b.nbytes + c.nbytes > most else n
        end = first + streaming.whole(out, first)
        for start in range(first, end, TOGETHER):
            stop = start + TOGETHER
            loop(room, a[start:stop], b[start:stop], c[start:stop])
            streaming.lines(out, start, room, 0)
        for start, stop in ((0, first), (end, n)):
            loop(out[start:stop], a[start:stop], b[start:stop], c[start:stop])
        streaming.fence()

    return kernel


OVER: Mapping[Sequence[str], Wrapper] = {
    ("out", "residual"): one_from_one,
    ("out", "residual", "second"): one_from_two,
    ("dz", "dy", "residual"): one_from_two,
    ("dz", "dy", "residual", "second"): one_from_three,
}
"""The wrappers of loops, by the names of their arrays."""
