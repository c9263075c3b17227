"""From an id to what it stands for: the one place where the names of a case are looked up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from actbench import registry
from actbench.backends import Backend
from actbench.errors import unknown
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.overhead import LADDER, TRAFFIC, Ladder
from actbench.kernels.subject import Subject, Yardstick
from actbench.kernels.traffic import COPY, NOTHING, Traffic, traffic
from actbench.model.cases import OVERHEAD, YARDSTICK, Arm, Case, KernelId
from actbench.registry import Registry


def resolve(identity: Case | KernelId) -> Subject:
    """Return what a case, or a kernel, executes, available here or not; `InputError` for a name that is not known."""
    return _resolved(registry.current(), identity.kernel if isinstance(identity, Case) else identity)


def kernel(identity: Case | KernelId) -> Kernel:
    """Return the kernel of an id that is a derivative's; `InputError` for a name that is not known."""
    subject = resolve(identity)
    assert isinstance(subject, Kernel)  # noqa: S101  # who asks for a kernel has one
    return subject


def subjects(cases: Iterable[Case]) -> dict[Case, Subject]:
    """Return what cases execute, such as those of a plan; `InputError` for a name that is not known."""
    return {case: resolve(case) for case in cases}


def activation_or_ladder(name: str) -> Activation | Ladder:
    """Return what stands in an activation's place, by its name; `InputError` for one that is not known."""
    return _activation_or_ladder(registry.current(), name)


def backends(cases: Iterable[Case | Arm]) -> list[Backend]:
    """Return the backends of these cases, each once, as far as they are loaded: runs are read whose code is not."""
    return registry.known_backends(case.backend for case in cases)


def traffic_of(case: Case) -> Traffic:
    """Return what one call of a case moves and keeps, of any backend: runs are read whose backend is not loaded.

    `InputError` for an activation that is not known.
    """
    if case.is_yardstick:
        return COPY
    if case.is_rung:
        return TRAFFIC.get(case.strategy, NOTHING)
    return traffic(registry.activation(case.activation), case.strategy.name, case.strategy.storage, case.op)


def subject(identity: KernelId, of: Activation | Ladder, backend: Backend) -> Subject:
    """Return what an id executes, where the rest is known that it stands for; `InputError` for an unknown strategy."""
    if isinstance(of, Ladder):
        return of.rung(identity, backend)
    strategy, storage = identity.strategy.name, identity.strategy.storage
    if strategy not in of.strategies:
        raise unknown(f"strategy of {of.name}", strategy, of.strategies)
    return Kernel(identity, backend, of, strategy, storage)


@cache
def _resolved(known: Registry, identity: KernelId) -> Subject:
    if identity.strategy == YARDSTICK:
        return Yardstick(identity, known.named_backend(identity.backend))
    of = _activation_or_ladder(known, identity.activation)
    return subject(identity, of, known.named_backend(identity.backend))


def _activation_or_ladder(known: Registry, name: str) -> Activation | Ladder:
    return LADDER if name == OVERHEAD else known.activation(name)
