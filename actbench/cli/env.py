"""``actbench env``."""

from __future__ import annotations

import click

from actbench.cli.formats import TEXTS, format_option


@click.command()
@format_option(TEXTS)
@click.option(
    "--limits", "limited", is_flag=True, help="Measure how fast one core computes and copies at most: some seconds."
)
@click.pass_context
def command(ctx: click.Context, form: str, *, limited: bool) -> None:
    """Show this machine as runs record it, what makes its timings vary, and where settings come from.

    With --limits, the limits of any kernel on one core: its peak rate of fused multiply-adds on registers, what the
    pipes of the processor can do at its clock, and its rates of copying in and out of cache, by numpy and as a kernel
    could copy. That takes about two seconds, a few more the first time, while numba compiles.

    \b
    Examples:
      actbench env
      actbench env --limits
      actbench env --format json
    """
    from actbench import backends, registry
    from actbench.cli import configuration
    from actbench.engine.peak_rates import limits
    from actbench.engine.session import Seams
    from actbench.host import environment, noise
    from actbench.report import host

    peers = backends.libraries(registry.available_backends().values())
    here = environment.collect(environment.choose_cpu(None), further=peers)
    properties = list(noise.host_properties())
    shown = host.as_json if form == "json" else host.as_text
    roofs = limits((ctx.obj or Seams()).start_worker, here) if limited else None
    click.echo(shown(here, properties, configuration.overview(ctx), roofs))
