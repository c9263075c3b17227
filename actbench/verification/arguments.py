"""Arguments of the oracle's calls: their sizes, upstream gradients, and what multiplying by these adds to an error."""

from __future__ import annotations

import numpy as np

FACTORS = np.array([1.0, -2.0, 2.0, -1.0])
"""Upstream gradients, in turn, that round nothing."""

SIZES = (1, 7, 64, 1000)
"""Sizes of further calls: one element, less than a vector, a few vectors, and many with a remainder."""

PRODUCT = 2.0
"""ULP that multiplying by an arbitrary dy, and dividing by it here, may add to an error."""
