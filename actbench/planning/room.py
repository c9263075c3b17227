"""What this host has for cases."""

from __future__ import annotations

from actbench.host import environment, memory
from actbench.planning.presets import Axes
from actbench.planning.selection import MAX_CALL, Room


def room_here(axes: Axes, affinity: int | None = None, max_call: float | None = None, processes: int = 1) -> Room:
    """Return what this host has for cases of these axes, of which so many processes hold the operands at once.

    The last-level cache is that of the processor to which workers are pinned.
    """
    cache = 0 if axes.are_warm else environment.last_level_cache(environment.choose_cpu(affinity))
    return Room(memory.usable() // processes, cache, max_call or MAX_CALL)
