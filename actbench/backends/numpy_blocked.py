"""numpy-blocked: the array formula on one piece at a time, so that its temporaries stay in cache.

Temporaries that do not fit the cache cost twice: they are written to memory and read back, and above about 128 KiB the
allocator may take fresh pages from the system. Pieces cost a few more calls, and a copy into the preallocated result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from actbench.backends._plain import Factory
from actbench.backends.numpy import Numpy
from actbench.model.names import Op
from actbench.model.rule import Formula, Rule

PIECE_BYTES = 120 * 1024
"""Bytes of a piece: a few pieces fit the L2 cache, and one stays below malloc's mmap threshold."""


def pieces(whole) -> Iterator[slice]:
    """Yield the slices of an array's pieces."""
    length = PIECE_BYTES // whole.itemsize
    for start in range(0, whole.size, length):
        yield slice(start, start + length)


def derivative(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of g', piece by piece."""

    def call(out, *residuals):
        for piece in pieces(out):
            out[piece] = formula(*(kept[piece] for kept in residuals))

    return call


def backward(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of dy * g', piece by piece."""

    def call(dz, dy, *residuals):
        for piece in pieces(dz):
            dz[piece] = dy[piece] * formula(*(kept[piece] for kept in residuals))

    return call


def gated_backward(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of both gradients of a gated activation, piece by piece."""

    def call(da, db, dy, *residuals):
        for piece in pieces(dy):
            of_a, of_b = formula(*(kept[piece] for kept in residuals))
            da[piece] = dy[piece] * of_a
            db[piece] = dy[piece] * of_b

    return call


def gated_forward(formula: Formula) -> Callable[..., Any]:
    """Forward, of a gated activation, storing y or y and residuals, piece by piece."""

    def call(*arrays):
        *stored, a, b = arrays
        for piece in pieces(a):
            computed = formula(a[piece], b[piece])
            for whole, part in zip(stored, computed if len(stored) > 1 else (computed,), strict=True):
                whole[piece] = part

    return call


def gated_step(formula: Formula, forward: Formula, residuals: tuple[str, ...]) -> Callable[..., Any]:
    """Return the kernel of a step of a gated activation, both passes piece by piece."""
    saved = [name for name in residuals if name not in {"a", "b", "y"}]

    def call(*arrays):
        *stored, da, db, a, b, dy = arrays
        compute(*stored, a, b)
        known = {"a": a, "b": b} | dict(zip(("y", *saved), stored, strict=True))
        differentiate(da, db, dy, *(known[name] for name in residuals))

    compute, differentiate = gated_forward(forward), gated_backward(formula)
    return call


def forward_pass(forward: Formula) -> Callable[..., Any]:
    """Forward, piece by piece."""

    def call(y, z):
        for piece in pieces(y):
            y[piece] = forward(z[piece])

    return call


def forward_saving(save: Formula) -> Callable[..., Any]:
    """Forward, storing y and residuals, piece by piece."""

    def call(*arrays):
        *stored, z = arrays
        for piece in pieces(z):
            for whole, part in zip(stored, save(z[piece]), strict=True):
                whole[piece] = part

    return call


def step(formula: Formula, forward: Formula, residuals: tuple[str, ...]) -> Callable[..., Any]:
    """Return the kernel of a step: forward, which keeps z or y, then backward, both piece by piece."""

    def call(y, dz, z, dy):
        compute(y, z)
        arrays = {"z": z, "y": y}
        differentiate(dz, dy, *(arrays[name] for name in residuals))

    compute, differentiate = forward_pass(forward), backward(formula)
    return call


def step_saving(formula: Formula, save: Formula, residuals: tuple[str, ...]) -> Callable[..., Any]:
    """Return the kernel of a step: forward, which stores y and residuals, then backward from these and perhaps z."""

    def call(*arrays):
        *stored, dz, z, dy = arrays
        compute(*stored, z)
        differentiate(dz, dy, *([z] if "z" in residuals else []), *stored[1:])

    compute, differentiate = forward_saving(save), backward(formula)
    return call


class NumpyBlocked(Numpy):
    """Array expressions over pieces of the arrays."""

    name = "numpy-blocked"
    summary = f"array expressions over pieces of {PIECE_BYTES // 1024} KiB, into a preallocated result"
    rank = 12
    trains = False
    preallocates = True
    takes_rows = False
    factories: ClassVar = {Op.DERIVATIVE: derivative, Op.BACKWARD: backward}
    ladder: ClassVar = Numpy.ladder | {"allocation": "pieces are written into a preallocated result"}

    def gated_factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory that calls the formulas of a gated activation on pieces."""
        if op is not Op.STEP:
            return gated_backward, (rule.derivative,)
        return gated_step, (rule.derivative, rule.save or rule.forward, rule.residuals)

    def step_factory(self, rule: Rule) -> Factory:
        """Return the factory that calls the formulas on pieces."""
        if rule.save:
            return step_saving, (rule.derivative, rule.save, rule.residuals)
        return step, (rule.derivative, rule.forward, rule.residuals)

    def forward_factory(self, rule: Rule) -> Factory:
        """Return the factory of a forward pass over pieces."""
        if rule.is_gated:
            return gated_forward, (rule.save or rule.forward,)
        return (forward_saving, (rule.save,)) if rule.save else (forward_pass, (rule.forward,))
