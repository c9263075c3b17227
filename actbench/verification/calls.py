"""Checks of further calls of a kernel: on other inputs, in other sizes, and at NaN and ±inf.

Built-in activations keep these conventions; other activations keep them where they state so:

* y is NaN where z is NaN, so that no forward pass hides a network that has diverged.
* g' is NaN there, too. Where g' is piecewise constant and z is only compared, g' at NaN is the number that the
  activation states (``at_nan``): another comparison would cost time, and dy is NaN by then in any case. A user's
  strategy for such an activation may return any of the slopes, or NaN.

At ±inf, y and g' equal their values at the largest finite number, or are infinite with the same sign, or are NaN where
the formula evaluates inf - inf or 0 * inf, as in the frameworks. Any other number is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from actbench import activations
from actbench.errors import WrongKernelError
from actbench.kernels.kernel import Kernel
from actbench.kernels.subject import Subject
from actbench.model.number_formats import clipped, limits, numpy_dtype
from actbench.model.sizes import counted_elements
from actbench.verification import allowance, gated, rows
from actbench.verification.arguments import SIZES
from actbench.verification.elements import hold, truth_of
from actbench.verification.evaluation import Evaluate
from actbench.verification.examination import Examination
from actbench.verification.points import further, points
from actbench.verification.truth import Array

TWICE = 2
"""Number of calls of each size, on different inputs."""

AMONG = np.array([0.5, -1.0, 2.0, -0.25, 1.5, -3.0, 0.0, 0.75, -2.0, 1.0, -0.5, 3.0, 0.25])
"""The z that surround NaN and ±inf in a call. NaN and ±inf must not change their results."""

VANISHING = 0.9
"""A value tends to 0 if at most this part of its size at sqrt(max) is left at the largest number max."""

SPECIAL = {3: np.nan, 7: np.inf, 11: -np.inf}
"""Positions of NaN and ±inf in a call."""


def check_calls(kernel: Subject, evaluate: Evaluate) -> None:
    """Call a kernel on other inputs, in other sizes, and at NaN and ±inf.

    A rung of the overhead ladder declares nothing beyond its one call. `WrongKernelError` names the call that fails.
    """
    if not isinstance(kernel, Kernel):
        return
    if kernel.is_gated:
        gated.check_calls(kernel, evaluate)
        return
    if kernel.is_row:
        rows.check_calls(kernel, evaluate)
        return
    rng = np.random.default_rng()
    indices = np.arange(further(kernel.activation, kernel.dtype).size)
    if kernel.backend.compiles_for_a_size:
        indices = np.resize(indices, points(kernel.activation, kernel.dtype).size)
    numbers = indices[np.isfinite(_check_call(kernel, evaluate, indices, rng))]
    if numbers.size and not kernel.backend.compiles_for_a_size:
        for size in TWICE * SIZES:  # only z at which the call above raised nothing
            _check_call(kernel, evaluate, rng.choice(numbers, size), rng)
    _check_conventions(kernel, evaluate)


def _check_call(kernel: Kernel, evaluate: Evaluate, chosen: Array, rng: np.random.Generator) -> Array:
    """Call a kernel once on the points with these indices, compare with the truth, and return the derivative."""
    points_drawn = further(kernel.activation, kernel.dtype)
    slope, output = (known.at(chosen) for known in truth_of(kernel.activation, points_drawn))
    z = points_drawn[chosen]
    dy = rng.choice([1.0, -1.0, 2.0, -2.0], z.size)  # factors that round nothing
    call = Examination.of_call(kernel, evaluate, z, dy, (slope, output))
    hold(call, f"in a call on {counted_elements(z.size)}")
    return call.answer.derivative


def _check_conventions(kernel: Kernel, evaluate: Evaluate) -> None:
    z = np.insert(AMONG, [place - number for number, place in enumerate(SPECIAL)], [*SPECIAL.values()])
    z = z.astype(numpy_dtype(kernel.dtype))
    if kernel.backend.compiles_for_a_size:
        z = np.resize(z, points(kernel.activation, kernel.dtype).size)
    limit = limits(kernel.dtype).max
    finite = clipped(np.where(np.isnan(z), np.zeros_like(z), z), limit)  # at ±inf the largest number's truth counts
    slope, output = truth_of(kernel.activation, finite)
    answer = evaluate(kernel.identity, z, np.ones_like(z))
    number = np.isfinite(z)
    inputs = (z[number], np.ones_like(z[number]))
    hold(Examination(kernel, *inputs, answer.at(number), slope.at(number), output.at(number)), "beside NaN and ±inf")
    if kernel.is_shipped or kernel.backend.conventions:
        return  # what it gives at NaN and ±inf is the library's convention
    formulas = kernel.formulas
    convention = nan if formulas.at_nan is None else formulas.at_nan
    stated, ours = formulas.at_nan is not None, activations.is_built_in(kernel.activation)
    if stated or ours:
        free = stated and ours and not kernel.is_built_in  # a user's comparisons may differ at NaN
        also = [nan, *slope.nearest[number]] if free else []
        _check_at_nan(kernel, kernel.op.symbol, answer.derivative[np.isnan(z)], convention, also)
        if answer.y is not None:
            _check_at_nan(kernel, "y", answer.y[np.isnan(z)], nan)
    infinite = np.isinf(z)
    nearer = np.where(infinite, np.sign(z) * np.sqrt(float(limit)), finite).astype(z.dtype)
    slope_before, output_before = truth_of(kernel.activation, nearer)
    wrong = infinite & allowance.exceeding(kernel, answer.derivative, slope, finite)
    _check_limit(kernel, kernel.op.symbol, z, _Limit(answer.derivative, slope.nearest, slope_before.nearest, wrong))
    if answer.y is not None:
        wrong = infinite & allowance.output_exceeding(kernel, answer.y, output, finite, answer.raised)
        _check_limit(kernel, "y", z, _Limit(answer.y, output.nearest, output_before.nearest, wrong))


def _check_at_nan(kernel: Kernel, what: str, computed: Array, expected: float, also: Sequence[float] = ()) -> None:
    expected = float(numpy_dtype(kernel.dtype).type(expected))
    allowed = [np.full_like(computed, value) for value in (expected, *also)]
    if not any(np.array_equal(computed, values, equal_nan=True) for values in allowed):
        raise WrongKernelError(
            f"{kernel.id} is wrong: at z = NaN it gives {computed[0]:.9g} where {what} = {expected:.9g}, by convention"
        )


@dataclass(frozen=True, slots=True)
class _Limit:
    """Results of a kernel at ±inf, and the truth at the largest finite number."""

    computed: Array
    limit: Array
    before: Array
    """The truth at the square root of the largest number: a value that is smaller at the largest one tends to 0."""
    differs: Array


def _check_limit(kernel: Kernel, what: str, z: Array, at: _Limit) -> None:
    infinite = np.isinf(at.computed) & (np.sign(at.computed) == np.sign(at.limit))
    vanishing = (at.computed == 0) & (np.abs(at.limit) <= VANISHING * np.abs(at.before))
    wrong = at.differs & ~np.isnan(at.computed) & ~infinite & ~vanishing
    if wrong.any():
        place = int(np.argmax(wrong))
        raise WrongKernelError(
            f"{kernel.id} is wrong: at z = {z[place]:.9g} it gives {at.computed[place]:.9g} where {what} tends to "
            f"{at.limit[place]:.9g}"
        )
