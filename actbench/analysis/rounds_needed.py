"""How many rounds a live check needs until a difference as large as the margin is decided, by the scatter of rounds.

A case whose time did not change is `unchanged` once its interval lies inside the margin. The interval is made of bets
on signs (`actbench.analysis.sequential`): after n rounds it does so exactly where at most n - k(n) rounds lie above the
margin and at most as many below it, with k(n) the fewest that refute a median. The numbers of such rounds are binomial,
so the n follows at which both are few enough with 95 % probability. The sum of both tails bounds the probability that
either is not; a check that looks after every round needs no more.

The probability of a round beyond the margin comes from the rounds seen, as (hits + 1/2) / (rounds + 1): few rounds
within the margin do not promise that all will be (R. E. Krichevsky and V. K. Trofimov, "The performance of universal
encoding", IEEE Transactions on Information Theory 27, 1981). No distribution is assumed: rounds may be skewed or have
two modes. Simulated checks that follow are decided after that many rounds in about 95 % of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actbench.analysis.sequential import TAIL_PROBABILITY, fewest_above, fewest_rounds
from actbench.analysis.statistics import CONFIDENCE

MOST_ROUNDS = 1000
"""Number of rounds up to which a need is computed: more would take hours."""

STEP = 1.04
"""Factor between the numbers of rounds that are tried: a need is not known more closely."""

FEWEST_ROUNDS = fewest_rounds(float(TAIL_PROBABILITY))
"""Smallest number of rounds after which a live check has an interval, and so a verdict."""


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes to decide a difference as large as the margin with 95 % probability, from the first round on."""

    rounds: int | None
    """None for more than `MOST_ROUNDS`."""
    seconds: float | None
    """Of the rounds, with all that starts them; None likewise."""


def rounds_needed(samples: ArrayLike, margin: float) -> int | None:
    """Return the rounds after which a case that did not change is `unchanged`; None where `MOST_ROUNDS` are too few.

    `samples` are one logarithm of a ratio per round, `margin` is the logarithm of the allowed one. Only their scatter
    matters, not where they lie. With fewer than `FEWEST_ROUNDS` of them, the scatter is unknown, and the answer is
    that number.
    """
    rounds = np.asarray(samples, dtype=np.float64)
    if rounds.size < FEWEST_ROUNDS:
        return FEWEST_ROUNDS
    beyond = _shares_beyond(rounds - np.median(rounds), margin)
    return next((number for number in _tried() if _probability_open(number, beyond) <= 1 - CONFIDENCE), None)


def _shares_beyond(centred: NDArray[np.float64], margin: float) -> tuple[float, float]:
    above, below = np.count_nonzero(centred > margin), np.count_nonzero(centred < -margin)
    return (above + 0.5) / (centred.size + 1), (below + 0.5) / (centred.size + 1)


def _tried() -> Sequence[int]:
    numbers = [FEWEST_ROUNDS]
    while (following := max(numbers[-1] + 1, int(STEP * numbers[-1]))) <= MOST_ROUNDS:
        numbers.append(following)
    return numbers


def _probability_open(rounds: int, beyond: tuple[float, float]) -> float:
    """Return a bound of the probability that a case without a change is still open after so many rounds."""
    from scipy.special import bdtrc

    above = fewest_above(rounds)
    assert above is not None  # noqa: S101  # there are enough rounds
    return sum(float(bdtrc(rounds - above, rounds, share)) for share in beyond)
