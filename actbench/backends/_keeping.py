"""A forward pass that also returns what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.model.rule import TARGETED, Rule


def keeping_of(rule: Rule, forward: Callable[..., Any], save: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return a forward pass of a rule that also returns the residuals, by these functions of whole arrays."""
    if rule.is_row:
        return row_forward_keeping(rule, forward, save)
    keeping = gated_forward_keeping if rule.is_gated else forward_keeping
    return keeping(rule.residuals, forward, save)


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


def row_forward_keeping(rule: Rule, forward: Callable[..., Any], save: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return the same of a row activation's rule, by these functions of its inputs: z, or z and target."""
    if rule.inputs != TARGETED:
        return forward_keeping(rule.residuals, forward, save)
    before = tuple(TARGETED.index(name) for name in rule.residuals if name in TARGETED)

    if save:

        def keeping(z: Any, target: Any) -> Any:
            y, *saved = save(z, target)
            return y, *[(z, target)[place] for place in before], *saved

    elif "y" in rule.residuals:

        def keeping(z: Any, target: Any) -> Any:
            y = forward(z, target)
            return y, *[(z, target)[place] for place in before], y

    else:

        def keeping(z: Any, target: Any) -> Any:
            return forward(z, target), *[(z, target)[place] for place in before]

    return keeping
