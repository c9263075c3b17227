"""A training step in full: its layers, what it keeps, the code of its activation, and that of everything else."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from actbench import registry
from actbench.errors import InputError
from actbench.kernels.kernel import Kernel
from actbench.kernels.training import NetworkStep
from actbench.kernels.training_memory import predicted
from actbench.model.names import Op
from actbench.model.networks import Activate, Layer, Linear, Multiply
from actbench.model.training import ARMS, CHECKPOINT, FREE
from actbench.report import mathematics
from actbench.report.listing import code, compiled_facts, section
from actbench.report.numbers import count, counted


def listing(step: NetworkStep, batch: int) -> str:
    """Return the text of a training step on so many rows; `InputError` where that cannot be executed here."""
    for backend in (step.trainer.products, step.trainer.activation):
        if backend.unavailable:
            raise InputError(f"backend '{backend.name}' is not available: {backend.unavailable}")
    if step.unsupported:
        raise InputError(f"{step.identity.at(batch).id} does not exist: {step.unsupported}")
    return "\n\n".join(_parts(step, batch))


def _parts(step: NetworkStep, batch: int) -> Iterator[str]:
    activation, network = step.activation, step.network
    summary = registry.networks()[network.op.network].summary
    heads = [step.identity.at(batch).id, f"{activation.name}: {activation.summary}", f"{network.name}: {summary}"]
    if step.variant in ARMS:
        heads.append(f"{step.variant}: {ARMS[step.variant]}")
    yield "\n".join([*heads, f"a step on {counted(batch, 'row')}: forward, loss, backward, update"])
    yield "\n".join([activation.reference, *mathematics.facts(activation)])
    yield section(f"layers, {count(network.parameters)} parameters", "\n".join(_lines(network.layers)))
    yield _kept(step, batch)
    if step.kernel is None:
        products = step.trainer.products
        yield f"its activation and gradient are the framework's own: {products.ships(activation.name)}"
    else:
        yield from _activation(step, step.kernel)
    products = step.trainer.products
    title = f"everything else, executed by {products.name}: {products.summary}"
    yield section(title, products.training_execution(network, checkpoints=step.variant == CHECKPOINT))


def _lines(layers: Sequence[Layer]) -> Iterator[str]:
    """Yield the layers, a line each; those of a product below it."""
    for layer in layers:
        match layer:
            case Linear():
                yield f"Linear({layer.inputs}, {layer.outputs})"
            case Activate():
                yield "Activate()"
            case Multiply():
                yield "Multiply, of what these make of one input:"
                yield _side(layer.left)
                yield "  and"
                yield _side(layer.right)


def _side(layers: Sequence[Layer]) -> str:
    return textwrap.indent("\n".join(_lines(layers)) or "nothing: it is that input", "    ")


def _kept(step: NetworkStep, batch: int) -> str:
    kept = predicted(step, batch)
    if kept is None:
        return "what it keeps is the framework's choice: it is counted in a run"
    names = [] if step.variant in ARMS or step.kernel is None else [one.name for one in step.kernel.residuals]
    return (
        f"keeps {', '.join(names) or 'nothing'} for g': {count(kept.for_gradient)} bytes a step, beside "
        f"{count(kept.alive)} bytes that the network holds whatever is kept for g'"
    )


def _activation(step: NetworkStep, kernel: Kernel) -> Iterator[str]:
    """Yield the code of both passes of an activation."""
    rule, backend = kernel.rule, kernel.backend
    executed = f"executed by {backend.name}: {backend.summary}"
    yield section("forward", code(rule.forward if step.variant in ARMS else rule.save or rule.forward))
    if step.variant != FREE:
        yield section(f"derivative, from {', '.join(rule.residuals)}", code(rule.derivative))
    yield section(f"forward pass of the activation, {executed}", backend.forward_execution(rule))
    if step.variant == FREE:
        return
    yield section("backward pass of the activation, executed by the same", backend.execution(Op.BACKWARD, rule))
    for weakness in kernel.weaknesses:
        yield f"known weakness: {weakness.flaw}: {weakness.why}"
    if kernel.storage:
        yield f"known weakness: {kernel.storage.rounds}"
    if backend.flushes:
        yield f"known weakness: flushes: {backend.flushes}"
    if (facts := kernel.backward.compiled) is not None:
        yield section("compiled backward pass", compiled_facts(facts))
