"""``actbench merge``."""

from __future__ import annotations

from pathlib import Path

import click

from actbench.cli.sentences import say
from actbench.cli.values import PathName


@click.command()
@click.argument("runs", type=PathName(), nargs=-1, required=True, metavar="DIR...")
@click.option("-o", "--output", type=PathName(), help="Directory of the run. [default: under results/]")
@click.option("--allow-missing", is_flag=True, help="Merge although shards are missing.")
def command(runs: tuple[Path, ...], output: Path | None, *, allow_missing: bool) -> None:
    """Join the runs of the shards of one plan, DIR..., into one run.

    The shards are of one plan ('actbench run --plan FILE --shard K/N'), and disjoint, from hosts of one kind with the
    same versions and settings. The run has all that they measured, round by round: every ratio is still one of a block
    that one process measured; 'actbench compare --by dtype' leaves out pairs of blocks of different shards. Two runs of
    one shard are refused: whole runs differ more than their rounds do.

    Exit code 5: the runs do not belong together. Nothing is written then.

    \b
    Examples:
      actbench merge results/shard1 results/shard2 -o results/whole
      actbench merge results/shard* --allow-missing
    """
    from actbench.api.merging import merge
    from actbench.report import terminal

    directory, summary = merge(runs, output, allow_missing=allow_missing)
    terminal.show(summary)
    click.echo("", err=True)
    say(f"written to {directory}")
