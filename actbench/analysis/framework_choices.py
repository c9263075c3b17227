"""What frameworks keep where nobody chooses, and what that costs: beside the fastest that a race found.

The time of a framework's own activation over the fastest one's has two causes: what it keeps, and its kernel. Within
one backend, the strategy that keeps the same is compared with that backend's fastest: that is the regret of the choice
alone. The framework's own kernel is compared with that strategy. All ratios are paired, and their intervals hold at any
time, for all of them together (`actbench.analysis.standings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from actbench.analysis import sequential
from actbench.analysis.interval import Interval
from actbench.analysis.recommendation import Candidate
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
    fastest: Variant
    """The fastest one there."""
    over_fastest: Interval
    """The time of the one over that of the other."""
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
    """The fastest one that the race found."""
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
        fastest = competing[fastest_of(seconds[:, [arms.index(arm) for arm in competing]])]
        return Choice(
            same.strategy,
            fastest.strategy,
            time_over(seconds, arms.index(same), arms.index(fastest), self.tail),
            time_over(seconds, arms.index(framework), arms.index(same), self.tail),
        )
