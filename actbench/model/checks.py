"""The oracle's check of a kernel: its accuracy, and facts about its compiled code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from actbench.errors import printable
from actbench.model.cases import Case, KernelId
from actbench.model.row_bytes import RowBytes

EDGES = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0, inf)
"""Edges of the bands of |z|."""

BANDS = (*((-high, -low) for low, high in reversed([*pairwise(EDGES)])), *pairwise(EDGES))
"""Bands of z, from -inf to inf; 0 is in the right tail."""

WRONG = 0.01
"""Relative error from which on a result counts as wrong."""

STATED_ULP = 8.0
"""The accuracy of every strategy where it declares no weakness."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Facts about a compiled kernel, from the generated code."""

    signature: str
    vector_bits: int
    """Width of the widest packed floating-point arithmetic; 0 if all of it is scalar."""
    library_calls: tuple[str, ...]
    double_conversions: int
    """Instructions that widen float32 to float64."""
    code: str = ""
    """Digest of the machine code; empty where it was not recorded."""


@dataclass(frozen=True, slots=True)
class Check:
    """The oracle's findings about a kernel: its largest error in ULP, the z of that error, and its weaknesses."""

    kernel: KernelId
    ulp: float | None
    """The largest error; None (for inf, which JSON lacks) where the kernel returns no number at some z."""
    worst_z: float
    weaknesses: tuple[str, ...] = ()
    compile_seconds: float | None = None
    from_cache: bool = False
    compiled: Compiled | None = None
    """None where the backend compiles nothing that can be read."""
    digits: float | None = None
    """Typical number of digits of the truth, where it comes from differences instead of mpmath."""
    kept_bytes: int | None = None
    """Bytes per element that the kernel keeps; recorded, like `moved_bytes`, so that a run can be read by itself."""
    alive_bytes: int | None = None
    """Of these, the bytes per element of y, which a network holds whatever the strategy."""
    moved_bytes: int | None = None
    """Bytes per element that a call reads and writes, without temporaries."""
    row_bytes: RowBytes | None = None
    """Bytes a row beside these, of a kernel that works along rows."""
    preallocates: bool | None = None
    """Whether the backend writes its results to preallocated arrays; None where that was not recorded."""
    compiler: str | None = None
    """What compiled it, where it is a Python function of the user's that something compiled: ``numba``."""
    by_band: tuple[float | None, ...] = ()
    """The largest error in each of `BANDS`, from the left tail on; None where the kernel gives no number."""
    points: int | None = None
    """The number of z at which the kernel was checked."""
    unknown: int = 0
    """Number of these z that were not checked, because g' is unknown there."""
    unknown_at: tuple[tuple[float, float], ...] = ()
    """The ends of each stretch of these z; neighbouring stretches are merged."""
    code: str | None = None
    """Digest of all code that a call executes (`actbench.kernels.code_digest`); None where that is not known."""
    sampled: int = 0
    """The number of z from the run's inputs that `relative` is of; 0 where it was not asked for."""
    relative: float | None = None
    """The 99th percentile of |computed - g'| / |g'| over these; None for inf, and where it was not asked for."""

    def __post_init__(self) -> None:
        """Let weaknesses be texts that may be recorded and shown: they are words of the user's code."""
        object.__setattr__(self, "weaknesses", tuple(map(printable, self.weaknesses)))

    @property
    def max_ulp(self) -> float:
        """The largest error; inf where the kernel returns no number at some z."""
        return float("inf") if self.ulp is None else self.ulp


def of_same_code(before: Iterable[Check], after: Iterable[Check]) -> frozenset[KernelId]:
    """Return the kernels that execute the same code in two environments, as far as that is known."""
    known = {check.kernel: check.code for check in before if check.code}
    return frozenset(check.kernel for check in after if check.code and known.get(check.kernel) == check.code)


@dataclass(frozen=True, slots=True)
class StepCheck:
    """The findings about one arm of a training step at its batch: how far its gradients are off, and its memory."""

    kernel: KernelId
    error: float | None
    """The largest relative error of a gradient, |computed - reference| / |reference| in the Euclidean norm of one
    weight or bias; None for the arm that leaves g' out by design."""
    worst: str
    """The weight or bias of that error, ``W2 (512 x 10)`` or ``b2``; empty where there is no error."""
    kept: int
    """Bytes that a step holds from its forward to its backward pass, as counted, without parameters and inputs."""
    alive: int
    """Of these, the bytes that the network holds whatever the strategy is, as counted where g' is left out."""
    predicted_kept: int | None
    """What the declarations of network and strategy say of `kept`, in bytes; None for a framework's own gradient."""
    predicted_alive: int
    """What the declaration of the network says of `alive`, in bytes."""
    peak: int | None
    """The most bytes that a step has allocated at once; None where that cannot be measured."""
    batch: int = 0
    """Rows of the batch; 0 where a run did not record it, until the run is read."""
    code: str | None = None
    """Digest of all code that the step executes; None where that is not known, as of a framework."""

    @property
    def case(self) -> Case:
        """The training step that was checked."""
        return self.kernel.at(self.batch)
