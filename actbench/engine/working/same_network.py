"""Whether a worker trains the network that was planned: the user's own code may build another one in every process."""

from __future__ import annotations

from actbench import registry
from actbench.engine.launch import UnsupportedError
from actbench.model.names import Op


def require_planned(op: Op, digest: str) -> None:
    """Raise `UnsupportedError` where a worker's network, by the digest of its layers, is not that of this process.

    Workers of earlier versions send no digest.
    """
    if digest and digest != registry.current().network(op).digest:
        raise UnsupportedError(
            f"network '{op}' has other layers in a worker than in the plan: let it return the same for the same "
            "widths, in every process and on both sides of a check"
        )
