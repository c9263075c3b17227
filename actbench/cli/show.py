"""``actbench show``."""

from __future__ import annotations

from dataclasses import replace

import click

from actbench.cli.completion import complete
from actbench.cli.options import user_code


@click.command()
@click.argument("case", shell_complete=complete)
@user_code
@click.pass_context
def command(ctx: click.Context, case: str) -> None:
    """Show the code that a CASE measures, its residuals, and facts about its compiled code.

    Of numba-simd also the pipe bound of the inner loop, by a model of the processor's pipes and by llvm-mca where it is
    installed, and what share of it the case reaches, measured in a second: of the ops derivative, backward and second
    of an elementwise activation, with warm operands.

    CASE is an id as 'actbench list cases' prints it: activation/strategy/backend/op/dtype/size, with
    the state of operands at the end where these are not warm. Of a training step, as 'actbench train
    --dry-run' prints it, the op is a network and the size a number of rows.

    \b
    Examples:
      actbench show logistic/cached/numba/derivative/float32/1000
      actbench show tanh/complement/numpy/step/float64/100000
      actbench show logistic/cached/numba/step/float32/100000/cold
      actbench show softmax/recompute/numba-simd/backward/float32/4096x1024
      actbench show logistic/cached/numpy/mlp:784-512-512-10/float32/128
    """
    from actbench import registry
    from actbench.api import pipes
    from actbench.engine.session import Seams
    from actbench.kernels.resolution import activation_or_ladder, network_step, resolve
    from actbench.model.cases import Case
    from actbench.report import listing_training
    from actbench.report.listing import listing

    parsed = Case.parse(case)
    if parsed.op.network:
        canonical = replace(parsed, activation=registry.activation(parsed.activation).name)
        step = network_step(canonical)
        click.echo(listing_training.listing(step, canonical.size))
        for text in pipes.of_step(step, canonical.size):
            click.echo(f"\n{text}")
        return
    canonical = replace(parsed, activation=activation_or_ladder(parsed.activation).name)
    subject = resolve(canonical)
    click.echo(listing(subject, canonical if subject.is_row else canonical.flat))
    for text in pipes.bound(subject, canonical, (ctx.obj or Seams()).start_worker):
        click.echo(f"\n{text}")
