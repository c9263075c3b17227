"""The time of every case in every round: seconds per call, the median over the round's values."""

from __future__ import annotations

from collections.abc import Mapping

from actbench.analysis.statistics import Floats, medians
from actbench.model.cases import Block, Case
from actbench.model.times import Times


def medians_per_round(times: Times) -> dict[Block, Floats]:
    """Return the medians by block, as an array of rounds x arms."""
    return {block: medians(times.seconds(block)) for block in times.blocks}


def medians_by_case(times: Times, middles: Mapping[Block, Floats]) -> dict[Case, Floats]:
    """Return the medians by case, in the order of rounds; `middles` are the `medians_per_round`."""
    return {case: rounds for block in times.blocks for case, rounds in zip(block.timed, middles[block].T, strict=True)}
