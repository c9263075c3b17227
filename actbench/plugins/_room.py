"""Arrays with room around them, on which a user's own code is called outside of guarded calls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOM = 1024
"""Elements before and after an array."""


def with_room(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy, so that code which writes beyond the ends of an array spoils nothing of this process.

    It is refused for that by the calls between guard bytes.
    """
    copied = np.zeros(array.size + 2 * ROOM, dtype=array.dtype)[ROOM : ROOM + array.size]
    copied[...] = array
    return copied
