"""A forward pass that also returns what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def forward_keeping(
    residuals: tuple[str, ...], forward: Callable[[Any], Any], save: Callable[[Any], Any] | None
) -> Callable[[Any], Any]:
    """Return a forward pass over a whole array that also returns the residuals: z -> (y, residual, ...)."""
    match residuals:
        case ("z", _) if save:

            def keeping(z: Any) -> Any:
                y, saved = save(z)
                return y, z, saved

        case _ if save:
            return save

        case ("z",):

            def keeping(z: Any) -> Any:
                return forward(z), z

        case ("y",):

            def keeping(z: Any) -> Any:
                y = forward(z)
                return y, y

        case _:

            def keeping(z: Any) -> Any:
                y = forward(z)
                return y, z, y

    return keeping
