"""The option --format of the commands that print something, and where they print it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

TABLES = ("table", "markdown", "csv", "json")
"""Formats of commands that print tables."""

TEXTS = ("text", "json")
"""Formats of commands that print text."""


def format_option(forms: tuple[str, ...], note: str = "") -> Callable[[Any], Any]:
    """Return the option with these formats, the first of them as default; `note` is added to its help."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default=forms[0],
        show_default=True,
        help=f"How to print it{note}.",
    )


def write_or_echo(text: str, output: Path | None) -> None:
    """Write to a file or stdout, in UTF-8 whatever the terminal's encoding, since the formats require it."""
    from actbench.errors import unwritable

    if output is None:
        click.echo(text.encode(), nl=False)
        return
    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise unwritable(f"cannot write {output}: {error.strerror}; name another file with -o", error) from None
