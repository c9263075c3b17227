"""Cases, speedups and checks over many runs: series without the drift of the host, their levels and steps.

A **series** is a case, or a pair of strategies, on one host, measured in one way: by one engine, on the same inputs,
beside the same cases of its block, which by themselves change its time by up to a tenth; of checks, with the same
baseline. Its runs are in the order of an axis: of time, of commits, or of a library's versions. Every point is a ratio
that was measured side by side: of a case and its block's plain copy, of two strategies, or, in a check, of the case and
the same case of the baseline.

A step of a time in copies may be one of the copy. The time itself tells, where the host's drift allows it to: a step is
of the copy where the time itself changed by less, if at all, or the other way (`SeriesStep.is_of_copy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import nan
from typing import NamedTuple

import numpy as np

from actbench.analysis.conditions import Conditions, distinctions
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.levels import FindPlaces, Levels, LevelStep, levels, places_of_steps, step_between
from actbench.analysis.statistics import Floats
from actbench.model.cases import Case
from actbench.runs.collection import CollectedRun
from actbench.runs.digest import Digest


class Figure(StrEnum):
    """What is followed."""

    TIME = "time"
    SPEEDUP = "speedup"


class Measurement(NamedTuple):
    """A case or a pair, as a run measured it."""

    case: Case
    reference: Case | None
    """Of a speedup; None of a time."""
    conditions: Conditions
    ratio: tuple[float, float, float]
    """A time in copies, or over the baseline's; or a speedup. With its bounds, NaN where there are too few rounds."""
    seconds: float
    """Of one call; NaN where the ratio has no copy in it."""
    rounds: int


class Position(NamedTuple):
    """The place of a run on the axis."""

    order: tuple[int | str, ...] | tuple[tuple[int, int, str], ...]
    label: str


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """A run of a history."""

    name: str
    run: Digest
    position: Position


@dataclass(frozen=True, slots=True)
class SeriesStep:
    """A step of a series."""

    step: LevelStep
    before: int
    """The index of the last run before it, among the history's."""
    after: int
    """The index of the first run after it."""
    of_time_itself: Interval
    """The step of the seconds; `NO_ESTIMATE` where the ratio has no copy in it."""
    for_the_worse: bool
    """Whether the case got slower, or the speedup smaller."""

    @property
    def _time_may_be_unchanged(self) -> bool:
        """Whether the time itself is not shown to have changed in the step's direction; False without it."""
        seconds = self.of_time_itself
        return seconds.low <= 1 if self.step.ratio.value > 1 else seconds.high >= 1

    @property
    def is_of_copy(self) -> bool:
        """Whether the copy changed, and not the case: the time itself changed by less, if at all, or the other way."""
        seconds, ratio = self.of_time_itself, self.step.ratio
        less = seconds.high < ratio.low if ratio.value > 1 else seconds.low > ratio.high
        return self._time_may_be_unchanged and less

    @property
    def is_open(self) -> bool:
        """Whether it may be one of the copy as well as of the case: the time itself drifts too much to tell."""
        return self._time_may_be_unchanged and not self.is_of_copy

    @property
    def is_regression(self) -> bool:
        """Whether it is shown to be for the worse, and of the case."""
        return self.for_the_worse and not self.is_of_copy and not self.is_open


@dataclass(frozen=True, slots=True)
class Series:
    """A case or a pair on one host."""

    case: Case
    reference: Case | None
    host: int
    """The index of its host."""
    conditions: str
    """What tells it from other series of the case on the host; empty where there is no other."""
    runs: tuple[int, ...]
    """The indices of its runs in the history, in the order of the axis."""
    ratios: Floats
    """Runs x ratio, low and high."""
    seconds: Floats
    rounds: tuple[int, ...]
    levels: Levels
    steps: tuple[SeriesStep, ...]

    @property
    def name(self) -> str:
        """The case's id, or that of the pair: ``logistic/cached:recompute/...``; with its conditions."""
        name = self.case.id
        if self.reference is not None:
            name = name.replace(f"/{self.case.strategy}/", f"/{self.case.strategy}:{self.reference.strategy}/", 1)
        return f"{name} ({self.conditions})" if self.conditions else name

    def point(self, index: int) -> Interval:
        """Return the ratio of one of its runs."""
        return Interval(*self.ratios[index].tolist())


