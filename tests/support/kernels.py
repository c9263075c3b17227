"""Kernels called in this process, and how far what they return is from a number known to many digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, cached_property
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest

from actbench import registry
from actbench.backends import Backend
from actbench.formula import Flaw, Piecewise, Weakness
from actbench.kernels import resolution
from actbench.kernels.operands import Array, Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import FIRST_ORDER, WIDE, Dtype, Op
from actbench.model.variants import Variant
from actbench.verification.oracle import Evaluation
from tests.support.definitions import TRUTH
from tests.support.resolved import prepare
from tests.support.tiers import exhaustive_but

FULLY = ("logistic", "silu")
"""The activations that are tested in every loop there is, in both dtypes."""


def _has_a_loop_of_its_own(kernel: KernelId) -> bool:
    """Whether other kernels tell less than this.

    Threads share numba-simd's loops, a step compiles all formulas of g', and compiling is most of what tests take.
    """
    backend = registry.backends()[kernel.backend]
    return not (backend.threaded or (kernel.backend.startswith("numba") and kernel.op not in {Op.STEP, Op.SECOND}))


@cache
def every_kernel(ops: tuple[Op, ...] = FIRST_ORDER) -> tuple[KernelId, ...]:
    """Return activations x strategies x backends x dtypes x ops, by discovery.

    Left out are the optional backends, and loops that say nothing new of an activation; what is compiled is so in one
    dtype or the other by turns.
    """
    usable = [backend for backend in registry.backends().values() if not (backend.optional or backend.unavailable)]
    return tuple(
        kernel
        for activation, (turn, backend), op in product(registry.elementwise().values(), enumerate(usable), ops)
        for place, strategy in enumerate(activation.strategies)
        for dtype in _tested(activation.name, backend, turn + place)
        for kernel in [KernelId(activation.name, Variant(strategy), backend.name, op, dtype)]
        if _has_a_loop_of_its_own(kernel)
        or (activation.name in FULLY and not backend.threaded)
        or (activation.name == FULLY[0])
        if resolve(kernel).unsupported is None
    )


def _tested(activation: str, backend: Backend, turn: int) -> tuple[Dtype, ...]:
    dtypes = wide(backend)
    compiled = backend.name.startswith("numba")
    return dtypes[turn % 2 :][:1] if compiled and activation not in FULLY else dtypes


def wide(backend: Backend) -> tuple[Dtype, ...]:
    """Return the dtypes of a backend that are no narrower than 32 bits; `test_narrow_dtypes` is about the others."""
    return tuple(dtype for dtype in backend.dtypes if dtype in WIDE)


@cache
def sample() -> tuple[KernelId, ...]:
    """Return one kernel for every kind of strategy, backend and op, in either dtype by turns.

    Of compiled backends, the kernels that differ in their loops.
    """
    groups: dict[tuple[str, str, Op], list[KernelId]] = {}
    for kernel in every_kernel():
        activation = "silu" if kernel.strategy in {"intermediate", "pair"} else "logistic"
        if kernel.activation == activation and _differs_in_its_loop(kernel):
            groups.setdefault((kernel.strategy, kernel.backend, kernel.op), []).append(kernel)
    return tuple(kernels[turn % len(kernels)] for turn, kernels in enumerate(groups.values()))


def _differs_in_its_loop(kernel: KernelId) -> bool:
    """Tell whether no other kernel of the sample is compiled from the same loop.

    A step's loop has all formulas, and depends on what is kept: a textbook's is that of recompute, and numba-simd's of
    recompute that of what is kept beside z, with less. Threads share the loops of numba-simd.
    """
    if not kernel.backend.startswith("numba") or kernel.strategy == "cached":
        return True
    others = {
        "numba": {"recompute", "complement", "pair", "intermediate"},
        "numba-simd": {"complement", "pair", "intermediate"},
    }
    return kernel.op is Op.STEP and kernel.strategy in others.get(kernel.backend, ())


def is_quick(kernel: KernelId) -> bool:
    """Tell whether a kernel belongs to the quick tier.

    The mathematics of every strategy is tested in the step, which computes the output and the derivative: on numpy, in
    either dtype by turns, and on python where numbers have a formula that arrays have not. How ops and the other
    backends execute it is tested on the sample. A form of g'' is in either dtype by turns.
    """
    if kernel.op is Op.SECOND:
        turn = [*registry.elementwise()].index(kernel.activation)
        return kernel.backend == "numpy" and kernel.dtype is WIDE[turn % len(WIDE)]
    return (kernel.op is Op.STEP and _shows_mathematics(kernel)) or kernel in sample()


def _shows_mathematics(kernel: KernelId) -> bool:
    formulas = registry.activation(kernel.activation).formulas
    if kernel.backend == "python":
        return any(
            isinstance(one, Piecewise) for one in (formulas.forward, formulas.strategies[kernel.strategy].derivative)
        )
    return kernel.backend == "numpy" and kernel.dtype is WIDE[_turn(kernel) % len(WIDE)]


def _turn(kernel: KernelId) -> int:
    """Return the number by which strategies of activations take turns."""
    activation = registry.activation(kernel.activation)
    return [*registry.elementwise()].index(kernel.activation) + [*activation.strategies].index(kernel.strategy)


def is_quick_property(kernel: KernelId) -> bool:
    """Tell whether what is true of an activation whatever z is quickly tested on a kernel.

    Both dialects and both dtypes are, by turns: numbers in float64 by python, and arrays in float32 by numpy.
    """
    by_turns = (("python", Dtype.FLOAT64), ("numpy", Dtype.FLOAT32))
    return kernel.op is Op.STEP and (kernel.backend, kernel.dtype) == by_turns[_turn(kernel) % len(by_turns)]


def by_kernel(
    parameters: Iterable[KernelId], name: str = "kernel", quick: Callable[[KernelId], bool] = is_quick
) -> pytest.MarkDecorator:
    """Run a test for each of these kernels, those outside the quick tier as exhaustive tests."""
    return pytest.mark.parametrize(name, exhaustive_but(parameters, quick), ids=lambda kernel: kernel.id)


def ordinary(activation: str, dtype: Dtype) -> Array:
    """Return z as normalised layers see them, an activation's kinks, and what is next to these."""
    drawn = np.random.default_rng(1).uniform(-8, 8, 200)
    plain = np.concatenate([np.linspace(-8, 8, 129), drawn, [-0.0]]).astype(dtype)
    kinks = np.array([*registry.activation(activation).formulas.kinks], dtype=dtype)
    around = [np.nextafter(kinks, np.dtype(dtype).type(side)) for side in (-np.inf, np.inf)]
    return np.concatenate([plain, kinks, *around])


