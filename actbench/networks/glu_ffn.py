"""A gated feed-forward part: N. Shazeer, "GLU variants improve transformer", 2020; with silu it is SwiGLU's."""

from __future__ import annotations

from actbench.model.networks import Activate, Layer, Linear, Multiply, network


@network
def glu_ffn(width: int, hidden: int) -> list[Layer]:
    """g(x A) times x B, then linear: the gated feed-forward part of a transformer."""
    gate = (Linear(width, hidden), Activate())
    return [Multiply(gate, (Linear(width, hidden),)), Linear(hidden, width)]
