"""``actbench init``."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import click

from actbench.cli.values import PathName

TEMPLATES = {
    "activations.py": "activations.py.txt",
    "c_kernel.py": "c_kernel.py.txt",
    "c_kernel.c": "c_kernel.c.txt",
    "torch_kernel.py": "torch_kernel.py.txt",
    "actbench.toml": "actbench.toml",
    ".github/workflows/actbench.yml": "actbench.yml",
}
"""The template of each file that is written."""

COMPILERS = ("cc", "gcc", "clang")
"""The names of C compilers, in the order in which they are looked for."""

DISTRIBUTION = "actbench-derivatives"

REQUIREMENT = "@REQUIREMENT@"
"""Placeholder in a template for the installed actbench, as a requirement of pip."""

COMPILE = "@COMPILE@"
"""Placeholder in a template for the command that compiles the C example."""


@click.command()
@click.argument("directory", metavar="[DIR]", type=PathName(), default=".")
def command(directory: Path) -> None:
    """Write files to start from into DIR, by default the current directory.

    The files are activations.py, with an activation, a strategy, a network and a backend of your own; c_kernel.py and
    c_kernel.c, a kernel in C, with the command that compiles it; torch_kernel.py, one over tensors; actbench.toml, with
    settings; and .github/workflows/actbench.yml, which checks pull requests. What needs a compiler or torch is left out
    where there is none. Existing files are never overwritten: if there is one, nothing is written.

    \b
    Examples:
      actbench init
      actbench init benchmarks
    """
    from actbench.errors import InputError, printable
    from actbench.model import shell

    left_out = _left_out()
    templates = {name: template for name, template in TEMPLATES.items() if name not in left_out}
    existing = [name for name in templates if (directory / name).exists() or (directory / name).is_symlink()]
    if existing:
        raise InputError(
            f"{directory / existing[0]} is there already, and nothing was written: move it, or name another directory"
        )
    for name, template in templates.items():
        _write(directory / name, _text(template))
        click.echo(printable(f"written: {directory / name}"))
    for name, why in left_out.items():
        click.echo(printable(f"left out: {directory / name}: {why}"))
    loading = shell.command("actbench", "run", "--load", directory / "activations.py")
    click.echo(f"\nNext: {loading} -a symlog --preset smoke")
    if "c_kernel.py" in templates:
        click.echo(printable(f"The kernel in C is compiled by (in {directory}): {_compile()}"))
    if "@" not in _requirement():
        click.echo(
            f"The workflow installs '{_requirement()}': say there where else it is, if that is not for everybody."
        )


def _left_out() -> dict[str, str]:
    """Return the files that are of no use here, with the reasons."""
    left_out = {}
    if not _compiler():
        left_out = dict.fromkeys(("c_kernel.py", "c_kernel.c"), f"there is no C compiler ({', '.join(COMPILERS)})")
    if find_spec("torch") is None:
        left_out["torch_kernel.py"] = "torch is not installed"
    return left_out


def _compiler() -> str | None:
    """Return the name of a C compiler on the search path."""
    return next((name for name in COMPILERS if shutil.which(name)), None)


def _compile() -> str:
    """Return the command that compiles the C example, in its directory."""
    return f"{_compiler()} -O3 -march=native -fPIC -shared -o c_kernel.so c_kernel.c -lm"


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
    return text.replace(REQUIREMENT, _requirement()).replace(COMPILE, _compile())


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
