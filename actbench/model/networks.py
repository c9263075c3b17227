"""What networks are declared of: layers, and the decorator that makes a network of a function of its widths.

A network is a sequence of layers. It takes a batch, an array of shape (batch, features), and every layer takes what the
layer before it returns. Backends execute the layers; a declaration says nothing of how.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice, pairwise

from actbench.errors import InputError
from actbench.model.names import Op

MOST_LAYERS = 200
"""Layers of a network: deeper than those that are trained as one piece, and not so deep that recursion ends."""


@dataclass(frozen=True, slots=True)
class Linear:
    """h W + b, with W of shape (inputs, outputs) and b of shape (outputs,); `ValueError` for what is no width."""

    inputs: int
    outputs: int

    def __post_init__(self) -> None:
        """Refuse what is no width."""
        for width in (self.inputs, self.outputs):
            if type(width) is not int or width < 1:
                raise ValueError(f"Linear({self.inputs!r}, {self.outputs!r}): widths are integers from 1 on")


@dataclass(frozen=True, slots=True)
class Activate:
    """g(z), element by element: the activation that is measured."""


@dataclass(frozen=True, slots=True)
class Multiply:
    """The product, element by element, of what two sequences of layers make of one input: a gate.

    `ValueError` for what is no list or tuple of layers.
    """

    left: Sequence[Layer]
    right: Sequence[Layer]

    def __post_init__(self) -> None:
        """Keep tuples, which are hashable."""
        for name in ("left", "right"):
            layers = getattr(self, name)
            if not isinstance(layers, list | tuple):
                raise ValueError(f"Multiply takes two lists of layers, not {layers!r}")  # noqa: TRY004  # as `network`
            object.__setattr__(self, name, tuple(layers))


Layer = Linear | Activate | Multiply


@dataclass(frozen=True)
class Network:
    """A network with its widths: the layers of one training step. Equal where name and widths are."""

    op: Op
    layers: tuple[Layer, ...]

    @property
    def name(self) -> str:
        """``mlp:784-512-10``."""
        return str(self.op)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its layers, by which processes tell whether they have built the same."""
        return sha256(repr(self.layers).encode()).hexdigest()

    @cached_property
    def inputs(self) -> int:
        """The features that it takes."""
        return next(linear.inputs for linear in self.linears)

    @cached_property
    def outputs(self) -> int:
        """The features that it returns."""
        return _width_after(self.layers, self.inputs)

    @cached_property
    def linears(self) -> tuple[Linear, ...]:
        """Its linear layers, in the order in which a forward pass meets them; each has a weight and a bias."""
        return tuple(_linears(self.layers))

    @cached_property
    def parameters(self) -> int:
        """The number of its parameters."""
        return sum((layer.inputs + 1) * layer.outputs for layer in self.linears)

    @cached_property
    def checkpoints(self) -> bool:
        """Whether every activation follows a linear layer, which can compute its z again."""
        return all(isinstance(before, Linear) for before in _before_activations(self.layers))

    @cached_property
    def activated(self) -> tuple[int, ...]:
        """The features of each activation, in the order of a forward pass."""
        return tuple(_activated(self.layers, self.inputs))


@dataclass(frozen=True, slots=True)
class NetworkKind:
    """A declared network, whose widths are still open."""

    name: str
    """The function's name with dashes for underscores."""
    summary: str
    build: Callable[..., Sequence[Layer]]

    @property
    def usage(self) -> str:
        """How it is written: ``ffn:WIDTH-HIDDEN``, and widths that may be left out in brackets."""
        widths = "".join(map(_in_usage, inspect.signature(self.build).parameters.values()))
        return f"{self.name}:{widths.replace('-', '', 1)}"

    def __call__(self, op: Op) -> Network:
        """Return the network with the widths of an op; `InputError` says which width is wrong."""
        try:
            inspect.signature(self.build).bind(*op.widths)
        except TypeError:
            raise InputError(f"'{op}': write {self.usage} with as many widths as it names") from None
        if 0 in op.widths:
            raise InputError(f"'{op}' has a layer of width 0: write widths from 1 on")
        try:
            layers = self.build(*op.widths)
            fault = _fault(layers)
        except ValueError as error:
            fault = str(error).partition("\n")[0] or "it raised ValueError"
        if fault:
            raise InputError(f"'{op}' cannot be built: {fault}")
        return Network(op, tuple(layers))


def network(build: Callable[..., Sequence[Layer]]) -> NetworkKind:
    """Declare a network: a function of its widths, integers, which returns its layers.

    Its name is the function's, with dashes; the first line of the docstring is its summary. It raises `ValueError` for
    widths of which it cannot be built.
    """
    summary = (inspect.getdoc(build) or "").partition("\n")[0]
    return NetworkKind(build.__name__.replace("_", "-"), summary, build)


def _in_usage(parameter: inspect.Parameter) -> str:
    name = parameter.name.upper().replace("_", "-")
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"-{name}-..."
    return f"-{name}" if parameter.default is parameter.empty else f"[-{name}]"


def _fault(layers: Sequence[Layer]) -> str | None:
    """Say what is wrong with the layers of a network; None where it can be trained.

    `ValueError` where two that follow each other do not fit.
    """
    if not isinstance(layers, list | tuple):
        return f"it returns {'nothing' if layers is None else f'a {type(layers).__name__}'}: return a list of layers"
    first = [*islice(_all(layers), MOST_LAYERS + 1)]
    foreign: object = next((layer for layer in first if not isinstance(layer, Layer)), None)
    if foreign is not None:
        what = f"the class {foreign.__name__}" if isinstance(foreign, type) else f"a {type(foreign).__name__}"
        return f"{what} is no layer: use Linear(...), Activate() and Multiply(...)"
    if len(first) > MOST_LAYERS:
        return f"it has more than {MOST_LAYERS} layers"
    linears = [*_linears(layers)]
    if not linears:
        return "it has no Linear layer, and so nothing to train"
    _width_after(layers, linears[0].inputs)
    return None if any(_activated(layers, linears[0].inputs)) else "it has no Activate layer, and so nothing to compare"


def _all(layers: Sequence[Layer]) -> Iterator[Layer]:
    for layer in layers:
        yield layer
        if isinstance(layer, Multiply):
            yield from _all([*layer.left, *layer.right])


def _before_activations(layers: Sequence[Layer]) -> Iterator[Layer | None]:
    """Yield what comes before each activation; None where that is the input of the layers."""
    for before, layer in pairwise((None, *layers)):
        match layer:
            case Activate():
                yield before
            case Multiply():
                yield from _before_activations(layer.left)
                yield from _before_activations(layer.right)


def _linears(layers: Sequence[Layer]) -> Iterator[Linear]:
    return (layer for layer in _all(layers) if isinstance(layer, Linear))


def _width_after(layers: Sequence[Layer], width: int) -> int:
    """Return the features that layers return; `ValueError` where two that follow each other do not fit."""
    for layer in layers:
        match layer:
            case Linear():
                if layer.inputs != width:
                    raise ValueError(f"Linear({layer.inputs}, {layer.outputs}) is given {width} features")
                width = layer.outputs
            case Multiply():
                left, right = _width_after(layer.left, width), _width_after(layer.right, width)
                if left != right:
                    raise ValueError(f"Multiply is given {left} features and {right}")
                width = left
            case Activate():
                pass
    return width


def _activated(layers: Sequence[Layer], width: int) -> Iterator[int]:
    for layer in layers:
        match layer:
            case Activate():
                yield width
            case Multiply():
                yield from _activated(layer.left, width)
                yield from _activated(layer.right, width)
        width = _width_after([layer], width)
