"""The option --format of the commands that print something."""

from __future__ import annotations

from collections.abc import Callable
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
