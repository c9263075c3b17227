"""What is asked of an environment, so that it can be sent to a worker: text and numbers, nothing to be imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Selection:
    """A preset, the user's axes in its place, and which of the cases to keep."""

    preset: str
    axes: dict[str, tuple[Any, ...]]
    """The user's, by name, in place of the preset's: names as text, sizes as integers."""
    pattern: str
    """A glob that the ids of cases match."""
    memory: int
    """Bytes that blocks may count on."""
    max_call: float
    """Seconds that one call may take, by the backends' planning figures."""
