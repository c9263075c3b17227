"""The nouns of actbench, as plain frozen values.

A **kernel** is an activation's strategy and op, bound by a backend to a dtype. A **case** is a kernel at one size.
A **block** holds the cases that share activation, op, dtype and size: they are measured interleaved, so every ratio
inside a block is a paired one. An **arm** is a case inside its block.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from math import inf

from actbench.errors import InputError


class Op(StrEnum):
    """What one call does."""

    DERIVATIVE = "derivative"
    BACKWARD = "backward"
    STEP = "step"

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _OP_MEANINGS[self]


_OP_MEANINGS = {
    Op.DERIVATIVE: "g'(z)",
    Op.BACKWARD: "dy * g'(z), the vector-Jacobian product",
    Op.STEP: "forward storing the residuals, then backward: the honest price of a cache",
}


class Dtype(StrEnum):
    """The floating-point type of arithmetic and operands."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self.removeprefix("float")) // 8


STRATEGIES = {
    "textbook": "keep z; the quotient-rule form as published, which overflows",
    "recompute": "keep z; evaluate the exponential again, in a numerically stable form",
    "cached": "keep the output y; a multiplication and a subtraction",
    "complement": "keep the small side of the output, e.g. min(y, 1 - y)",
    "intermediate": "keep z and what the forward pass computed on the way, e.g. the s of z s(z)",
    "pair": "keep z and y, both alive anyway; from y / z comes what would take an exponential",
}
"""Every strategy and what it keeps, in the order in which tables list them."""

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

YARDSTICK = "yardstick"
"""What stands in a strategy's place for the plain copy in every block."""


def place(name: str, order: Iterable[str]) -> int:
    """Return where a name stands in an order; behind all others where it does not, as code does that is not loaded."""
    names = [*order]
    return names.index(name) if name in names else len(names)


@dataclass(frozen=True, slots=True)
class Kernel:
    """An activation's strategy and op, bound by a backend to a dtype."""

    activation: str
    strategy: str
    backend: str
    op: Op
    dtype: Dtype

    @property
    def id(self) -> str:
        """``logistic/cached/numpy/derivative/float32``."""
        return f"{self.activation}/{self.strategy}/{self.backend}/{self.op}/{self.dtype}"

    @property
    def is_rung(self) -> bool:
        """Whether this is a rung of the overhead ladder, and not a derivative."""
        return self.activation == OVERHEAD

    def at(self, size: int) -> Case:
        """Return this kernel's case of `size` elements."""
        return Case(self.activation, self.strategy, self.backend, self.op, self.dtype, size)


@dataclass(frozen=True, slots=True)
class Case:
    """A kernel at one size, in elements."""

    activation: str
    strategy: str
    backend: str
    op: Op
    dtype: Dtype
    size: int

    @property
    def kernel(self) -> Kernel:
        """The kernel without its size."""
        return Kernel(self.activation, self.strategy, self.backend, self.op, self.dtype)

    @property
    def is_yardstick(self) -> bool:
        """Whether this is a block's plain copy."""
        return self.strategy == YARDSTICK

    @property
    def is_rung(self) -> bool:
        """Whether this is a rung of the overhead ladder, and no derivative or yardstick."""
        return self.activation == OVERHEAD and not self.is_yardstick

    @property
    def id(self) -> str:
        """``logistic/cached/numpy/derivative/float32/1000``."""
        return f"{self.kernel.id}/{self.size}"

    @classmethod
    def parse(cls, text: str) -> Case:
        """Read an id; `InputError` when it is not of that form."""
        parts = text.split("/")
        if len(parts) != len(cls.__slots__):
            why = "write activation/strategy/backend/op/dtype/size, e.g. logistic/cached/numpy/derivative/float32/1000"
        elif parts[3] not in {*Op}:
            why = f"the op is one of {', '.join(Op)}, not '{parts[3]}'"
        elif parts[4] not in {*Dtype}:
            why = f"the dtype is one of {', '.join(Dtype)}, not '{parts[4]}'; residuals may be narrower: cached:float16"
        else:
            activation, strategy, backend, op, dtype, size = parts
            with suppress(ValueError):
                case = cls(activation, strategy, backend, Op(op), Dtype(dtype), int(size))
                if case.size >= 1 and case.id == text:
                    return case
            why = f"write its size in digits, such as 1000000, and from 1 on, not '{size}'"
        raise InputError(f"'{text}' is not a case: {why}")


