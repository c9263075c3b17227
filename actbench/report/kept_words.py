"""What each strategy keeps from the forward to the backward pass, in words."""

from __future__ import annotations

from actbench.model.training import CHECKPOINT, SHIPPED

KEPT = {
    "textbook": "z",
    "recompute": "z",
    "cached": "y",
    "complement": "the small side of y",
    "intermediate": "what the forward pass computed on the way",
    "pair": "z and y",
    SHIPPED: "what the framework saves",
    CHECKPOINT: "the layer's input alone",
}
"""By strategy."""
