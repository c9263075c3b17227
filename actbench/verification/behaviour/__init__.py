"""Checks of what a kernel does as a function over arrays, beside its values. They run in the worker.

A kernel has no meaningful speed if it remembers its last result, returns a view of its operand, changes its input,
leaves out the last elements of some sizes, or is right only in its first call. `guarded` calls a kernel on operands
between guard bytes, `comparison` compares every element of a large result with another formula, and `watch` checks one
more call after every timed value. They only collect facts; `actbench.verification.oracle` decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actbench.kernels.operands import Array


@dataclass(frozen=True, slots=True)
class Elements:
    """Some elements of a result, with their inputs: arrays of one length in the case's dtype."""

    z: Array
    dy: Array
    computed: Array


NO_ELEMENTS = Elements(*(np.empty(0) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Doubt:
    """A suspicion about an arm: a forbidden behaviour, in words, or elements that differ from the expected ones."""

    arm: int
    fault: str = ""
    elements: Elements = NO_ELEMENTS
    of_output: bool = False
    """Whether the elements are of y; otherwise they are of g' or dy * g'."""
