"""Verdicts, in the formats of ``actbench check``."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from actbench.analysis.live import Outcome
from actbench.analysis.regression import Change, Margins, Verdict, gravest
from actbench.analysis.statistics import Bounded
from actbench.model import Case, Failure
from actbench.report.json_text import json_text
from actbench.report.numbers import change as change_in_percent
from actbench.report.table import Table, markdown

LIVE_NOTE = "Change of the time, and of the baseline's against itself in a second process, the control, side by side"
STORED_NOTE = "Change of the time relative to the block's yardstick, which the verdict is about, and of the time itself"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, and what is to be said with it."""

    changes: tuple[Change, ...]
    margin: float
    """That of cases without one of their own, relative."""
    remarks: tuple[str, ...] = ()
    noise: tuple[Change, ...] = ()
    """Cases in which the baseline differed from itself beyond the margin: the host is too noisy then."""
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    """What the check took."""

    def with_unused(self, margins: Margins) -> Report:
        """Return this, with what is to be said of margins that no case has."""
        unused = margins.unused(change.case for change in self.changes)
        return replace(self, remarks=(*self.remarks, *(f"--margins '{glob}': no case matches that" for glob in unused)))

    @property
    def given(self) -> set[Verdict]:
        """The verdicts that were given."""
        return {change.verdict for change in self.changes}


def sentence(report: Report) -> str:
    """Say how many cases got which verdict."""
    found = report.changes
    counts = Counter(change.verdict for change in found)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    others = sum(change.margin != report.margin for change in found)
    of_their_own = f" ({others} with one of their own)" if others else ""
    head = f"{_cases(len(found))}, margin {100 * report.margin:g} %{of_their_own}: {parts or 'none measured'}"
    return "; ".join([head, *noise_line(report)])


def noise_line(report: Report) -> list[str]:
    """Say that the host is too noisy, and by what one sees it."""
    if not report.noise:
        return []
    worst = max(report.noise, key=lambda change: abs(math.log(change.ratio.value)))
    line = (
        "the host is too noisy for a verdict: the baseline differed from itself beyond the margin in "
        f"{_cases(len(report.noise))}, e.g. {worst.case.id} {change_in_percent(*worst.ratio)}"
    )
    return [line]


def failure_lines(report: Report) -> list[str]:
    """Say of every block that failed why it did."""
    return [f"{failure.block} failed: {failure.reason}" for failure in report.failures]


def regrouped_line(cases: Sequence[Case]) -> list[str]:
    """Say that cases cannot be decided because their blocks are not the same."""
    if not cases:
        return []
    line = (
        f"{len(cases)} inconclusive because they shared their block with other cases then than now, which alone moves "
        f"times, e.g. {cases[0].id}: measure the same strategies and backends"
    )
    return [line]


def live_remarks(outcome: Outcome, margins: Margins) -> list[str]:
    """Say what a reader of a live check's verdicts should know."""
    short = [change for change in outcome.changes if change.rounds and math.isnan(change.ratio.low)]
    few = (
        f"{_cases(len(short))} without an interval (?): it takes eight rounds; give the check more time (--budget), or "
        "fewer cases"
    )
    globs = [glob for glob, _ in margins.exceptions if not any(fnmatchcase(c.case.id, glob) for c in outcome.changes)]
    failed = {failure.block for failure in outcome.failures}
    lost = [loss for loss in outcome.losses if loss.block not in failed]
    return [
        *confirmation_lines(outcome.changes),
        *([few] if short else []),
        *(f"--margins '{glob}' matches no case" for glob in globs),
        *(f"{each.block} went on after round {each.round}: {each.reason}" for each in lost),
    ]


def confirmation_lines(changes: Sequence[Change]) -> list[str]:
    """Say of every case that was measured anew what came of it."""
    return [
        f"{change.case.id} was measured anew: {change_in_percent(*change.confirmation)}, "
        + ("regressed again" if change.verdict is Verdict.REGRESSED else "which does not confirm that it regressed")
        for change in changes
        if change.confirmation is not None
    ]


