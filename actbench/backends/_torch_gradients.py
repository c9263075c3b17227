"""torch's kernels for dy * g' by torch's own activation: what its autograd calls, named to be called directly.

Sources: ``derivatives.yaml`` of torch for the kernel and its constants; what they read is what autograd saves. The
constants are arguments as the tensors are, so that a call is one of the kernel itself, with no Python around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
"""torch's constants of selu (``aten/src/ATen/native/Activation.cpp``)."""

Constants = Mapping[str, Any]
"""The keywords of the activation's call that are named in it."""

Arguments = Callable[..., tuple[Any, ...]]
"""The arguments of a kernel, of (keywords, dy, *what is saved)."""


def _tensors(_: Constants, dy: Any, *saved: Any) -> tuple[Any, ...]:
    return dy, *saved


def _with(*constants: float | bool, **named: float) -> Arguments:
    """Return the arguments with constants after them: keywords of the call, or else their defaults, before others."""

    def arguments(keywords: Constants, dy: Any, *saved: Any) -> tuple[Any, ...]:
        return dy, *saved, *(keywords.get(name, default) for name, default in named.items()), *constants

    return arguments


def _of_elu(keywords: Constants, dy: Any, z: Any) -> tuple[Any, ...]:
    return dy, keywords.get("alpha", 1.0), 1.0, 1.0, False, z


def _of_celu(keywords: Constants, dy: Any, z: Any) -> tuple[Any, ...]:
    alpha = keywords.get("alpha", 1.0)
    return dy, alpha, 1.0, 1.0 / alpha, False, z


def _of_selu(_: Constants, dy: Any, z: Any) -> tuple[Any, ...]:
    return dy, SELU_ALPHA, SELU_SCALE, 1.0, False, z


def _of_log_sigmoid(_: Constants, dy: Any, z: Any, *buffer: Any) -> tuple[Any, ...]:
    """Return the arguments with a buffer, which is empty on a device and not among what is saved there."""
    return dy, z, *(buffer or (z.new_empty(0),))


@dataclass(frozen=True, slots=True)
class GradientKernel:
    """A kernel of ``torch.ops.aten``, and how it is called."""

    name: str
    arguments: Arguments = _tensors

    def function(self, aten: Any, keywords: Constants) -> Callable[..., Any]:
        """Return the kernel; gelu's takes which of its two formulas as a keyword, as the activation does."""
        kernel: Callable[..., Any] = getattr(aten, self.name).default
        approximate = {name: value for name, value in keywords.items() if name == "approximate"}
        return partial(kernel, **approximate) if approximate else kernel


GRADIENTS: Mapping[str, GradientKernel] = MappingProxyType(
    {
        "torch.nn.functional.celu": GradientKernel("elu_backward", _of_celu),
        "torch.nn.functional.elu": GradientKernel("elu_backward", _of_elu),
        "torch.nn.functional.gelu": GradientKernel("gelu_backward"),
        "torch.nn.functional.hardshrink": GradientKernel("hardshrink_backward", _with(lambd=0.5)),
        "torch.nn.functional.hardsigmoid": GradientKernel("hardsigmoid_backward"),
        "torch.nn.functional.hardswish": GradientKernel("hardswish_backward"),
        "torch.nn.functional.hardtanh": GradientKernel("hardtanh_backward", _with(-1.0, 1.0)),
        "torch.nn.functional.leaky_relu": GradientKernel("leaky_relu_backward", _with(False, negative_slope=0.01)),
        "torch.nn.functional.logsigmoid": GradientKernel("log_sigmoid_backward", _of_log_sigmoid),
        "torch.nn.functional.mish": GradientKernel("mish_backward"),
        "torch.nn.functional.relu6": GradientKernel("hardtanh_backward", _with(0.0, 6.0)),
        "torch.nn.functional.silu": GradientKernel("silu_backward"),
        "torch.nn.functional.softplus": GradientKernel("softplus_backward", _with(20.0, beta=1.0)),
        "torch.nn.functional.softshrink": GradientKernel("softshrink_backward", _with(lambd=0.5)),
        "torch.nn.functional.threshold": GradientKernel("threshold_backward", _with(threshold=0.0)),
        "torch.relu": GradientKernel("threshold_backward", _with(0.0)),
        "torch.selu": GradientKernel("elu_backward", _of_selu),
        "torch.sigmoid": GradientKernel("sigmoid_backward"),
        "torch.tanh": GradientKernel("tanh_backward"),
    }
)
"""By torch's activation.

torch has none for atan, exp, softsign and tanhshrink: its autograd composes their gradients.
"""