@dataclass(frozen=True, slots=True)
class Arm:
    """What tells a case from the others of its block."""

    strategy: str
    backend: str


@dataclass(frozen=True)
class Block:
    """The cases that share activation, op, dtype and size, measured interleaved, and their yardsticks.

    Its cases are made once: whatever is computed of a run asks for them again and again.
    """

    activation: str
    op: Op
    dtype: Dtype
    size: int
    arms: tuple[Arm, ...]
    copies: tuple[str, ...] = ()
    """Backends whose own copy is a yardstick beside the plain one: by several threads, or on another device."""

    def __hash__(self) -> int:
        """Go by what nearly always tells blocks apart: there are many arms, and many questions after a block."""
        return hash((self.activation, self.op, self.dtype, self.size))

    @property
    def id(self) -> str:
        """``logistic/derivative/float32/1000``."""
        return f"{self.activation}/{self.op}/{self.dtype}/{self.size}"

    @property
    def family(self) -> Block:
        """What blocks have in common that differ in their size alone: a block of one element, without arms."""
        return self.family_at(1)

    def family_at(self, size: int) -> Block:
        """Return a block of that size and the same kind, without arms."""
        return replace(self, size=size, arms=(), copies=())

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """One case an arm."""
        return tuple(
            Case(self.activation, arm.strategy, arm.backend, self.op, self.dtype, self.size) for arm in self.arms
        )

    @property
    def yardstick(self) -> Case:
        """A plain copy of as many elements: what reading one stream and writing one costs here and now."""
        return Case(self.activation, YARDSTICK, "numpy", self.op, self.dtype, self.size)

    @cached_property
    def timed(self) -> tuple[Case, ...]:
        """Everything timed in this block: the cases, then the backends' own copies, last the yardstick."""
        plain = self.yardstick
        return (*self.cases, *(replace(plain, backend=backend) for backend in self.copies), plain)

    def yardstick_of(self, case: Case) -> int:
        """Return the arm of the yardstick that a case is held against: its backend's own copy, or the plain one."""
        own = case.backend in self.copies
        return len(self.arms) + (self.copies.index(case.backend) if own else len(self.copies))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that was asked for and is not measured, with the reason."""

    case: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What is measured: the blocks, what was left out and why, and the seed of the inputs.

    Inputs are drawn from N(0, 1): pre-activations of a normalised layer, and never denormal.
    """

    blocks: tuple[Block, ...]
    seed: int
    left_out: tuple[LeftOut, ...] = ()
    distribution: str = "normal(0, 1)"

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case of every block, without the yardsticks."""
        return tuple(case for block in self.blocks for case in block.cases)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Every kernel once, in the order of the plan."""
        return tuple(dict.fromkeys(case.kernel for case in self.cases))

    @cached_property
    def probes(self) -> tuple[Block, ...]:
        """The blocks that tell what bounds the cases of the others: of one element, and of `CACHED` ones.

        Blocks that differ in their size alone share them. Left out are those that the plan has anyway, those of
        `CACHED` elements where no size is larger, and the overhead ladder, of which each rung is a part already.
        """
        sizes: dict[Block, int] = {}
        arms: dict[Block, dict[Arm, None]] = {}
        copies: dict[Block, dict[str, None]] = {}
        for block in self.blocks:
            if block.activation != OVERHEAD:
                family = block.family
                sizes[family] = max(block.size, sizes.get(family, 1))
                arms.setdefault(family, {}).update(dict.fromkeys(block.arms))
                copies.setdefault(family, {}).update(dict.fromkeys(block.copies))
        planned = {block.id for block in self.blocks}
        found = (
            replace(family, size=size, arms=(*arms[family],), copies=(*copies[family],))
            for family, largest in sizes.items()
            for size in (1, CACHED)
            if size < largest
        )
        return tuple(probe for probe in found if probe.id not in planned)


