"""Sentences on stderr, beside what a command prints."""

from __future__ import annotations

import click

from actbench.errors import printable


def say(sentence: str) -> None:
    """Print a sentence in one line: what is not printable in it, as names of files may have it, is escaped."""
    click.echo(printable(sentence), err=True)
