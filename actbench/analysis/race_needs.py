"""How many rounds it takes until an arm of a race is slower than the leader, or a tie, by the rounds that there are.

After n rounds an arm is slower where it took longer in at least k(n) of them, with k(n) the fewest that refute a median
(`actbench.analysis.sequential`). It is a tie where its time is below the margin in as many, and above the margin on the
side of the leader in as many, which need not be the same rounds: either side has a bound of its own. All three numbers
are binomial. The probability of such a round comes from those seen, as (hits + 1/2) / (rounds + 1), as in
`actbench.analysis.rounds_needed`. The sum of the probabilities that a side is not shown bounds that of no tie. So a
race is decided after that many rounds with about 95 % probability, or more.
"""

from __future__ import annotations

from fractions import Fraction

from actbench.analysis.rounds_needed import MOST_ROUNDS, STEP
from actbench.analysis.sequential import TAIL_PROBABILITY, fewest_above
from actbench.analysis.standings import Place
from actbench.analysis.statistics import CONFIDENCE


def rounds_to_decide(place: Place, arms: int) -> int | None:
    """Return the rounds after which an open arm of a race of so many is slower or a tie; None for `MOST_ROUNDS`.

    Those that there are count; there are more of them than it takes to show anything.
    """
    assert place.paired  # noqa: S101  # it is open
    tail = TAIL_PROBABILITY / max(1, arms - 1)
    paired = place.paired
    slower, below, above = ((hits + 0.5) / (place.rounds + 1) for hits in (paired.slower, paired.below, paired.above))
    rounds = place.rounds + 1
    while rounds <= MOST_ROUNDS:
        tie = _probability_shown(rounds, below, tail) + _probability_shown(rounds, above, tail) - 1
        if max(_probability_shown(rounds, slower, tail), tie) >= CONFIDENCE:
            return rounds
        rounds = max(rounds + 1, int(STEP * rounds))
    return None


def _probability_shown(rounds: int, share: float, tail: Fraction) -> float:
    """Return the probability that so many rounds show what a share of them has."""
    from scipy.special import bdtrc

    fewest = fewest_above(rounds, tail)
    assert fewest is not None  # noqa: S101  # there are enough rounds
    return float(bdtrc(fewest - 1, rounds, share))
