"""The oracle for gated activations, y = g(a) b: both gradients, dy b g'(a) and dy g(a), against mpmath.

The truth of g and g' is that of the elementwise activation g (`gate_of`), at the z at which every activation is
checked; b is 1, 0, tiny, large, and drawn anew in every process. Products are exact
(`actbench.verification.truth.products`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from actbench.errors import WrongKernelError
from actbench.formula import Activation, Flaw
from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP, Check
from actbench.model.names import NARROW, Dtype
from actbench.model.number_formats import limits
from actbench.model.sizes import counted_elements
from actbench.verification import declared_range, flaws, shipped_gated
from actbench.verification.allowance import FLUSHED, undeclared
from actbench.verification.arguments import FACTORS, PRODUCT, SIZES
from actbench.verification.bands import by_band
from actbench.verification.evaluation import Evaluate, Evaluation
from actbench.verification.points import further, points
from actbench.verification.truth import Array
from actbench.verification.truth.products import Product, Truths, expected, gate_of, no_product

AT_NAN = ((np.nan, 1.0), (1.0, np.nan))
"""Pairs of inputs where y is NaN, so that no forward pass hides a network that has diverged."""


@cache
def checked(activation: Activation, dtype: Dtype) -> tuple[Array, Array, Truths]:
    """Return the (a, b) at which kernels are checked, as two columns, upstream gradients, and the truth."""
    gate, fmt, rng = gate_of(activation), limits(dtype), np.random.default_rng()
    a = np.concatenate([points(gate, dtype), further(gate, dtype)])
    special = [1.0, -1.0, 0.0, -0.0, 0.5, float(fmt.tiny), -float(fmt.smallest_subnormal), 1e3, -1e-3]
    drawn = rng.standard_normal(a.size)
    spread = np.exp(rng.uniform(np.log(float(fmt.tiny)), np.log(float(fmt.max)), a.size))
    columns = [np.resize(special, a.size), drawn, np.copysign(spread, drawn)]
    inputs = np.concatenate([np.stack([a, b.astype(a.dtype)], axis=-1) for b in columns])
    dy = np.resize(FACTORS, len(inputs)).astype(inputs.dtype)
    truth = expected(activation, inputs, dy)
    *gradients, y = (np.abs(one.truth.nearest.astype(np.float64)) for one in truth)
    below = float(fmt.max) / 8  # in between, which operation overflows is left to a formula
    representable = (gradients[0] < below) & (gradients[1] < below) & ((y < below) | np.isinf(y))
    return inputs[representable], dy[representable], tuple(one.at(representable) for one in truth)


@dataclass(frozen=True)
class GatedCall:
    """One call of a kernel beside the truth."""

    kernel: Kernel
    inputs: Array
    dy: Array
    answer: Evaluation
    expected: Truths

    @cached_property
    def errors(self) -> Array:
        """The errors of both gradients, as two columns."""
        computed = self.answer.derivative
        return np.stack([self.expected[column].error(computed[:, column]) for column in (0, 1)], axis=-1)

    def require(self, when: str = "", slack: float = 0.0) -> None:
        """Raise `WrongKernelError` for the worst element that breaks what the strategy declares."""
        shape = self.answer.derivative.shape
        if shape != self.inputs.shape or self.answer.derivative.dtype != self.inputs.dtype:
            raise WrongKernelError(
                f"{self.kernel.id} is wrong{when}: its gradients are {self.answer.derivative.dtype} of shape {shape}, "
                f"where {self.inputs.dtype} of shape {self.inputs.shape} is expected"
            )
        for column, what in enumerate(("gradient of a", "gradient of b")):
            self._require(what, self.answer.derivative[:, column], self.expected[column], when, slack)
        if self.answer.y is not None:
            self._require("y", self.answer.y, self.expected[2], when, slack)

    def _require(self, what: str, computed: Array, right: Product, when: str, slack: float) -> None:
        error = right.error(computed)
        wrong, most = self._exceeding(what, computed, right, error, slack)
        if wrong.any():
            worst = int(np.argmax(np.where(wrong, error, -1.0)))
            a, b = self.inputs[worst]
            raise WrongKernelError(
                f"{self.kernel.id} is wrong{when}: at a = {a:.9g}, b = {b:.9g}, dy = {self.dy[worst]:.9g} its {what} "
                f"is {computed[worst]:.9g} where {right.truth.nearest[worst]:.9g} is right ({error[worst]:.3g} ULP; "
                f"{'1 % is' if most is None else f'{most[worst]:.3g} are'} allowed)"
            )

    def _exceeding(
        self, what: str, computed: Array, right: Product, error: Array, slack: float
    ) -> tuple[Array, Array | None]:
        """Return where a result is wrong, and the ULP that are allowed; None of what a framework ships."""
        if self.kernel.is_shipped:
            return shipped_gated.exceeding(self.kernel, computed, right, self.inputs, self._scale(what)), None
        of_y, inputs = what == "y", tuple(self.inputs.T)
        weaknesses = self.kernel.forward_weaknesses if of_y else self.kernel.weaknesses
        there, factor = flaws.regions(weaknesses, *inputs), flaws.factor(weaknesses, *inputs)
        number = np.isfinite(computed)
        excused = there[Flaw.OVERFLOWS] & ~(number & (computed != 0))
        excused |= there[Flaw.INACCURATE] & number & ~np.isfinite(right.truth.nearest)
        few_eps = self._absolute(right, computed, what) <= STATED_ULP * factor + slack
        excused |= (there[Flaw.CANCELS] | there[Flaw.MERGES]) & few_eps
        if of_y and self.answer.raised:  # a step that raises has no y either
            excused |= flaws.regions(self.kernel.weaknesses, *inputs)[Flaw.OVERFLOWS] & np.isnan(computed)
        if self.kernel.backend.flushes:
            excused |= self._flushed(right, error, factor)
        most = flaws.allowed(weaknesses, *inputs) + slack
        return (error > most) & ~excused, most

    @property
    def shows_flushing(self) -> bool:
        """Whether a gradient is off where a backend that flushes denormals may have lost it."""
        columns = zip(self.expected[:2], self.errors.T, strict=True)
        return any(
            np.any(self._flushed(right, error, np.ones_like(error)) & (error > STATED_ULP)) for right, error in columns
        )

    def _flushed(self, right: Product, error: Array, allowed: Array) -> Array:
        """Return where a backend that flushes denormals has lost a few smallest normal numbers, or inputs are denormal.

        Factors of a result, b and dy, multiply what an intermediate has lost.
        """
        tiny = float(limits(self.inputs.dtype).tiny)
        a, b = np.abs(self.inputs.astype(np.float64)).T
        with np.errstate(all="ignore"):
            lost = FLUSHED * tiny * allowed * np.maximum(1.0, b) * np.maximum(1.0, np.abs(self.dy.astype(np.float64)))
            return np.asarray((error * right.unit < lost) | (a < tiny) | ((b < tiny) & (b > 0)))

    def _absolute(self, right: Product, computed: Array, what: str) -> Array:
        """Return the error in eps, times the factors of the result."""
        with np.errstate(all="ignore"):
            eps = np.maximum(
                float(limits(self.inputs.dtype).eps) * self._scale(what),
                float(limits(self.inputs.dtype).smallest_subnormal),
            )
            return np.asarray(right.error(computed) * (right.unit / eps))

    def _scale(self, what: str) -> Array:
        """Return the size of the factors of g or g' in a result."""
        with np.errstate(all="ignore"):
            size = np.abs(self.dy.astype(np.float64)) if what != "y" else np.ones(self.dy.size)
            return size if what == "gradient of b" else size * np.abs(self.inputs[:, 1].astype(np.float64))


