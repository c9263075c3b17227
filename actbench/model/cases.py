"""What is timed, by name: kernels, cases, arms and blocks.

A **kernel** is an activation's strategy and op, bound by a backend to a dtype. A **case** is a kernel at one size and
state of operands. A **block** holds the cases that share everything but strategy and backend: they are measured
interleaved, so every ratio inside a block is a paired one. An **arm** is a case inside its block.

These are identities: names and numbers, never what the names stand for, since runs are read whose code is not loaded.
`actbench.kernels.resolution` gives what a case executes.

To add an axis, as the state of operands is one: a field with a default at the end of `Case`, and of `KernelId` where
another kernel is called; its text in `id` and `parse`, left out where it is the default; and the same field in `Block`
or in `Arm`, whichever has it in common. CSV files name their columns in `actbench.runs.values` and in
`actbench.analysis.figures`.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from operator import attrgetter

from actbench.errors import InputError
from actbench.model.kernel_copies import COPYING, KERNEL_COPIES
from actbench.model.names import NETWORK, Dtype, Op, OperandState
from actbench.model.sizes import Shape, Size
from actbench.model.variants import Variant

OVERHEAD = "overhead"
"""What stands in an activation's place for the overhead ladder, and its rungs in a strategy's."""

RUNGS = {
    "empty": "a call that does nothing and takes nothing",
    "dispatch": "a call with a kernel's operands, and no work or one element of it",
    "allocation": "the same, and allocating the result",
    "loop": "a pass over the data: a copy",
    "arithmetic": "y (1 - y) of every element",
}
"""Every rung of the overhead ladder and what it does, from the lowest on."""

YARDSTICK = Variant("yardstick")
"""What stands in a strategy's place for the plain copy in every block."""

PLAIN = "numpy"
"""The backend whose copy every block has."""

YARDSTICKS = frozenset({YARDSTICK, *KERNEL_COPIES})

CASE_PARTS = ("activation", "strategy", "backend", "op", "dtype", "size")
"""What an id names in any case, in its order."""

KERNEL_FIELDS = attrgetter("activation", "strategy", "backend", "op", "dtype")
"""The fields of a case that its kernel has too: a key that is made in less time than a `KernelId`."""


@dataclass(frozen=True, slots=True)
class KernelId:
    """An activation's strategy and op, bound by a backend to a dtype."""

    activation: str
    strategy: Variant
    backend: str
    op: Op
    dtype: Dtype

    @property
    def id(self) -> str:
        """``logistic/cached/numpy/derivative/float32``."""
        return f"{self.activation}/{self.strategy}/{self.backend}/{self.op}/{self.dtype}"

    @property
    def is_derivative(self) -> bool:
        """Whether this is an activation's, and no rung of the overhead ladder."""
        return self.activation != OVERHEAD

    def at(self, size: int, operands: OperandState = OperandState.WARM) -> Case:
        """Return this kernel's case of `size` elements."""
        return self.of(Size(size), operands)

    def of(self, size: Size, operands: OperandState = OperandState.WARM, rows: int = 1) -> Case:
        """Return this kernel's case of a size, with its shape, in so many rows."""
        fields = (self.activation, self.strategy, self.backend, self.op, self.dtype)
        return Case(*fields, size.elements, operands, size.shape, rows)


