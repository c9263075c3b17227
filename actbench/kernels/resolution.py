"""From an id to what it stands for: the one place where the names of a case are looked up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from actbench import registry
from actbench.backends import Backend
from actbench.errors import InputError, unknown
from actbench.formula import Activation
from actbench.kernels import rows
from actbench.kernels.kernel import Kernel
from actbench.kernels.kernel_copy import KernelCopy
from actbench.kernels.overhead import LADDER, TRAFFIC, Ladder
from actbench.kernels.row_kernel import RowKernel
from actbench.kernels.second import of_op
from actbench.kernels.shipped import ShippedKernel
from actbench.kernels.shipped_functions import ShippedGatedKernel
from actbench.kernels.shipped_rows import ShippedRowKernel
from actbench.kernels.subject import Subject, Yardstick
from actbench.kernels.traffic import COPY, NOTHING, Traffic, traffic
from actbench.kernels.training import NetworkStep, Trainer
from actbench.kernels.user_kernel import UserKernel
from actbench.model.cases import OVERHEAD, YARDSTICK, YARDSTICKS, Arm, Case, KernelId
from actbench.model.kernel_copies import KERNEL_COPIES
from actbench.model.rule import PRE_ACTIVATION
from actbench.model.training import ARMS, SHIPPED
from actbench.model.user_kernels import UserStrategy
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


def network_step(identity: Case | KernelId) -> NetworkStep:
    """Return what a case of a training step executes, available here or not; `InputError` for a name not known."""
    known = registry.current()
    kernel_id = identity.kernel if isinstance(identity, Case) else identity
    network, activation = known.network(kernel_id.op), known.activation(kernel_id.activation)
    arm, arms = kernel_id.strategy, (*activation.formulas.strategies, *ARMS)
    if arm not in ARMS and arm.name not in activation.formulas.strategies:
        raise unknown(f"strategy of {activation.name}", arm, arms)
    return NetworkStep(kernel_id, trainer(kernel_id.backend), network, activation)


def trainer(name: str) -> Trainer:
    """Return the backends of a training step, ``numpy+numba-simd``; `InputError` where they cannot train networks."""
    known = registry.current()
    of_products, plus, of_activation = name.partition("+")
    if plus and not (of_products and of_activation):
        raise InputError(f"'{name}' names one backend: write numpy, or two with a + between them, numpy+numba")
    products = known.named_backend(of_products)
    activation = known.named_backend(of_activation) if plus else products
    if not products.trains:
        hint = f": write numpy+{name}" if products.takes_arrays and not plus else ""
        raise InputError(f"backend '{of_products}' has no products of matrices to train networks with{hint}")
    if plus and not (products.takes_arrays and activation.takes_arrays):
        framework = activation if products.takes_arrays else products
        hint = f": write {framework.name}" if framework.trains else ""
        raise InputError(f"'{name}': {framework.name} has arrays of its own, which no other backend takes{hint}")
    return Trainer(products, activation)


def activation_or_ladder(name: str) -> Activation | Ladder:
    """Return what stands in an activation's place, by its name; `InputError` for one that is not known."""
    return _activation_or_ladder(registry.current(), name)


def backends(cases: Iterable[Case | Arm]) -> list[Backend]:
    """Return the backends of these cases, each once, as far as they are loaded: runs are read whose code is not."""
    pairs = dict.fromkeys(case.backend for case in cases)
    return registry.known_backends(name for pair in pairs for name in pair.split("+"))


def traffic_of(case: Case) -> Traffic:
    """Return what one call of a case moves and keeps, of any backend: runs are read whose backend is not loaded.

    Nothing is known so of what a framework does, which its `Check` records. `InputError` for an activation that is not
    known.
    """
    if case.op.network or case.strategy == SHIPPED:
        return NOTHING
    if case.is_yardstick:
        return COPY
    if case.is_rung:
        return TRAFFIC.get(case.strategy, NOTHING)
    return traffic(registry.activation(case.activation), case.strategy.name, case.strategy.storage, case.op)


def arrays_of(identity: KernelId) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the inputs of an activation, and which of these and of dy are one number a row.

    Of a copy, a rung, and what is not known any more, that is z.
    """
    try:
        of = activation_or_ladder(identity.activation)
    except InputError:
        return PRE_ACTIVATION, frozenset()
    if identity.strategy in YARDSTICKS or not isinstance(of, Activation):
        return PRE_ACTIVATION, frozenset()
    return of.formulas.inputs, rows.per_row(of, "") if of.is_row else frozenset()


def subject(identity: KernelId, of: Activation | Ladder, backend: Backend) -> Subject:
    """Return what an id executes, where the rest is known that it stands for; `InputError` for an unknown strategy."""
    if isinstance(of, Ladder):
        return of.rung(identity, backend)
    if identity.strategy == SHIPPED:
        ships = ShippedRowKernel if of.is_row else ShippedGatedKernel if of.is_gated else ShippedKernel
        return ships(identity, backend, of)
    name, strategies = identity.strategy.name, of.strategies
    if name not in strategies:
        raise unknown(f"strategy of {of.name}", name, strategies)
    if isinstance(strategy := strategies[name], UserStrategy):
        return UserKernel(identity, backend, of, strategy)
    kind = RowKernel if of.is_row else Kernel
    return kind(identity, backend, of_op(of, name, identity.op), name, identity.strategy.storage)


@cache
def _resolved(known: Registry, identity: KernelId) -> Subject:
    if identity.strategy == YARDSTICK:
        return Yardstick(identity, known.named_backend(identity.backend))
    if identity.strategy in KERNEL_COPIES:
        return KernelCopy(identity, known.named_backend(identity.backend))
    of = _activation_or_ladder(known, identity.activation)
    return subject(identity, of, known.named_backend(identity.backend))


def _activation_or_ladder(known: Registry, name: str) -> Activation | Ladder:
    return LADDER if name == OVERHEAD else known.activation(name)
