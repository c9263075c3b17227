"""``actbench cache``."""

from __future__ import annotations

import click

from actbench.cli.formats import TEXTS, format_option


@click.group()
def command() -> None:
    """List or remove the environments that `check --against git:REV` and `bisect` built.

    They are kept so that a second check against the same commit builds nothing, and together take 4 GiB at most: the
    least recently used ones go. An environment is built again after an upgrade of Python, of the libraries here, or of
    pip's constraints. What numba compiles for `check --against PYTHON` is kept as well, and removed with all.

    \b
    Examples:
      actbench cache list
      actbench cache clear
      actbench cache clear 4f2a91c
    """


@command.command("list")
@format_option(TEXTS)
def listed(form: str) -> None:
    """List them, the one that was used last first."""
    from actbench.engine.live.environment_cache import EnvironmentCache
    from actbench.report import built_environments

    built = [description for entry in EnvironmentCache().entries() if (description := entry.description)]
    if form == "text" and not built:
        click.echo("no environment is in the cache", err=True)
        return
    click.echo((built_environments.as_json if form == "json" else built_environments.as_text)(built))


@command.command()
@click.argument("commits", metavar="[COMMIT]...", nargs=-1)
def clear(commits: tuple[str, ...]) -> None:
    """Remove those of the commits, or all.

    A commit may be the beginning of its hash. Environments in use by a check stay.
    """
    from actbench.engine.live import compiled_cache
    from actbench.engine.live.environment_cache import EnvironmentCache
    from actbench.errors import InputError
    from actbench.report.numbers import counted

    if "" in commits:
        raise InputError("COMMIT '': it is empty; name a commit, or none to remove all")
    cleared = EnvironmentCache().clear(commits)
    refused = [entry.place for entry in cleared.refused]
    if commits and not (cleared.removed or cleared.in_use or refused):
        raise InputError(f"no environment in the cache is of {', '.join(commits)}: see 'actbench cache list'")
    click.echo(f"removed {counted(len(cleared.removed), 'environment')}")
    if not commits:
        compiled, left = compiled_cache.clear()
        refused += left
        if compiled:
            click.echo(f"removed what was compiled for {counted(len(compiled), 'interpreter')}")
    if cleared.in_use:
        click.echo(f"{counted(len(cleared.in_use), 'environment')} in use by a check: not removed", err=True)
    if refused:
        raise InputError(f"cannot remove all of {', '.join(map(str, refused))}: make it writable, and clear once more")
