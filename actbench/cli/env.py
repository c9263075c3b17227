"""``actbench env``."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
def command(form: str) -> None:
    """Show this machine as a run records it, and what makes its timings scatter, with advice.

    \b
    Examples:
      actbench env
      actbench env --format json
    """
    from actbench.report import host
    from actbench.runs import environment, noise

    here = environment.collect(environment.choose_cpu(None))
    found = list(noise.findings())
    click.echo(host.as_json(here, found) if form == "json" else host.as_text(here, found))
