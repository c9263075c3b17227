"""torch's kernels for dy * g' by torch's own activation: what its autograd calls, named to be called directly.

Sources: ``derivatives.yaml`` of torch for the kernel and its constants; what they read is what autograd saves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
"""torch's constants of selu (``aten/src/ATen/native/Activation.cpp``)."""

Gradient = Callable[..., Any]
"""dy * g': a function of dy and what is saved."""


def _elu(kernel: Any, alpha: float, scale: float, input_scale: float) -> Gradient:
    def gradient(dy, z):
        return kernel(dy, alpha, scale, input_scale, False, z)

    return gradient


def _with(kernel: Any, *constants: float | bool) -> Gradient:
    def gradient(dy, saved):
        return kernel(dy, saved, *constants)

    return gradient


def _gelu(aten: Any, keywords: Mapping[str, Any]) -> Gradient:
    kernel = aten.gelu_backward.default
    return partial(kernel, approximate=keywords["approximate"]) if keywords else kernel


def _elu_of(aten: Any, keywords: Mapping[str, Any]) -> Gradient:
    return _elu(aten.elu_backward.default, keywords.get("alpha", 1.0), 1.0, 1.0)


def _celu_of(aten: Any, keywords: Mapping[str, Any]) -> Gradient:
    alpha = keywords.get("alpha", 1.0)
    return _elu(aten.elu_backward.default, alpha, 1.0, 1.0 / alpha)


def _leaky_relu_of(aten: Any, keywords: Mapping[str, Any]) -> Gradient:
    return _with(aten.leaky_relu_backward.default, keywords.get("negative_slope", 0.01), False)


GRADIENTS: Mapping[str, tuple[str, Callable[[Any, Mapping[str, Any]], Gradient]]] = MappingProxyType(
    {
        "torch.nn.functional.celu": ("elu_backward", _celu_of),
        "torch.nn.functional.elu": ("elu_backward", _elu_of),
        "torch.nn.functional.gelu": ("gelu_backward", _gelu),
        "torch.nn.functional.hardsigmoid": ("hardsigmoid_backward", lambda aten, _: aten.hardsigmoid_backward.default),
        "torch.nn.functional.hardswish": ("hardswish_backward", lambda aten, _: aten.hardswish_backward.default),
        "torch.nn.functional.hardtanh": (
            "hardtanh_backward",
            lambda aten, _: _with(aten.hardtanh_backward.default, -1.0, 1.0),
        ),
        "torch.nn.functional.leaky_relu": ("leaky_relu_backward", _leaky_relu_of),
        "torch.nn.functional.logsigmoid": ("log_sigmoid_backward", lambda aten, _: aten.log_sigmoid_backward.default),
        "torch.nn.functional.mish": ("mish_backward", lambda aten, _: aten.mish_backward.default),
        "torch.nn.functional.silu": ("silu_backward", lambda aten, _: aten.silu_backward.default),
        "torch.nn.functional.softplus": (
            "softplus_backward",
            lambda aten, _: _with(aten.softplus_backward.default, 1.0, 20.0),
        ),
        "torch.relu": ("threshold_backward", lambda aten, _: _with(aten.threshold_backward.default, 0.0)),
        "torch.selu": (
            "elu_backward",
            lambda aten, _: _elu(aten.elu_backward.default, SELU_ALPHA, SELU_SCALE, 1.0),
        ),
        "torch.sigmoid": ("sigmoid_backward", lambda aten, _: aten.sigmoid_backward.default),
        "torch.tanh": ("tanh_backward", lambda aten, _: aten.tanh_backward.default),
    }
)
"""The name of the kernel in ``torch.ops.aten``, and what makes a gradient of it with the keywords of the call.

torch has none for atan, exp and softsign: its autograd composes their gradients.
"""
