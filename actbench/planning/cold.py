"""Whether a case's operands can come from memory on a host: there must be room for enough sets of them."""

from __future__ import annotations

from actbench.kernels.rotation import MOST_SETS, sets_needed
from actbench.kernels.subject import Subject
from actbench.model.names import Op
from actbench.planning.selection import Room

MEMORY_SHARE = 1 / 8
"""The share of the machine's memory that the sets of one block may take."""

ARRAYS_PER_SET = 8
"""Arrays of a set, at most: z, dy, y, saved residuals, outputs."""


def unsupported(subject: Subject, size: int, room: Room) -> str | None:
    """Say why operands of so many elements cannot come from memory; None where they can."""
    if reason := subject.unsupported_cold():
        return reason
    if not room.cache:
        return "the capacity of the last-level cache is not known"
    array = size * (subject.storage or subject.dtype).itemsize
    sets = sets_needed(room.cache, 2 * array if subject.op is Op.STEP else array, subject.op)
    if sets > MOST_SETS:
        return (
            f"a cache of {room.cache / 2**20:.0f} MiB takes {sets} sets of operands to pass twice, and with more than "
            f"{MOST_SETS} the Python objects around such small arrays would come from memory too"
        )
    needed = sets * ARRAYS_PER_SET * size * subject.dtype.itemsize
    if needed > MEMORY_SHARE * room.memory:
        return (
            f"{sets} sets of operands, which pass a cache of {room.cache / 2**20:.0f} MiB twice, need about "
            f"{needed / 1e9:.2g} GB, more than an eighth of this machine's {room.memory / 1e9:.2g} GB"
        )
    return None