@dataclass(frozen=True, slots=True)
class Case:
    """A kernel at one size, in elements, and state of operands."""

    activation: str
    strategy: Variant
    backend: str
    op: Op
    dtype: Dtype
    size: int
    operands: OperandState = OperandState.WARM
    shape: Shape = field(default=Shape(), compare=False)
    """How the user named the size, if by a shape (`actbench.model.sizes`)."""
    rows: int = 1
    """In how many rows the elements are, where an activation works along rows; 1 where elements know no row."""

    @property
    def kernel(self) -> KernelId:
        """The kernel that it calls."""
        return KernelId(self.activation, self.strategy, self.backend, self.op, self.dtype)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that it needs: in a training step, ``numpy+numba-simd``, of products and of the activation."""
        return tuple(self.backend.split("+"))

    @property
    def is_yardstick(self) -> bool:
        """Whether this is a copy that cases are held against."""
        return self.strategy in YARDSTICKS

    @property
    def is_plain_copy(self) -> bool:
        """Whether this is the yardstick that every block has, and no copy of a backend's own."""
        return self.strategy == YARDSTICK and self.backend == PLAIN

    @property
    def is_rung(self) -> bool:
        """Whether this is a rung of the overhead ladder, and no derivative or yardstick."""
        return self.activation == OVERHEAD and not self.is_yardstick

    @property
    def is_derivative(self) -> bool:
        """Whether this is an activation's, and no rung or yardstick."""
        return self.activation != OVERHEAD and not self.is_yardstick

    @property
    def empty_block(self) -> Block:
        """The block that it belongs to, without arms."""
        shared = (self.activation, self.op, self.dtype, self.size)
        return Block(*shared, (), operands=self.operands, shape=self.shape, rows=self.rows)

    @property
    def id(self) -> str:
        """``logistic/cached/numpy/derivative/float32/1000``, or ``.../1000/cold``, or ``.../64x1000`` of 64 rows."""
        return f"{self.kernel.id}/{in_rows(self.size, self.rows)}{_suffix(self.operands)}"

    @property
    def flat(self) -> Case:
        """The same without rows: elements of an elementwise activation do not know in which they are."""
        return replace(self, rows=1)

    @classmethod
    def parse(cls, text: str) -> Case:
        """Read an id, in which a shape may stand for the size: ``.../float32/4096x4096``, which has 4096 rows.

        Where an activation works on elements, `Case.flat` is what is meant.

        `InputError` when it is not of that form, or for a type that residuals cannot be kept in.
        """
        parts = text.split("/")
        state = OperandState(parts.pop()) if parts[-1] in {*OperandState} else OperandState.WARM
        if len(parts) != len(CASE_PARTS):
            cold = " or ".join(f"'/{state}'" for state in OperandState if state is not OperandState.WARM)
            why = (
                "write activation/strategy/backend/op/dtype/size, e.g. logistic/cached/numpy/derivative/float32/1000, "
                f"and {cold} after it where operands are not warm"
            )
        elif parts[3] not in {*Op} and not NETWORK.fullmatch(parts[3]):
            why = f"the op is one of {', '.join(Op)}, or a network such as mlp:784-512-10, not '{parts[3]}'"
        elif NETWORK.fullmatch(parts[3]) and state is not OperandState.WARM:
            why = f"a training step has no state of operands: leave '/{state}' out"
        elif parts[4] not in {*Dtype}:
            why = f"the dtype is one of {', '.join(Dtype)}, not '{parts[4]}'; residuals may be narrower: cached:float16"
        else:
            activation, strategy, backend, op, dtype, written = parts
            with suppress(ValueError):
                size = Size.of(Shape(written)) if "x" in written else Size(int(written))
                kernel = KernelId(activation, Variant(strategy), backend, Op(op), Dtype(dtype))
                if size.elements >= 1 and f"{kernel.id}/{size}{_suffix(state)}" == text:
                    return kernel.of(size, state, size.shape.rows)
            why = f"write its size in digits, such as 1000000, and from 1 on, not '{written}'"
            if text.endswith(f"/{OperandState.WARM}"):
                why = f"ids leave out the state of operands where it is '{OperandState.WARM}'"
        raise InputError(f"'{text}' is not a case: {why}")


def in_rows(size: int, rows: int) -> str:
    """Return how ids write a size: its elements, or ROWSxCOLUMNS of several rows."""
    return str(size) if rows == 1 else f"{rows}x{size // rows}"


def _suffix(operands: OperandState) -> str:
    return "" if operands is OperandState.WARM else f"/{operands}"


@dataclass(frozen=True, slots=True)
class Arm:
    """What tells a case from the others of its block."""

    strategy: Variant
    backend: str


