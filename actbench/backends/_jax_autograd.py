"""jax's own activations with ``jax.vjp``: the forward pass and the backward pass, each compiled for every size."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from actbench.backends._autograd import DY, SAMPLE, Autograd, Saved, Y, Z, named
from actbench.backends._backend import Bound
from actbench.backends._shipped import Shipped
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import numpy_dtype

if TYPE_CHECKING:
    from actbench.backends.jax import Jax


@dataclass(frozen=True, slots=True)
class _BothPasses:
    """Both passes for arrays of one size."""

    forward: Callable[[Any], Any]
    """z -> (y, *what is saved)."""
    backward: Callable[..., Any]
    """(dy, *what is saved) -> dz."""


class JaxAutograd(Autograd):
    """One of jax's activations, in one dtype."""

    def __init__(self, backend: Jax, jax: Any, shipped: Shipped, dtype: Dtype) -> None:
        """Take jax and its function, and do a forward pass to see what is saved."""
        self._backend, self._jax, self._dtype = backend, jax, numpy_dtype(dtype)
        self._activation = shipped.function()
        self.call = str(shipped)
        self._passes = cache(self._traced)
        sample = np.random.default_rng(0).standard_normal(SAMPLE).astype(self._dtype)
        y, *arrays = map(backend.release, self._passes(SAMPLE).forward(backend.adopt(sample)))
        self.saved: tuple[Saved, ...] = named(arrays, {Z: sample, Y: y})

    def bind(self, op: Op, size: int) -> Bound:
        """Return the backward pass, of 1 or of dy, or both passes: two programs, as in a network."""
        passes = self._passes(size)
        match op:
            case Op.DERIVATIVE | Op.SECOND:
                ones = self._jax.numpy.ones

                def derivative(*saved):
                    return passes.backward(ones(size, self._dtype), *saved)

                return self._compiled(op, size, self._jax.jit(derivative))
            case Op.BACKWARD:
                return self._compiled(op, size, passes.backward)
            case Op.STEP:

                def step(z, dy):
                    y, *saved = passes.forward(z)
                    return y, passes.backward(dy, *saved)

                return self._compiled(op, size, step)

    def bind_forward(self, size: int) -> Bound:
        """Return the forward pass."""
        return Bound(self._backend.finish(self._passes(size).forward))

    def bind_backward(self, size: int) -> Bound:
        """Return the backward pass."""
        return Bound(self._backend.finish(self._passes(size).backward))

    def reads(self, op: Op) -> tuple[str, ...]:
        """Return z and dy of a step, else what is saved, and dy."""
        kept = tuple(saved.name for saved in self.saved)
        return {Op.DERIVATIVE: kept, Op.BACKWARD: (DY, *kept), Op.STEP: (Z, DY)}[op]

    def arguments(self, op: Op, size: int, operands: Sequence[Any]) -> tuple[Any, ...]:
        """Return the operands."""
        del op, size
        return tuple(operands)

    def keep(self, z: Any) -> Mapping[str, Any]:
        """Do the forward pass."""
        _, *arrays = self._passes(z.size).forward(self._backend.adopt(z))
        pairs = zip(self.saved, map(self._backend.release, arrays), strict=True)
        return {saved.name: array for saved, array in pairs if saved.name != Z}

    def gradient(self, op: Op) -> str:
        """Return what differentiates."""
        del op
        return "jax.vjp"

    def _compiled(self, op: Op, size: int, function: Callable[..., Any]) -> Bound:
        """Compile by a first call."""
        kinds = {saved.name: saved.dtype for saved in self.saved}
        ones = [np.ones(size, kinds.get(name, self._dtype)) for name in self.reads(op)]
        start = time.perf_counter()
        bound = self._backend.compile(self._backend.finish(function), tuple(map(self._backend.adopt, ones)))
        return replace(bound, compile_seconds=time.perf_counter() - start)

    def _traced(self, size: int) -> _BothPasses:
        """Return both passes; numbers that the forward pass saves, and which do not depend on z, are constants."""
        jax, function = self._jax, self._activation
        trees: list[Any] = []
        places: list[list[int]] = []

        def everything(z):
            y, vjp = jax.vjp(function, z)
            leaves, tree = jax.tree.flatten(vjp)
            trees.append(tree)
            first = {id(leaf): place for place, leaf in reversed([*enumerate(leaves)])}
            places.append([first[id(leaf)] for leaf in leaves])
            return y, leaves

        _, leaves = jax.jit(everything)(self._backend.adopt(np.ones(size, self._dtype)))
        tree, first = trees[-1], places[-1]
        arrays = [place for place, leaf in enumerate(leaves) if leaf.shape == (size,) and first[place] == place]
        constants = {place: leaf for place, leaf in enumerate(leaves) if leaf.shape != (size,)}

        def forward(z):
            y, kept = everything(z)
            return (y, *(kept[place] for place in arrays))

        def backward(dy, *saved):
            known = constants | dict(zip(arrays, saved, strict=True))
            (dz,) = jax.tree.unflatten(tree, [known[place] for place in first])(dy)
            return dz

        return _BothPasses(jax.jit(forward), jax.jit(backward))
