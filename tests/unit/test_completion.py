"""What a shell offers after Tab."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from actbench import registry
from actbench.cli import main
from actbench.cli.completion import NAMES
from actbench.cli.main import COMMANDS


def offered(*arguments: str) -> list[str]:
    *before, last = arguments
    completion = ShellComplete(main, {}, "actbench", "_ACTBENCH_COMPLETE")
    return [item.value for item in completion.get_completions(before, last)]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("ru",), ["run"]),
        (("run", "-a", "logi"), ["logistic"]),
        (("run", "-a", "logistic,logi"), []),
        (("run", "-b", "python,numpy-"), ["python,numpy-blocked"]),
        (("accuracy", "-s", "ship"), ["shipped"]),
        (("accuracy", "--of", "f"), ["forward"]),
        (("train", "ml"), ["mlp:"]),
        (("train", "--operands", "res"), ["residuals-cold"]),
        (("check", "--preset", "sm"), ["smoke"]),
        (("recommend", "-a", "gelu-"), ["gelu-tanh"]),
        (("recommend", "--op", "st"), ["step"]),
        (("run", "--residual-dtype", "b"), ["bfloat16"]),
        (("run", "-d", "float6"), ["float64"]),
        (("show", "tanh/cached/numpy/derivative/float64/1000"), ["tanh/cached/numpy/derivative/float64/1000"]),
    ],
)
def test_names_are_completed_in_lists_as_well(arguments: tuple[str, ...], names: list[str]) -> None:
    assert offered(*arguments)[: len(names) or None] == names


def test_every_activation_is_offered() -> None:
    assert offered("list", "-a", "") == [*registry.activations()]


def test_every_parameter_with_names_belongs_to_a_command() -> None:
    commands = [main.get_command(None, name) for name in COMMANDS]  # type: ignore[arg-type]
    assert {*NAMES} <= {one.name for command in commands if command for one in command.params}