@dataclass(frozen=True, slots=True)
class History:
    """Series over runs."""

    figure: Figure
    axis: str
    """``date``, ``commit``, or the name of a library."""
    points: tuple[HistoryPoint, ...]
    """In the order of the axis."""
    hosts: tuple[Digest, ...]
    """For each host, one of its runs."""
    series: tuple[Series, ...]
    too_short: int
    """The number of series that have too few runs for a step, or all at one position."""
    searched: bool
    """Whether steps were searched in the others."""

    @property
    def steps(self) -> list[tuple[Series, SeriesStep]]:
        """Every step, with its series."""
        return [(series, step) for series in self.series for step in series.steps]


class _SeriesKey(NamedTuple):
    """What the runs of a series share."""

    case: Case
    reference: Case | None
    host: tuple[tuple[str, str], ...]
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class _Members:
    """The runs of a series and their measurements."""

    runs: list[int]
    measured: list[Measurement]


def history(
    figure: Figure,
    axis: str,
    runs: Iterable[tuple[CollectedRun, Position, Sequence[Measurement]]],
    find_places: FindPlaces | None,
) -> History:
    """Return the series of runs, ordered by their positions, with their steps; without `find_places` there are none."""
    ordered = sorted(runs, key=lambda one: (one[1].order, one[0].run.created))
    hosts: dict[object, Digest] = {}
    members: dict[_SeriesKey, _Members] = {}
    for index, (collected, _, measured) in enumerate(ordered):
        host = collected.run.host
        hosts.setdefault(host, collected.run)
        for one in measured:
            same = members.setdefault(_SeriesKey(one.case, one.reference, host, one.conditions), _Members([], []))
            same.runs.append(index)
            same.measured.append(one)
    places = {host: index for index, host in enumerate(hosts)}
    positions = [position.order for _, position, _ in ordered]
    of_series = {key: [positions[index] for index in one.runs] for key, one in members.items()}
    too_short = sum(not places_of_steps(one) for one in of_series.values())
    differences = distinctions((key[:3], key.conditions) for key in members)
    described = {
        key: levels(_ratios(one), find_places, len(members) - too_short, of_series[key]) for key, one in members.items()
    }
    series = (
        _series(one, places[key.host], differences[key[:3], key.conditions], described[key], figure)
        for key, one in members.items()
    )
    return History(
        figure=figure,
        axis=axis,
        points=tuple(HistoryPoint(collected.name, collected.run, position) for collected, position, _ in ordered),
        hosts=tuple(hosts.values()),
        series=tuple(series),
        too_short=too_short,
        searched=find_places is not None,
    )


def _ratios(members: _Members) -> Floats:
    return np.array([one.ratio for one in members.measured])


def _series(members: _Members, host: int, conditions: str, described: Levels, figure: Figure) -> Series:
    seconds = np.array([one.seconds for one in members.measured])
    of_seconds = np.column_stack([seconds, np.full((len(seconds), 2), nan)])
    steps = []
    for index, step in enumerate(described.steps):
        before, after = described.levels[index : index + 2]
        itself = NO_ESTIMATE
        if not np.isnan(seconds[before.begin : after.end]).any():
            itself = step_between(of_seconds, (before.begin, after.begin), after.end)
        worse = step.ratio.value > 1 if figure is Figure.TIME else step.ratio.value < 1
        steps.append(SeriesStep(step, members.runs[step.after - 1], members.runs[step.after], itself, worse))
    first = members.measured[0]
    return Series(
        case=first.case,
        reference=first.reference,
        host=host,
        conditions=conditions,
        runs=tuple(members.runs),
        ratios=_ratios(members),
        seconds=seconds,
        rounds=tuple(one.rounds for one in members.measured),
        levels=described,
        steps=tuple(steps),
    )