CACHED = 8192
"""Elements that lie in the caches next to the processor, with what a call makes of them."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Seconds per call on one element, and on `CACHED`."""

    single: float
    cached: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a block is timed, fixed for a run; the k-th entry is the k-th arm's, the yardstick's the last.

    An arm is timed ``values[k]`` times a round; each value is the sum of ``slices`` alternating slices of ``loops[k]``
    calls. Arms whose calls are slow take part in the first values only, so that every arm gets about the same time.
    """

    loops: tuple[int, ...]
    values: tuple[int, ...]
    slices: int
    round_seconds: float
    """What one round of the block is predicted to take."""
    probes: tuple[Probe, ...] = ()
    """Of older runs, by arm, timed once while calibrating: kept as they are, and nothing rests on them."""

    def calls(self, arm: int) -> int:
        """Calls in one value of an arm: pyperf's ``loops``."""
        return self.loops[arm] * self.slices


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler made of a kernel, read off the generated code."""

    signature: str
    vector_bits: int
    """Width of the widest packed floating-point arithmetic; 0 if all of it is scalar."""
    library_calls: tuple[str, ...]
    double_conversions: int
    """Instructions that widen float32 to float64."""


EDGES = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0, inf)
"""Where bands of |z| begin and end."""

BANDS = (*((-high, -low) for low, high in reversed([*pairwise(EDGES)])), *pairwise(EDGES))
"""Bands of z, from -inf to inf; 0 is in the right tail."""

STATED_ULP = 8.0
"""The accuracy every strategy has where no weakness is declared."""


@dataclass(frozen=True, slots=True)
class Check:
    """What the oracle found of a kernel: its largest error in ULP, where, and its declared weaknesses."""

    kernel: Kernel
    ulp: float | None
    """The largest error; None where the kernel gives no number at some z. JSON has no infinity."""
    worst_z: float
    weaknesses: tuple[str, ...] = ()
    compile_seconds: float | None = None
    from_cache: bool = False
    compiled: Compiled | None = None
    """None where the backend compiles nothing that can be read."""
    digits: float | None = None
    """To how many digits the truth is known, typically, where it is by differences and not by mpmath."""
    kept_bytes: int | None = None
    """Bytes per element that the kernel keeps; with `moved_bytes`, so that a run is read without what it loaded."""
    moved_bytes: int | None = None
    """Bytes per element that a call reads and writes, temporaries not counted."""
    by_band: tuple[float | None, ...] = ()
    """The largest error in each of `BANDS`, the left tail's first; None where the kernel gives no number at some z."""
    points: int | None = None
    """At how many z the kernel was looked at."""
    unknown: int = 0
    """At how many of these g' is not known, so that nothing was checked there."""
    unknown_at: tuple[tuple[float, float], ...] = ()
    """The lowest and the highest of these z, of each stretch of them; stretches near each other are told as one."""

    @property
    def max_ulp(self) -> float:
        """The largest error; inf where the kernel gives no number at some z."""
        return float("inf") if self.ulp is None else self.ulp


class LoadedFrom(StrEnum):
    """Where a user's own code comes from."""

    FILE = "file"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A user's own code, that activations, strategies or backends were taken from."""

    kind: LoadedFrom
    name: str
    """The file as it was named, or the distribution."""
    sha256: str
    """Of the file; of the modules of a package that were loaded, in the order of their names."""
    version: str | None = None
    """Of a distribution."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A block that is not measured any more, since when, and the worker's last words."""

    block: str
    round: int
    reason: str


@dataclass(frozen=True, slots=True)
class BlockTimes:
    """One block, one round: seconds per call, by arm (the yardstick last), then by value; slow arms have fewer."""

    block: Block
    round: int
    seconds: tuple[tuple[float, ...], ...] = field(repr=False)
    processor: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    """As many numbers: the share of its wall time that the process had the processor; 0 where that is not known.

    Where it is below 1, the seconds are processor time. Nothing at all where none is known."""
