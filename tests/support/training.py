"""Steps of networks for tests: of built-in ones, and of odd ones that a user may declare."""

from __future__ import annotations

from collections.abc import Sequence

from actbench import registry
from actbench.backends import StepArrays
from actbench.kernels.resolution import trainer
from actbench.kernels.training import NetworkStep
from actbench.kernels.training_arrays import drawn
from actbench.model.cases import KernelId
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import Dtype, Op
from actbench.model.networks import Activate, Layer, Linear, Multiply, Network
from actbench.model.training import ARMS, SHIPPED
from actbench.model.variants import Variant

BATCH = 7

DECLARED = ("dense:6-5", "mlp:6-5-4-3", "ffn:5-8", "glu-ffn:6-8")
"""Networks of all built-in kinds."""

ODD: dict[str, tuple[Layer, ...]] = {
    "first:5-4": (Activate(), Linear(5, 4), Activate()),
    "twice:5-4": (Linear(5, 4), Activate(), Activate(), Linear(4, 3)),
    "skip:5-4": (Linear(5, 4), Multiply((Activate(),), ()), Linear(4, 3)),
    "skip-input:5-4": (Multiply((Activate(),), ()), Linear(5, 4)),
    "square:5-4": (Linear(5, 4), Activate(), Multiply((), ())),
    "nested:5-4": (
        Multiply((Linear(5, 4), Multiply((Activate(),), (Activate(), Linear(4, 4)))), (Linear(5, 4), Activate())),
        Activate(),
    ),
}
"""Networks in which an activation comes first, last, or after no linear layer, and products of what there is."""


def network(name: str) -> Network:
    """Return a network of either kind."""
    return Network(Op(name), ODD[name]) if name in ODD else registry.current().network(Op(name))


def step(
    name: str,
    strategy: str,
    activation: str = "silu",
    backend: str = "numpy",
    dtype: Dtype = Dtype.FLOAT64,
) -> NetworkStep:
    """Return an arm of a network, of either kind."""
    identity = KernelId(activation, Variant(strategy), backend, Op(name), dtype)
    return NetworkStep(identity, trainer(backend), network(name), registry.activation(activation))


def arms(activation: str, narrow: Sequence[str] = ()) -> list[str]:
    """Return the arms of an activation, without the frameworks', and narrow variants of its strategies."""
    strategies = [*registry.activation(activation).strategies]
    return [
        *strategies,
        *(f"{strategy}:{storage}" for strategy in strategies for storage in narrow),
        *(arm for arm in ARMS if arm != SHIPPED),
    ]


def arrays(of: NetworkStep, batch: int = BATCH, seed: int = 1) -> StepArrays:
    """Return arrays of a step, from the standard normal distribution."""
    return drawn(of.network, batch, of.identity.dtype, seed, STANDARD_NORMAL)
