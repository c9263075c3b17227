"""Verdicts in words: the sentences, the table and the Markdown of ``actbench check``."""

from __future__ import annotations

import math
from io import StringIO

from actbench.analysis.regression import Change, Verdict, by_severity
from actbench.model.sides import Side
from actbench.report.check_report import Report, noise_line
from actbench.report.kept import kept
from actbench.report.needs import needed
from actbench.report.numbers import AS_BOUNDS, NO_FIGURE, counted
from actbench.report.numbers import change as change_in_percent
from actbench.report.open_reasons import reason
from actbench.report.table import Table, literal, markdown

LIVE_NOTE = "Change of the time, and of the baseline's against itself in a second process, the control, side by side"
STORED_NOTE = "Change of the time relative to the block's yardstick, which the verdict is about, and of the time itself"

SAME_CODE = "same code"
"""Beside the verdict on a case of which both sides execute the same code."""

REVISION_DIGITS = 12
"""Number of digits of a commit's hash that are shown."""


def headline(report: Report) -> str:
    """Return the overall verdict, the exit code, and how many cases have which verdict, or why there are none."""
    conclusion = report.conclusion
    rest = conclusion.reason if report.error else sentence(report)
    return f"{conclusion.verdict} (exit code {int(report.exit_code)}): {rest}"


def sentence(report: Report) -> str:
    """Return how many cases have which verdict, in words."""
    parts = ", ".join(f"{number} {verdict}" for verdict, number in report.counts.items())
    others = sum(change.margin != report.margin for change in report.changes)
    other_margins = f" ({others} with another margin)" if others else ""
    cases = counted(len(report.changes), "case")
    head = f"{cases}, margin {100 * report.margin:g} %{other_margins}: {parts or 'none measured'}"
    return "; ".join([head, *noise_line(report)])


def side_lines(report: Report) -> list[str]:
    """Return what was measured on either side, with its commit."""
    return [f"{name}: {_named(side)}" for name, side in zip(("baseline", "candidate"), report.sides, strict=True)]


def failure_lines(report: Report) -> list[str]:
    """Return why each failed block failed."""
    return [f"{failure.block} failed: {failure.reason}" for failure in report.failures]


def remark_lines(report: Report) -> list[str]:
    """Return everything that is written below the table."""
    return [*failure_lines(report), *side_lines(report), *report.remarks]


def explained(change: Change) -> str:
    """Return the reason for the verdict on a case, in words."""
    match change.verdict:
        case Verdict.MISSING:
            return "the baseline has it, the candidate does not"
        case Verdict.NEW:
            return "the candidate has it, the baseline does not"
    why = f"{reason(change)}{needed(change)}"
    if math.isnan(change.ratio.value):
        return kept(change) if change.verdict is Verdict.REGRESSED_IN_MEMORY else why
    again = f", measured again {change_in_percent(change.confirmation)}" if change.confirmation else ""
    memory = f", {kept(change)}" if change.kept and change.kept.grew else ""
    same = f", {SAME_CODE}" if change.same_code else ""
    figures = f"{change_in_percent(change.ratio)}{again}{same}, margin {100 * change.margin:g} %{memory}"
    return f"{figures}: {why}" if why else figures


def table(report: Report) -> Table:
    """Return one row per case that is not unchanged; where all are, one row per case."""
    notable = [change for change in report.changes if change.verdict is not Verdict.UNCHANGED] or [*report.changes]
    live = not any(change.absolute for change in report.changes)
    with_reasons = any(change.open_reason for change in notable)
    columns = ("case", "verdict", "change", "control" if live else "of the time itself", "rounds")
    rows = tuple(_row(change, with_reason=with_reasons) for change in by_severity(notable))
    return Table(
        "Against the baseline",
        f"{LIVE_NOTE if live else STORED_NOTE}; above 0 the case got slower. ± is the longer side of the 95 % "
        f"interval; {AS_BOUNDS}0 %. Rounds are the baseline's, then the candidate's.{_not_shown(report, notable)}",
        (*columns, "why inconclusive") if with_reasons else columns,
        rows,
        labels=2,
        wrapped=len(columns) if with_reasons else None,
    )


def as_text(report: Report) -> str:
    """Return the table and all remarks as plain text."""
    from actbench.report.terminal import PLAIN_WIDTH, plain_console, show_table

    lines = StringIO()
    if report.changes:
        show_table(table(report), plain_console(lines, PLAIN_WIDTH))
        lines.write("\n")
    return "\n".join([lines.getvalue() + headline(report), *remark_lines(report)])


def as_markdown(report: Report) -> str:
    """Return a comment for a pull request."""
    head = f"**{literal(headline(report))}**\n"
    rows = markdown(table(report)) if report.changes else ""
    body = "".join(f"- {literal(line)}\n" for line in remark_lines(report))
    return "\n".join(part for part in (head, rows, body) if part)


def _not_shown(report: Report, shown: list[Change]) -> str:
    """Return the end of the note: what is not in the table, and what a mark in it means."""
    rest = len(report.changes) - len(shown)
    not_listed = f" {counted(rest, 'unchanged case')} not listed." if rest else ""
    one_sided = any(change.verdict in {Verdict.MISSING, Verdict.NEW} for change in shown)
    unmeasured = one_sided or any(math.isnan(change.ratio.value) for change in shown)
    return not_listed + (f" {NO_FIGURE} marks a side that did not measure the case." if unmeasured else "")


def _row(change: Change, *, with_reason: bool) -> tuple[str, ...]:
    second = change.control or change.absolute
    row = (
        change.case.id,
        f"{change.verdict}, {SAME_CODE}" if change.same_code else change.verdict,
        change_in_percent(change.ratio),
        change_in_percent(second) if second else NO_FIGURE,
        f"{change.baseline_rounds}, {change.rounds}",
    )
    return (*row, reason(change)) if with_reason else row


def _named(side: Side) -> str:
    if side.revision is None or side.revision.startswith(side.what):
        return side.what
    commit, *changes = side.revision.split(" ", 1)
    return ", ".join([side.what, " ".join(["commit", commit[:REVISION_DIGITS], *changes])])
