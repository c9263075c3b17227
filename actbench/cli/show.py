"""``actbench show``."""

from __future__ import annotations

from dataclasses import replace

import click

from actbench.cli.options import user_code


@click.command()
@click.argument("case")
@user_code
def command(case: str) -> None:
    """Show the code that a CASE measures, its residuals, and facts about its compiled code.

    CASE is an id as 'actbench list cases' prints it: activation/strategy/backend/op/dtype/size, with
    the state of operands at the end where these are not warm.

    \b
    Examples:
      actbench show logistic/cached/numba/derivative/float32/1000
      actbench show tanh/complement/numpy/step/float64/100000
      actbench show logistic/cached/numba/step/float32/100000/cold
    """
    from actbench.kernels.resolution import activation_or_ladder, resolve
    from actbench.model.cases import Case
    from actbench.report.listing import listing

    parsed = Case.parse(case)
    canonical = replace(parsed, activation=activation_or_ladder(parsed.activation).name)
    click.echo(listing(resolve(canonical), canonical.size, canonical.operands))