@cache
def ordinary_slope(activation: str, dtype: Dtype) -> Digits:
    """Return g' there."""
    return slope(activation, ordinary(activation, dtype))


@cache
def ordinary_output(activation: str, dtype: Dtype) -> Digits:
    """Return g there."""
    return output(activation, ordinary(activation, dtype))


def weaknesses(kernel: KernelId) -> tuple[Weakness, ...]:
    """Return what a kernel's strategy declares for its dtype."""
    return resolution.kernel(kernel).weaknesses


def forward_weaknesses(kernel: KernelId) -> tuple[Weakness, ...]:
    """Return what a kernel's forward pass declares for its dtype."""
    return resolution.kernel(kernel).forward_weaknesses


def declared(weaknesses: tuple[Weakness, ...], flaw: Flaw, z: Array) -> Array:
    """Return where a flaw is declared; of `AMPLIFIES`, by what factor an error may be larger."""
    with np.errstate(all="ignore"):
        places = [
            weakness.where(z.astype(np.float64), np.finfo(z.dtype)) for weakness in weaknesses if weakness.flaw is flaw
        ]
    if flaw is Flaw.AMPLIFIES:
        factor = np.ones(z.size)
        for more in places:
            factor += np.clip(np.nan_to_num(more, nan=0), 0, 1e300)  # NaN is inf times false
        return factor
    there = np.zeros(z.size, dtype=bool)
    for part in places:
        there |= part
    return there


def outputs(kernel: KernelId, z: Array, dy: Array | None = None, **raising: Any) -> list[Array]:
    """Call a kernel once; dy is 1 unless given. What numpy meets on the way is ignored unless it is to raise."""
    operands = Operands(registry.activation(kernel.activation), z, np.ones_like(z) if dy is None else dy)
    placement = Placement(operands, np.random.default_rng(0))
    with np.errstate(**{"all": "ignore"} | raising):
        return prepare(kernel.at(z.size), placement).results()


def from_residual(kernel: KernelId, kept: Array) -> Array:
    """Call a derivative on a residual that the test made."""
    function = resolve(kernel).bound.function
    backend = registry.backend(kernel.backend)
    with np.errstate(all="ignore"):
        if not backend.preallocates:
            return np.asarray(function(backend.adopt(kept)))
        out = np.empty_like(kept)
        function(out, kept)
        return out


def evaluate(kernel: KernelId, z: Array, dy: Array) -> Evaluation:
    """Answer as a worker does: one by one where the arithmetic raises."""
    raised: str | None = None
    try:
        results = outputs(kernel, z, dy)
    except ArithmeticError as error:
        elements = [_at(kernel, z[i : i + 1], dy[i : i + 1]) for i in range(z.size)]
        results = [np.concatenate(parts) for parts in zip(*elements, strict=True)]
        raised = repr(error)
    return Evaluation(results[-1], results[0] if kernel.op is Op.STEP else None, raised)


def slope(activation: str, z: Array) -> Digits:
    """Return g' to fifty digits."""
    return _exact(TRUTH[activation][1], z)


def output(activation: str, z: Array) -> Digits:
    """Return g to fifty digits."""
    return _exact(TRUTH[activation][0], z)


class Digits(list[Any]):
    """Numbers of many digits, which several kernels are held to: they are rounded once."""

    @cached_property
    def near(self) -> Array:
        """The nearest numbers of float64."""
        return np.array([float(number) for number in self])

    @cached_property
    def rest(self) -> Array:
        """What these leave."""
        pairs = zip(self, map(mpmath.mpf, self.near.tolist()), strict=True)
        return np.array([float(number - part) for number, part in pairs])


def rounded(exact: Digits, dtype: Dtype) -> Array:
    """Return the nearest numbers of a format."""
    return exact.near.astype(dtype)


def ulps(computed: Array, exact: Digits) -> Array:
    """Return the error in units in the last place of the format that was computed in."""
    distance = np.abs((computed.astype(np.float64) - exact.near) - exact.rest)
    error: Array = distance / np.spacing(np.abs(exact.near.astype(computed.dtype))).astype(np.float64)
    return error


def _exact(function: Any, z: Array) -> Digits:
    with mpmath.workdps(50):
        return Digits(function(mpmath.mpf(float(number))) for number in z)


def _at(kernel: KernelId, z: Array, dy: Array) -> list[Array]:
    try:
        return outputs(kernel, z, dy)
    except ArithmeticError:
        return [np.full(1, np.nan, dtype=kernel.dtype)] * (2 if kernel.op is Op.STEP else 1)
