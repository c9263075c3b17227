"""Activations that a framework has itself, with a gradient, under the framework's names.

They are named and not imported: which activations a framework has is known where it is not installed, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import MappingProxyType
from typing import Any

from actbench.backends._layouts import AlongRowsLayout, GatedLayout, Layout, PackedLayout
from actbench.model.rule import GATED, PRE_ACTIVATION, TARGETED

PACKED = ("b_a",)
"""The input of a framework's own gated function, b and a in one array, in its last axis."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A framework's function of z, ``torch.nn.functional.elu(z, alpha=0.5)``, or of the inputs of an activation."""

    path: str
    """Module and name: ``torch.nn.functional.elu``."""
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of the call."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The framework's keywords by the names of the activation's parameters; both have the same defaults."""
    is_module: bool = field(default=False, kw_only=True)
    """Whether the name is a class, whose instances are called."""
    takes_target: bool = field(default=False, kw_only=True)
    """Whether it is one of z and of the numbers of columns, one a row in one dimension, and returns such numbers."""
    is_gate: bool = field(default=False, kw_only=True)
    """Whether it is the g of a gated activation: it is called on a, and the framework multiplies by b."""
    is_packed: bool = field(default=False, kw_only=True)
    """Whether it is gated, and takes b and a in one array."""
    only_wide: bool = field(default=False, kw_only=True)
    """Whether it refuses floats of 16 bits."""

    def with_parameters(self, values: Mapping[str, float]) -> Shipped:
        """Return the call with these values of the activation's parameters."""
        named = {self.parameters[name]: value for name, value in values.items()}
        return replace(self, keywords={**self.keywords, **named}, parameters={})

    def __str__(self) -> str:
        """Return the call as Python has it."""
        keywords = "".join(f", {name}={value!r}" for name, value in self.keywords.items())
        inputs = (
            TARGETED if self.takes_target else PACKED if self.is_packed else GATED[: self.is_gate] or PRE_ACTIVATION
        )
        call = f"{self.path}{'()' if self.is_module else ''}({', '.join(inputs)}{keywords})"
        return f"{call} * b" if self.is_gate else call

    def layout(self, inputs: tuple[str, ...]) -> Layout:
        """Return what it takes of the operands of an activation along rows, or of a gated one, with these inputs."""
        if inputs == GATED:
            return PackedLayout() if self.is_packed else GatedLayout()
        return AlongRowsLayout(self.takes_target)

    def function(self) -> Callable[..., Any]:
        """Import the function, and return it as one of z alone, of z and target, or of a and b."""
        module, _, name = self.path.rpartition(".")
        function: Callable[..., Any] = getattr(import_module(module), name)
        keywords = dict(self.keywords)
        if self.is_module:
            function = function()
        if self.is_gate:

            def gated(a, b):
                return function(a, **keywords) * b

            return gated
        if not keywords:
            return function

        def call(z):
            return function(z, **keywords)

        def call_towards(z, target):
            return function(z, target, **keywords)

        return call_towards if self.takes_target else call


def shipped(table: Mapping[str, Shipped], activation: str) -> Shipped | None:
    """Return what a table has for an activation, ``elu`` or ``elu:alpha=0.5``; None where it has nothing."""
    plain, *settings = activation.split(":")
    values = {name: float(value) for name, _, value in (setting.partition("=") for setting in settings)}
    call = table.get(plain)
    return call.with_parameters(values) if call and values.keys() <= call.parameters.keys() else None


