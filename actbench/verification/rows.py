"""The oracle for row activations: the gradient of z and y on hard rows, against mpmath.

Errors are in units of the last place of the row's largest (`actbench.verification.truth.rows`). The rows have one
column, equal numbers, one that dominates, numbers up to 1e4 apart, masked ones (-inf), nothing but these, and up to
`LONGEST` columns. They are drawn anew in every process. Of an activation with targets, the target also is the largest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from actbench.errors import WrongKernelError
from actbench.formula import Activation, Flaw
from actbench.kernels import rows as of_rows
from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP, Check
from actbench.model.names import Dtype
from actbench.model.number_formats import limits, numpy_dtype
from actbench.model.rule import TARGETED
from actbench.verification import declared_range, flaws, shipped_rows
from actbench.verification.evaluation import Evaluate, Evaluation
from actbench.verification.truth import Array
from actbench.verification.truth.rows import RowTruth, expected

DISTINCT = 48
"""Columns of which a long row is made: mpmath evaluates each once."""

LONGEST = 100_000
"""Columns of the longest row."""

ROUNDED = 2.0
"""Units that the rounding of residuals and operands as they are timed may add to an error."""

CALLS = ((1, 1), (1, 7), (3, 64), (5, 33))
"""Rows and columns of further calls."""


@dataclass(frozen=True)
class Rows:
    """Rows of as many columns, upstream gradients, and the truth."""

    inputs: tuple[Array, ...]
    """What the forward pass takes: z, and targets where there are any."""
    dy: Array
    gradient: RowTruth
    y: RowTruth

    @property
    def z(self) -> Array:
        """The pre-activations."""
        return self.inputs[0]

    @property
    def lost(self) -> Array:
        """The rows that are masked as a whole, or whose y is no number, or infinite, as where the target is masked."""
        y = self.y.nearest
        lost = [np.isnan(y).any(axis=1), ~np.isfinite(y).any(axis=1), np.isneginf(self.z).all(axis=1)]
        return np.array(np.any(lost, axis=0))[:, None]

    def after_first(self) -> Rows:
        """Return all rows but the first."""
        inputs = tuple(array[1:] for array in self.inputs)
        return Rows(inputs, self.dy[1:], self.gradient.after_first(), self.y.after_first())


def of(activation: Activation, z: Array, dy: Array) -> Rows:
    """Return rows with their truth; of an activation that is one number a row, one dy a row counts."""
    one_a_row = "dy" in of_rows.per_row(activation, "")
    upstream = np.ascontiguousarray(dy[:, :1]) if one_a_row else dy
    return Rows(of_rows.inputs(activation, z), upstream, *expected(activation, z, upstream))


@cache
def checked(activation: Activation, dtype: Dtype) -> tuple[Rows, ...]:
    """Return the rows at which kernels are checked, by their number of columns."""
    rng, kind = np.random.default_rng(), numpy_dtype(dtype)
    spreads = 3.0 ** np.arange(6)[:, None]
    drawn = [
        (z, rng.standard_normal(z.shape), z.shape[1]) for z in (np.array([[3.0], [-80.0], [-np.inf]]), _short(rng))
    ]
    drawn += [(spreads * rng.standard_normal((6, DISTINCT)), rng.standard_normal((6, DISTINCT)), 1000)]
    drawn += [(*rng.standard_normal((2, 1, DISTINCT)), LONGEST)]
    return tuple(
        of(activation, *_with_targets_also_on_top(activation, z.astype(kind)[:, places], dy.astype(kind)[:, places]))
        for z, dy, columns in drawn
        for places in [rng.permutation(np.resize(np.arange(z.shape[1]), columns))]
    )


def _with_targets_also_on_top(activation: Activation, z: Array, dy: Array) -> tuple[Array, Array]:
    """Return rows, and those of an activation with targets once more, with their largest z in the target's column."""
    if activation.formulas.inputs != TARGETED:
        return z, dy
    return np.concatenate([z, with_targets_on_top(z)]), np.concatenate([dy, dy])


def with_targets_on_top(z: Array) -> Array:
    """Return rows with the largest z in the target's column, and what was there in its place."""
    swapped, places = z.copy(), (of_rows.targets(z), np.argmax(z, axis=-1, keepdims=True))
    for place, source in (places, places[::-1]):
        np.put_along_axis(swapped, place, np.take_along_axis(z, source, axis=-1), axis=-1)
    return swapped


