"""Names that stand in ids, on the command line and in files: ops, types of arithmetic and residuals, operand states.

Names of activations, strategies and backends are plain strings, since runs are read whose code is not loaded any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from typing import Self

from actbench.errors import InputError, unknown

NETWORK_NAME = r"[a-z][a-z0-9-]*"
"""The form of a network's name in an id."""

NETWORK = re.compile(rf"(?P<network>{NETWORK_NAME}):(?P<widths>[0-9]{{1,9}}(-[0-9]{{1,9}})*)")
"""The form of a network in an op's place: its name and its widths, ``mlp:784-512-10``."""


class Op(StrEnum):
    """What one call does: one of these, or a training step of a network, which is an op of its own for its name.

    ``Op("mlp:784-512-10")`` is such an op, and the same object wherever it is read; iteration does not yield it.
    """

    DERIVATIVE = "derivative"
    BACKWARD = "backward"
    STEP = "step"
    SECOND = "second"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str) or not NETWORK.fullmatch(value):
            return None
        training = str.__new__(cls, value)
        training._name_ = training._value_ = value
        known: Self = cls._value2member_map_.setdefault(value, training)  # type: ignore[assignment]
        return known

    @cached_property
    def network(self) -> str:
        """The name of the network that is trained; "" for other ops."""
        match = NETWORK.fullmatch(self)
        return match["network"] if match else ""

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths of the network that is trained, in features; empty for other ops."""
        match = NETWORK.fullmatch(self)
        return tuple(map(int, match["widths"].split("-"))) if match else ()

    @property
    def takes_dy(self) -> bool:
        """Whether a call multiplies by the upstream gradient dy."""
        return self not in {Op.DERIVATIVE, Op.SECOND}

    @property
    def bound_as(self) -> Op:
        """The op as which a backend binds its formula: g'' is a function of the residuals, as g' is."""
        return Op.DERIVATIVE if self is Op.SECOND else self

    @property
    def symbol(self) -> str:
        """The name in formulas of the derivative that it computes."""
        return "g''" if self is Op.SECOND else "g'"

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _OP_MEANINGS.get(self, "a training step: forward, loss, backward, update")


_OP_MEANINGS = {
    Op.DERIVATIVE: "g'(z)",
    Op.BACKWARD: "dy * g'(z), the vector-Jacobian product",
    Op.STEP: "forward storing the residuals, then backward: the honest price of a cache",
    Op.SECOND: "g''(z)",
}


class Quantity(StrEnum):
    """What a kernel computes that is compared with the truth."""

    DERIVATIVE = "derivative"
    FORWARD = "forward"
    SECOND = "second"

    @property
    def symbol(self) -> str:
        """Its name in formulas."""
        return "y" if self is Quantity.FORWARD else self.op.symbol

    @property
    def op(self) -> Op:
        """The op that computes it; a step returns y beside dz."""
        return _OPS[self]

    @classmethod
    def of(cls, op: Op) -> Self:
        """Return what is compared of a kernel with this op."""
        return next((quantity for quantity in cls if quantity.op is op), cls.DERIVATIVE)


_OPS = {Quantity.DERIVATIVE: Op.DERIVATIVE, Quantity.FORWARD: Op.STEP, Quantity.SECOND: Op.SECOND}


class Dtype(StrEnum):
    """The floating-point type of arithmetic and operands."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @cached_property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self.removeprefix("b").removeprefix("float")) // 8


WIDE = (Dtype.FLOAT32, Dtype.FLOAT64)
"""The dtypes that every array library computes in, and that are measured where none is named."""

NARROW = (Dtype.FLOAT16, Dtype.BFLOAT16)
"""The dtypes of 16 bits, in which some backends compute."""


FIRST_ORDER = (Op.DERIVATIVE, Op.BACKWARD, Op.STEP)
"""The ops that compute g'."""


class OperandState(StrEnum):
    """Where the operands and results of a call lie when it begins."""

    WARM = "warm"
    RESIDUALS_COLD = "residuals-cold"
    COLD = "cold"

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _STATE_MEANINGS[self]


_STATE_MEANINGS = {
    OperandState.WARM: "in cache, as far as they fit: every call has the arrays of the call before",
    OperandState.RESIDUALS_COLD: "residuals in memory, dy and the result in cache, as in a large network",
    OperandState.COLD: "all in memory",
}


class Storage(StrEnum):
    """A type that residuals can be kept in, where the arithmetic's is wider."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return 4 if self is Storage.FLOAT32 else 2

    @property
    def rounds(self) -> str:
        """What keeping does to a number, as a weakness."""
        digits, largest, least = {
            Storage.FLOAT16: (11, "65504", "3e-8"),
            Storage.BFLOAT16: (8, "3.39e38", "4.6e-41"),
            Storage.FLOAT32: (24, "3.40e38", "7e-46"),
        }[self]
        return (
            f"what is kept is rounded to {digits} significant bits ({self}), above {largest} to inf, below {least} to 0"
        )

    def unsupported(self, dtype: Dtype) -> str | None:
        """Say why residuals of arithmetic in `dtype` are not kept in this type, or None where they can be."""
        if self.itemsize < dtype.itemsize:
            return None
        return f"{self} is no narrower than the arithmetic's {dtype}: nothing would be saved"


def op(name: str) -> Op:
    """Return the op of a name; `InputError` where there is none."""
    if name not in list(Op):
        raise unknown("op", name, list(Op))
    return Op(name)


def training(name: str) -> Op:
    """Return the op that trains a network, ``mlp:784-512-10``; `InputError` where the text is not of that form."""
    if not NETWORK.fullmatch(name):
        raise InputError(f"'{name}' is not a network: write its name and its widths, e.g. mlp:784-512-10")
    kind, _, widths = name.partition(":")
    return Op(f"{kind}:{'-'.join(str(int(width)) for width in widths.split('-'))}")


def dtype(name: str) -> Dtype:
    """Return the dtype of a name in which derivatives are computed; `InputError` where there is none."""
    if name not in list(Dtype):
        raise unknown("dtype", name, list(Dtype))
    return Dtype(name)


def operand_state(name: str) -> OperandState:
    """Return the state of operands of a name; `InputError` where there is none."""
    if name not in list(OperandState):
        raise unknown("state of operands", name, list(OperandState))
    return OperandState(name)


def sort_index(name: str, order: Iterable[str]) -> int:
    """Return where a name stands in an order; behind all others where it does not, as code does that is not loaded."""
    names = [*order]
    return names.index(name) if name in names else len(names)
