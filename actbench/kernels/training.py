"""What a case of a training step executes: a network's products by one backend, its activation by that or another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from actbench.backends import Backend, Passes, StepArrays, StepSpec, TrainingStep
from actbench.formula import Activation
from actbench.kernels import code_digest, dtypes
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array, Z
from actbench.model.cases import KernelId
from actbench.model.names import Op
from actbench.model.networks import Network
from actbench.model.training import ARMS, CHECKPOINT, FREE, SHIPPED, Optimizer
from actbench.model.variants import Variant


@dataclass(frozen=True, slots=True)
class Trainer:
    """The backends of a step, ``numpy+numba-simd``: of its products, and of its activation."""

    products: Backend
    activation: Backend

    @property
    def name(self) -> str:
        """One name where both are the same."""
        if self.products is self.activation:
            return self.products.name
        return f"{self.products.name}+{self.activation.name}"

    @property
    def has_gradients(self) -> bool:
        """Whether a framework does both, with its own automatic differentiation."""
        return self.products is self.activation and not self.products.takes_arrays


class NetworkStep:
    """One arm of a training step: a strategy of an activation, or one of `ARMS`, in a network."""

    def __init__(self, identity: KernelId, trainer: Trainer, network: Network, activation: Activation) -> None:
        """Take the names, and what they stand for."""
        self.identity = identity
        self.trainer, self.network, self.activation = trainer, network, activation

    def __repr__(self) -> str:
        """Return the id."""
        return f"<{self.identity.id}>"

    @property
    def variant(self) -> Variant:
        """The strategy, or what stands in its place."""
        return self.identity.strategy

    @property
    def is_exact(self) -> bool:
        """Whether its gradients are those of the network; not where g' is left out by design."""
        return self.variant != FREE

    @cached_property
    def kernel(self) -> Kernel | None:
        """The step of the activation alone; the plainest where the arm is no strategy, None where it is not ours."""
        if self.variant == SHIPPED:
            return None
        strategy = plainest(self.activation) if self.variant in ARMS else self.variant
        backend = self.trainer.activation
        identity = replace(self.identity, strategy=strategy, backend=backend.name, op=Op.STEP)
        return Kernel(identity, backend, self.activation, strategy.name, strategy.storage)

    def alone(self, *, forward: bool = False) -> tuple[Kernel, ...]:
        """Return what is measured alone to predict gains: the backward pass; both passes too where it stores.

        With `forward`, both passes also where it stores nothing. Empty where the arm is no strategy, and where it
        stores something in a framework whose own activation the other arms call: what that takes is not known from the
        activation alone.
        """
        if self.kernel is None or self.variant in ARMS:
            return ()
        if not self.stores:
            return (self.kernel.backward, self.kernel) if forward else (self.kernel.backward,)
        ships = self.trainer.has_gradients and self.trainer.products.ships(self.activation.name)
        return () if ships else (self.kernel.backward, self.kernel)

    @property
    def stores(self) -> bool:
        """Whether the forward pass writes something beside y."""
        y_and_dz = 2
        return self.kernel is not None and len(self.kernel.writes) > y_and_dz

    @cached_property
    def unsupported(self) -> str | None:
        """Why it cannot be executed, its backends available or not; None where it can."""
        products, dtype = self.trainer.products, self.identity.dtype
        if reason := dtypes.unsupported(products, dtype):
            return reason
        if self.variant == SHIPPED and not products.ships(self.activation.name):
            has_none = f"{products.name} has no {self.activation.name} of its own"
            return has_none if self.trainer.has_gradients else f"{products.name} has no automatic differentiation"
        if self.variant == CHECKPOINT and not self.network.checkpoints:
            return f"{self.network.name} has an activation that follows no linear layer, which could compute z again"
        if self.variant == CHECKPOINT and self.kernel and self.kernel.residuals != (Z,):
            return f"{self.activation.name} has no strategy that computes g' from z alone"
        return self.kernel.unsupported if self.kernel else None

    @cached_property
    def passes(self) -> Passes | None:
        """What the activation computes and keeps; None where it is the framework's."""
        if self.kernel is None:
            return None
        backend = self.trainer.activation
        passes = backend.passes(self.kernel.rule, self.identity.dtype)
        if self.variant != FREE:
            return passes
        forward, copied = passes.forward, backend.namespace().copy if self.trainer.has_gradients else _copied
        return Passes(lambda z: (forward(z)[0],), copied, lambda _z, _y: ())

    @property
    def code(self) -> str | None:
        """Digest of all code that it executes; None where that is not known, as of a framework."""
        products = self.trainer.products.executed_by(())
        if self.kernel is None or products is None:
            return None
        return code_digest.of_step(self.kernel.backward.code, products)

    def load(self) -> None:
        """Load the libraries of its activation, and compile it where these do."""
        _ = self.passes

    def step(self, arrays: StepArrays, optimizer: Optimizer) -> TrainingStep:
        """Return the step on these arrays."""
        spec = StepSpec(
            self.network,
            self.activation.name,
            self.passes,
            self.variant == CHECKPOINT,
            self.identity.dtype,
            optimizer,
        )
        return self.trainer.products.training_step(spec, arrays)

    def beside(self, variant: Variant) -> NetworkStep:
        """Return another arm of the same step."""
        return NetworkStep(replace(self.identity, strategy=variant), self.trainer, self.network, self.activation)


def plainest(activation: Activation) -> Variant:
    """Return ``recompute`` where an activation has it, else its first strategy."""
    strategies = [*activation.formulas.strategies]
    return Variant("recompute" if "recompute" in strategies else strategies[0])


def _copied(dy: Array) -> Array:
    return dy.copy()
