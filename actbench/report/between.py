"""Two runs compared, in the formats of ``actbench compare``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from actbench.analysis.between_runs import EVERYTHING, Between, Contrast, Finding
from actbench.analysis.statistics import Bounded
from actbench.model.cases import Case
from actbench.report.json_text import json_text
from actbench.report.numbers import AS_BOUNDS, NO_INTERVAL, NOTHING, UNDECIDED, counted, plus_minus, ratio
from actbench.report.table import Table, markdown
from actbench.runs.csv_text import FLOATS

NOTE = (
    f"± is the longer side of the 95 % interval over rounds; {AS_BOUNDS}1. {UNDECIDED} marks an interval that includes "
    "1. Differences between whole runs, often a few percent, are not in the interval. Up to 5 % of the differences "
    "named may be false."
)

ONE_HOST = "A difference is named only where the time itself shows it as well. "

TWO_HOSTS = "A yardstick that behaves differently on the other host moves all cases of its block alike. "

Fact = str | int | float


def tables(found: Between) -> list[Table]:
    """Return the times, between hosts the speedups, and what only one run has; each where there is any."""
    made = [_times(found)]
    if found.speedups:
        made.append(_speedups(found))
    if found.alone:
        made.append(_alone(found.alone))
    return made


def sentence(found: Between) -> str:
    """Say how many cases or groups came out how."""
    parts = [contrast for contrast in found.times if contrast.by != EVERYTHING]
    number = sum(part.cases for part in parts)
    cases = f"{number} case{'' if number == 1 else 's'} in both runs"
    groups = f", {len(parts)} group{'' if len(parts) == 1 else 's'}" if found.by else ""
    alone = f"; in one run only: {_counted(found.alone)}" if found.alone else ""
    relative = "" if found.one_host else ", relative to each host's own plain copy"
    return f"{cases}{groups}: {_counted(parts)}{relative}{alone}"


def remarks(found: Between, hosts: Sequence[tuple[str, str, str]], differences: Sequence[str]) -> list[str]:
    """Say what limits the comparison: other hosts, other software, too few rounds, other neighbours in a block."""
    lines = denied_line([each for each in found.times if each.denied])
    if hosts:
        apart = "; ".join(f"{name} {there} against {here}" for name, there, here in hosts)
        lines.append(f"two hosts, so seconds are not compared, only what was measured side by side ({apart})")
    if found.regrouped:
        lines.append(
            f"nothing is decided of {counted(len(found.regrouped), 'case')}, measured beside other cases then than "
            f"now, which alone moves times, e.g. {found.regrouped[0].id}: measure the same strategies and backends"
        )
    if any(math.isnan(each.ratio.low) for each in (*found.times, *found.speedups)):
        lines.append(f"{NO_INTERVAL} marks a figure without an interval: too few rounds in a run")
    return [*lines, *differences]


def denied_line(denied: Sequence[Contrast]) -> list[str]:
    """Say that the yardstick moved, where the time relative to it differs and the time itself does not show it."""
    if not denied:
        return []
    first = denied[0]
    line = (
        f"the yardstick seems to have moved between the runs, not the case: {counted(len(denied), 'row')} would differ "
        f"relative to it, but the time itself does not show that, so nothing is named there, e.g. {_name(first)}: "
        f"{_ratio(first.ratio)} relative to the yardstick, {_ratio(first.seconds_ratio)} of the time itself"
    )
    return [line]


def as_markdown(found: Between, said: Sequence[str]) -> str:
    """Return the sentence, the tables and the remarks in Markdown."""
    body = "\n".join(markdown(table) for table in tables(found))
    notes = "".join(f"- {remark.replace('<', '&lt;')}\n" for remark in said)
    return f"**{sentence(found)}**\n\n{body}" + (f"\n{notes}" if notes else "")


def as_csv(found: Between) -> str:
    """Return one row a figure."""
    frame = pd.DataFrame([_facts(contrast) for contrast in _every(found)])
    return str(frame.to_csv(index=False, lineterminator="\n", float_format=FLOATS))


def as_json(found: Between, said: Sequence[str]) -> str:
    """Return a JSON object; what does not exist is null."""
    basis = "one host" if found.one_host else "two hosts"
    figures = [_facts(contrast) for contrast in _every(found)]
    return json_text({"basis": basis, "by": found.by, "remarks": said, "figures": figures})


def _times(found: Between) -> Table:
    where, beside, more = ("one host", ", beside that of the time itself", ONE_HOST)
    if not found.one_host:
        where, beside, more = ("two hosts", "", TWO_HOSTS)
    return _table(
        f"Times, {where}: baseline / candidate",
        f"Times in copies, over that of the block's yardstick, and their ratio{beside}: above 1 the candidate, the "
        f"second run, is faster. {more}{NOTE}",
        found.times,
        found,
    )


def _speedups(found: Between) -> Table:
    return _table(
        "Speedups, two hosts: candidate / baseline",
        "Times faster than the reference strategy beside it on the same backend, and their ratio: above 1 the strategy "
        f"is worth more in the candidate, the second run. {NOTE}",
        found.speedups,
        found,
    )


def _table(title: str, note: str, contrasts: Sequence[Contrast], found: Between) -> Table:
    """Return one row a contrast; every table says whose figures, then how they came out, then how sure that is."""
    speedups, seconds, grouped = contrasts is found.speedups, found.one_host, found.by is not None
    heads = (
        *(found.by or "case", *(("speedup",) if speedups else ()), "finding"),
        *(("cases",) if grouped else ()),
        *("baseline", "candidate", "ratio", *(("of the time itself",) if seconds else ()), "rounds"),
    )
    rows = tuple(
        (
            *(_name(each), *((each.figure,) if speedups else ()), each.finding),
            *((str(each.cases),) if grouped else ()),
            *(_figure(each.baseline), _figure(each.candidate), _ratio(each.ratio)),
            *((_ratio(each.seconds_ratio),) if seconds else ()),
            f"{each.baseline_rounds}, {each.candidate_rounds}",
        )
        for each in contrasts
    )
    if any(NOTHING in row for row in rows):
        note = f"{note} {NOTHING} marks what no round has of all cases of a row."
    return Table(title, note, heads, rows, labels=3 if speedups else 2)


def _alone(contrasts: Sequence[Contrast]) -> Table:
    """Return one row a block: two runs may have few cases in common."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for each in contrasts:
        case = Case.parse(each.name)
        block = f"{case.activation}/{case.op}/{case.dtype}/{case.size}"
        rounds = f"{each.baseline_rounds}, {each.candidate_rounds}"
        rows.setdefault((block, each.finding, rounds), []).append(f"{case.strategy}/{case.backend}")
    return Table(
        "In one run only",
        "Missing in the candidate, or new in it.",
        ("block", "finding", "cases", "rounds"),
        tuple((block, finding, ", ".join(arms), rounds) for (block, finding, rounds), arms in rows.items()),
        labels=3,
    )


