"""The signs of backends and strategies in charts: a colour per backend, a dash and a shape per strategy.

They are the same in all charts of a run. Names that actbench knows have the same signs in every run. Other names, such
as strategies with narrow residuals and the user's own, take free signs in the order of the run.

The colours are those of M. Okabe and K. Ito, "Color Universal Design", 2008, without the yellow, which is hardly
visible on white, and with grey in place of black.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from actbench import registry
from actbench.model.cases import YARDSTICK, YARDSTICKS, Case
from actbench.report.charts.grammar import Spec, nominal, scale

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#8C564B", "#6A51A3", "#3B3B3B")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 4], [10, 4], [6, 2, 2, 2, 2, 2], [3, 5], [12, 2, 2, 2])

STAR = "M0,-1L.29,-.4L.95,-.31L.48,.15L.59,.81L0,.5L-.59,.81L-.48,.15L-.95,-.31L-.29,-.4Z"
SALTIRE = "M-1,-.6L-.6,-1L0,-.4L.6,-1L1,-.6L.4,0L1,.6L.6,1L0,.4L-.6,1L-1,.6L-.4,0Z"
"""Shapes as paths: those of Vega that are left hide behind an interval."""

SHAPES = (
    *("circle", "square", "triangle-up", "diamond", "cross", "triangle-down"),
    *("triangle-left", "triangle-right", SALTIRE, STAR),
)

PLAINLY = ("cached", "recompute", "complement", "pair", "intermediate", "textbook", YARDSTICK)
"""Strategies in the order of their lines, from the plainest to the faintest."""

COPY_NAME = "a plain copy"
GREY = "#8a9099"


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs of a run: by name, an index into `PALETTE`, and one into `DASHES` and `SHAPES`."""

    backends: Mapping[str, int]
    strategies: Mapping[str, int]

    @classmethod
    def of(cls, cases: Iterable[Case]) -> Self:
        """Return the signs of everything that a run measures."""
        cases = [*cases]
        return cls(
            _places([case.backend for case in cases], [*registry.backends()], len(PALETTE)),
            _places([case.strategy for case in cases], PLAINLY, len(SHAPES)),
        )

    def backend_colour(self, present: Iterable[str]) -> Spec:
        """Return the colours of the backends that a chart shows; a plain copy is grey."""
        names = _ordered(present, self.backends)
        colours = [GREY if name == COPY_NAME else PALETTE[self.backends[name]] for name in names]
        return nominal("backend", scale=scale(names, colours), title="backend")

    def strategy_dash(self, present: Iterable[str]) -> Spec:
        """Return the dashes of the strategies that a chart shows."""
        names = _ordered(present, self.strategies)
        return nominal(
            "strategy", scale=scale(names, [DASHES[self._strategy(name)] for name in names]), title="strategy"
        )

    def strategy_shape(self, present: Iterable[str]) -> Spec:
        """Return the shapes of the strategies that a chart shows: charts of a single size have points, but no lines."""
        names = _ordered(present, self.strategies)
        return nominal(
            "strategy", scale=scale(names, [SHAPES[self._strategy(name)] for name in names]), title="strategy"
        )

    def _strategy(self, name: str) -> int:
        return PLAINLY.index(YARDSTICK) if name in YARDSTICKS else self.strategies[name]


def _places(names: Iterable[str], known: Sequence[str], signs: int) -> dict[str, int]:
    """Return the index of the sign of each name: its fixed one where the name is known, otherwise a free one.

    Signs that no known name has come first; the yardstick's sign stays free. With more names than signs, some share
    one.
    """
    measured = sorted(dict.fromkeys(names), key=lambda name: known.index(name) if name in known else len(known))
    places = {name: known.index(name) for name in measured if name in known[:signs]}
    kept = {known.index(name) for name in (YARDSTICK,) if name in known}
    for name in measured:
        if name not in places:
            free = [place for place in range(signs) if place not in {*places.values(), *kept}]
            strange = [place for place in free if place >= len(known)]
            places[name] = next(iter((*strange, *free)), len(places) % signs)
    return places


def _ordered(present: Iterable[str], places: Mapping[str, int]) -> list[str]:
    """Return each name once, in the order of legends: that of the run's signs, names without a sign last."""
    order = [*places]
    return sorted(dict.fromkeys(present), key=lambda name: order.index(name) if name in order else len(order))
