"""An empty name of a file, as of an unset variable of a shell, is refused: it would mean the current directory."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from actbench import measure
from actbench.cli.main import COMMANDS
from actbench.errors import InputError
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import SMALL


@pytest.mark.parametrize(
    "command",
    [
        ("run", *SMALL, "-o", ""),
        ("run", "--resume", ""),
        ("compare", ""),
        ("check", "run", "--baseline", ""),
        ("recommend", "-a", "tanh", "--from", ""),
        ("init", ""),
    ],
    ids=lambda command: command[0],
)
def test_an_empty_name_is_refused_in_one_line(actbench: Actbench, bench: FakeBench, command: tuple[str, ...]) -> None:
    result = actbench(*command)
    assert result.exit_code == 2
    assert " is empty, as a variable of the shell that is not set is: name a path, or '.'" in result.stderr
    assert result.stderr.count("\n") == 1
    assert bench.workers_started == 0
    assert not [*Path().iterdir()]


def parameters_with_paths() -> Iterator[tuple[str, click.Parameter]]:
    """Return what takes paths, with its command."""
    commands = [(name, import_module(f"actbench.cli.{name}").command) for name in COMMANDS]
    for name, command in commands:
        members = command.commands.items() if isinstance(command, click.Group) else ()
        commands += [(f"{name} {member}", below) for member, below in members]
        yield from ((name, one) for one in command.params if isinstance(one.type, click.Path))


@pytest.mark.parametrize(
    "parameter", [pytest.param(one, id=f"{command} {one.name}") for command, one in parameters_with_paths()]
)
def test_every_parameter_that_takes_a_path_refuses_an_empty_one(parameter: click.Parameter) -> None:
    with pytest.raises(InputError, match="is empty"):
        parameter.type.convert("", parameter, None)


@pytest.mark.parametrize("name", ["output", "resume"])
def test_an_empty_name_is_refused_from_python(name: str) -> None:
    options: dict[str, Any] = {name: ""}
    with pytest.raises(InputError, match=f"{name}=''"):
        measure("logistic", **options)
