"""What can be timed, as one kind of object: kernels, the rungs of the overhead ladder, the copy of every block.

A subject holds what its names stand for. `actbench.kernels.resolution` makes it of an id, once a process; whoever
times, checks or lists it asks the subject, and need not know which kind it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

from actbench.backends import Backend, Bound
from actbench.errors import InputError
from actbench.formula import Activation
from actbench.kernels import dtypes
from actbench.kernels.operands import RESULT, Operand, Z
from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.traffic import COPY, Traffic
from actbench.model import number_formats
from actbench.model.cases import KernelId
from actbench.model.checks import Compiled
from actbench.model.names import Dtype, Op, Storage
from actbench.model.row_bytes import RowBytes


class Subject(ABC):
    """What one call of a case executes, at any size."""

    storage: Storage | None = None
    """The type residuals are kept in, where that is narrower than the arithmetic's."""
    activation: Activation | None = None
    """Of which it reads residuals, if of any."""
    is_compared = False
    """Whether every element of its results is g', or dy g', that can be held to another formula."""
    is_row = False
    """Whether it works along rows of its operands."""
    functions: frozenset[str] = frozenset()
    """The functions of a namespace that its formulas look up, where it has formulas."""
    follows_forward_pass = False
    """Whether the arguments of a call hold what a forward pass returned, such as a graph."""
    is_built_in = True
    """Whether all that it executes is actbench's own."""

    def __init__(self, identity: KernelId, backend: Backend) -> None:
        """Take the names, and the backend that one of them stands for."""
        self.identity = identity
        self.backend = backend

    def __repr__(self) -> str:
        """Return the id."""
        return f"<{self.id}>"

    @cached_property
    def id(self) -> str:
        """``logistic/cached/numpy/derivative/float32``."""
        return self.identity.id

    @property
    def op(self) -> Op:
        """What one call does."""
        return self.identity.op

    @property
    def dtype(self) -> Dtype:
        """The type of arithmetic."""
        return self.identity.dtype

    @property
    def unsupported(self) -> str | None:
        """Why its backend cannot execute it, available or not; None where it can."""
        return dtypes.unsupported(self.backend, self.dtype)

    def unsupported_cold(self) -> str | None:
        """Why its operands cannot come from memory; None where they can."""
        return None

    @property
    @abstractmethod
    def touches(self) -> tuple[Operand, ...]:
        """The arrays that a call reads, and those that it writes where it does not allocate them, each once."""

    @property
    def outline(self) -> Subject:
        """What a plan counts the arrays of, without loading a library: this, where its arrays are known without it."""
        return self

    def require_supported(self) -> None:
        """Raise `InputError` where its backend cannot execute it, or is not available here."""
        if self.backend.unavailable:
            raise InputError(f"backend '{self.backend.name}' is not available: {self.backend.unavailable}")
        if self.unsupported:
            raise InputError(f"{self.id} does not exist: {self.unsupported}")

    @property
    @abstractmethod
    def bound(self) -> Bound:
        """The callable, compiled once a process; `InputError` where there is none."""

    def shaped(self, array: Any, rows: int) -> Any:
        """Return an operand or output, which is flat, as calls take it; its elements are in so many rows."""
        del rows
        return array

    def bound_at(self, size: int) -> Bound:
        """Return the callable for arrays of one size, compiled for it where the backend does that."""
        del size
        return self.bound

    @abstractmethod
    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a case of `size` elements, on operands in memory."""

    @property
    @abstractmethod
    def traffic(self) -> Traffic:
        """What a call moves, by definition."""

    @property
    def compiled(self) -> Compiled | None:
        """What the compiler made of it; None where nothing is compiled that can be read."""
        return None

    @property
    def code(self) -> str | None:
        """Digest of all code that a call executes; None where that is not known."""
        return None

    @property
    def moved_bytes(self) -> int:
        """Bytes per element that a call reads and writes, by definition: temporaries not counted."""
        return self.traffic.moved(self.dtype, self.storage)

    @property
    def kept_bytes(self) -> int:
        """Bytes per element that are kept between the forward and the backward pass."""
        return self.traffic.kept(self.dtype, self.storage)

    @property
    def row_bytes(self) -> RowBytes:
        """Bytes a row of what is one number a row, which none of the others counts."""
        return self.traffic.row_bytes(self.dtype)

    @property
    def alive_bytes(self) -> int:
        """Of these, the bytes per element that a network holds whatever the strategy."""
        return 0


class Yardstick(Subject):
    """A plain copy, numpy's or the backend's own."""

    traffic = COPY
    touches = (Z, RESULT)

    @property
    def unsupported(self) -> str | None:
        """Why there is no array to copy; arithmetic in its dtype is not needed."""
        return number_formats.unavailable(self.dtype)

    @cached_property
    def bound(self) -> Bound:
        """The copy: ``function(out, array)``."""
        self.require_supported()
        return Bound(self.backend.copy(self.dtype))

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the copy of z to the first output."""
        del size
        z: Any = memory.operand(self.backend, Z)
        return Invocation(self.bound.function, (self.backend.adopt(memory.output(0)), z))
