"""``actbench env``."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """Show this machine as a run records it, what makes its timings scatter, and where settings come from.

    \b
    Examples:
      actbench env
      actbench env --format json
    """
    from actbench.cli import configuration
    from actbench.report import host
    from actbench.runs import environment, noise

    here = environment.collect(environment.choose_cpu(None))
    found = list(noise.findings())
    shown = host.as_json if form == "json" else host.as_text
    click.echo(shown(here, found, configuration.overview(ctx)))
