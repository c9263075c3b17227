"""``actbench init``."""

from __future__ import annotations

import json
from pathlib import Path

import click

TEMPLATES = {
    "activations.py": "activations.py.txt",
    "actbench.toml": "actbench.toml",
    ".github/workflows/actbench.yml": "actbench.yml",
}
"""The template of each file that is written."""

DISTRIBUTION = "actbench-derivatives"

REQUIREMENT = "@REQUIREMENT@"
"""Placeholder in a template for the installed actbench, as a requirement of pip."""


@click.command()
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), default=".")
def command(directory: Path) -> None:
    """Write files to start from into DIR, by default the current directory.

    The files are activations.py, with an activation, a strategy, a network and a backend of your own; actbench.toml,
    with settings; and .github/workflows/actbench.yml, which checks pull requests. Existing files are never overwritten:
    if there is one, nothing is written.

    \b
    Examples:
      actbench init
      actbench init benchmarks
    """
    from actbench.errors import InputError

    existing = [name for name in TEMPLATES if (directory / name).exists() or (directory / name).is_symlink()]
    if existing:
        raise InputError(
            f"{directory / existing[0]} is there already, and nothing was written: move it, or name another directory"
        )
    for name, template in TEMPLATES.items():
        _write(directory / name, _text(template))
        click.echo(f"written: {directory / name}")
    click.echo(f"\nNext: actbench run --load {directory / 'activations.py'} -a symlog --preset smoke")
    if "@" not in _requirement():
        click.echo(
            f"The workflow installs '{_requirement()}': say there where else it is, if that is not for everybody."
        )


def _write(path: Path, text: str) -> None:
    from actbench.errors import InputError
    from actbench.runs import files

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {path.parent}: {error.strerror}; name another directory") from None
    files.write(path, text)


def _text(template: str) -> str:
    from importlib.resources import files

    text = (files("actbench.cli") / "templates" / template).read_text(encoding="utf-8")
    return text.replace(REQUIREMENT, _requirement())


def _requirement() -> str:
    """Return the installed actbench as a requirement of pip: its repository, if it was installed from one."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        origin = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    if "vcs_info" not in origin:
        return DISTRIBUTION
    how = origin["vcs_info"]
    return f"{DISTRIBUTION} @ {how['vcs']}+{origin['url']}@{how['commit_id']}"
