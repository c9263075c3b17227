"""Which networks of a run are a series along widths.

They are of one kind, with as many widths and activations, and every width is the same in all of them, or grows in
proportion to the features of the first activation: ``mlp:784-64-10`` and ``mlp:784-128-10``, as well as
``mlp:392-256-5`` and ``mlp:784-512-10``. Proportions are those of widths before they were rounded, and up to 1 at
least, as ``--sweep width`` rounds them. Every network is in one series: the longest is set apart first, then the
longest of what remains. No two networks of a series have as many features in the first activation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf

from actbench.model.names import Op


@dataclass(frozen=True, slots=True)
class _Member:
    """A network, and the features of its first activation."""

    op: Op
    features: int

    @property
    def widths(self) -> tuple[int, ...]:
        return self.op.widths

    def proportions(self) -> Iterator[tuple[float, float]]:
        """Yield the bounds of each width over the features, before both were rounded."""
        least, most = _before_rounding(self.features)
        for low, high in map(_before_rounding, self.widths):
            yield low / most, high / least if least else inf


def series_names(activated: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Return the name of the series of each network, from the features of its activations.

    ``mlp:784-64..512-10`` has networks of 64 to 512 features between 784 and 10. A network that is in a series with no
    other one has its own name.
    """
    alike: dict[tuple[str, int, int], list[_Member]] = {}
    for network, features in activated.items():
        op = Op(network)
        alike.setdefault((op.network, len(op.widths), len(features)), []).append(_Member(op, features[0]))
    return {str(one.op): _name(series) for members in alike.values() for series in _divided(members) for one in series}


def _divided(members: Sequence[_Member]) -> Iterator[list[_Member]]:
    """Yield disjoint series of all members, the longest first."""
    remaining = [*members]
    while remaining:
        candidates = (_growing(*pair, remaining) for pair in combinations(remaining, 2))
        longest = max(candidates, key=len, default=remaining[:1])
        yield longest
        remaining = [one for one in remaining if one not in longest]


def _growing(first: _Member, second: _Member, members: Sequence[_Member]) -> list[_Member]:
    """Return a series of the first member in which those widths are fixed that it has in common with the second."""
    fixed = [one == other for one, other in zip(first.widths, second.widths, strict=True)]
    bounds = [*first.proportions()]
    series = {first.features: first}
    for member in (second, *members):
        common = [
            (max(low, least), min(high, most))
            for (low, high), (least, most) in zip(bounds, member.proportions(), strict=True)
        ]
        fits = all(
            width == of_first if is_fixed else low <= high
            for width, of_first, is_fixed, (low, high) in zip(member.widths, first.widths, fixed, common, strict=True)
        )
        if fits and member.features not in series:
            series[member.features], bounds = member, common
    return [*series.values()]


def _before_rounding(width: int) -> tuple[float, float]:
    """Return the bounds of a width before it was rounded, and up to 1."""
    return (width - 0.5 if width > 1 else 0.0), width + 0.5


def _name(series: Sequence[_Member]) -> str:
    """Return the kind of networks with the least and the largest of each of their widths."""
    ends = ((min(widths), max(widths)) for widths in zip(*(member.widths for member in series), strict=True))
    return f"{series[0].op.network}:" + "-".join(f"{low}..{high}" if low < high else str(low) for low, high in ends)
