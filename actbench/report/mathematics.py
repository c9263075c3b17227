"""What is known of an activation as mathematics, for people to read."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.formula import Activation


def signature(activation: Activation) -> str:
    """Return the name as it is given on the command line, with every parameter: ``elu:alpha=1``."""
    return "".join([activation.plain_name, *(f":{name}={value:g}" for name, value in activation.parameters.items())])


def facts(activation: Activation) -> Iterator[str]:
    """Yield its range, the convention at its kinks, and why y is not enough where it is not."""
    low, high = activation.formulas.range
    yield f"values from {low:.6g} to {high:.6g}"
    if activation.formulas.kinks:
        kinks = ", ".join(f"g'({z:g}) = {slope:.6g}" for z, slope in activation.formulas.kinks.items())
        yield f"at the kinks, by convention, {kinks}"
    if activation.formulas.uncached:
        yield f"no cached: {activation.formulas.uncached}"
