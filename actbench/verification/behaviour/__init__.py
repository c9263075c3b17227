"""What a kernel does as a function over arrays, beside being right: looked at where it runs, in the worker.

A kernel that remembers its last result, returns a view of its operand, destroys its input, forgets the last elements of
some sizes or is right in its first call alone has a speed that means nothing. `guarded` calls a kernel on operands
between guard bytes, `comparison` holds every element of a large result to another formula, and `watch` looks at one
more call after every timed value. All of them tell facts; `actbench.verification.oracle` decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actbench.kernels.operands import Array


@dataclass(frozen=True, slots=True)
class Elements:
    """Some elements of a result: inputs, and what came; arrays of one length in the case's dtype."""

    z: Array
    dy: Array
    computed: Array


NO_ELEMENTS = Elements(*(np.empty(0) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Doubt:
    """What was seen of an arm: what it must not do, in words, or elements that differ from what was expected."""

    arm: int
    fault: str = ""
    elements: Elements = NO_ELEMENTS
    of_output: bool = False
    """Whether the elements are of y, and not of g' or dy * g'."""
