"""One dense layer: the smallest thing that is trained."""

from __future__ import annotations

from actbench.model.networks import Activate, Layer, Linear, network


@network
def dense(inputs: int, outputs: int) -> list[Layer]:
    """One linear layer and its activation."""
    return [Linear(inputs, outputs), Activate()]
