from __future__ import annotations

import numpy as np
import pytest

from actbench.analysis.accuracy import Part
from actbench.engine.survey import exhaustive


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Look at every number of some neighbourhoods, as if there were no others."""
    starts = np.array([1e-30, 0.5, 3.0, 12.0, 17.3, 17.4, 40.0, 90.0], dtype=np.float32)
    near = np.concatenate([(start.view(np.uint32) + np.arange(500, dtype=np.uint32)) for start in starts])
    z: np.ndarray[tuple[int], np.dtype[np.float32]] = near.view(np.float32)
    monkeypatch.setattr(exhaustive, "_numbers", lambda _: iter([(Part.RIGHT, z), (Part.LEFT, -z)]))
    return z
