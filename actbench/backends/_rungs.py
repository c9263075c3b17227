"""The functions of the overhead ladder that backends share: nothing, a copy, and an arithmetic that is y (1 - y)."""

from __future__ import annotations

from typing import Any

from actbench.model.rule import Rule


def empty() -> None:
    """Do nothing."""


def same(y: Any) -> Any:
    """Return y."""
    return y


def product(y: Any) -> Any:
    """Return y (1 - y)."""
    return y * (1.0 - y)


COPY_RULE = Rule(forward=same, derivative=same, save=None)
"""The ladder's rung `loop`, as a formula."""

PRODUCT_RULE = Rule(forward=product, derivative=product, save=None)
"""The ladder's rung `arithmetic`, as a formula."""