TORCH: Mapping[str, Shipped] = MappingProxyType(
    {
        "arctan": Shipped("torch.atan"),
        "celu": Shipped("torch.nn.functional.celu", parameters={"alpha": "alpha"}),
        "elu": Shipped("torch.nn.functional.elu", parameters={"alpha": "alpha"}),
        "exp": Shipped("torch.exp"),
        "geglu": Shipped("torch.nn.functional.gelu", is_gate=True),
        "geglu-tanh": Shipped("torch.nn.functional.gelu", {"approximate": "tanh"}, is_gate=True),
        "gelu": Shipped("torch.nn.functional.gelu"),
        "gelu-tanh": Shipped("torch.nn.functional.gelu", {"approximate": "tanh"}),
        "glu": Shipped("torch.nn.functional.glu", {"dim": -1}, is_packed=True),
        "hard-shrink": Shipped("torch.nn.functional.hardshrink", parameters={"threshold": "lambd"}),
        "hard-sigmoid": Shipped("torch.nn.functional.hardsigmoid"),
        "hard-swish": Shipped("torch.nn.functional.hardswish"),
        "hard-tanh": Shipped("torch.nn.functional.hardtanh"),
        "identity": Shipped("torch.nn.Identity", is_module=True),
        "leaky-relu": Shipped("torch.nn.functional.leaky_relu", parameters={"slope": "negative_slope"}),
        "log-ndtr": Shipped("torch.special.log_ndtr", only_wide=True),
        "log-sigmoid": Shipped("torch.nn.functional.logsigmoid"),
        "log-softmax": Shipped("torch.log_softmax", {"dim": -1}),
        "logistic": Shipped("torch.sigmoid"),
        "logsumexp": Shipped("torch.logsumexp", {"dim": -1, "keepdim": True}),
        "mish": Shipped("torch.nn.functional.mish"),
        "reglu": Shipped("torch.relu", is_gate=True),
        "relu": Shipped("torch.relu"),
        "relu6": Shipped("torch.nn.functional.relu6"),
        "selu": Shipped("torch.selu"),
        "silu": Shipped("torch.nn.functional.silu"),
        "softmax": Shipped("torch.softmax", {"dim": -1}),
        "softmax-cross-entropy": Shipped("torch.nn.functional.cross_entropy", {"reduction": "none"}, takes_target=True),
        "soft-shrink": Shipped("torch.nn.functional.softshrink", parameters={"threshold": "lambd"}),
        "softplus": Shipped("torch.nn.functional.softplus", parameters={"beta": "beta"}),
        "softsign": Shipped("torch.nn.functional.softsign"),
        "swiglu": Shipped("torch.nn.functional.silu", is_gate=True),
        "tanh": Shipped("torch.tanh"),
        "tanh-shrink": Shipped("torch.nn.functional.tanhshrink"),
        "threshold": Shipped(
            "torch.nn.functional.threshold",
            {"threshold": 1.0, "value": 0.0},
            parameters={"threshold": "threshold", "value": "value"},
        ),
    }
)
"""torch's by actbench's names. It has no Gaussian and no squareplus."""

JAX: Mapping[str, Shipped] = MappingProxyType(
    {
        "arctan": Shipped("jax.numpy.arctan"),
        "celu": Shipped("jax.nn.celu", parameters={"alpha": "alpha"}),
        "elu": Shipped("jax.nn.elu", parameters={"alpha": "alpha"}),
        "exp": Shipped("jax.numpy.exp"),
        "geglu": Shipped("jax.nn.gelu", {"approximate": False}, is_gate=True),
        "geglu-tanh": Shipped("jax.nn.gelu", {"approximate": True}, is_gate=True),
        "gelu": Shipped("jax.nn.gelu", {"approximate": False}),
        "gelu-tanh": Shipped("jax.nn.gelu", {"approximate": True}),
        "glu": Shipped("jax.nn.glu", {"axis": -1}, is_packed=True),
        "hard-sigmoid": Shipped("jax.nn.hard_sigmoid"),
        "hard-swish": Shipped("jax.nn.hard_swish"),
        "hard-tanh": Shipped("jax.nn.hard_tanh"),
        "identity": Shipped("jax.nn.identity"),
        "leaky-relu": Shipped("jax.nn.leaky_relu", parameters={"slope": "negative_slope"}),
        "log-ndtr": Shipped("jax.scipy.special.log_ndtr", only_wide=True),
        "log-sigmoid": Shipped("jax.nn.log_sigmoid"),
        "log-softmax": Shipped("jax.nn.log_softmax"),
        "logistic": Shipped("jax.nn.sigmoid"),
        "logsumexp": Shipped("jax.nn.logsumexp", {"axis": -1, "keepdims": True}),
        "mish": Shipped("jax.nn.mish"),
        "reglu": Shipped("jax.nn.relu", is_gate=True),
        "relu": Shipped("jax.nn.relu"),
        "relu6": Shipped("jax.nn.relu6"),
        "selu": Shipped("jax.nn.selu"),
        "silu": Shipped("jax.nn.silu"),
        "softmax": Shipped("jax.nn.softmax"),
        "softplus": Shipped("jax.nn.softplus"),
        "softsign": Shipped("jax.nn.soft_sign"),
        "sparse-plus": Shipped("jax.nn.sparse_plus"),
        "sparse-sigmoid": Shipped("jax.nn.sparse_sigmoid"),
        "squareplus": Shipped("jax.nn.squareplus", parameters={"b": "b"}),
        "swiglu": Shipped("jax.nn.silu", is_gate=True),
        "tanh": Shipped("jax.nn.tanh"),
    }
)
"""jax's by actbench's names. It has no Gaussian, and no cross-entropy."""
