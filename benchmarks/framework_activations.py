"""Which activations of torch, jax and oneDNN are there? A Markdown table; exit code 1 where one has no answer.

    python -m benchmarks.framework_activations

Listed are the classes of ``torch.nn.modules.activation`` and the functions of ``jax.nn``, where these are installed,
and the eltwise algorithms of oneDNN's developer guide.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

from actbench import registry

ONEDNN = (
    *("abs", "clip", "clip_v2", "elu", "exp", "gelu_erf", "gelu_tanh", "hardsigmoid", "hardswish", "linear", "log"),
    *("logistic", "mish", "pow", "relu", "round", "soft_relu", "sqrt", "square", "swish", "tanh"),
)
"""oneDNN's algorithms, without the prefix ``eltwise_``, and without those that differ in what they keep alone."""

NAMES = {
    "clip": "hard-tanh",
    "clip_v2": "hard-tanh",
    "gelu_erf": "gelu",
    "hard_silu": "hard-swish",
    "hardshrink": "hard-shrink",
    "hardsigmoid": "hard-sigmoid",
    "hardswish": "hard-swish",
    "hardtanh": "hard-tanh",
    "leakyrelu": "leaky-relu",
    "logsigmoid": "log-sigmoid",
    "logsoftmax": "log-softmax",
    "prelu": "leaky-relu",
    "sigmoid": "logistic",
    "soft_sign": "softsign",
    "soft_relu": "softplus",
    "softshrink": "soft-shrink",
    "swish": "silu",
    "tanhshrink": "tanh-shrink",
}
"""actbench's names where they are others; those that differ in dashes and capitals alone are not listed."""

REASONS = {
    "abs": "no activation of networks",
    "dot_product_attention": "attention, not an activation",
    "initializers": "a module",
    "linear": "its g' is a constant",
    "log": "its domain is z > 0",
    "log1mexp": "a building block, whose domain is z > 0",
    "logmeanexp": "along rows",
    "multiheadattention": "attention, not an activation",
    "one_hot": "an encoding",
    "pow": "its domain depends on the exponent",
    "round": "its g' is 0",
    "rrelu": "its slope is random in training",
    "softmax2d": "along rows",
    "softmin": "along rows",
    "sqrt": "its domain is z > 0",
    "square": "no activation of networks",
    "standardize": "along rows",
}
"""Why there is none in the catalogue."""

PRODUCTS = ("get_scaled_dot_general_config", "scaled_dot_general", "scaled_matmul")
"""What jax.nn has of matrix products."""


def offered() -> Iterator[tuple[str, str]]:
    """Yield libraries with the names of their activations."""
    if find_spec("torch") is not None:
        from torch.nn.modules import activation

        yield from (("torch", name) for name in activation.__all__)
    if find_spec("jax") is not None:
        from jax import nn

        yield from (("jax", name) for name in dir(nn) if not name.startswith("_") and name not in PRODUCTS)
    yield from (("oneDNN", name) for name in ONEDNN)


def answer(name: str) -> str | None:
    """Return the name of an activation in the catalogue, or why it has none; None where neither is known."""
    key = name.lower()
    known = NAMES.get(key, key.replace("_", "-"))
    return known if known in registry.activations() else REASONS.get(key)


def missing() -> list[str]:
    """Return the activations of libraries that are neither in the catalogue nor left out for a reason."""
    return [f"{library}: {name}" for library, name in offered() if answer(name) is None]


def main() -> None:
    """Print the table."""
    print("| library | its name | actbench's name, or why there is none |\n|---|---|---|")
    for library, name in offered():
        print(f"| {library} | {name} | {answer(name) or '**missing**'} |")
    sys.exit(bool(missing()))


if __name__ == "__main__":
    main()
