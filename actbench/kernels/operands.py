"""What a kernel is called on: inputs of a block, and the residuals that its arms read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench import backends
from actbench.backends import Autograd, Backend, FunctionAutograd
from actbench.formula import Activation
from actbench.kernels import rows as of_rows
from actbench.kernels.drawing import draw
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import Dtype, Storage
from actbench.model.number_formats import computed_in, numpy_dtype
from actbench.model.rule import TARGET, Dialect

Array = NDArray[Any]

PIECE = 1 << 14
"""Elements: a piece with its temporaries fits an L2 cache."""

SHARED = ("z", "a", "b", TARGET, "dy", "y")
"""Operands that are the same for all strategies of an activation."""


def same_bits(one: Array, other: Array) -> bool:
    """Return whether two arrays have the same bits, NaN included; a backend may have adopted 16-bit floats as bits."""
    if one.itemsize != other.itemsize or one.shape != other.shape:
        return False
    unsigned = np.dtype(f"u{one.itemsize}")
    return bool(np.array_equal(one.view(unsigned), other.view(unsigned)))


class Operand(NamedTuple):
    """An array that a kernel reads or writes: what tells it from the others of a block."""

    name: str
    strategy: str = ""
    """Whose residual it is; nothing where all strategies share it."""
    storage: Storage | None = None
    """The type it is kept in, where that is narrower than the arithmetic's."""
    autograd: Autograd | FunctionAutograd | None = None
    """The framework whose forward pass saves it, where that is no strategy's."""
    per_row: bool = False
    """Whether it is one number a row; otherwise it is one an element."""

    @classmethod
    def of(cls, strategy: str, name: str, storage: Storage | None = None) -> Operand:
        """Return an operand of a strategy."""
        return cls(name, "" if name in SHARED else strategy, storage)

    def dtype(self, dtype: Dtype) -> np.dtype[Any]:
        """Return the type of its elements, where arithmetic is in `dtype`; a target is a number of a column."""
        if self.name == TARGET:
            return of_rows.NUMBERS
        if self.autograd:
            return next(saved.dtype for saved in self.autograd.saved if saved.name == self.name)
        return numpy_dtype(self.storage or dtype)

    def elements(self, size: int, rows: int) -> int:
        """Return how many it has, where z has `size` in so many rows."""
        return rows if self.per_row else size


Z, DY = Operand("z"), Operand("dy")

A, B = Operand("a"), Operand("b")
"""The inputs of a gated activation; a is what z is of the others."""

RESULT = Operand("dz")
"""What a derivative, a backward pass or a copy writes."""

DA, DB = Operand("da"), Operand("db")
"""What the backward pass of a gated activation writes."""


