"""What weaknesses declare of the inputs of a call: where they are, and how large an error they allow, as arrays.

`where=` of a weakness is a function of the inputs, which are z, or a and b of a gated activation, or z and the targets
of rows, and the float format. The functions below take these inputs; results have the shape of the first one. Code of a
user's runs in `where=`: it has a time limit, and what it returns is held to what it should be.
"""

from __future__ import annotations

import numpy as np

from actbench.errors import WrongKernelError
from actbench.formula import Flaw, Weakness
from actbench.model.checks import STATED_ULP
from actbench.model.number_formats import limits
from actbench.plugins import guarded
from actbench.verification.truth import Array

MOST = 1e300
"""Upper limit of the factor of an error. The factors that an activation declares may overflow where z is large."""

KINDS = dict.fromkeys(Flaw, "b") | {Flaw.INACCURATE: "bfiu", Flaw.AMPLIFIES: "bfiu"}
"""numpy's kinds of what a region may be given as, by flaw."""


def declared_at(weakness: Weakness, *inputs: Array) -> Array:
    """Return what `where=` gives for each element: whether the weakness is there, or its factor, or its bound in ULP.

    `WrongKernelError` where it does not give one such value for each; `LoadedCodeError` where it raises, or never ends.
    """
    z, *more = inputs
    with np.errstate(all="ignore"), guarded(what=f"where= of '{weakness.why}'", points=z.size):
        wide = (array.astype(np.float64) if array.dtype == z.dtype else array for array in more)
        values = weakness.where(z.astype(np.float64), *wide, limits(z.dtype))
    wanted = "a number" if weakness.flaw is Flaw.AMPLIFIES else "True or False"
    remedy = f"return {wanted} for each z"
    try:
        there = np.asarray(values)
        shaped = np.broadcast_to(there, z.shape)
    except ValueError:  # also of lists of several lengths
        shape = f"the shape {np.shape(values)}" if isinstance(values, np.ndarray) else f"{type(values).__name__}s"
        raise WrongKernelError(
            f"where= of '{weakness.why}' gives {shape} where z has the shape {z.shape}: {remedy}"
        ) from None
    if there.dtype.kind not in KINDS[weakness.flaw]:
        first = next(iter(there.ravel().tolist()), values)
        raise WrongKernelError(f"where= of '{weakness.why}' gives {first!r} and not {wanted}: {remedy}")
    return shaped


def region(weakness: Weakness, *inputs: Array) -> Array:
    """Return where a weakness is declared, or has a factor or a bound other than 0."""
    return declared_at(weakness, *inputs).astype(bool)


def regions(weaknesses: tuple[Weakness, ...], *inputs: Array) -> dict[Flaw, Array]:
    """Return where each flaw is declared, as boolean arrays; all False for `AMPLIFIES`, which has a factor instead."""
    there = {flaw: np.zeros(inputs[0].shape, dtype=bool) for flaw in Flaw}
    for weakness in weaknesses:
        if weakness.flaw is not Flaw.AMPLIFIES:
            there[weakness.flaw] |= region(weakness, *inputs)
    return there


def declared(weaknesses: tuple[Weakness, ...], *inputs: Array) -> Array:
    """Return where any weakness has an effect."""
    there = np.zeros(inputs[0].shape, dtype=bool)
    for weakness in weaknesses:
        there |= reach(weakness, *inputs)
    return there


def reach(weakness: Weakness, *inputs: Array) -> Array:
    """Return where a weakness has an effect."""
    if weakness.flaw is Flaw.AMPLIFIES:
        return bounded(declared_at(weakness, *inputs)) > 0
    return region(weakness, *inputs)


def allowed(weaknesses: tuple[Weakness, ...], *inputs: Array) -> Array:
    """Return the allowed error in ULP, for all flaws whose bound is in ULP."""
    most = STATED_ULP * factor(weaknesses, *inputs)
    for weakness in weaknesses:
        if weakness.flaw is Flaw.INACCURATE:
            there = declared_at(weakness, *inputs)
            bound = np.where(there, MOST, 0.0) if there.dtype == bool else bounded(there)
            most = np.maximum(most, bound)
    return most


def factor(weaknesses: tuple[Weakness, ...], *inputs: Array) -> Array:
    """Return by how much amplification multiplies the stated error."""
    total = np.ones(inputs[0].shape)
    for weakness in weaknesses:
        if weakness.flaw is Flaw.AMPLIFIES:
            total += bounded(declared_at(weakness, *inputs))
    return total


def bounded(declared: Array) -> Array:
    """Return a declared bound as finite numbers. NaN, where the bound is undefined, becomes 0."""
    return np.asarray(np.clip(np.nan_to_num(declared.astype(np.float64), nan=0.0, posinf=MOST), 0.0, MOST))
