"""What would decide the races that a budget leaves open: rounds, seconds and the budget, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actbench.analysis.recommendation import Recommendation
from actbench.analysis.rounds_needed import MOST_ROUNDS
from actbench.report.needs import budget_for
from actbench.report.numbers import counted, duration


@dataclass(frozen=True, slots=True)
class RaceNeed:
    """What it takes to decide races, by the scatter of the rounds that there are."""

    rounds: int
    """Those that the same command must measure: the missing ones, or with --fresh all of them."""
    seconds: float
    """Of such a command."""
    command: str
    """That for which the rounds that there are count."""
    anew: bool
    """Whether the same command measures all of them, because of --fresh."""


def race_need(
    outcomes: Sequence[Recommendation], seconds_of: Callable[[int], float], command: str, *, fresh: bool
) -> RaceNeed | None:
    """Return what would decide the open ones; None where nothing is open, or more than `MOST_ROUNDS` are needed."""
    is_open = [one for one in outcomes if one.is_open and one.racing]
    needs = [(one.rounds_needed, one.rounds) for one in is_open]
    missing = [needed - (0 if fresh else done) for needed, done in needs if needed is not None]
    if not missing or len(missing) < len(is_open):
        return None
    return RaceNeed(max(missing), seconds_of(max(missing)), command, fresh)


def open_line(outcomes: Sequence[Recommendation], need: RaceNeed | None) -> str:
    """Say that races are open of which something was measured, and what would decide them."""
    is_open = [one for one in outcomes if one.is_open and one.racing]
    what = "it" if len(outcomes) == 1 else f"{len(is_open)} of {len(outcomes)} races"
    early = max((one.fewest_rounds for one in is_open if one.is_too_early), default=0)
    least = f" ({early} rounds are the fewest that show a difference)" if early else ""
    return f"the budget leaves {what} open{least}: {_way_out(need, at_least=bool(early))}"


def _way_out(need: RaceNeed | None, *, at_least: bool) -> str:
    if need is None:
        return f"rounds scatter so much that it takes more than {MOST_ROUNDS} rounds: widen --margin, or calm the host"
    rounds = counted(need.rounds, "round" if need.anew else "more round")
    enough = f"it takes at least {rounds}" if at_least else f"{rounds} decide it with about 95 % probability"
    budget = f"--budget {budget_for(need.seconds)}"
    way_out = f"give {budget}" if need.anew else f"with {budget}, {need.command} goes on"
    return f"{enough}, about {duration(need.seconds)} with what comes before them: {way_out}; or widen --margin"
