"""Which backends of a plan have several threads."""

from __future__ import annotations

from actbench.kernels import resolution
from actbench.model.plan import Plan


def with_library_threads(plan: Plan) -> tuple[str, ...]:
    """Name the backends of a plan whose libraries have several threads in it (`with_threads`)."""
    copies = {name for block in plan.blocks for name in block.copies}
    return tuple(one.name for one in resolution.backends(plan.cases) if one.takes_threads and one.name in copies)


def threaded(plan: Plan) -> tuple[str, ...]:
    """Name the backends of a plan whose calls are executed by several threads."""
    shared = with_library_threads(plan)
    return tuple(one.name for one in resolution.backends(plan.cases) if one.threaded or one.name in shared)


def together(plan: Plan) -> bool:
    """Whether libraries have several threads, which share processors: those of training steps are as many as named."""
    return plan.training is not None or bool(with_library_threads(plan))
