"""The protocol between the conductor and a worker: every request and its answer, as pairs of dataclasses.

A new request is written here, those of training steps in `protocol_training` and of the processor's limits in
`protocol_limits`, and as a method of `actbench.engine.working.worker.Server`. The worker needs the standard library
alone for this, so that an interpreter with nothing but the backends' own packages can serve; the conductor checks every
answer against its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from actbench.engine.wire import PackedArray, Request
from actbench.model.checks import Compiled
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.loaded import Loaded
from actbench.model.sizes import Size
from actbench.model.training import Optimizer
from actbench.planning.selection import CaseQuery

if TYPE_CHECKING:
    from actbench.model.cases import Block, KernelId
    from actbench.model.plan import Plan
    from actbench.verification.behaviour import Doubt

PROTOCOL = 8
"""Version of this protocol: another environment's actbench can be measured where it is the same.

1: first.
2: ``start`` gives the number of threads, ``prepare`` names the yardsticks too, ``inspect`` is new.
3: ``evaluate`` may give residuals; ``load`` is new: it comes after ``start``, with the user's own code.
4: ``evaluate`` reports faults; ``compare`` and ``doubts`` are new. ``time`` answers with the share of the processor as
   well, and with processor time where that was lost.
5: ``device``, ``doubts`` and ``limits`` are ``locate-device``, ``list-doubts`` and ``measure-limits``; ``offer`` has a
   query.
6: cases have a state of operands, and ``prepare`` gives the size of the cache and
   what inputs are drawn from.
7: blocks may be training steps of networks: ``prepare`` gives the optimizer, ``check-step`` and ``instrument`` are new.
8: ``load`` may give the place of a file; ``describe`` answers with what is loaded, ``inspect`` with a
   digest of the code.

Every version has ``start`` and ``describe``, so that versions can be compared.
"""


@dataclass(frozen=True, slots=True)
class Started:
    """The process is pinned and has imported what it needs."""

    affinity: tuple[int, ...] | None
    """The processors it may run on, or None where the system cannot say."""


@dataclass(frozen=True, slots=True)
class Start(Request[Started]):
    """Pin the process to a processor, then import numpy and the backends. The first request of all."""

    cpu: int | None
    threads: int
    """For the backends that have several."""
    together: bool = False
    """Whether libraries have as many, of matrix products as well; their pools get the processors of the process."""


@dataclass(frozen=True, slots=True)
class Source:
    """A user's own code: a file as seen from the worker's directory, or an installed package."""

    name: str
    sha256: str | None
    """Of the very code that is meant; None where another version of a package will do."""
    path: str | None = None
    """Where the file is, if not under its name."""


@dataclass(frozen=True, slots=True)
class LoadedAll:
    """What the sources declare can be prepared."""


@dataclass(frozen=True, slots=True)
class Load(Request[LoadedAll]):
    """Load a user's own code."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """What the process runs on."""

    protocol: int
    versions: dict[str, str]
    """Of Python, actbench and the libraries of the backends, by name."""
    loaded: tuple[Loaded, ...] = ()
    """The user's own code that the process has loaded, in order."""


@dataclass(frozen=True, slots=True)
class Describe(Request[Described]):
    """Say what the process runs on."""


@dataclass(frozen=True, slots=True)
class LocatedDevice:
    """The device in whose memory a backend's operands lie."""

    name: str
    versions: dict[str, str]
    """Of the software that drives it."""


@dataclass(frozen=True, slots=True)
class LocateDevice(Request[LocatedDevice]):
    """Name the device in whose memory a backend's operands lie; an error for a backend that has none."""

    backend: str


@dataclass(frozen=True, slots=True)
class Offered:
    """The ids of the cases that exist in the process's environment, and what they keep."""

    cases: tuple[str, ...]
    kept: tuple[int | float, ...]
    """Bytes per element that each of them keeps for the backward pass."""


@dataclass(frozen=True, slots=True)
class Offer(Request[Offered]):
    """List the requested cases that exist here."""

    query: CaseQuery


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A kernel called once, untimed, on inputs of the conductor's."""

    outputs: tuple[PackedArray, ...]
    raised: str | None
    """The exception that the kernel's arithmetic raised instead of giving outputs."""
    compile_seconds: float | None
    from_cache: bool
    faults: tuple[str, ...] = ()
    """What a kernel must not do and this one did, such as to change its operands: one sentence each."""