class Operands:
    """The inputs of one block and the residuals that its arms read, each made once and shared."""

    def __init__(
        self,
        activation: Activation | None,
        z: Array,
        dy: Array | None = None,
        residuals: Mapping[str, Array] | None = None,
        rows: int = 1,
    ) -> None:
        """Take the inputs: one-dimensional, of one dtype. Without dy, it is z in another order.

        Of a gated activation, z is a, and b is a in yet another order; or z has two columns, a and b. Of a row
        activation, z has so many `rows`; or it is two-dimensional, as dy is then. Arrays stay one-dimensional.

        Without an activation there are no residuals. `residuals` are those of one strategy, by name, in place of what
        the forward pass gives.
        """
        self._activation = activation
        self.rows = rows
        if z.ndim > 1 and activation is not None and activation.is_row:
            self.rows, z = len(z), z.ravel()
            dy = None if dy is None else dy.ravel()
        first, *second = np.ascontiguousarray(z.T) if z.ndim > 1 else (z,)
        self._arrays: dict[Operand, Array] = {Z: first, A: first}
        self._arrays |= {} if dy is None else {DY: dy, DY._replace(per_row=True): dy[: self.rows]}
        self._arrays |= {B: second[0]} if second else {}
        self._replaced = residuals or {}
        self.nbytes = first.nbytes
        self._adopted: dict[tuple[str, Operand], Any] = {}

    @classmethod
    def drawn(  # noqa: PLR0913, PLR0917  # what a block's inputs are made of
        cls,
        activation: Activation | None,
        dtype: Dtype,
        size: int,
        seed: int,
        inputs: Inputs = STANDARD_NORMAL,
        rows: int = 1,
    ) -> Operands:
        """Draw z from the inputs, and dy; `InputError` where a file cannot be read, or has changed."""
        return cls(activation, *draw(inputs, dtype, size, seed), rows=rows)

    @property
    def z(self) -> Array:
        """The pre-activations."""
        return self._arrays[Z]

    def array(self, operand: Operand) -> Array:
        """Return z, dy or a residual.

        Residuals are what was handed in, or what numpy's forward pass gives for z, rounded to the type they are kept
        in; what a framework saves, its own forward pass gives.
        """
        if operand.storage is None and operand.name in self._replaced:
            return self._replaced[operand.name]
        if operand not in self._arrays:
            if operand.storage:
                with np.errstate(all="ignore"):
                    wide = self.array(operand._replace(storage=None))
                    made = {operand: wide.astype(numpy_dtype(operand.storage))}
            elif isinstance(operand.autograd, Autograd):
                kept = operand.autograd.keep(self.z)
                made = {operand._replace(name=name): array for name, array in kept.items()}
            else:
                made = self._without_forward(operand) or self._forward(operand.strategy)
            self._arrays = made | self._arrays
        return self._arrays[operand]

    def _without_forward(self, operand: Operand) -> dict[Operand, Array]:
        """Return dy or b, which are z in another order where no more is known of them, or a target; else nothing."""
        if operand.name == TARGET:
            return {operand: of_rows.targets(self.z.reshape(self.rows, -1)).reshape(-1)}
        places = {"dy": 1, "b": 2}
        if operand.name not in places:
            return {}
        return {operand: np.roll(self.z, places[operand.name])[: operand.elements(self.z.size, self.rows)]}

    def inputs(self, activation: Activation) -> tuple[Array, ...]:
        """Return what the forward pass of an activation takes."""
        return tuple(self.array(Operand(name)) for name in activation.formulas.inputs)

    def _forward(self, strategy: str) -> dict[Operand, Array]:
        """Return y, and what a strategy saves beside it; piece by piece, which spares the memory bus.

        Those of 16 bits are computed in float32 and rounded once.
        """
        assert self._activation is not None  # noqa: S101  # who has none reads no residuals
        if self._activation.is_row:
            return self._forward_along_rows(self._activation, strategy)
        numpy = backends.namespace("numpy")
        if strategy:
            rule = self._activation.rule(strategy, Dialect.ARRAY, numpy)
            names, save = rule.saved, rule.save
        else:
            names, save = (), None
        forward = self._activation.forward(Dialect.ARRAY, numpy)
        written = (Operand("y"), *(Operand.of(strategy, name) for name in names))
        inputs = self.inputs(self._activation)
        kept = {operand: np.empty_like(self.z) for operand in written}
        for start in range(0, self.z.size, PIECE):
            piece = slice(start, start + PIECE)
            wide = [array[piece].astype(computed_in(array.dtype), copy=False) for array in inputs]
            with np.errstate(all="ignore"):
                results = save(*wide) if save else (forward(*wide),)
                for operand, result in zip(written, results, strict=True):
                    kept[operand][piece] = result
        return kept

    def _forward_along_rows(self, activation: Activation, strategy: str) -> dict[Operand, Array]:
        """Return the same of a row activation."""
        kept = of_rows.kept(activation, strategy, self.z.reshape(self.rows, -1))
        one_a_row = of_rows.per_row(activation, strategy)
        return {Operand.of(strategy, name)._replace(per_row=name in one_a_row): array for name, array in kept.items()}

    def adopted(self, backend: Backend, operand: Operand) -> Any:
        """Return an operand as the backend's own kind of array, for one whose operands are not placed."""
        key = (backend.name, operand)
        if key not in self._adopted:
            self._adopted[key] = backend.adopt(self.array(operand))
        return self._adopted[key]
