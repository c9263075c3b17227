"""Verdicts, in the formats of ``actbench check``."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from actbench.analysis.check_live import Outcome
from actbench.analysis.interval import Interval
from actbench.analysis.regression import Change, Margins, Verdict, by_severity
from actbench.analysis.rounds_needed import FEWEST_ROUNDS, Need
from actbench.model.cases import Case
from actbench.model.outcomes import Failure
from actbench.model.training import FREE
from actbench.report.json_text import json_text
from actbench.report.needs import need_lines, needed
from actbench.report.numbers import AS_BOUNDS, NO_FIGURE, NO_INTERVAL
from actbench.report.numbers import change as change_in_percent
from actbench.report.table import Table, markdown
from actbench.report.training.words import BOUND

LIVE_NOTE = "Change of the time, and of the baseline's against itself in a second process, the control, side by side"
STORED_NOTE = "Change of the time relative to the block's yardstick, which the verdict is about, and of the time itself"


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a check, with remarks for its reader."""

    changes: tuple[Change, ...]
    margin: float
    """The default margin, relative; `Margins` may have other margins for some cases."""
    remarks: tuple[str, ...] = ()
    noise: tuple[Change, ...] = ()
    """Cases in which the baseline differed from itself beyond the margin; if any, the host is too noisy."""
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    """The duration of the check."""
    need: Need | None = None
    """Of a live check: what one takes that decides the cases that are open for too few rounds."""

    def with_unused(self, margins: Margins) -> Report:
        """Return the report with a remark on every margin that matches no case."""
        unused = margins.unused(change.case for change in self.changes)
        return replace(self, remarks=(*self.remarks, *(f"--margins '{glob}' matches no case" for glob in unused)))

    @property
    def verdicts(self) -> set[Verdict]:
        """The verdicts that occur."""
        return {change.verdict for change in self.changes}


def sentence(report: Report) -> str:
    """Return how many cases have which verdict, in words."""
    changes = report.changes
    counts = Counter(change.verdict for change in changes)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    others = sum(change.margin != report.margin for change in changes)
    other_margins = f" ({others} with another margin)" if others else ""
    head = f"{_cases(len(changes))}, margin {100 * report.margin:g} %{other_margins}: {parts or 'none measured'}"
    return "; ".join([head, *noise_line(report)])


def noise_line(report: Report) -> list[str]:
    """Return the remark that the host is too noisy, with the control that shows it."""
    if not report.noise:
        return []
    worst = max(report.noise, key=lambda change: abs(math.log(change.ratio.value)))
    line = (
        "the host is too noisy for a verdict: the baseline differed from itself beyond the margin in "
        f"{_cases(len(report.noise))}, e.g. {worst.case.id} {change_in_percent(worst.ratio)}"
    )
    return [line]


def failure_lines(report: Report) -> list[str]:
    """Return why each failed block failed."""
    return [f"{failure.block} failed: {failure.reason}" for failure in report.failures]


def regrouped_line(cases: Sequence[Case]) -> list[str]:
    """Return the remark that cases are inconclusive because their blocks have other arms."""
    if not cases:
        return []
    line = (
        f"{_cases(len(cases))} inconclusive: their blocks have other cases in the baseline, which by itself changes "
        f"times, e.g. {cases[0].id}: measure the same strategies and backends"
    )
    return [line]


def stored_remarks(changes: Sequence[Change], regrouped: Sequence[Case]) -> list[str]:
    """Return the remarks on verdicts about two runs."""
    command = "train" if any(change.case.op.network for change in changes) else "run"
    has_limit = any(change.case.op.network and change.case.strategy == FREE for change in changes)
    return [
        *regrouped_line(regrouped),
        *yardstick_line([change for change in changes if change.yardstick_moved]),
        *no_interval_line(changes, f"too few rounds in a run; measure more (actbench {command} --resume DIR)"),
        *([BOUND] if has_limit else []),
    ]


def yardstick_line(changes: Sequence[Change]) -> list[str]:
    """Return the remark that the yardstick moved: the time relative to it changed, but not the time itself."""
    if not changes:
        return []
    first = changes[0]
    relative, itself = change_in_percent(first.ratio), change_in_percent(first.absolute or first.ratio)
    line = (
        f"the yardstick seems to have moved between the runs, not the case: {_cases(len(changes))} inconclusive "
        f"because the time itself does not show the change, e.g. {first.case.id}: {relative} relative to the "
        f"yardstick, {itself} of the time itself; measure both again"
    )
    return [line]


def no_interval_line(changes: Sequence[Change], why: str) -> list[str]:
    """Return the explanation of the mark of a missing interval, where it is shown."""
    short = [change for change in changes if change.rounds and not change.ratio.has_bounds]
    short = [change for change in short if not math.isnan(change.ratio.value)]
    return [f"{_cases(len(short))} without an interval ({NO_INTERVAL}): {why}"] if short else []


