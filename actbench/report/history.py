"""A history of runs in the formats of ``actbench history``: what steps where, and every series."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from actbench.analysis.history import Figure, History, Series, SeriesStep
from actbench.analysis.history_runs import DATE
from actbench.analysis.interval import NO_ESTIMATE
from actbench.analysis.levels import FEWEST_RUNS
from actbench.model.loaded import changes_of_code
from actbench.report import host
from actbench.report.json_text import json_text
from actbench.report.numbers import AS_BOUNDS, NO_FIGURE, NO_INTERVAL, change, counted, plus_minus, significant
from actbench.report.table import Table, markdown, remarks_in_markdown
from actbench.runs.baseline import changes_of_software
from actbench.runs.csv_text import csv_text

UNITS = {
    Figure.TIME: "times in copies, over that of the block's plain copy; of a check, over its baseline's time",
    Figure.SPEEDUP: "times faster than the reference strategy on the same backend",
}
"""What the ratios of a history are, in words."""

CHANGED = {Figure.TIME: ("slower", "faster"), Figure.SPEEDUP: ("smaller", "larger")}
"""What a series is after a step for the worse, and for the better."""

COLUMNS = (
    *("figure", "case", "reference", "conditions", "host", "run", "position", "created", "commit", "dirty"),
    *("ratio", "low", "high", "rounds", "seconds", "level", "level_low", "level_high"),
    *("step", "step_low", "step_high", "step_p_value", "step_is_of_copy"),
)
"""The columns of CSV: one row for each run of each series; a step is in the row of the first run after it."""


def sentence(history: History) -> str:
    """Return what was followed and how many steps there are, in words."""
    what = "case" if history.figure is Figure.TIME else "speedup"
    hosts = f" on {counted(len(history.hosts), 'host')}" if len(history.hosts) > 1 else ""
    start = f"{counted(len(history.series), what)} over {counted(len(history.points), 'run')}{hosts}, by {history.axis}"
    if not history.searched:
        return f"{start}; no steps were searched"
    steps = history.steps
    shown = [step for _, step in steps if not step.is_of_copy]
    worse = sum(step.for_the_worse for step in shown)
    to_worse, to_better = CHANGED[history.figure]
    of_copy = len(steps) - len(shown)
    parts = [f"{worse} {to_worse}", f"{len(shown) - worse} {to_better}"] + ([f"{of_copy} of the copy"] * bool(of_copy))
    return f"{start}: {counted(len(steps), 'step')}" + (f", {', '.join(parts)}" if steps else "")


def remarks(history: History, left_out: Sequence[str]) -> list[str]:
    """Return what the history rests on: hosts, runs left out, steps of the copy, and series too short for a step."""
    lines = []
    if len(history.hosts) > 1:
        lines += [f"host {number}: {host.line(one.environment)}" for number, one in enumerate(history.hosts, 1)]
    if history.too_short:
        what = "runs" if history.axis == DATE else f"runs of an earlier and {FEWEST_RUNS} of a later {history.axis}"
        why = f"that takes {2 * FEWEST_RUNS if history.axis == DATE else FEWEST_RUNS} {what}"
        lines.append(f"no step can be shown in {history.too_short} of {len(history.series)} series: {why}")
    if any(step.is_of_copy for _, step in history.steps):
        lines.append(
            "a step is of the copy where the time itself has not changed as much in its direction, if at all: the copy "
            "seems to have changed, and not the case"
        )
    if undecided := sum(step.is_open for _, step in history.steps):
        lines.append(
            f"in {counted(undecided, 'step')} the time itself drifts too much to tell whether the case changed or the "
            "copy; --of speedup does without the copy"
        )
    return [*lines, *(f"left out: {line}" for line in left_out)]


def tables(history: History) -> list[Table]:
    """Return the steps, where there are any, and every series."""
    return [*([_steps(history)] if history.steps else []), _series(history)]


def as_markdown(history: History, remarks: Sequence[str]) -> str:
    """Return the sentence, the tables and the remarks in Markdown."""
    body = "\n".join(markdown(table) for table in tables(history))
    notes = remarks_in_markdown(remarks)
    return f"**{sentence(history)}**\n\n{body}" + (f"\n{notes}" if notes else "")


def _hosts(history: History) -> tuple[str, ...]:
    """Return the head of the column that tells hosts apart, where there are several."""
    return ("host",) if len(history.hosts) > 1 else ()


def _host(series: Series, heads: tuple[str, ...]) -> tuple[str, ...]:
    return (str(series.host + 1),) if heads else ()


def _steps(history: History) -> Table:
    hosts, timed = _hosts(history), _has_copies(history)
    heads = ("case", *hosts, "from", "to", "is", "step", *(("of the time itself",) if timed else ()), "runs", "changed")
    rows = tuple(
        (
            *(series.name, *_host(series, hosts), *(label_of_run(history, run) for run in (step.before, step.after))),
            *(_kind(step, history.figure), change(step.step.ratio)),
            *((change(step.of_time_itself),) if timed else ()),
            *(", ".join(map(str, step.step.runs)), changed(history, step)),
        )
        for series, step in sorted(history.steps, key=lambda pair: pair[1].after)
    )
    return Table(
        "Steps",
        f"By how much the level after a step differs from the one before, with its 95 % interval; {AS_BOUNDS}0. From "
        "the last run before it to the first one after it; runs: those of either level. The probability of one or more "
        "false steps in all series together is at most 5 %, where runs scatter independently about their levels.",
        heads,
        rows,
        labels=4 + len(hosts),
        wrapped=len(heads) - 1,
    )


def _kind(step: SeriesStep, figure: Figure) -> str:
    return "of the copy" if step.is_of_copy else CHANGED[figure][not step.for_the_worse]


def _series(history: History) -> Table:
    hosts = _hosts(history)
    no_interval = any(not series.levels.levels[-1].value.has_bounds for series in history.series)
    rows = tuple(
        (
            *(series.name, *_host(series, hosts), str(len(series.runs)), str(len(series.steps))),
            label_of_run(history, series.runs[series.levels.levels[-1].begin]),
            *(plus_minus(series.levels.levels[-1].value, 1.0), _percent(series.levels.scatter)),
        )
        for series in history.series
    )
    return Table(
        "Cases" if history.figure is Figure.TIME else "Speedups",
        f"The level of the last runs, {UNITS[history.figure]}, with its 95 % interval over runs; {AS_BOUNDS}1"
        f"{f'; {NO_INTERVAL} marks one without' if no_interval else ''}. Since: the first run of this level. Scatter: "
        "the MAD standard deviation of runs about their levels.",
        ("case", *hosts, "runs", "steps", "since", "level", "scatter"),
        rows,
        labels=1 + len(hosts),
    )


def _percent(share: float) -> str:
    return NO_FIGURE if math.isnan(share) else f"{significant(round(100 * share, 6), 2)} %"


def _has_copies(history: History) -> bool:
    return any(not math.isnan(step.of_time_itself.value) for _, step in history.steps)


def label_of_run(history: History, index: int) -> str:
    """Return what names a run in tables: its position on the axis, and its directory where several share that."""
    point = history.points[index]
    alike = sum(one.position.label == point.position.label for one in history.points)
    return f"{point.position.label} ({point.name})" if alike > 1 else point.position.label


def changed(history: History, step: SeriesStep) -> str:
    """Return in which software and loaded code the runs on both sides of a step differ."""
    before, after = (history.points[index].run for index in (step.before, step.after))
    parts = changes_of_software(before.environment, after.environment)
    if before.commit and after.commit and before.commit != after.commit:
        parts.append(f"commit was {before.commit.short}, is {after.commit.short}")
    code = changes_of_code(before.loaded, after.loaded)
    parts += [f"loaded code {name} was {there}, is {here}" for name, there, here in code]
    return "; ".join(parts) or "nothing that is recorded"


def as_csv(history: History) -> str:
    """Return one row for each run of each series."""
    return csv_text(COLUMNS, _rows(history))


def _rows(history: History) -> Iterator[tuple[object, ...]]:
    for series in history.series:
        steps = {step.step.after: step for step in series.steps}
        level = iter(series.levels.levels)
        current = next(level)
        for place, index in enumerate(series.runs):
            if place >= current.end:
                current = next(level)
            point, step = history.points[index], steps.get(place)
            commit = point.run.commit
            yield (
                *(history.figure, series.case.id, series.reference.id if series.reference else "", series.conditions),
                *(series.host + 1, point.name, point.position.label, point.run.created),
                *(commit.hash if commit else "", ("yes" if commit.dirty else "no") if commit else ""),
                *(*series.ratios[place].tolist(), series.rounds[place], float(series.seconds[place])),
                *(*current.value, *(step.step.ratio if step else NO_ESTIMATE)),
                *(step.step.p_value if step else math.nan, ("yes" if step.is_of_copy else "no") if step else ""),
            )


def as_json(history: History, remarks: Sequence[str]) -> str:
    """Return a JSON object: hosts, and series with their points, levels and steps; missing values are null."""
    return json_text(
        {
            "figure": history.figure,
            "by": history.axis,
            "sentence": sentence(history),
            "remarks": remarks,
            "hosts": [host.of(one.environment) for one in history.hosts],
            "series": [_object(history, series) for series in history.series],
        }
    )


def _object(history: History, series: Series) -> dict[str, Any]:
    return {
        "case": series.case.id,
        "reference": series.reference.id if series.reference else None,
        "conditions": series.conditions,
        "host": series.host + 1,
        "scatter": series.levels.scatter,
        "points": [_point(history, series, place) for place in range(len(series.runs))],
        "levels": [
            {"from": series.runs[level.begin], "runs": level.end - level.begin} | _flat(level.value)
            for level in series.levels.levels
        ],
        "steps": [
            {
                "before": history.points[step.before].name,
                "after": history.points[step.after].name,
                **_flat(step.step.ratio),
                "of_time_itself": _flat(step.of_time_itself),
                "is_of_copy": step.is_of_copy,
                "is_open": step.is_open,
                "for_the_worse": step.for_the_worse,
                "p_value": step.step.p_value,
                "runs": step.step.runs,
                "changed": changed(history, step),
            }
            for step in series.steps
        ],
    }


def _point(history: History, series: Series, place: int) -> dict[str, Any]:
    point = history.points[series.runs[place]]
    return {
        "run": point.name,
        "position": point.position.label,
        "created": point.run.created,
        "commit": point.run.commit,
        **_flat(series.point(place)),
        "rounds": series.rounds[place],
        "seconds": float(series.seconds[place]),
    }


def _flat(estimate: Sequence[float]) -> dict[str, float]:
    return dict(zip(("ratio", "low", "high"), estimate, strict=True))
