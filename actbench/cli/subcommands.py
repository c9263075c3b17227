"""Commands of groups, such as ``fleet run``, by the words that call them."""

from __future__ import annotations

from collections.abc import Iterator

import click


def reached(name: str, command: click.Command, args: list[str]) -> tuple[list[str], click.Command, list[str]]:
    """Return the words that the arguments begin with, the command that these call, and the rest of the arguments."""
    words = [name]
    while isinstance(command, click.Group) and args and args[0] in command.commands:
        words.append(args[0])
        command, args = command.commands[args[0]], args[1:]
    return words, command, args


def with_subcommands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and, where it is a group, what belongs to it, by the words that call each."""
    yield name, command
    if isinstance(command, click.Group):
        for word, member in command.commands.items():
            yield from with_subcommands(f"{name} {word}", member)