def _short(rng: np.random.Generator) -> Array:
    """Return rows of 8 columns: ordinary, equal, dominated, far apart, masked, nothing but masked ones, far from 0."""
    normal = rng.standard_normal((4, 8))
    dominated = np.where(np.arange(8) == rng.integers(8), 40.0, normal[0])
    masked = np.where(np.arange(8) % 3 == 1, -np.inf, normal[1])
    apart = rng.uniform(-1e4, 1e4, (2, 8))
    rows = [*normal, np.full(8, normal[0, 0]), np.zeros(8), dominated, masked, *apart, np.full(8, -np.inf)]
    return np.stack([*rows, np.linspace(-100.0, 0.0, 8), np.linspace(0.0, 30.0, 8), normal[2] + 1e3, normal[3] - 3e3])


@dataclass(frozen=True)
class RowCall:
    """One call of a kernel beside the truth."""

    kernel: Kernel
    rows: Rows
    answer: Evaluation

    @cached_property
    def error(self) -> Array:
        """The error of the gradient, rows by columns; 0 where the truth is lost."""
        return np.where(self.rows.lost, 0.0, self.rows.gradient.error(self.answer.derivative))

    def require(self, when: str = "", slack: float = 0.0) -> None:
        """Raise `WrongKernelError` for the worst element that breaks what the strategy declares."""
        self._require("gradient", self.answer.derivative, self.rows.gradient, when, slack)
        if self.answer.y is not None:
            self._require("y", self.answer.y, self.rows.y, when, slack)

    def _require(self, what: str, computed: Array, right: RowTruth, when: str, slack: float) -> None:
        name, dtype = self.kernel.id, self.rows.z.dtype
        if computed.size != right.unit.size or computed.dtype != dtype:
            raise WrongKernelError(
                f"{name} is wrong{when}: its {what} is {computed.dtype} of {computed.size} elements, where {dtype} of "
                f"{right.unit.size} is expected"
            )
        computed = computed.reshape(right.shape)
        error, most = right.error(computed), None
        if self.kernel.is_shipped:
            unit = np.ones_like(self.rows.dy[:, :1]) if what == "y" else np.abs(self.rows.dy).max(axis=1, keepdims=True)
            wrong = shipped_rows.exceeding(computed, right, self.rows.z, unit)
        else:
            wrong, most = self._exceeding(what, computed, right, slack)
        wrong &= ~self.rows.lost
        if wrong.any():
            row, column = np.unravel_index(int(np.argmax(np.where(wrong, error, -1.0))), error.shape)
            z, allowed = self.rows.z[row], "1 % is" if most is None else f"{most[row, column]:.3g} are"
            raise WrongKernelError(
                f"{name} is wrong{when}: its {what} is {computed[row, column]:.9g} where "
                f"{right.nearest[row, column]:.9g} is right ({error[row, column]:.3g} ULP of the row's largest; "
                f"{allowed} allowed), in column {column} {_words(z)}"
            )

    def _exceeding(self, what: str, computed: Array, right: RowTruth, slack: float) -> tuple[Array, Array]:
        """Return where a result breaks what the strategy declares, and the ULP that are allowed."""
        of_y, inputs, columns = what == "y", self.rows.inputs, right.shape[1]
        weaknesses = self.kernel.forward_weaknesses if of_y else self.kernel.weaknesses
        there = {flaw: region[:, :columns] for flaw, region in flaws.regions(weaknesses, *inputs).items()}
        number = np.isfinite(computed)
        excused = there[Flaw.OVERFLOWS] & ~(number & (computed != 0))
        excused |= there[Flaw.INACCURATE] & number & ~np.isfinite(right.nearest)
        few_eps = STATED_ULP * flaws.factor(weaknesses, *inputs)[:, :columns] + slack
        excused |= there[Flaw.CANCELS] & (self._absolute(right, computed, of_y=of_y) <= few_eps)
        if of_y and self.answer.raised:  # a step that raises has no y either
            excused |= flaws.regions(self.kernel.weaknesses, *inputs)[Flaw.OVERFLOWS][:, :columns] & np.isnan(computed)
        if not of_y:
            # where a sum that overflowed makes p 0, dy - p sum(dy) is dy, and (p - 1) dy is -dy
            excused |= there[Flaw.OVERFLOWS] & (np.abs(computed) == np.abs(self.rows.dy))
        most = flaws.allowed(weaknesses, *inputs)[:, :columns] + slack
        return (right.error(computed) > most) & ~excused, most

    def _absolute(self, right: RowTruth, computed: Array, *, of_y: bool) -> Array:
        """Return the error in eps; of a gradient, times the largest dy of the row."""
        scale = 1.0 if of_y else np.abs(self.rows.dy.astype(np.float64)).max(axis=1, keepdims=True)
        fmt = limits(self.rows.z.dtype)
        eps = np.maximum(float(fmt.eps) * scale, float(fmt.smallest_subnormal))
        with np.errstate(all="ignore"):
            return np.asarray(right.error(computed) * (right.unit / eps))


