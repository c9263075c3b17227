"""What frameworks keep where nobody chooses, and what that costs: beside the one that led in a race.

The time of a framework's own activation over that one's has two causes: what it keeps, and its kernel. Within one
backend, the strategy that keeps the same is compared with the fastest of the others: that is the regret of the choice
alone, and negative where none of these is faster. The framework's own kernel is compared with that strategy. All ratios
are paired, and their intervals hold at any time, for all of them together (`actbench.analysis.standings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from actbench.analysis import sequential
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.recommendation import Candidate, RaceEnd
from actbench.analysis.sequential import TAIL_PROBABILITY
from actbench.analysis.standings import fastest_of, time_over
from actbench.analysis.statistics import Floats
from actbench.model.cases import Arm, Case
from actbench.model.variants import Variant


@dataclass(frozen=True, slots=True)
class Choice:
    """What the choice of a framework alone costs: among strategies that its backend executes."""

    strategy: Variant
    """The one that keeps the same."""
    rival: Variant | None
    """The fastest of the others there, by these rounds; None where there is none."""
    over_rival: Interval
    """The time of the one over that of the other; `NO_ESTIMATE` where there is none."""
    kernel: Interval
    """The time of the framework's own activation over that of the strategy that keeps the same."""


@dataclass(frozen=True, slots=True)
class FrameworkChoice:
    """What a framework keeps, and what that costs."""

    candidate: Candidate
    """The framework's own activation."""
    over_best: Interval
    """Its time over that of the fastest one that the race found."""
    choice: Choice | None
    """None where no strategy keeps the same."""


@dataclass(frozen=True, slots=True)
class ComparedFrameworks:
    """What was compared with the fastest one."""

    best: Case
    """The one that led in the race."""
    race: RaceEnd
    """How the race ended, which tells whether that is the fastest."""
    frameworks: tuple[FrameworkChoice, ...]
    absent: tuple[str, ...]
    """Of each framework that was not compared the reason, as a sentence."""
    rounds: int
    directory: Path | None
    """Of the run; None where nothing was compared."""


@dataclass(frozen=True, slots=True)
class FrameworkBlock:
    """The arms that are measured for it."""

    best: Arm
    """The fastest one that the race found."""
    frameworks: tuple[Arm, ...]
    """The frameworks' own activations."""
    strategies: tuple[Arm, ...]
    """The strategies that their backends execute."""
    candidates: Mapping[Arm, Candidate]
    """All of these."""

    @property
    def tail(self) -> Fraction:
        """The probability with which either bound of an interval misses, so that all hold together."""
        return TAIL_PROBABILITY / max(1, 2 * len(self.frameworks) + len(self.strategies))

    @property
    def fewest_rounds(self) -> int:
        """The number of rounds from which on there are intervals."""
        return sequential.fewest_rounds(float(self.tail))

    def judged(self, arms: Sequence[Arm], seconds: Floats) -> tuple[FrameworkChoice, ...]:
        """Return what each framework's choice costs, by the times of these arms: rounds x arms x values."""
        return tuple(
            FrameworkChoice(
                self.candidates[arm],
                time_over(seconds, arms.index(arm), arms.index(self.best), self.tail),
                self._choice(arm, arms, seconds),
            )
            for arm in self.frameworks
            if arm in arms
        )

    def _choice(self, framework: Arm, arms: Sequence[Arm], seconds: Floats) -> Choice | None:
        competing = [arm for arm in self.strategies if arm.backend == framework.backend and arm in arms]
        keeps = self.candidates[framework].keeps
        same = next((arm for arm in competing if self.candidates[arm].keeps == keeps), None)
        if same is None:
            return None
        rivals = [arm for arm in competing if arm is not same]
        rival = rivals[fastest_of(seconds[:, [arms.index(arm) for arm in rivals]])] if rivals else None
        return Choice(
            same.strategy,
            rival.strategy if rival else None,
            time_over(seconds, arms.index(same), arms.index(rival), self.tail) if rival else NO_ESTIMATE,
            time_over(seconds, arms.index(framework), arms.index(same), self.tail),
        )
