"""What a case typically took, round by round: seconds of a call, the median over the round's values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from actbench.analysis.statistics import Floats, medians
from actbench.model import Block, Case
from actbench.model.times import Times


def by_round(times: Times) -> dict[Block, Floats]:
    """Return them by block, as an array of rounds x arms."""
    return {block: medians(times.seconds(block)) for block in times.blocks}


def typical(times: Times, middles: Mapping[Block, Floats]) -> dict[Case, Floats]:
    """Return them by case, in the order of rounds; a yardstick's are of all the blocks that it is part of.

    `middles` are those `by_round`.
    """
    found = {case: rounds for block in times.blocks for case, rounds in zip(block.timed, middles[block].T, strict=True)}
    shared: dict[Case, dict[int, list[Floats]]] = {}
    for block in times.blocks:
        seconds, numbers = times.seconds(block), times.rounds(block)
        for arm in range(len(block.arms), len(block.timed)):
            by_number = shared.setdefault(block.timed[arm], {})
            for number, values in zip(numbers, seconds[:, arm], strict=True):
                by_number.setdefault(number, []).append(values)
    for case, rounds in shared.items():
        found[case] = np.array([medians(np.concatenate(parts)) for _, parts in sorted(rounds.items())])
    return found
