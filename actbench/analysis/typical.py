"""What a case typically took, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.statistics import Floats, medians
from actbench.model import Block, Case
from actbench.runs.times import Times


@dataclass(frozen=True, slots=True)
class Typical:
    """A case; both arrays have one entry a round, in the order of rounds."""

    seconds: NDArray[np.float64]
    """Of one call: the median over the round's values."""
    values: NDArray[np.int64]
    """How many there are."""


def by_round(times: Times) -> dict[Block, Floats]:
    """Return by block the seconds of a call by round and arm: the median over the round's values."""
    return {block: medians(times.seconds(block)) for block in times.blocks}


def typical(times: Times, middles: Mapping[Block, Floats]) -> dict[Case, Typical]:
    """Return by case its rounds; those of a yardstick are of all the blocks that it is part of.

    `middles` are the medians `by_round`.
    """
    found: dict[Case, Typical] = {}
    shared: dict[Case, dict[int, list[NDArray[np.float64]]]] = {}
    for block in times.blocks:
        seconds = times.seconds(block)
        middle, values = middles[block].T, np.sum(~np.isnan(seconds), axis=-1).T
        for arm, case in enumerate(block.timed):
            found.setdefault(case, Typical(middle[arm], values[arm]))
            if case.is_yardstick:
                rounds = shared.setdefault(case, {})
                for number, own in zip(times.rounds(block), seconds[:, arm], strict=True):
                    rounds.setdefault(number, []).append(own)
    for case, rounds in shared.items():
        pooled = [np.concatenate(parts) for _, parts in sorted(rounds.items())]
        middle, values = np.array([medians(each) for each in pooled]), np.array([np.sum(~np.isnan(e)) for e in pooled])
        found[case] = Typical(middle, values)
    return found