def _name(contrast: Contrast) -> str:
    return f"geometric mean of {contrast.cases} cases" if contrast.by == EVERYTHING else contrast.name


def _figure(estimate: Bounded) -> str:
    return NOTHING if math.isnan(estimate.value) else plus_minus(*estimate)


def _ratio(estimate: Bounded) -> str:
    return NOTHING if math.isnan(estimate.value) else ratio(*estimate)


def _counted(contrasts: Sequence[Contrast]) -> str:
    counts = Counter(contrast.finding for contrast in contrasts)
    return ", ".join(f"{counts[finding]} {finding}" for finding in Finding if counts[finding])


def _every(found: Between) -> list[Contrast]:
    return [*found.times, *found.speedups, *found.alone]


def _facts(contrast: Contrast) -> dict[str, Fact]:
    """Return the columns of CSV and the keys of JSON."""
    return {
        "figure": contrast.figure,
        "by": contrast.by,
        "name": contrast.name,
        "cases": contrast.cases,
        "finding": contrast.finding,
        **dict(zip(("ratio", "low", "high"), contrast.ratio, strict=True)),
        **_flat("seconds_ratio", contrast.seconds_ratio),
        **_flat("baseline", contrast.baseline),
        **_flat("candidate", contrast.candidate),
        "chance": contrast.chance,
        "baseline_rounds": contrast.baseline_rounds,
        "candidate_rounds": contrast.candidate_rounds,
    }


def _flat(name: str, estimate: Bounded) -> dict[str, Fact]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
