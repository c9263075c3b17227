"""Why a backend does not compute in a dtype, and what does where the dtype is one of 16 bits."""

from __future__ import annotations

from actbench import registry
from actbench.backends import Backend
from actbench.model.names import NARROW, Dtype


def unsupported(backend: Backend, dtype: Dtype) -> str | None:
    """Return why a backend does not compute in a dtype, and the way out; None where it does."""
    reason = backend.unsupported(dtype)
    if reason is None or dtype in backend.dtypes or dtype not in NARROW:
        return reason
    able = [other.name for other in registry.backends().values() if dtype in other.dtypes]
    return f"{reason}; {', '.join(able)} compute in {dtype}, and --residual-dtype {dtype} keeps in it what is saved"