@dataclass(frozen=True)
class Block:
    """The cases that share everything but strategy and backend, measured interleaved, and their yardsticks.

    Its cases are made once: whatever is computed of a run asks for them again and again.
    """

    activation: str
    op: Op
    dtype: Dtype
    size: int
    arms: tuple[Arm, ...]
    copies: tuple[str, ...] = ()
    """Backends whose own copy is a yardstick beside the plain one: by several threads, or on another device."""
    operands: OperandState = OperandState.WARM
    shape: Shape = field(default=Shape(), compare=False)
    rows: int = 1
    kernel_copies: tuple[Variant, ...] = ()
    """Those of `KERNEL_COPIES` that are timed beside the plain copy."""

    def __hash__(self) -> int:
        """Go by what nearly always tells blocks apart: there are many arms, and many questions after a block."""
        return self._hash

    def __getstate__(self) -> dict[str, object]:
        """Return the fields without what is computed of them: the hash of a text differs from process to process."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def _hash(self) -> int:
        return hash((self.activation, self.op, self.dtype, self.size, self.operands, self.rows))

    @cached_property
    def id(self) -> str:
        """``logistic/derivative/float32/1000``, or ``.../1000/cold``."""
        size = in_rows(self.size, self.rows)
        return f"{self.activation}/{self.op}/{self.dtype}/{size}{_suffix(self.operands)}"

    def without(self, cases: Collection[str]) -> Block:
        """Return the block without the cases of these ids, and without copies that no other case is held against."""
        arms = tuple(arm for arm, case in zip(self.arms, self.cases, strict=True) if case.id not in cases)
        if len(arms) == len(self.arms):
            return self
        backends = {arm.backend for arm in arms}
        return replace(self, arms=arms, copies=tuple(name for name in self.copies if name in backends))

    def alone(self, case: Case) -> Block:
        """Return the block with one of its cases alone."""
        return self.without({other.id for other in self.cases} - {case.id})

    def places_in(self, larger: Block) -> list[int]:
        """Return the places of what is timed here among what is timed in a larger block."""
        return [larger.timed.index(case) for case in self.timed]

    @property
    def is_ladder(self) -> bool:
        """Whether its cases are rungs of the overhead ladder, and no derivatives."""
        return self.activation == OVERHEAD

    @cached_property
    def family(self) -> Block:
        """What blocks have in common that differ in size and state of operands alone: a block of one element."""
        return self.family_at(1)

    def family_at(self, size: int) -> Block:
        """Return a block of that size with the same activation, op and dtype, warm, in one row and without arms."""
        return replace(self.conditions, size=size, operands=OperandState.WARM, shape=Shape(), rows=1)

    @property
    def conditions(self) -> Block:
        """The block without what is timed in it."""
        return replace(self, arms=(), copies=(), kernel_copies=())

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """One case an arm."""
        return tuple(self._case(arm.strategy, arm.backend) for arm in self.arms)

    def _case(self, strategy: Variant, backend: str) -> Case:
        shared = (self.op, self.dtype, self.size, self.operands, self.shape, self.rows)
        return Case(self.activation, strategy, backend, *shared)

    @property
    def yardstick(self) -> Case:
        """A plain copy of as many elements: what reading one stream and writing one costs here and now."""
        return self._case(YARDSTICK, PLAIN)

    @cached_property
    def timed(self) -> tuple[Case, ...]:
        """Everything timed here: the cases, the backends' own copies, those as of a kernel, last the plain one."""
        plain = self.yardstick
        of_backends = (replace(plain, backend=backend) for backend in self.copies)
        of_kernels = (replace(plain, strategy=kind, backend=COPYING) for kind in self.kernel_copies)
        return (*self.cases, *of_backends, *of_kernels, plain)

    def yardstick_of(self, case: Case) -> int:
        """Return the arm of the yardstick that a case is held against: its backend's own copy, or the plain one."""
        has_copy = case.backend in self.copies
        return len(self.arms) + self.copies.index(case.backend) if has_copy else len(self.timed) - 1
