"""The result of ``actbench bisect``: what it comes to, as text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actbench.analysis.bisection import Bisection, ExpectedBisection, SlowerCase, Suspects
from actbench.analysis.commit_search import MORE_STEPS, NAMED, Culprit
from actbench.analysis.interval import Interval
from actbench.analysis.regression import Change, Verdict
from actbench.errors import ExitCode
from actbench.model.bisected_commit import BisectedCommit
from actbench.model.commit import SHORT
from actbench.model.outcomes import NOT_INSTALLED
from actbench.report.check_report import Conclusion
from actbench.report.json_text import json_text
from actbench.report.needs import why_undecided
from actbench.report.numbers import NO_INTERVAL, counted, duration
from actbench.report.numbers import change as change_in_percent
from actbench.report.table import Table, literal, markdown

SCHEMA = 1
"""Version of the JSON object."""

FIRST_NOTE = "Change of the time against GOOD's, side by side, with 95 % intervals."
NOTE = (
    f"{FIRST_NOTE} Commits are numbered from GOOD, 0, whose rounds are the control. A step is the ratio of the medians "
    "of all rounds after and before it, up to the next step."
)

_NAMED = f"{100 * NAMED:g} %"

MOST_SKIPPED = 8
"""Number of skipped commits that are listed with their reasons."""


DEPENDENCIES = (
    "the environment of a commit has what its project depends on: bisect commits whose project depends on it, or "
    "select cases that need it not"
)


def conclusion(result: Bisection) -> Conclusion:
    """Return what a bisect comes to."""
    return next(_conclusions(result))


def _conclusions(result: Bisection) -> Iterator[Conclusion]:
    """Yield everything that it could come to, the first of which counts."""
    good, bad = result.names
    if result.interrupted:
        way_out = "with --resume goes on" if result.rounds else "begins again: nothing was measured yet"
        yield Conclusion(ExitCode.INTERRUPTED, f"Ctrl-C ended it: the same command {way_out}")
    named = [of_case for of_case in result.slower if of_case.culprits]
    if named:
        yield Conclusion(ExitCode.REGRESSED, _since(result, named))
    if result.failures:
        failure = result.failures[0]
        way_out = f": {DEPENDENCIES}" if failure.reason.endswith(NOT_INSTALLED) else ""
        yield Conclusion(ExitCode.FAILED, f"{failure.block} failed: {failure.reason}{way_out}")
    if result.slower:
        probable = any(suspects.probability >= NAMED for one in result.slower for suspects in one.suspects)
        lacks = "the interval of the step of the probable commit includes 0" if probable else f"no commit has {_NAMED}"
        sentence = f"{counted(len(result.slower), 'case')} slower in {bad}, and {lacks}: "
        way_out = "the same command with --resume and a larger --budget goes on"
        yield Conclusion(ExitCode.INCONCLUSIVE, sentence + way_out)
    if result.noise:
        worst = result.noise[0]
        sentence = f"{worst.case.id} in GOOD differed from itself by {change_in_percent(worst.ratio)}"
        yield Conclusion(ExitCode.INCONCLUSIVE, f"the host is too noisy: {sentence}")
    if undecided := _undecided(result):
        cases = counted(len(undecided), "case")
        sentence = f"whether {bad} is slower than {good} is undecided in {cases}, e.g. {undecided[0].case.id}"
        sentence += (
            f" ({change_in_percent(undecided[0].ratio)}): {why_undecided(result.need, result.rounds, result.budget)}"
        )
        yield Conclusion(ExitCode.INCONCLUSIVE, sentence)
    new, missing = ([name for one in result.lacked if one.end == end for name in one.cases] for end in ("GOOD", "BAD"))
    if lost := [name for name in missing if name not in new]:
        sentence = (
            f"{bad} lacks {counted(len(lost), 'case')} that {good} has, e.g. {lost[0]}; of the others, none is slower"
        )
        yield Conclusion(ExitCode.INCONCLUSIVE, sentence)
    where = ", in the cases that both have" if new else ""
    yield Conclusion(ExitCode.FINE, f"{bad} is not slower than {good} by more than {100 * result.margin:g} %{where}")


def _undecided(result: Bisection) -> list[Change]:
    """Return the verdicts on BAD that are open."""
    return [change for change in result.first if change.verdict is Verdict.INCONCLUSIVE]


def _since(result: Bisection, named: Sequence[SlowerCase]) -> str:
    commits = {result.commits[culprit.commits[-1]].short: culprit for one in named for culprit in one.culprits}
    return f"{counted(len(named), 'case')} slower since {', '.join(commits)}"


def headline(result: Bisection) -> str:
    """Return the conclusion with its exit code."""
    end = conclusion(result)
    return f"{end.reason} (exit code {int(end.exit_code)})"


def as_markdown(result: Bisection) -> str:
    """Return the answer, and what it rests on, as Markdown; the subjects of commits are no part of its syntax."""
    answers = [
        f"- {literal(line)}" if line.startswith(" ") else f"\n**{literal(line)}**\n" for line in answer_lines(result)
    ]
    tables = ["", markdown(table(result))] if table(result).rows else []
    notes = [f"- {literal(line)}" for line in remark_lines(result)]
    return "\n".join([f"## actbench bisect: {literal(headline(result))}", *answers, *tables, "", *notes, ""])


def forecast(what: ExpectedBisection, budget: float) -> str:
    """Return what a bisect is expected to take, in a sentence."""
    return (
        f"{counted(what.commits, 'commit')} and {counted(what.cases, 'case')}: if a case got slower, about "
        f"{counted(what.rounds, 'round')} and up to {counted(what.environments, 'environment')} to build, about "
        f"{duration(what.seconds)}; budget {duration(budget)}"
    )


def answer_lines(result: Bisection) -> Iterator[str]:
    """Yield each culprit with its cases, then what is not known."""
    by_commits: dict[tuple[int, ...], list[tuple[SlowerCase, Culprit]]] = {}
    for of_case in result.slower:
        for culprit in of_case.culprits:
            by_commits.setdefault(culprit.commits, []).append((of_case, culprit))
    for commits, cases in sorted(by_commits.items()):
        *others, commit = (result.commits[number] for number in commits)
        yield f"{_named(commit)}"
        for of_case, culprit in cases:
            yield f"  {of_case.case.id}: {change_in_percent(culprit.size)}, probability {_probability(culprit)}"
        if others:
            yield f"  or a commit before it that cannot be told apart: {_short(others)}"
        before = result.commits[commits[-1] - 1]
        if merged := [parent[:SHORT] for parent in commit.parents if parent != before.hash]:
            base = f"$(git merge-base {before.short} {merged[0]})"
            yield f"  it is a merge: actbench bisect {base} {merged[0]} looks into it"
    yield from _open_lines(result)


def _open_lines(result: Bisection) -> Iterator[str]:
    for of_case in result.slower:
        if of_case.more_steps:
            yield f"{of_case.case.id} got slower in more than one step (probability above {100 * MORE_STEPS:g} %)"
        if of_case.suspects:
            yield f"{of_case.case.id}, {change_in_percent(of_case.total)} in all, may be slower since"
            for suspects in of_case.suspects:
                *others, last = (result.commits[number] for number in suspects.commits)
                also = f", or {_short(others)}" if others else ""
                sure = suspects.probability >= NAMED
                probability = f"above {_NAMED}, but 0 is in the interval of its step" if sure else _rounded(suspects)
                yield f"  {_named(last)}{also}: {probability}"


def _rounded(suspects: Suspects) -> str:
    return f"{100 * suspects.probability:.0f} %"


def _named(commit: BisectedCommit) -> str:
    return f"{commit.short} {commit.date} {commit.subject}"


def _short(commits: Sequence[BisectedCommit]) -> str:
    return ", ".join(commit.short for commit in commits)


def _probability(culprit: Culprit) -> str:
    """Return a probability in percent, which is never shown as certainty."""
    return f"{min(100 * culprit.probability, 99.9):.1f} %" if culprit.probability < 0.999 else "above 99.9 %"


def table(result: Bisection) -> Table:
    """Return a row for each commit and case that was measured; of BAD alone where nothing got slower."""
    return _of_commits(result) if result.measured else _of_bad(result)


def _of_bad(result: Bisection) -> Table:
    rows = tuple(
        (change.case.id, str(change.verdict), str(change.rounds), change_in_percent(change.ratio))
        for change in result.first
    )
    note = _with_mark(FIRST_NOTE, [change.ratio for change in result.first])
    return Table("BAD against GOOD", note, ("case", "verdict", "rounds", "change"), rows, labels=2)


def _of_commits(result: Bisection) -> Table:
    rows = tuple(
        (str(one.number), result.commits[one.number].short, case.id, str(one.rounds), change_in_percent(level))
        for one in result.measured
        for case, level in one.levels
    )
    note = _with_mark(NOTE, [level for one in result.measured for _, level in one.levels])
    return Table("Commits that were measured", note, ("number", "commit", "case", "rounds", "change"), rows, labels=3)


def _with_mark(note: str, intervals: Sequence[Interval]) -> str:
    """Return a note that explains the mark of figures without an interval, where there are any."""
    if all(interval.has_bounds for interval in intervals):
        return note
    return f"{note} {NO_INTERVAL} marks figures of too few rounds for an interval."


def remark_lines(result: Bisection) -> Iterator[str]:
    """Yield what is below the table."""
    good, bad = result.commits[0], result.commits[-1]
    yield f"GOOD: {result.names[0]}, {_named(good)}"
    yield f"BAD: {result.names[1]}, {_named(bad)}"
    yield from (one.sentence for one in result.lacked)
    if result.undecided:
        yield f"whether BAD is slower is undecided in {counted(len(result.undecided), 'further case')}"
    for skipped in result.skipped[:MOST_SKIPPED]:
        yield f"skipped: {_named(result.commits[skipped.number])}: {skipped.reason}"
    if len(result.skipped) > MOST_SKIPPED:
        yield f"{len(result.skipped) - MOST_SKIPPED} more commits are skipped"
    yield from result.remarks
    commits, rounds = counted(len(result.commits) - 1, "commit"), counted(result.rounds, "round")
    measured = sum(one.number > 0 for one in result.measured) or int(result.rounds > 0)
    yield f"{commits}, {measured} of them measured in {rounds}, {duration(result.seconds)}"


def as_json(result: Bisection) -> str:
    """Return a JSON object; missing numbers are null, commits are those of `commits`, by index."""
    end = conclusion(result)
    return json_text(
        {
            "schema": SCHEMA,
            "exit_code": int(end.exit_code),
            "reason": end.reason,
            "margin": result.margin,
            "good": result.names[0],
            "bad": result.names[1],
            "commits": result.commits,
            "check": [
                {
                    "case": change.case.id,
                    "verdict": str(change.verdict),
                    "rounds": change.rounds,
                    "change": _ratio(change.ratio),
                }
                for change in result.first
            ],
            "cases": [_case(one) for one in result.slower],
            "undecided": [*result.undecided] or [change.case.id for change in _undecided(result)],
            "lacked": [{"by": one.end, "cases": [*one.cases], "files": [*one.files]} for one in result.lacked],
            "measured": [
                {
                    "commit": one.number,
                    "rounds": one.rounds,
                    "changes": {case.id: _ratio(level) for case, level in one.levels},
                }
                for one in result.measured
            ],
            "skipped": [{"commit": one.number, "reason": one.reason} for one in result.skipped],
            "rounds": result.rounds,
            "seconds": result.seconds,
            "remarks": [*result.remarks],
            "interrupted": result.interrupted,
        }
    )


def _case(one: SlowerCase) -> Mapping[str, Any]:
    return {
        "case": one.case.id,
        "change": _ratio(one.total),
        "more_steps": one.more_steps,
        "culprits": [
            {"commits": [*of.commits], "probability": of.probability, "change": _ratio(of.size)} for of in one.culprits
        ],
        "suspects": [{"commits": [*of.commits], "probability": of.probability} for of in one.suspects],
    }


def _ratio(interval: Interval) -> Mapping[str, float]:
    return dict(zip(("ratio", "low", "high"), interval, strict=True))