def check(kernel: Kernel, evaluate: Evaluate) -> Check:
    """Compare a kernel with the truth, and with what its strategy declares; `WrongKernelError` states the fault."""
    if reason := no_product(kernel.activation):
        raise WrongKernelError(reason)
    inputs, dy, truth = checked(kernel.activation, kernel.dtype)
    done = GatedCall(kernel, inputs, dy, evaluate(kernel.identity, inputs, dy), truth)
    done.require()
    _require_range(done)
    _require_declared(kernel, done)
    error = done.errors.max(axis=1)
    worst = int(np.argmax(error))
    known = [weakness.why for weakness in kernel.weaknesses]
    if kernel.is_shipped:
        known.append(shipped_gated.remark(kernel, done.answer.derivative, done.errors, inputs))
    if kernel.backend.flushes and done.shows_flushing:
        known.append(kernel.backend.flushes)
    return Check(
        kernel.identity,
        float(error[worst]) if np.isfinite(error[worst]) else None,
        float(inputs[worst, 0]),
        tuple(filter(None, known)),
        by_band=tuple(by_band(inputs[:, 0], error)),
        points=len(inputs),
        kept_bytes=kernel.kept_bytes,
        alive_bytes=kernel.alive_bytes,
        moved_bytes=kernel.moved_bytes,
        preallocates=kernel.preallocates,
        compiler=kernel.compiler,
    )


