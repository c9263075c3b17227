"""How long a run should take. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.model.plan import Plan
from actbench.planning import costs, durations


@dataclass(frozen=True, slots=True)
class Prediction:
    """Of a run by the interleaved engine."""

    preparation: float
    """What comes before the first round: checks and calibration."""
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
        """What it takes until the first intervals."""
        return self.of_rounds(self.for_interval)

    def of_rounds(self, rounds: int) -> float:
        """Return what so many rounds take, with what comes before."""
        return self.preparation + rounds * self.round_seconds


@dataclass(frozen=True, slots=True)
class StockPrediction:
    """Of a run by stock pyperf."""

    processes: int
    """A case, and a yardstick."""
    seconds: float


def round_seconds(plan: Plan, arm_seconds: float, slowness: float) -> float:
    """Return what a round of a plan should take, where an arm takes `arm_seconds`, or more as the plan is small."""
    return durations.predicted_round(plan, costs.arm_seconds(plan, arm_seconds), slowness)