def check(kernel: Kernel, evaluate: Evaluate) -> Check:
    """Compare a kernel with the truth, and with what its strategy declares; `WrongKernelError` states the fault."""
    done = [*_called(kernel, evaluate, checked(kernel.activation, kernel.dtype))]
    for call in done:
        call.require()
        _require_range(call)
    _require_declared(kernel, done)
    worst = max(done, key=lambda call: float(call.error.max()))
    largest, known = float(worst.error.max()), [weakness.why for weakness in kernel.weaknesses]
    if kernel.is_shipped:
        known.append(shipped_rows.remark(kernel, worst.answer.derivative, worst.error, worst.rows.z))
    row, column = np.unravel_index(int(np.argmax(worst.error)), worst.error.shape)
    return Check(
        kernel.identity,
        largest if np.isfinite(largest) else None,
        float(np.nan_to_num(worst.rows.z[row, column])),
        tuple(filter(None, known)),
        points=sum(call.error.size for call in done),
        kept_bytes=kernel.kept_bytes,
        alive_bytes=kernel.alive_bytes,
        moved_bytes=kernel.moved_bytes,
        row_bytes=kernel.row_bytes,
        preallocates=kernel.preallocates,
        compiler=kernel.compiler,
    )


def _require_range(call: RowCall) -> None:
    """Raise `WrongKernelError` where y of a row that is not lost is outside of the range that is declared."""
    y, z = call.rows.y, call.rows.z

    def where(place: int) -> str:
        row, column = divmod(place, y.shape[1])
        return f"in column {column} {_words(z[row])}"

    kept = np.broadcast_to(~call.rows.lost, y.shape).reshape(-1)
    declared_range.require(call.kernel, y.truth, kept, where)


def _words(z: Array) -> str:
    """Return what a row is, in words."""
    return f"of a row of {z.size} from {z.min():.6g} to {z.max():.6g}"


def _called(kernel: Kernel, evaluate: Evaluate, rows: tuple[Rows, ...]) -> Iterator[RowCall]:
    for some in rows:
        yield RowCall(kernel, some, evaluate(kernel.identity, some.z, some.dy))


def check_calls(kernel: Kernel, evaluate: Evaluate) -> None:
    """Call a kernel on arrays of further shapes, and beside a row that has NaN."""
    rng, kind = np.random.default_rng(), numpy_dtype(kernel.dtype)
    for shape in () if kernel.backend.compiles_for_a_size else CALLS:
        z, dy = rng.standard_normal((2, *shape)).astype(kind)
        some = of(kernel.activation, z, dy)
        when = f" in a call on {shape[0]} x {shape[1]} elements"
        RowCall(kernel, some, evaluate(kernel.identity, some.z, some.dy)).require(when)
    _require_nan(kernel, evaluate)


def _require_nan(kernel: Kernel, evaluate: Evaluate) -> None:
    """Call a kernel on rows one of which has NaN: it is lost, so that no network hides that it has diverged.

    What a library ships has its conventions.
    """
    if kernel.is_shipped:
        return
    _, some, *_ = checked(kernel.activation, kernel.dtype)
    z = some.z.copy()
    z[0, 4] = np.nan
    answer = evaluate(kernel.identity, z, some.dy)
    results = {"gradient": answer.derivative} | ({} if answer.y is None else {"y": answer.y})
    for what, computed in results.items():
        if not np.isnan(computed[0]).all():
            raise WrongKernelError(f"{kernel.id} is wrong: {what} of a row with NaN is not NaN")
    some = some.after_first()
    answer = Evaluation(answer.derivative[1:], None if answer.y is None else answer.y[1:], answer.raised)
    RowCall(kernel, some, answer).require(" beside a row with NaN")


def settle(kernel: Kernel, z: Array, dy: Array, computed: Array, *, of_output: bool) -> None:
    """Raise `WrongKernelError` where a row of a result on timed operands is wrong: of the gradient, or of y."""
    some = of(kernel.activation, z.reshape(1, -1), dy.reshape(1, -1))
    answer = Evaluation(some.gradient.nearest, computed) if of_output else Evaluation(computed, None)
    RowCall(kernel, some, answer).require(" on timed operands", ROUNDED)


def _require_declared(kernel: Kernel, done: list[RowCall]) -> None:
    """Raise `WrongKernelError` for a weakness of a strategy that shows nowhere; rounding by a library need not show."""
    strategy = kernel.formulas.strategies.get(kernel.strategy)
    for weakness in strategy.weaknesses if strategy else ():
        if weakness.flaw is Flaw.AMPLIFIES:
            continue  # the factor is a bound, which not every row reaches
        if not any((call.error[flaws.region(weakness, *call.rows.inputs)] > STATED_ULP).any() for call in done):
            raise WrongKernelError(
                f"{kernel.id} is declared to be wrong where '{weakness.why}', but is not: correct the declaration"
            )