def live_remarks(outcome: Outcome) -> list[str]:
    """Return the remarks on the verdicts of a live check."""
    failed = {failure.block for failure in outcome.failures}
    lost = [loss for loss in outcome.losses if loss.block not in failed]
    return [
        *confirmation_lines(outcome.changes),
        *no_interval_line(outcome.changes, f"it takes {FEWEST_ROUNDS} rounds"),
        *need_lines(outcome),
        *(f"{loss.block} went on after round {loss.round}: {loss.reason}" for loss in lost),
    ]


def confirmation_lines(changes: Sequence[Change]) -> list[str]:
    """Return for every repeated case whether it regressed again."""
    return [
        f"{change.case.id} was measured again: {change_in_percent(change.confirmation)}, "
        + ("regressed again" if change.verdict is Verdict.REGRESSED else "which does not confirm that it regressed")
        for change in changes
        if change.confirmation is not None
    ]


def explained(change: Change) -> str:
    """Return the reason for the verdict on a case, in words."""
    match change.verdict:
        case Verdict.MISSING:
            return "the baseline has it, the candidate does not"
        case Verdict.NEW:
            return "the candidate has it, the baseline does not"
        case _:
            again = f", measured again {change_in_percent(change.confirmation)}" if change.confirmation else ""
            itself = ""
            if change.yardstick_moved and change.absolute:
                itself = f", {change_in_percent(change.absolute)} of the time itself: the yardstick moved"
            allowed = f", margin {100 * change.margin:g} %"
            return f"{change_in_percent(change.ratio)}{again}{itself}{allowed}{needed(change)}"


def table(report: Report) -> Table:
    """Return one row per case that is not unchanged; where all are, one row per case."""
    notable = [change for change in report.changes if change.verdict is not Verdict.UNCHANGED] or report.changes
    live = not any(change.absolute for change in report.changes)
    rows = tuple(_row(change) for change in by_severity(notable))
    nothing = (
        f" {NO_FIGURE} marks a side that did not measure the case." if any(NO_FIGURE in row for row in rows) else ""
    )
    return Table(
        "Against the baseline",
        f"{LIVE_NOTE if live else STORED_NOTE}; above 0 the case got slower. ± is the longer side of the 95 % "
        f"interval; {AS_BOUNDS}0 %. Rounds are the baseline's, then the candidate's.{nothing}",
        ("case", "verdict", "change", "control" if live else "of the time itself", "rounds"),
        rows,
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

    They are errors for regressions and failures, and warnings for open cases, the most severe first, since GitHub shows
    ten of each level.
    """
    levels = {Verdict.REGRESSED: "error", Verdict.MISSING: "warning", Verdict.INCONCLUSIVE: "warning"}
    lines = [
        *(_annotation("error", "actbench: failed", line) for line in failure_lines(report)),
        *(_annotation("warning", "actbench: too noisy", line) for line in noise_line(report)),
        *(
            _annotation(levels[change.verdict], f"actbench: {change.verdict}", f"{change.case.id}: {explained(change)}")
            for change in by_severity(report.changes)
            if change.verdict in levels
        ),
        _annotation("notice", "actbench", sentence(report)),
    ]
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """Return a JSON object; missing values are null."""
    record = {
        "margin": report.margin,
        "summary": sentence(report),
        "too_noisy": bool(report.noise),
        "seconds": report.seconds,
        "need": report.need,
        "remarks": report.remarks,
        "failures": report.failures,
        "cases": [_record(change) for change in report.changes],
    }
    return json_text(record)


def _row(change: Change) -> tuple[str, ...]:
    second = change.control or change.absolute
    return (
        change.case.id,
        change.verdict,
        change_in_percent(change.ratio),
        change_in_percent(second) if second else NO_FIGURE,
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
        "chance": change.p_value,
        "baseline_rounds": change.baseline_rounds,
        "rounds": change.rounds,
        **ratios,
        **confirmed,
        **({} if change.need is None else {"need": change.need}),
    }


def _bounds(ratio: Interval) -> dict[str, float]:
    return dict(zip(("ratio", "low", "high"), ratio, strict=True))


def _cases(count: int) -> str:
    return f"{count} case" if count == 1 else f"{count} cases"


def _literal(text: str) -> str:
    """Escape the characters that have a meaning in Markdown."""
    return re.sub(r"([\\`*_\[\]<&])", r"\\\1", " ".join(text.split()))


def _annotation(level: str, title: str, text: str) -> str:
    return f"::{level} title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    """Escape the message of a workflow command, as GitHub's toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
