"""What it would take to decide the cases that a live check leaves open, and what comes on top of its budget, in words.

A difference as large as the margin is what the need is about (`actbench.analysis.rounds_needed`): a case that did not
change is then `unchanged`. A case whose change is about the margin itself may stay open for longer.
"""

from __future__ import annotations

from math import ceil

from actbench.analysis.bisection import SHARE_OF_CHECK
from actbench.analysis.check_live import Outcome
from actbench.analysis.regression import Change
from actbench.analysis.rounds_needed import FEWEST_ROUNDS, MOST_ROUNDS, Need
from actbench.report.numbers import counted, duration

RESERVE = 1.1
"""Factor on the seconds of a need that makes a budget of them: rounds do not all take equally long."""

BUDGET_STEP = 5
"""Seconds to whose multiple a budget is rounded up."""


def on_top(budget: float) -> str:
    """Return what may come on top of a budget in seconds, and its bound."""
    limit = f"for {duration(budget)} more at most, or as long as the first rounds where these take longer"
    return f"suspected regressions are measured again on top of it, {limit}"


def need_lines(outcome: Outcome) -> list[str]:
    """Return the remark on what would decide the open cases; none where nothing is open for too few rounds."""
    need = outcome.need
    if need is None:
        return []
    if outcome.rounds < FEWEST_ROUNDS:
        done = counted(outcome.rounds, "round")
        return [f"stopped after {done}: a verdict takes {FEWEST_ROUNDS} rounds: {_budget(need)}, or fewer cases"]
    open_cases = sum(change.need is not None for change in outcome.changes)
    head = f"{counted(open_cases, 'case')} inconclusive after {counted(outcome.rounds, 'round')}"
    if need.rounds is None:
        return [f"{head}: rounds scatter so much that {_too_many()}: allow a larger margin, or calm the host"]
    if need.rounds <= outcome.rounds:
        return [f"{head}, which decide a difference as large as the margin by their scatter: the change is near it"]
    enough = f"{need.rounds} of them decide a difference as large as the margin with 95 % probability"
    return [f"{head}: by the scatter of rounds, {enough}: {_budget(need)}"]


def needed(change: Change) -> str:
    """Return what would decide an open case, as the end of a sentence; nothing where rounds are not what it lacks."""
    need = change.need
    if need is None:
        return ""
    if need.rounds is None or need.seconds is None:
        return f"; {_too_many()}"
    if need.rounds <= change.rounds:
        return "; its change is near the margin"
    return (
        f"; after {counted(change.rounds, 'round')}: {need.rounds} (about {duration(need.seconds)}) decide a "
        "difference as large as the margin with 95 % probability"
    )


def why_undecided(need: Need | None, rounds: int, budget: float) -> str:
    """Return why a bisect with a budget in seconds left open whether anything is slower, and what to do."""
    seconds = budget
    if need is not None:
        if need.rounds is None or need.seconds is None:
            return f"{_too_many()}: allow a larger --margin, or calm the host"
        if FEWEST_ROUNDS <= need.rounds <= rounds:
            return "its change is near the margin: allow another --margin, or a larger --budget with --resume"
        seconds = max(budget, need.seconds / SHARE_OF_CHECK)
    about = f" of the {need.rounds} that it takes" if need else ""
    share = f"the check of BAD has {100 * SHARE_OF_CHECK:g} % of --budget, and ended after {counted(rounds, 'round')}"
    return f"{share}{about}: the same command with --resume and --budget {budget_for(seconds)} goes on"


def _too_many() -> str:
    return f"a difference as large as the margin takes more than {MOST_ROUNDS} rounds"


def _budget(need: Need) -> str:
    assert need.seconds is not None  # noqa: S101  # only where there are too many rounds
    return f"--budget {budget_for(need.seconds)}"


def budget_for(seconds: float) -> str:
    """Return a budget that has time for so many seconds."""
    return f"{BUDGET_STEP * ceil(RESERVE * seconds / BUDGET_STEP)}s"
