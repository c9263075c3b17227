"""The options that select training steps, for the commands that measure derivatives or steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from actbench.cli.options import Command, on_command_line
from actbench.cli.values import Names, Rows
from actbench.model.training import Optimizer

if TYPE_CHECKING:
    from actbench.planning.training import TrainingSelection

OF_BOTH = ("activations", "backends", "strategies", "dtypes", "pattern")
"""What selects training steps as well as derivatives."""

OF_DERIVATIVES = {
    "preset": "--preset",
    "residual_dtypes": "--residual-dtype",
    "ops": "--op",
    "sizes": "--size",
    "operands": "--operands",
    "max_call": "--max-call",
}
"""Parameters that training steps do not have, as they are written."""


def training_steps(command: Command) -> Command:
    """Add the options that select training steps."""
    network = click.option(
        "--network",
        "networks",
        multiple=True,
        type=Names("NETWORK"),
        help="Measure training steps of networks, as actbench train does, in place of derivatives.",
    )
    batch = click.option(
        "--batch",
        "batches",
        multiple=True,
        type=Names("ROWS", Rows()),
        help="Rows of a batch of --network. [default: 128]",
    )
    optimizer = click.option(
        "--optimizer",
        type=click.Choice([*map(str, Optimizer)]),
        help="Update of the steps of --network. [default: sgd]",
    )
    return network(batch(optimizer(command)))


def steps_of(ctx: click.Context, options: dict[str, Any]) -> TrainingSelection | None:
    """Take the training steps that are selected out of the options; None where derivatives are."""
    from actbench.planning.training import TrainingSelection

    networks, batches = (sum(options.pop(name), ()) for name in ("networks", "batches"))
    optimizer = options.pop("optimizer")
    if not networks:
        for written in (*(["--batch"] if batches else []), *(["--optimizer"] if optimizer else [])):
            raise click.UsageError(f"{written} is about training steps: name a --network, or leave it out")
        return None
    excluded = [written for name, written in OF_DERIVATIVES.items() if name in on_command_line(ctx)]
    if excluded:
        raise click.UsageError(f"{excluded[0]} selects derivatives, not training steps of --network: leave it out")
    axes = {name: getattr(options["selection"], name) for name in OF_BOTH}
    axes |= {"networks": networks, "batches": batches, "optimizer": Optimizer(optimizer or Optimizer.SGD)}
    return TrainingSelection(**{name: value for name, value in axes.items() if value})
