"""Comparisons of two runs, in the formats of ``actbench compare``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from actbench.analysis.between_runs import EVERYTHING, Between, Contrast, Trend
from actbench.analysis.interval import Interval
from actbench.analysis.within_run import Axis
from actbench.model.cases import Case
from actbench.model.training import FREE
from actbench.report import states
from actbench.report.json_text import json_text
from actbench.report.numbers import AS_BOUNDS, NO_FIGURE, NO_INTERVAL, UNDECIDED, counted, plus_minus, ratio
from actbench.report.table import Table, markdown, remarks_in_markdown
from actbench.report.training.words import BOUND
from actbench.runs.csv_text import FLOATS

NOTE = (
    f"± is the longer side of the 95 % interval over rounds; {AS_BOUNDS}1. {UNDECIDED} marks an interval that includes "
    "1. Differences between whole runs, often a few percent, are not in the interval. The false discovery rate of the "
    "findings is 5 %."
)

ONE_HOST = "A row is faster or slower only where the time itself is as well. "

TWO_HOSTS = "A yardstick that behaves differently on the other host shifts all cases of its block equally. "

Fact = str | int | float

BASES = {True: "one host", False: "two hosts"}
"""What a comparison rests on, by whether the runs are of one host."""


def tables(comparison: Between) -> list[Table]:
    """Return the times, the speedups between hosts, and the cases of one run only; each table where it has rows."""
    made = [_times(comparison)]
    if comparison.speedups:
        made.append(_speedups(comparison))
    if comparison.one_sided:
        made.append(_one_sided(comparison.one_sided))
    return made


def sentence(comparison: Between) -> str:
    """Return how many cases or groups have which finding, in words."""
    parts = [contrast for contrast in comparison.times if contrast.by != EVERYTHING]
    number = sum(part.cases for part in parts)
    cases = f"{number} case{'' if number == 1 else 's'} in both runs"
    groups = f", {len(parts)} group{'' if len(parts) == 1 else 's'}" if comparison.by else ""
    one_sided = f"; in one run only: {_counted(comparison.one_sided)}" if comparison.one_sided else ""
    relative = "" if comparison.one_host else ", relative to each host's own plain copy"
    return f"{cases}{groups}: {_counted(parts)}{relative}{one_sided}"


def remarks(comparison: Between, hosts: Sequence[tuple[str, str, str]], differences: Sequence[str]) -> list[str]:
    """Return the limits of the comparison: other hosts, other software, too few rounds, other cases in a block."""
    lines = yardstick_line([contrast for contrast in comparison.times if contrast.yardstick_moved])
    if hosts:
        apart = "; ".join(f"{name} {there} against {here}" for name, there, here in hosts)
        lines.append(f"two hosts, so seconds are not compared, only what was measured side by side ({apart})")
    if comparison.regrouped:
        lines.append(
            f"{counted(len(comparison.regrouped), 'case')} undecided: their blocks have other cases in the baseline, "
            f"which by itself changes times, e.g. {comparison.regrouped[0].id}: measure the same strategies and "
            "backends"
        )
    if not all(contrast.ratio.has_bounds for contrast in (*comparison.times, *comparison.speedups)):
        lines.append(f"{NO_INTERVAL} marks a figure without an interval: too few rounds in a run")
    return [*lines, *differences]


def yardstick_line(contrasts: Sequence[Contrast]) -> list[str]:
    """Return the remark that the yardstick moved: the time relative to it differs, but not the time itself."""
    if not contrasts:
        return []
    first = contrasts[0]
    line = (
        f"the yardstick seems to have moved between the runs, not the case: {counted(len(contrasts), 'row')} would "
        f"differ relative to it, but the time itself does not show that, so they are undecided, e.g. {name_of(first)}: "
        f"{ratio_of(first.ratio)} relative to the yardstick, {ratio_of(first.seconds_ratio)} of the time itself"
    )
    return [line]


def as_markdown(comparison: Between, remarks: Sequence[str]) -> str:
    """Return the sentence, the tables and the remarks in Markdown."""
    body = "\n".join(markdown(table) for table in tables(comparison))
    notes = remarks_in_markdown(remarks)
    return f"**{sentence(comparison)}**\n\n{body}" + (f"\n{notes}" if notes else "")


def as_csv(comparison: Between) -> str:
    """Return one row per figure."""
    import pandas as pd  # which takes long, and nothing else here needs

    frame = pd.DataFrame(facts(comparison))
    return str(frame.to_csv(index=False, lineterminator="\n", float_format=FLOATS))


def as_json(comparison: Between, remarks: Sequence[str]) -> str:
    """Return a JSON object; missing values are null."""
    basis = BASES[comparison.one_host]
    return json_text({"basis": basis, "by": comparison.by, "remarks": remarks, "figures": facts(comparison)})


def _times(comparison: Between) -> Table:
    where, second, more = ("one host", ", then that of the time itself", ONE_HOST)
    if not comparison.one_host:
        where, second, more = ("two hosts", "", TWO_HOSTS)
    return _table(
        f"Times, {where}: baseline / candidate",
        f"Times in copies, over that of the block's yardstick, and their ratio{second}: above 1 the candidate, the "
        f"second run, is faster. {more}{NOTE}",
        comparison.times,
        comparison,
    )


def _speedups(comparison: Between) -> Table:
    return _table(
        "Speedups, two hosts: candidate / baseline",
        "Times faster than the reference strategy in the same block on the same backend, and their ratio: above 1 it "
        f"is worth more in the candidate, the second run. {NOTE}",
        comparison.speedups,
        comparison,
    )


def _table(title: str, note: str, contrasts: Sequence[Contrast], comparison: Between) -> Table:
    """Return one row per contrast: its subject, then the finding, then the figures with their intervals."""
    speedups, seconds, grouped = contrasts is comparison.speedups, comparison.one_host, comparison.by is not None
    named = comparison.by in {None, Axis.OPERANDS}  # the name of a row tells its state
    operands = () if named else states.column(row.operands for row in contrasts)
    heads = (
        *(comparison.by or "case", *operands, *(("speedup",) if speedups else ()), "finding"),
        *(("cases",) if grouped else ()),
        *("baseline", "candidate", "ratio", *(("of the time itself",) if seconds else ()), "rounds"),
    )
    rows = tuple(
        (
            *(name_of(row, with_state=not operands), *states.cell(row.operands, operands)),
            *(*((row.figure,) if speedups else ()), row.finding),
            *((str(row.cases),) if grouped else ()),
            *(figure(row.baseline), figure(row.candidate), ratio_of(row.ratio)),
            *((ratio_of(row.seconds_ratio),) if seconds else ()),
            f"{row.baseline_rounds}, {row.candidate_rounds}",
        )
        for row in contrasts
    )
    if any(FREE in row.name.split("/") for row in contrasts):
        note = f"{note} {BOUND}"
    if any(NO_FIGURE in row for row in rows):
        note = f"{note} {NO_FIGURE} marks a row whose cases have no round in common."
    return Table(title, note, heads, rows, labels=2 + len(operands) + speedups)


def _one_sided(contrasts: Sequence[Contrast]) -> Table:
    """Return one row per block, since two runs may have few cases in common."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for contrast in contrasts:
        case = Case.parse(contrast.name)
        rounds = f"{contrast.baseline_rounds}, {contrast.candidate_rounds}"
        key = (case.empty_block.id, contrast.finding, rounds)
        rows.setdefault(key, []).append(f"{case.strategy}/{case.backend}")
    return Table(
        "In one run only",
        "Missing in the candidate, or new in it.",
        ("block", "finding", "cases", "rounds"),
        tuple((block, finding, ", ".join(arms), rounds) for (block, finding, rounds), arms in rows.items()),
        labels=3,
    )


