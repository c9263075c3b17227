"""Mathematical facts about an activation, for people."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.formula import Activation


def signature(activation: Activation) -> str:
    """Return the name in the form of the command line, with every parameter: ``elu:alpha=1``."""
    return "".join([activation.plain_name, *(f":{name}={value:g}" for name, value in activation.parameters.items())])


def facts(activation: Activation) -> Iterator[str]:
    """Yield its range, the convention at its kinks, and why y does not suffice where that is so."""
    low, high = activation.formulas.range
    yield f"values from {low:.6g} to {high:.6g}"
    if activation.formulas.kinks:
        kinks = ", ".join(f"g'({z:g}) = {slope:.6g}" for z, slope in activation.formulas.kinks.items())
        yield f"at the kinks, by convention, {kinks}"
    if activation.formulas.uncached:
        yield f"no cached: {activation.formulas.uncached}"
