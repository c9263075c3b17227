"""From an id to what it stands for: the one place where the names of a case are looked up."""

from __future__ import annotations

from functools import cache

from actbench import registry
from actbench.errors import unknown
from actbench.kernels.kernel import Kernel
from actbench.kernels.overhead import TRAFFIC, Rung
from actbench.kernels.subject import Subject, Yardstick
from actbench.kernels.traffic import COPY, NOTHING, Traffic, traffic
from actbench.model.cases import OVERHEAD, RUNGS, YARDSTICK, Case, KernelId
from actbench.registry import Registry


def resolve(identity: Case | KernelId) -> Subject:
    """Return what a case, or a kernel, executes, available here or not; `InputError` for a name that is not known."""
    return _resolved(registry.current(), identity.kernel if isinstance(identity, Case) else identity)


def kernel(identity: Case | KernelId) -> Kernel:
    """Return the kernel of an id that is a derivative's; `InputError` for a name that is not known."""
    subject = resolve(identity)
    assert isinstance(subject, Kernel)  # noqa: S101  # who asks for a kernel has one
    return subject


def traffic_of(case: Case) -> Traffic:
    """Return what one call of a case moves and keeps, of any backend: runs are read whose backend is not loaded.

    `InputError` for an activation that is not known.
    """
    if case.is_yardstick:
        return COPY
    if case.is_rung:
        return TRAFFIC.get(case.strategy, NOTHING)
    return traffic(registry.activation(case.activation), case.strategy.name, case.strategy.storage, case.op)


def preallocates(case: Case) -> bool:
    """Say whether the backend of a case writes its results to arrays that it is given, as far as it is loaded."""
    return any(backend.preallocates for backend in registry.known_backends([case.backend]))


@cache
def _resolved(known: Registry, identity: KernelId) -> Subject:
    if identity.strategy == YARDSTICK:
        return Yardstick(identity, known.named_backend(identity.backend))
    if identity.activation == OVERHEAD:
        if identity.strategy not in RUNGS:
            raise unknown("rung", identity.strategy, RUNGS)
        return Rung(identity, known.named_backend(identity.backend))
    activation = known.activation(identity.activation)
    backend = known.named_backend(identity.backend)
    strategy, storage = identity.strategy.name, identity.strategy.storage
    if strategy not in activation.strategies:
        raise unknown(f"strategy of {activation.name}", strategy, activation.strategies)
    return Kernel(identity, backend, activation, strategy, storage)
