"""Arrays with spare memory around them, for calls of the user's code without guard bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOM = 1024
"""Spare elements before and after an array."""


def with_room(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy with `ROOM` spare elements on both sides, which code that writes out of bounds may overwrite.

    Calls between guard bytes detect such code.
    """
    copied = np.zeros(array.size + 2 * ROOM, dtype=array.dtype)[ROOM : ROOM + array.size]
    copied[...] = array
    return copied
