"""The time of every case in every round: seconds per call, the median over the round's values."""

from __future__ import annotations

from actbench.analysis.statistics import Floats, medians
from actbench.model.cases import Block
from actbench.model.times import Times


def medians_per_round(times: Times) -> dict[Block, Floats]:
    """Return the medians by block, as an array of rounds x arms."""
    return {block: medians(times.seconds(block)) for block in times.blocks}
