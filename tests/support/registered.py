"""Activations and backends of a test's own, registered for as long as it lasts."""

from __future__ import annotations

import pytest

from actbench import registry
from actbench.backends import Backend
from actbench.formula import Activation


def register(monkeypatch: pytest.MonkeyPatch, what: Activation | Backend) -> None:
    """Let a name stand for something else, or for something at all."""
    known = registry.current()
    more = known.with_activation(what) if isinstance(what, Activation) else known.with_backend(what)
    monkeypatch.setattr(registry, "_CURRENT", [more])
