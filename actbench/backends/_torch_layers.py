"""The layers of a training step in torch, as its users write them: functional calls, and autograd for the rest.

A linear layer is ``F.linear``. A strategy is an `torch.autograd.Function`, whose forward pass saves its residuals, and
whose backward pass is the strategy's. Where residuals come from z and y alone, or nothing is kept, y is computed by
torch's own function if it has one; so these arms differ in what they keep and in the backward pass, and in nothing
else. A strategy that saves something else runs the forward pass that computes it.

A checkpoint is a function of a linear layer and its activation, which saves the input of both. y is not computed again:
what follows keeps it in any case. Compiled, it is `torch.utils.checkpoint`, since a compiler would compute h W once for
the forward pass and for that function's backward pass, and so keep z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from actbench.backends._training import Passes
from actbench.backends.torch import library
from actbench.model.networks import Activate, Layer, Linear, Multiply
from actbench.model.training import StepPart

Note = Callable[[StepPart], None]
"""Takes the part of a step that has just ended."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A layer as it is executed, and what parts of a step it belongs to."""

    call: Callable[[Any], Any]
    forward: StepPart
    backward: StepPart


Run = Callable[[Sequence[Stage], Any], Any]
"""Returns what stages make of h."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all layers of a step have in common."""

    function: Callable[[Any], Any] | None
    """torch's own activation; None where it has none."""
    passes: Passes | None
    """Those of a strategy; None for torch's own gradient."""
    checkpoints: bool
    """Whether z is computed again from the input of the linear layer before."""
    compiled: bool
    """Whether a compiler sees both passes, and would compute z once for both unless it is kept from that."""
    run: Run
    """Executes the stages of a gate."""
    note: Note
    """Takes the parts inside the backward pass of a checkpoint."""


def ignore(part: StepPart) -> None:
    """Take no note of a part."""


def run(stages: Sequence[Stage], h: Any) -> Any:
    """Return what stages make of h."""
    for stage in stages:
        h = stage.call(h)
    return h


def executed(layers: Sequence[Layer], parameters: Iterator[tuple[Any, Any]], shared: Shared) -> list[Stage]:
    """Return layers as they are executed; each linear one takes the next weight (outputs, inputs) and bias."""
    made: list[Stage] = []
    last: tuple[Any, Any] | None = None
    for layer in layers:
        before, last = last, None
        match layer:
            case Linear():
                last = next(parameters)
                made.append(Stage(linear_of(*last), StepPart.PRODUCTS_FORWARD, StepPart.PRODUCTS_BACKWARD))
            case Activate() if shared.checkpoints and before:
                checkpoint = marked_checkpoint if shared.compiled else checkpoint_of
                made[-1] = checkpoint(*before, shared)
            case Activate():
                made.append(Stage(activation_of(shared), StepPart.ACTIVATION_FORWARD, StepPart.ACTIVATION_BACKWARD))
            case Multiply():
                left, right = (executed(side, parameters, shared) for side in (layer.left, layer.right))
                made.append(
                    Stage(gate_of(left, right, shared.run), StepPart.PRODUCTS_FORWARD, StepPart.PRODUCTS_BACKWARD)
                )
    return made


def linear_of(weight: Any, bias: Any) -> Callable[[Any], Any]:
    """Return h W + b."""
    linear = library().nn.functional.linear

    def call(h):
        return linear(h, weight, bias)

    return call


def gate_of(left: Sequence[Stage], right: Sequence[Stage], run: Run) -> Callable[[Any], Any]:
    """Return the product of what both make of h."""

    def call(h):
        return run(left, h) * run(right, h)

    return call


def activation_of(shared: Shared) -> Callable[[Any], Any]:
    """Return g: torch's own with its gradient, or a function with the passes of a strategy."""
    if shared.passes is None:
        assert shared.function is not None  # noqa: S101  # `ships` has said so
        return shared.function
    evaluate, gradient = shared.passes.with_function(shared.function), shared.passes.backward

    class ActivationStage(library().autograd.Function):  # type: ignore[misc]  # torch is imported when it is used
        @staticmethod
        def forward(ctx, z) -> Any:
            y, *residuals = evaluate(z)
            ctx.save_for_backward(*residuals)
            return y

        @staticmethod
        def backward(ctx, dy) -> Any:
            return gradient(dy, *ctx.saved_tensors)

    apply: Callable[[Any], Any] = ActivationStage.apply
    return apply


def checkpoint_of(weight: Any, bias: Any, shared: Shared) -> Stage:
    """Return g(h W + b) that keeps h alone, and computes z in its backward pass."""
    assert shared.passes is not None  # noqa: S101  # a checkpoint's are those of z
    evaluate, gradient, note = shared.passes.with_function(shared.function), shared.passes.backward, shared.note
    linear = library().nn.functional.linear

    class Checkpoint(library().autograd.Function):  # type: ignore[misc]  # torch is imported when it is used
        @staticmethod
        def forward(ctx, h, weight, bias) -> Any:
            z = linear(h, weight, bias)
            note(StepPart.PRODUCTS_FORWARD)
            y, *_ = evaluate(z)
            ctx.save_for_backward(h, weight, bias)
            return y

        @staticmethod
        def backward(ctx, dy) -> Any:
            h, weight, bias = ctx.saved_tensors
            z = linear(h, weight, bias)
            note(StepPart.PRODUCTS_BACKWARD)
            dz = gradient(dy, z)
            note(StepPart.ACTIVATION_BACKWARD)
            dh = dz @ weight if ctx.needs_input_grad[0] else None
            dw = (h.t() @ dz).t()  # laid out as the weight is, so that autograd need not copy it
            note(StepPart.PRODUCTS_BACKWARD)
            db = dz.sum(0)
            note(StepPart.BIAS)
            return dh, dw, db

    def call(h):
        return Checkpoint.apply(h, weight, bias)

    return Stage(call, StepPart.ACTIVATION_FORWARD, StepPart.PRODUCTS_BACKWARD)


def marked_checkpoint(weight: Any, bias: Any, shared: Shared) -> Stage:
    """Return g(h W + b) that `torch.utils.checkpoint` has a compiler compute again in the backward pass, y included."""
    from torch.utils.checkpoint import checkpoint

    linear, activation = linear_of(weight, bias), activation_of(shared)

    def both(h):
        return activation(linear(h))

    def call(h):
        return checkpoint(both, h, use_reentrant=False)

    return Stage(call, StepPart.ACTIVATION_FORWARD, StepPart.PRODUCTS_BACKWARD)
