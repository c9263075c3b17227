"""The feed-forward part of a transformer's layer: A. Vaswani et al., "Attention is all you need", 2017, section 3.3."""

from __future__ import annotations

from actbench.model.networks import Activate, Layer, Linear, network


@network
def ffn(width: int, hidden: int) -> list[Layer]:
    """linear, activation, linear: the feed-forward part of a transformer."""
    return [Linear(width, hidden), Activate(), Linear(hidden, width)]
