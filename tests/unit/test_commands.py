from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from actbench.cli import main
from actbench.cli.main import COMMANDS
from tests.conftest import Actbench

# Help


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_with_examples(actbench: Actbench, command: tuple[str, ...], flag: str) -> None:
    result = actbench(*command, flag)
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout
    assert f"actbench {' '.join(command)}".strip() in result.stdout.partition("Examples:\n")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_mentions_and_explains_each_option(actbench: Actbench, name: str) -> None:
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    shown = actbench(name, "--help").stdout
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert all(option in shown for option in parameter.opts)
            assert getattr(parameter, "help", None), f"{name} {parameter.opts[0]} is not explained"


def test_the_group_lists_every_command_in_a_line_and_every_exit_code(actbench: Actbench) -> None:
    shown = actbench("--help").stdout
    assert all(f"\n  {name:<{max(map(len, COMMANDS))}}  {line}\n" in shown for name, line in COMMANDS.items())
    assert "Exit codes: 0 fine, 1 a case regressed, 2 usage or bad input, 3 inconclusive, 4 " in " ".join(shown.split())


def test_the_version_says_what_a_bug_report_needs(actbench: Actbench) -> None:
    from actbench import __version__

    first, *facts = actbench("--version").stdout.splitlines()
    assert first == f"actbench, version {__version__}"
    shown = {line[:13].strip(): line[14:] for line in facts}
    assert {*shown} >= {"python", "libraries", "kernel", "cpu model"}
    assert all(f"{name} " in shown["libraries"] for name in ("numpy", "numba", "pyperf", "pandas"))


def test_actbench_alone_asks_the_questions_and_names_commands_that_exist(actbench: Actbench) -> None:
    result = actbench()
    assert result.exit_code == 0
    questions = [line for line in result.stdout.splitlines() if line.endswith("?")]
    assert len(questions) == 4
    assert {*re.findall(r"^  actbench (\w+)", result.stdout, re.MULTILINE)} <= {*COMMANDS}


def test_help_of_the_group_imports_no_command(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COMMANDS:
        monkeypatch.setitem(sys.modules, f"actbench.cli.{name}", None)  # an import of it raises
    assert actbench("--help").exit_code == 0


MEASURING_NOTHING = ("--help", "list", "list activations", "run --help", "list cases", "--version")


READING = ("compare here", "export here --to bmf", "run --dry-run")


@pytest.mark.usefixtures("run")
def test_what_draws_nothing_imports_no_pandas_and_what_measures_nothing_no_numba() -> None:
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from actbench.cli import main\n"
        "for argument in sys.argv[1:]:\n"
        "    command, _, libraries = argument.partition(':')\n"
        "    assert CliRunner().invoke(main, command.split()).exit_code == 0, command\n"
        "    imported = {*libraries.split(',')} & set(sys.modules)\n"
        "    assert not imported, f'{command}: {imported}'\n"
    )
    without = [f"{line}:numba,pandas,scipy" for line in MEASURING_NOTHING] + [f"{line}:pandas" for line in READING]
    done = subprocess.run([sys.executable, "-c", script, *without], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# env


def test_env_shows_the_machine_and_its_noise(actbench: Actbench) -> None:
    shown = actbench("env").stdout
    assert "cpu model  " in shown
    assert "what makes timings vary" in shown
    assert re.search(r"^affinity +(processor \d+|unknown)$", shown, re.MULTILINE)


def test_env_as_json_is_what_a_run_records(actbench: Actbench) -> None:
    environment = json.loads(actbench("env", "--format", "json").stdout)
    assert environment.keys() == {"environment", "noise", "configuration"}
    actbench("run", "--preset", "smoke", "-b", "numpy", "-a", "logistic", "--rounds", "1", "-o", "here")
    recorded = json.loads(Path("here/run.json").read_text())["environment"]
    of_all_backends = environment["environment"].pop("libraries")
    assert recorded.pop("libraries").items() <= of_all_backends.items()
    assert environment["environment"] == recorded


def test_a_fault_of_our_own_ends_with_70_and_never_with_a_verdict(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("actbench.host.memory.usable", faulty)
    result = actbench("run", "--dry-run")
    assert result.exit_code == 70
    assert "ZeroDivisionError: oh" in result.stderr
    assert "a fault of actbench itself" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "cases", "--preset", "full", "-a", "tanh"],
        pytest.param(["compare", "{run}"], marks=pytest.mark.exhaustive),
    ],
)
def test_output_that_nobody_reads_ends_with_141(arguments: list[str]) -> None:
    run = Path(__file__).parents[2] / "results" / "reference"
    command = [sys.executable, "-m", "actbench", *(argument.format(run=run) for argument in arguments)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_terminal_without_the_signs_gets_question_marks() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "actbench", "compare", str(Path(__file__).parents[2] / "results" / "reference")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert " ? " in done.stdout


def test_names_from_outside_cannot_break_the_line(actbench: Actbench) -> None:
    result = actbench("compare", "no\n::error::such run")
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: no\\n::error::such run is not a run")
    assert len(result.stderr.splitlines()) == 1
