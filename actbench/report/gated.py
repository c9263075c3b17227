"""What figures are of gated activations, y = g(a) b, where a table has any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from actbench import registry
from actbench.analysis.accuracy import Accuracy
from actbench.model.checks import Check
from actbench.model.names import Quantity


def of_checks(checks: Iterable[Check]) -> Iterator[str]:
    """Say what the error and z of checks are."""
    if any(one.is_gated for one in registry.known_activations(check.kernel.activation for check in checks)):
        yield "Of gated activations, it is the larger error of the gradients of a and b, and z is a."


def of_survey(kernels: Sequence[Accuracy]) -> str:
    """Say what the errors, zones and z of a survey are; a sentence behind others, or nothing."""
    ours = [item for item in kernels if item.gated]
    if not ours:
        return ""
    what = "y" if ours[0].quantity is Quantity.FORWARD else "the worse of the gradients of a and b"
    return f" Of gated activations, {what}, z being a, and b from N(0, 1); zones begin and end at evaluated points."
