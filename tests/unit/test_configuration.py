"""What can be set, how it is written, and how env shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from actbench.cli import configuration, main
from actbench.cli.main import COMMANDS
from tests.conftest import Actbench
from tests.support.selections import SMALL
from tests.support.settings import cases, part, prediction, refused, settings, write


def options(name: str) -> configuration.Options:
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    return configuration.settable(command)


EVERYWHERE = {name: options(name) for name in COMMANDS}


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("1000", {"1000"}),
        ("1e3", {"1000"}),
        ('"1k"', {"1000"}),
        ('"1k, 2k"', {"1000", "2000"}),
        ('[1000, "2k"]', {"1000", "2000"}),
        ('["1k,2k", 3e3]', {"1000", "2000", "3000"}),
    ],
)
def test_a_list_may_be_one_value_or_text_with_commas_or_an_array(
    actbench: Actbench, written: str, sizes: set[str]
) -> None:
    write(f"size = {written}")
    assert part(cases(actbench), 5) == sizes


def test_a_variable_takes_commas_as_the_command_line_does(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTBENCH_SIZE", "1k, 2k")
    monkeypatch.setenv("ACTBENCH_BACKEND", "numpy,numba")
    selected = cases(actbench)
    assert (part(selected, 5), part(selected, 2)) == ({"1000", "2000"}, {"numpy", "numba"})


def test_a_command_of_a_group_has_settings_as_all_others_do(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('activation = "tanh"\n[run]\nsize = 3000\n["fleet run"]\nsize = 2000\n')
    monkeypatch.setenv("ACTBENCH_BACKEND", "numpy")
    plan = actbench("fleet", "run", "-d", "float64", "-s", "cached", "--op", "derivative", "--dry-run")
    assert plan.stdout.splitlines()[0] == "tanh/cached/numpy/derivative/float64/2000"
    assert plan.stdout.count("tanh/") == 1
    monkeypatch.setenv("ACTBENCH_SCHEDULER", "tcp://10.0.0.1:8786")
    assert "write --scheduler yourself" in refused(actbench, "fleet", "run", "-o", "new")


def test_numbers_need_no_quotes(actbench: Actbench) -> None:
    write("budget = 90\nmax-call = 0.5\n[run]\ntarget = 1.5\nseed = 7\n")
    assert settings(actbench)[1:] == [
        "budget 90 (actbench.toml)",
        "max-call 0.5 (actbench.toml)",
        "seed 7 (actbench.toml [run])",
        "target 1.5 (actbench.toml [run])",
    ]
    assert prediction(actbench).endswith(" to 1 min 30 s")


@pytest.mark.parametrize(("said", "quiet"), [("true", True), ("false", False)])
def test_a_switch_is_true_or_false(
    actbench: Actbench,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    quiet: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    colours: list[bool] = []
    monkeypatch.setattr("actbench.report.progress.Progress.__init__", lambda _, *, quiet: colours.append(quiet))
    write(f"quiet = {said}")
    actbench("run", *SMALL, "--rounds", "1")
    Path("actbench.toml").unlink()
    monkeypatch.setenv("ACTBENCH_QUIET", said)
    actbench("run", *SMALL, "--rounds", "1")
    assert colours == [quiet, quiet]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_more_than_one_call_can_be_set(name: str) -> None:
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    written = {option[2:] for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert options(name).keys() == written - configuration.ONE_CALL - {*configuration.EXPLICIT}


def test_no_option_has_the_name_of_a_command() -> None:
    assert not {option for known in EVERYWHERE.values() for option in known} & set(COMMANDS)


def test_every_name_that_is_treated_apart_is_an_option() -> None:
    known = {option for command in EVERYWHERE.values() for option in command} | configuration.ONE_CALL
    apart = {name.partition("=")[0] for name in configuration.REPLACES} | set().union(*configuration.REPLACES.values())
    assert apart | configuration.PER_COMMAND | configuration.TABLE_OPTIONS <= known


def test_margins_are_a_table_of_globs(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    option = EVERYWHERE["check"]["margins"]
    values: list[Any] = []
    monkeypatch.setattr(option, "callback", lambda _, __, value: values.extend(value))
    write("[check.margins]\n'*/numpy/*' = 10\n'tanh/*' = '2.5%'\n")
    assert settings(actbench)[1] == "margins */numpy/*=10, tanh/*=2.5% (actbench.toml [check])"
    actbench("check", "nowhere", "--baseline", "nowhere")
    context = click.Context(click.Command("check"))
    assert tuple(values) == option.type_cast_value(context, ["*/numpy/*=10", "tanh/*=2.5%"])


# env


def test_env_shows_what_holds_and_where_it_comes_from(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    write("preset = 'smoke'\nbudget = '2m'\nsize = ['1k', 2000]\n[list]\npreset = 'full'\n[check]\nmargin = 9\n")
    monkeypatch.setenv("ACTBENCH_BUDGET", "90s")
    assert settings(actbench) == [
        "file actbench.toml",
        "budget 90s (environment ACTBENCH_BUDGET)",
        "margin 9 (actbench.toml [check])",
        "preset smoke (actbench.toml)",
        "preset full (actbench.toml [list])",
        "size 1k, 2000 (actbench.toml)",
    ]
    reported: dict[str, Any] = json.loads(actbench("env", "--format", "json").stdout)["configuration"]
    assert reported["file"] == "actbench.toml"
    assert reported["settings"][0] == {"name": "budget", "texts": ["90s"], "origin": "environment ACTBENCH_BUDGET"}


def test_env_shows_settings_of_the_environment_without_a_file(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTBENCH_MARGIN", "3")
    file, margin = settings(actbench)
    assert file.startswith("file none")
    assert margin == "margin 3 (environment ACTBENCH_MARGIN)"


def test_a_table_sets_a_command_s_format(actbench: Actbench) -> None:
    write("[env]\nformat = 'json'\n")
    assert json.loads(actbench("env").stdout)["configuration"]["settings"][0]["texts"] == ["json"]
