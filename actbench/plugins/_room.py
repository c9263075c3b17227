"""Arrays with spare memory around them, for calls of the user's code without guard bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOM = 8192
"""Spare bytes before and after an array."""

ALIGNMENT = 64
"""Bytes: the copy starts at a multiple of these, as code may expect of its operands."""


def with_room(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy with `ROOM` spare bytes on both sides, which code that writes out of bounds may overwrite.

    Calls between guard bytes detect such code.
    """
    room = np.zeros(array.nbytes + 2 * ROOM + ALIGNMENT, dtype=np.uint8)
    start = ROOM + -room.ctypes.data % ALIGNMENT
    copied: NDArray[Any] = room[start : start + array.nbytes].view(array.dtype)
    copied[...] = array
    return copied
