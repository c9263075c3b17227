"""What is said of a kernel that is refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from actbench import activations
from actbench.errors import WrongKernelError
from actbench.model import STATED_ULP, Kernel
from actbench.truth import Array, Truth, sides_at
from actbench.truth.diagnosis import Evidence, guess, telling

SEEN = 10.0
"""|z| that a layer sees: what is wrong there is told before what is wrong beyond."""

NEXT_TO = 1e-6
"""How far from a kink it may show, where g' is known by differences; relative to |z| where that is above 1."""


def check_form(kernel: Kernel, array: Array, z: Array) -> None:
    """Raise `WrongKernelError` for a result of another dtype or shape than z."""
    if array.dtype != kernel.dtype:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns {array.dtype} where {kernel.dtype} was asked for")
    if array.shape != z.shape:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns shape {array.shape} for an input of shape {z.shape}")


def worst_place(error: Array, z: Array) -> int:
    """Return where the error is largest; of several such z the one nearest to 0."""
    return int(np.lexsort((np.abs(z), -error))[0])


def _plainest(error: Array, z: Array, wrong: Array) -> int:
    """Return where it is worst among the z that layers see, where it is wrong there; else where it is worst."""
    seen = wrong & (np.abs(z) <= SEEN)
    return worst_place(np.where(seen, error, -1.0) if seen.any() else error, z)


def wrong_derivative(evidence: Evidence, slope: Truth, raised: str | None) -> WrongKernelError:
    """Say what a wrong derivative looks like, at a z where that shows; else how wrong it is, where layers see it.

    What the call raised is told where it left no number.
    """
    error = np.where(evidence.wrong, slope.error(evidence.computed), -1.0)
    worst = worst_place(error, evidence.z)
    words, at = _sides(evidence.kernel.activation, float(evidence.z[worst])), worst
    words = words or _raised(evidence.computed[worst], raised)
    if not words and (words := guess(evidence)) and (small := telling(evidence)) is not None:
        at = small
    if not words:
        at = _plainest(error, evidence.z, evidence.wrong)
    return refused(evidence.kernel, "g'", evidence.z[at], evidence.computed[at], slope.nearest[at], error[at], words)


def _sides(activation: str, z: float) -> str:
    """Say what is the matter with g itself at z, which is then not the kernel's fault."""
    chosen = activations.get(activation)
    for at in (0.0, z) if abs(z) < NEXT_TO else (z,):
        declared = any(abs(at - kink) <= NEXT_TO * max(1.0, abs(at)) for kink in chosen.formulas.kinks)
        if not declared and (sides := sides_at(activation, at)) and (words := sides.words(at)):
            return words
    return ""


def wrong_output(  # noqa: PLR0913, PLR0917  # all of it is evidence
    kernel: Kernel, z: Array, computed: Array, expected: Truth, wrong: Array, raised: str | None
) -> WrongKernelError:
    """Say where a step's y is wrong."""
    error = np.where(wrong, expected.error(computed), -1.0)
    worst = worst_place(error, z)
    words = _raised(computed[worst], raised)
    return refused(kernel, "y", z[worst], computed[worst], expected.nearest[worst], error[worst], words)


def _raised(computed: Any, raised: str | None) -> str:
    """Return words for a result that is no number because the call raised, or none."""
    return f"it raised {raised}" if raised and np.isnan(computed) else ""


def refused(  # noqa: PLR0913, PLR0917  # all of it is said
    kernel: Kernel, what: str, z: Any, computed: Any, expected: Any, error: float, words: str = ""
) -> WrongKernelError:
    """Return the error for a wrong result at one z; `what` is what it should be, `words` what it looks like."""
    extent = f": {words}" if words else f" ({error:.3g} ULP; {STATED_ULP:g} are allowed)"
    return WrongKernelError(
        f"{kernel.id} is wrong: at z = {z + 0:.9g} it gives {computed:.9g} where {what} = {expected:.9g}{extent}"
    )