def _require_range(call: GatedCall) -> None:
    """Raise `WrongKernelError` where g is outside of the range that is declared; of several a it names the smallest.

    g is the gradient of b where dy is 1.
    """
    order = np.flatnonzero(call.dy == 1.0)
    a = call.inputs[:, 0]
    order = order[np.argsort(np.abs(a[order]), kind="stable")]
    g = call.expected[1].truth.at(order)
    declared_range.require(call.kernel, g, g.known, lambda place: f"at a = {a[order][place]:.6g}, b = 1")


def check_calls(kernel: Kernel, evaluate: Evaluate) -> None:
    """Call a kernel on other inputs, in other sizes, and beside NaN."""
    (inputs, dy, truth), rng = checked(kernel.activation, kernel.dtype), np.random.default_rng()
    for size in () if kernel.backend.compiles_for_a_size else SIZES:
        some = rng.integers(len(inputs), size=size)
        answer = evaluate(kernel.identity, inputs[some], dy[some])
        known = tuple(one.at(some) for one in truth)
        GatedCall(kernel, inputs[some], dy[some], answer, known).require(f" in a call on {counted_elements(size)}")
    some = rng.integers(len(inputs), size=13)
    beside, up = (np.insert(array[some], (3, 7), value, axis=0) for array, value in ((inputs, AT_NAN), (dy, 1.0)))
    answer = evaluate(kernel.identity, beside, up)
    number = np.asarray(np.isfinite(beside).all(axis=1))
    known = tuple(one.at(some) for one in truth)
    GatedCall(kernel, beside[number], up[number], answer.at(number), known).require(" beside NaN")
    if answer.y is not None and not kernel.is_shipped and not np.isnan(answer.y[~number]).all():
        raise WrongKernelError(f"{kernel.id} is wrong: y is not NaN where a or b is")


def settle(kernel: Kernel, inputs: Array, dy: Array, computed: Array, *, of_output: bool) -> None:
    """Raise `WrongKernelError` where elements of a result on timed operands are wrong: gradients, or y."""
    truth = expected(kernel.activation, inputs, dy)
    right = np.stack([one.truth.nearest for one in truth[:2]], axis=-1)
    answer = Evaluation(right, computed) if of_output else Evaluation(computed, None)
    GatedCall(kernel, inputs, dy, answer, truth).require(" on timed operands", PRODUCT)


def _require_declared(kernel: Kernel, done: GatedCall) -> None:
    """Raise `WrongKernelError` for a weakness that shows nowhere; in 16 bits it is a bound alone."""
    if kernel.dtype in NARROW:
        return
    error = done.errors.max(axis=1)
    for weakness in kernel.weaknesses:
        if weakness.flaw is Flaw.AMPLIFIES:
            continue  # the factor is a bound, which not every format reaches
        if not np.any(error[flaws.region(weakness, *done.inputs.T)] > STATED_ULP):
            raise undeclared(kernel, weakness)
