"""Verdicts as workflow commands, which GitHub shows as annotations."""

from __future__ import annotations

from collections.abc import Iterable

from actbench.analysis.regression import Change, Verdict, by_severity
from actbench.report.check_report import Report, noise_line
from actbench.report.verdicts import explained, failure_lines, headline, side_lines

LEVELS = {
    Verdict.REGRESSED: "error",
    Verdict.REGRESSED_IN_MEMORY: "error",
    Verdict.MISSING: "warning",
    Verdict.INCONCLUSIVE: "warning",
}
"""The level of the annotation of a case, by verdict; cases with another verdict have none."""

MOST_SHOWN = 10
"""The number of annotations of a level that GitHub shows for a step."""


def as_github(report: Report) -> str:
    """Return errors for regressions and failures, warnings for open cases, and a notice with everything else.

    The most severe come first. Those that GitHub would not show are counted.
    """
    conclusion, cases = report.conclusion, by_severity(report.changes)
    ended = [conclusion.reason] if report.error else []
    errors = [
        *(_annotation("error", f"actbench: {conclusion.verdict}", line) for line in ended),
        *(_annotation("error", "actbench: failed", line) for line in failure_lines(report)),
        *_of_cases(cases, "error"),
    ]
    warnings = [
        *(_annotation("warning", "actbench: too noisy", line) for line in noise_line(report)),
        *_of_cases(cases, "warning"),
    ]
    left_out = sum(max(0, len(lines) - MOST_SHOWN) for lines in (errors, warnings))
    more = [f"{left_out} more are not annotated"] if left_out else []
    notice = "\n".join([headline(report), *more, *side_lines(report), *report.remarks])
    return "\n".join([*errors[:MOST_SHOWN], *warnings[:MOST_SHOWN], _annotation("notice", "actbench", notice)])


def _of_cases(changes: Iterable[Change], level: str) -> list[str]:
    return [
        _annotation(level, f"actbench: {change.verdict}", f"{change.case.id}: {explained(change)}")
        for change in changes
        if LEVELS.get(change.verdict) == level
    ]


def _annotation(level: str, title: str, text: str) -> str:
    return f"::{level} title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    """Escape the message of a workflow command, as GitHub's toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
