"""Mathematical facts about an activation, for people."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.formula import Activation


def signature(activation: Activation) -> str:
    """Return the name in the form of the command line, with every parameter: ``elu:alpha=1``."""
    return "".join([activation.plain_name, *(f":{name}={value:g}" for name, value in activation.parameters.items())])


def facts(activation: Activation) -> Iterator[str]:
    """Yield its range, the conventions at kinks, and why y does not suffice, or there is no g'', where that is so."""
    low, high = activation.formulas.range
    of = " of g(a) = y / b" if activation.is_gated else ""
    yield f"values{of} from {low:.6g} to {high:.6g}"
    if activation.formulas.kinks:
        symbol = "g''" if activation.first else "g'"
        kinks = ", ".join(f"{symbol}({z:g}) = {slope:.6g}" for z, slope in activation.formulas.kinks.items())
        yield f"at the {'jumps' if activation.first else 'kinks'}, by convention, {kinks}"
    if activation.formulas.uncached:
        has_cached = "cached" in activation.formulas.strategies
        yield f"{'y is not enough' if has_cached else 'no cached'}: {activation.formulas.uncached}"
    if activation.formulas.without_second:
        yield f"no second derivative: {activation.formulas.without_second}"
