"""How long a run should take, by rough upper figures. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.model.plan import Plan
from actbench.planning import costs


@dataclass(frozen=True, slots=True)
class Prediction:
    """Of a run by the interleaved engine."""

    round_seconds: float
    rounds: int | None
    """Exactly so many, as far as the budget has time for them; None where the target decides."""
    budget: float | None
    """What the run may take; None where that has no limit."""
    fewest: int
    """Rounds that are measured whatever the budget."""
    for_interval: int
    """Rounds that an interval takes."""

    @property
    def seconds_for_interval(self) -> float:
        """What the rounds take that give the first intervals."""
        return self.for_interval * self.round_seconds


@dataclass(frozen=True, slots=True)
class StockPrediction:
    """Of a run by stock pyperf."""

    processes: int
    """A case, and a yardstick."""
    seconds: float


def round_seconds(plan: Plan, arm_seconds: float) -> float:
    """Return what a round of a plan should take, where an arm takes `arm_seconds`, or more as the plan is small."""
    return costs.predicted_round(plan, costs.arm_seconds(plan, arm_seconds))