@dataclass(frozen=True, slots=True)
class Evaluate(Request[Evaluated]):
    """Call a kernel once, untimed."""

    case: str
    z: PackedArray
    dy: PackedArray
    residuals: dict[str, PackedArray] = field(default_factory=dict)
    """What the kernel reads in place of what its own forward pass keeps, by name; may be empty."""

    @classmethod
    def of(cls, kernel: KernelId, z: Any, dy: Any, residuals: Mapping[str, Any] | None = None) -> Evaluate:
        """Return the request for a kernel and arrays.

        z has two columns, a and b, where the activation is gated, and is rows by columns where it works along rows.
        """
        kept = {name: PackedArray.pack(array) for name, array in (residuals or {}).items()}
        elements, rows = (z.size, len(z)) if dy.ndim > 1 else (dy.size, 1)
        return cls(kernel.of(Size(elements), rows=rows).id, PackedArray.pack(z), PackedArray.pack(dy), kept)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the compiler made of a kernel, if anything."""

    compiled: Compiled | None
    code: str | None = None
    """Digest of all code that a call executes; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Inspect(Request[Inspected]):
    """Read what the compiler made of a kernel, or the digest of a training step, at whatever size the case has."""

    case: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The block's inputs are drawn and its kernels compiled."""

    network: str = ""
    """The digest of the network's layers as this process builds them; of training steps."""


@dataclass(frozen=True, slots=True)
class Prepare(Request[Prepared]):
    """Take up a block, in place of the one before."""

    cases: tuple[str, ...]
    """Ids: those of its cases first, then those of its yardsticks."""
    seed: int
    """Of what is drawn from the inputs."""
    cache: int = 0
    """Bytes that pass twice before cold operands are touched again: those of the last-level cache."""
    whole: bool = False
    """Whether every element of a large result is compared once, and not a part of them."""
    inputs: Inputs = STANDARD_NORMAL
    """What pre-activations are drawn from; a file is seen from the worker's directory."""
    optimizer: Optimizer = Optimizer.SGD
    """Of training steps."""

    @classmethod
    def of(cls, block: Block, plan: Plan, *, whole: bool = False) -> Prepare:
        """Return the request for a block of a plan."""
        optimizer = plan.training.optimizer if plan.training else Optimizer.SGD
        return cls(tuple(case.id for case in block.timed), plan.seed, plan.cache, whole, plan.inputs, optimizer)


@dataclass(frozen=True, slots=True)
class PackedDoubt:
    """What was seen of an arm of a block, in transit: what it must not do, or elements unlike the reference's."""

    arm: int
    fault: str
    """What it did; empty where it is about elements."""
    of_output: bool
    """Whether the elements are of y, and not of g' or dy * g'."""
    z: PackedArray
    dy: PackedArray
    computed: PackedArray

    @classmethod
    def pack(cls, doubt: Doubt) -> PackedDoubt:
        """Return a doubt as it is sent."""
        arrays = (doubt.elements.z, doubt.elements.dy, doubt.elements.computed)
        return cls(doubt.arm, doubt.fault, doubt.of_output, *map(PackedArray.pack, arrays))


@dataclass(frozen=True, slots=True)
class Doubts:
    """What was seen of the arms of the prepared block."""

    doubts: tuple[PackedDoubt, ...]


@dataclass(frozen=True, slots=True)
class Compare(Request[Doubts]):
    """Call every arm of the prepared block once on all of its operands, and hold all elements to the reference."""


@dataclass(frozen=True, slots=True)
class ListDoubts(Request[Doubts]):
    """List what was seen in the calls after timed values, since the block was prepared."""


class Slice(NamedTuple):
    """So many calls of an arm, timed together."""

    arm: int
    calls: int
    phase: int = 0
    """Where in a cache line the result starts, of `actbench.kernels.placement.PHASES`, if the call allocates it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is timed at one placement: the seed of its addresses, and the slices in order."""

    seed: int
    slices: tuple[Slice, ...]
    move: bool = False
    """Whether the code is put elsewhere in memory before."""


class Taken(NamedTuple):
    """What is known of one slice: an entry of `Timed`."""

    seconds: float
    processor: float


@dataclass(frozen=True, slots=True)
class Timed:
    """By sweep, seconds of each slice, all its calls together."""

    seconds: tuple[tuple[float, ...], ...]
    processor: tuple[tuple[float, ...], ...]
    """Of each slice, the share of its wall time that the process had the processor, 0 where that is not known; the
    seconds are processor time where it is below 1."""
    parts: tuple[tuple[float, ...], ...] = ()
    """Seconds of the parts of a training step, by arm, then by `StepPart`; nothing for an arm without parts."""


@dataclass(frozen=True, slots=True)
class Time(Request[Timed]):
    """Time the slices of each sweep, of the prepared block, its operands at new addresses."""

    sweeps: tuple[Sweep, ...]
    parts: bool = False  # whether to do as many steps beside every slice of training steps, in parts if they have any
