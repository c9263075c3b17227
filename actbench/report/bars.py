"""Speedups as small bars in text, on a logarithmic scale: from a mark at 1 to the ratio, with the interval.

``│██████▍░░`` is a speedup: solid up to the nearer bound of the interval, then light to the farther one. A slowdown
lies to the left of the mark. Solid ends are drawn to an eighth of a column on the right, and to a half on the left,
where Unicode has no eighths. An interval that includes 1 is light on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log
from typing import NamedTuple

from actbench.analysis.interval import Interval

MARK, SOLID, LIGHT = "│", "█", "░"
RIGHTWARD = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
LEFTWARD = ("", "▐")


class Bar(NamedTuple):
    """The parts of a bar, from left to right, which together have the requested width."""

    light_left: str
    solid_left: str
    mark: str
    solid_right: str
    light_right: str


def bars(ratios: Sequence[Interval | None], width: int) -> list[Bar | None]:
    """Return a bar for each ratio, all on one scale and `width` columns wide."""
    bounds = [None if ratio is None else _log_bounds(ratio) for ratio in ratios]
    lowest = min([0.0, *(low for low, _ in filter(None, bounds))])
    highest = max([0.0, *(high for _, high in filter(None, bounds))])
    free = width - len(MARK)
    left = min(free - 1, ceil(free * -lowest / (highest - lowest))) if lowest < 0 else 0
    right = free - left
    scale = min((columns / reach for columns, reach in ((left, -lowest), (right, highest)) if reach > 0), default=0.0)
    return [None if ends is None else _bar(ends[0] * scale, ends[1] * scale, left, right) for ends in bounds]


def _log_bounds(ratio: Interval) -> tuple[float, float]:
    """Return the logarithms of the bounds; without bounds, the interval from 1 to the ratio."""
    if not ratio.has_bounds:
        return log(min(ratio.value, 1.0)), log(max(ratio.value, 1.0))
    return log(ratio.low), log(ratio.high)


def _bar(low: float, high: float, left: int, right: int) -> Bar:
    solid_left, light_left = _side(max(-high, 0.0), max(-low, 0.0), LEFTWARD)
    solid_right, light_right = _side(max(low, 0.0), max(high, 0.0), RIGHTWARD)
    return Bar(
        light_left.rjust(left - len(solid_left)),
        solid_left[::-1],
        MARK,
        solid_right,
        light_right.ljust(right - len(solid_right)),
    )


def _side(certain: float, reach: float, parts: Sequence[str]) -> tuple[str, str]:
    """Return the solid and the light part of one side, from the mark outward; lengths in columns."""
    whole, part = divmod(round(certain * len(parts)), len(parts))
    solid = whole * SOLID + parts[part]
    return solid, max(0, round(reach) - len(solid)) * LIGHT
