"""What the tests of optional backends share."""

from __future__ import annotations

from typing import Any

import pytest

from actbench import registry
from actbench.model.names import Dtype

OPTIONAL = [name for name, backend in registry.backends().items() if backend.optional and backend.requires != "numba"]
"""What an extra installs."""


def usable(name: str) -> Any:
    """Return a parameter that is skipped where the backend is missing, with the reason."""
    reason = registry.backends()[name].unavailable
    return pytest.param(name, marks=pytest.mark.skipif(reason is not None, reason=f"{name}: {reason}"))


def widest(name: str) -> Dtype:
    """Return float64, or float32 of a backend that computes in nothing wider."""
    return Dtype.FLOAT64 if Dtype.FLOAT64 in registry.backends()[name].dtypes else Dtype.FLOAT32


each_usable = pytest.mark.parametrize("name", [usable(name) for name in OPTIONAL])
