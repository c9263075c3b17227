"""What the conductor and a worker say to each other: one JSON object a line.

A request is ``{"request": name, ...}``; the reply is ``{"answer": ...}``, one of the types below, or ``{"error":
sentence}``. The worker needs the standard library alone for this, so that an interpreter with nothing but the
backends' own packages can serve; the conductor checks every answer against its type.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, NamedTuple

from actbench.model.checks import Compiled

PROTOCOL = 4
"""Version of what is said here: another environment's actbench can be measured where it is the same.

1: first.
2: ``start`` gives the number of threads, ``prepare`` names the yardsticks too, ``inspect`` is new.
3: ``evaluate`` may give residuals; ``load`` is new: it comes after ``start``, with the user's own code.
4: ``evaluate`` tells faults; ``compare`` and ``doubts`` are new. ``time`` answers with the share of the processor as
   well, and with processor time where that was lost.
"""


@dataclass(frozen=True, slots=True)
class Array:
    """An array in transit: dtype, shape and raw bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: str

    @classmethod
    def pack(cls, array: Any) -> Array:
        """Wrap a numpy array."""
        return cls(str(array.dtype), array.shape, b64encode(array.tobytes()).decode())

    def unpack(self) -> Any:
        """Return the numpy array."""
        import numpy as np

        return np.frombuffer(b64decode(self.data), dtype=self.dtype).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Started:
    """Answer to ``start``: the process is pinned and has imported what it needs."""

    affinity: tuple[int, ...] | None
    """The processors it may run on, or None where the system cannot say."""


@dataclass(frozen=True, slots=True)
class Source:
    """What ``load`` names: a file as seen from the worker's directory, or an installed package."""

    name: str
    sha256: str | None
    """Of the very code that is meant; None where another version of a package will do."""


@dataclass(frozen=True, slots=True)
class LoadedAll:
    """Answer to ``load``: what the sources declare can be prepared."""


@dataclass(frozen=True, slots=True)
class Described:
    """Answer to ``describe``: what the process runs on."""

    protocol: int
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Device:
    """Answer to ``device``, of one's own environment alone: where a backend's operands lie."""

    name: str
    versions: dict[str, str]
    """Of the software that drives it."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Answer to ``offer``: the ids of the cases of a selection that exist in the process's environment."""

    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Answer to ``evaluate``: a kernel called once, untimed, on given inputs."""

    outputs: tuple[Array, ...]
    raised: str | None
    """The exception that the kernel's arithmetic raised instead of giving outputs."""
    compile_seconds: float | None
    from_cache: bool
    faults: tuple[str, ...] = ()
    """What a kernel must not do and this one did, such as to change its operands: one sentence each."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What was seen of an arm of a block: what it must not do, or elements that differ from the reference."""

    arm: int
    fault: str
    of_output: bool
    """Whether the elements are of y, and not of g' or dy * g'."""
    z: Array
    dy: Array
    computed: Array


@dataclass(frozen=True, slots=True)
class Doubts:
    """Answer to ``compare``, which calls every arm once and looks at all elements, and to ``doubts``.

    The latter tells what was seen in the calls after timed values, since the block was prepared.
    """

    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class Inspected:
    """Answer to ``inspect``: what the compiler made of a kernel, if anything."""

    compiled: Compiled | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Answer to ``prepare``: the block's inputs are drawn and its kernels compiled."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Floating-point operations a second, in one width of vectors, by repeat."""

    dtype: str
    bits: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """Bytes read and written a second by copying an array of `nbytes`, by repeat."""

    nbytes: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Limited:
    """Answer to ``limits``: how fast the processor computes and copies at most."""

    arithmetic: tuple[Arithmetic, ...]
    """Nothing where numba is not available."""
    copies: tuple[Copy, ...]


class Slice(NamedTuple):
    """So many calls of an arm, timed together."""

    arm: int
    calls: int
    phase: int = 0
    """Where in a cache line the result starts, of `actbench.kernels.kernel.PHASES`, if the call allocates it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is timed at one placement: the seed of its addresses, and the slices in order."""

    seed: int
    slices: tuple[Slice, ...]
    move: bool = False
    """Whether the code is put elsewhere in memory before."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Answer to ``time``: by sweep, seconds of each slice, all its calls together."""

    seconds: tuple[tuple[float, ...], ...]
    processor: tuple[tuple[float, ...], ...]
    """Of each slice, the share of its wall time that the process had the processor; 0 where that is not known.

    Where it is below 1, the seconds are processor time."""


class Taken(NamedTuple):
    """What is known of one slice: an entry of `Timed`."""

    seconds: float
    processor: float
