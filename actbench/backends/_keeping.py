"""A forward pass that also returns what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def forward_keeping(
    residuals: tuple[str, ...], forward: Callable[[Any], Any], save: Callable[[Any], Any] | None
) -> Callable[[Any], Any]:
    """Return a forward pass over a whole array that also returns the residuals: z -> (y, residual, ...)."""
    match residuals:
        case ("z", _, *_) if save:

            def keeping(z: Any) -> Any:
                y, *saved = save(z)
                return y, z, *saved

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


def gated_forward_keeping(
    residuals: tuple[str, ...], forward: Callable[[Any, Any], Any], save: Callable[[Any, Any], Any] | None
) -> Callable[[Any, Any], Any]:
    """Return the same of a gated activation: a, b -> (y, residual, ...)."""
    match residuals:
        case ("a", "b", _) if save:

            def keeping(a: Any, b: Any) -> Any:
                y, saved = save(a, b)
                return y, a, b, saved

        case _ if save:

            def keeping(a: Any, b: Any) -> Any:
                y, saved = save(a, b)
                return y, b, saved

        case ("a", "b"):

            def keeping(a: Any, b: Any) -> Any:
                return forward(a, b), a, b

        case ("y", "b"):

            def keeping(a: Any, b: Any) -> Any:
                y = forward(a, b)
                return y, y, b

        case _:

            def keeping(a: Any, b: Any) -> Any:
                y = forward(a, b)
                return y, a, b, y

    return keeping
