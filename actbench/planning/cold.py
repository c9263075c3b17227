"""Whether operands can come from memory on a host: there must be room for enough sets of them.

Workers count the sets anew, of what frameworks keep as well (`Subject.outline`).
"""

from __future__ import annotations

from collections.abc import Sequence

from actbench.kernels import sets
from actbench.kernels.subject import Subject
from actbench.model.cases import Block, Case
from actbench.planning.selection import Room

MEMORY_SHARE = 1 / 8
"""The share of the machine's memory that the sets of one block may take."""


def unsupported(subject: Subject, yardstick: Subject, of: Case, room: Room) -> str | None:
    """Say why operands of a case, which a subject executes, cannot come from memory; None where they can.

    The yardstick of its block has as many sets as the subject where they share memory.
    """
    if reason := subject.unsupported_cold():
        return reason
    sharing = [*sets.sharing([subject.outline, yardstick]).values()]
    if not all(sets.cache_in_front(subjects, room.cache) for subjects in sharing):
        return "the capacity of the last-level cache is not known"
    count, cache = max(_counts(sharing, of, room))
    if count > sets.MOST_SETS:
        return (
            f"a cache of {cache / 2**20:.0f} MiB takes {count} sets of operands to pass twice, and with more than "
            f"{sets.MOST_SETS} the Python objects around such small arrays would come from memory too: "
            "name larger arrays, or --operands warm"
        )
    return None


def without_memory(subjects: Sequence[Subject], of: Block, room: Room) -> str | None:
    """Say why there is no memory for the sets of a block of these subjects; None where there is."""
    sharing = [*sets.sharing(subject.outline for subject in subjects).values()]
    counts = _counts(sharing, of, room)
    needed = sum(
        count * sets.set_bytes(subjects, of.operands, of.size, of.rows)
        for (count, _), subjects in zip(counts, sharing, strict=True)
    )
    if needed <= MEMORY_SHARE * room.memory:
        return None
    count, cache = max(counts)
    return (
        f"{count} sets of operands of {len(subjects)} cases, which pass a cache of {cache / 2**20:.0f} MiB "
        f"twice, need about {needed / 1e9:.2g} GB, more than an eighth of the {room.memory / 1e9:.2g} GB that there are"
        ": name fewer strategies or backends, or --operands warm"
    )


def _counts(sharing: Sequence[Sequence[Subject]], of: Case | Block, room: Room) -> list[tuple[int, int]]:
    """Return the number of sets of subjects that share them, and the bytes of the cache that they pass twice."""
    return [
        (
            sets.count(subjects, of.operands, of.size, room.cache, of.rows),
            sets.cache_in_front(subjects, room.cache),
        )
        for subjects in sharing
    ]
