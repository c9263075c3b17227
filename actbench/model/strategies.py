"""Strategies: which residuals are kept, and how g' is computed from them."""

from __future__ import annotations

STRATEGIES = {
    "textbook": "keep z; the quotient-rule form as published, which overflows",
    "recompute": "keep z; evaluate the exponential again, in a numerically stable form",
    "cached": "keep the output y; a multiplication and a subtraction",
    "complement": "keep the small side of the output, e.g. min(y, 1 - y)",
    "intermediate": "keep z and what the forward pass computed on the way, e.g. the s of z s(z)",
    "pair": "keep z and y, both alive anyway; from y / z comes what would take an exponential",
}
"""Every strategy and what it keeps, in the order in which tables list them."""