def explained(change: Change) -> str:
    """Say of one case why it has its verdict."""
    match change.verdict:
        case Verdict.MISSING:
            return "the baseline has it, the candidate does not"
        case Verdict.NEW:
            return "the candidate has it, the baseline does not"
        case _:
            anew = f", measured anew {change_in_percent(*change.confirmation)}" if change.confirmation else ""
            return f"{change_in_percent(*change.ratio)}{anew}, margin {100 * change.margin:g} %"


def table(report: Report) -> Table:
    """Return one row a case that is not unchanged; where all are, one row a case."""
    notable = [change for change in report.changes if change.verdict is not Verdict.UNCHANGED] or report.changes
    live = not any(change.absolute for change in report.changes)
    return Table(
        "Against the baseline",
        f"{LIVE_NOTE if live else STORED_NOTE}, each with the longer side of its 95 % interval; above 0 it got slower.",
        ("case", "verdict", "change", "control" if live else "of the time itself", "rounds"),
        tuple(_row(change) for change in gravest(notable)),
        labels=2,
    )


def as_markdown(report: Report) -> str:
    """Return a comment for a pull request."""
    head = f"**{sentence(report)}**\n"
    rows = markdown(table(report)) if report.changes else ""
    body = "".join(f"- {_literal(line)}\n" for line in (*failure_lines(report), *report.remarks))
    return "\n".join(part for part in (head, rows, body) if part)


def as_github(report: Report) -> str:
    """Return workflow commands that GitHub shows as annotations.

    Errors for regressions and failures, warnings for what is open; the gravest first, as GitHub shows ten of a level.
    """
    levels = {Verdict.REGRESSED: "error", Verdict.MISSING: "warning", Verdict.INCONCLUSIVE: "warning"}
    lines = [
        *(_annotation("error", "actbench: failed", line) for line in failure_lines(report)),
        *(_annotation("warning", "actbench: too noisy", line) for line in noise_line(report)),
        *(
            _annotation(levels[change.verdict], f"actbench: {change.verdict}", f"{change.case.id}: {explained(change)}")
            for change in gravest(report.changes)
            if change.verdict in levels
        ),
        _annotation("notice", "actbench", sentence(report)),
    ]
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """Return a JSON object; what does not exist is null."""
    found = {
        "margin": report.margin,
        "summary": sentence(report),
        "too_noisy": bool(report.noise),
        "seconds": report.seconds,
        "remarks": report.remarks,
        "failures": report.failures,
        "cases": [_record(change) for change in report.changes],
    }
    return json_text(found)


def _row(change: Change) -> tuple[str, ...]:
    beside = change.control or change.absolute
    return (
        change.case.id,
        change.verdict,
        change_in_percent(*change.ratio),
        change_in_percent(*beside) if beside else "-",
        f"{change.baseline_rounds}, {change.rounds}",
    )


def _record(change: Change) -> dict[str, Any]:
    ratios = {
        name: _bounds(value)
        for name, value in (("absolute", change.absolute), ("control", change.control))
        if value is not None
    }
    confirmed = {} if change.confirmation is None else {"confirmation": _bounds(change.confirmation)}
    return {
        "case": change.case.id,
        "verdict": change.verdict,
        **(_bounds(change.ratio)),
        "margin": change.margin,
        "chance": change.chance,
        "baseline_rounds": change.baseline_rounds,
        "rounds": change.rounds,
        **ratios,
        **confirmed,
    }


def _bounds(ratio: Bounded) -> dict[str, float]:
    return dict(zip(("ratio", "low", "high"), ratio, strict=True))


def _cases(count: int) -> str:
    return f"{count} case" if count == 1 else f"{count} cases"


def _literal(text: str) -> str:
    """Escape what Markdown would take for markup."""
    return re.sub(r"([\\`*_\[\]<&])", r"\\\1", " ".join(text.split()))


def _annotation(level: str, title: str, text: str) -> str:
    return f"::{level} title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    """Escape the message of a workflow command, as GitHub's toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
