"""Verdicts, in the formats of ``actbench check``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from actbench.analysis.regression import Change, Verdict, gravest
from actbench.model import Case
from actbench.report.numbers import change as change_in_percent
from actbench.report.table import Table, markdown


def sentence(found: Sequence[Change], margin: float) -> str:
    """Say how many cases got which verdict."""
    counts = Counter(change.verdict for change in found)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    cases = "case" if len(found) == 1 else "cases"
    return f"{len(found)} {cases}, margin {100 * margin:g} %: {parts}"


def regrouped_line(cases: Sequence[Case]) -> list[str]:
    """Say that cases cannot be decided because their blocks are not the same."""
    if not cases:
        return []
    line = (
        f"{len(cases)} inconclusive because they shared their block with other cases then than now, which alone moves "
        f"times, e.g. {cases[0].id}: measure the same strategies and backends"
    )
    return [line]


def table(found: Sequence[Change]) -> Table:
    """Return one row a case that is not unchanged; where all are, one row a case."""
    notable = [change for change in found if change.verdict is not Verdict.UNCHANGED] or found
    rows = tuple(
        (
            *(change.case.id, change.verdict),
            change_in_percent(change.ratio, change.low, change.high),
            change_in_percent(change.absolute, change.absolute_low, change.absolute_high),
            f"{change.baseline_rounds}, {change.rounds}",
        )
        for change in gravest(notable)
    )
    return Table(
        "Against the baseline",
        "Change of the time relative to the block's yardstick, which the verdict is about, and of the time itself, "
        "each with the longer side of its 95 % interval; above 0 it got slower.",
        ("case", "verdict", "change", "of the time itself", "rounds"),
        rows,
        labels=2,
    )


def as_markdown(found: Sequence[Change], margin: float, remarks: Sequence[str]) -> str:
    """Return a comment for a pull request."""
    body = "".join(f"- {remark.replace('<', '&lt;')}\n" for remark in remarks)
    return f"**{sentence(found, margin)}**\n\n{markdown(table(found))}" + (f"\n{body}" if body else "")


def as_github(found: Sequence[Change], margin: float) -> str:
    """Return workflow commands that GitHub shows as annotations: errors for regressions, warnings for what is open."""
    levels = {Verdict.REGRESSED: "error", Verdict.MISSING: "warning", Verdict.INCONCLUSIVE: "warning"}
    lines = [
        f"::{levels[change.verdict]} title={_property(f'actbench: {change.verdict}')}::"
        + _data(
            f"{change.case.id} {change_in_percent(change.ratio, change.low, change.high)}, margin {100 * margin:g} %"
        )
        for change in gravest(found)
        if change.verdict in levels
    ]
    return "\n".join([*lines, f"::notice title=actbench::{_data(sentence(found, margin))}"])


def as_json(found: Sequence[Change], margin: float, remarks: Sequence[str]) -> str:
    """Return a JSON object; what does not exist is null."""
    cases = [
        {"case": change.case.id}
        | {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in msgspec.to_builtins(change).items()
            if name != "case"
        }
        for change in found
    ]
    text = msgspec.json.encode({"margin": margin, "remarks": remarks, "cases": cases})
    return msgspec.json.format(text, indent=2).decode()


def _data(text: str) -> str:
    """Escape the message of a workflow command, as GitHub's toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