def name_of(contrast: Contrast, *, with_state: bool = True) -> str:
    """Return the name of a case, or of a group, with its state of operands where the name does not contain it."""
    name = f"geometric mean of {counted(contrast.cases, 'case')}" if contrast.by == EVERYTHING else contrast.name
    in_name = contrast.by in {"case", Axis.OPERANDS}
    return name if in_name or not with_state else f"{name}{states.suffix(contrast.operands)}"


def figure(estimate: Interval) -> str:
    """Return an estimate with its uncertainty, or the sign of none."""
    return NO_FIGURE if math.isnan(estimate.value) else plus_minus(estimate)


def ratio_of(estimate: Interval) -> str:
    """Return a ratio with its uncertainty, or the sign of none."""
    return NO_FIGURE if math.isnan(estimate.value) else ratio(estimate)


def _counted(contrasts: Sequence[Contrast]) -> str:
    counts = Counter(contrast.finding for contrast in contrasts)
    return ", ".join(f"{counts[finding]} {finding}" for finding in Trend if counts[finding])


def facts(comparison: Between) -> list[dict[str, Fact]]:
    """Return the rows of CSV, which are also the objects of JSON."""
    return [_facts(contrast) for contrast in (*comparison.times, *comparison.speedups, *comparison.one_sided)]


def _facts(contrast: Contrast) -> dict[str, Fact]:
    """Return the columns of CSV, which are also the keys of JSON."""
    return {
        "figure": contrast.figure,
        "by": contrast.by,
        "name": contrast.name,
        "operands": contrast.operands,
        "cases": contrast.cases,
        "finding": contrast.finding,
        **dict(zip(("ratio", "low", "high"), contrast.ratio, strict=True)),
        **_flat("seconds_ratio", contrast.seconds_ratio),
        **_flat("baseline", contrast.baseline),
        **_flat("candidate", contrast.candidate),
        "chance": contrast.p_value,
        "baseline_rounds": contrast.baseline_rounds,
        "candidate_rounds": contrast.candidate_rounds,
    }


def _flat(name: str, estimate: Interval) -> dict[str, Fact]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
