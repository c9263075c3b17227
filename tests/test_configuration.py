from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import click
import pytest

from actbench.cli import configuration, main
from actbench.cli.main import COMMANDS
from tests.conftest import Actbench
from tests.fake import FakeBench
from tests.selections import PAIR, SMALL, record

README = (Path(__file__).parents[1] / "README.md").read_text()

EXAMPLE = """\
# actbench.toml; in pyproject.toml the tables are [tool.actbench], [tool.actbench.run] and so on
activation = ["logistic", "tanh"]    # for every command that has this option
size = [1000, "64k", 1e6]

[run]                                # for one
budget = "90s"
target = 1

[check]
baseline = "results/main"            # as seen from this file
margin = 5

[check.margins]                      # other margins, in percent, for the cases that match
"*/numpy/*" = 10
"""


def options(name: str) -> configuration.Options:
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    return configuration.settable(command)


EVERYWHERE = {name: options(name) for name in COMMANDS}


def write(text: str, path: str = "actbench.toml") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def settings(actbench: Actbench) -> list[str]:
    """Return what `actbench env` says of settings, the file first; one space for many."""
    result = actbench("env")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.partition("settings that are not defaults\n")[2].splitlines()
    return [" ".join(line.split()) for line in lines]


def cases(actbench: Actbench, *arguments: str) -> set[str]:
    """Return the cases of the selection that holds."""
    result = actbench("list", "cases", *arguments)
    assert result.exit_code == 0, result.stderr
    return set(result.stdout.splitlines())


def part(found: set[str], index: int) -> set[str]:
    """Return the values of one part of the cases' ids."""
    return {case.split("/")[index] for case in found}


def refused(actbench: Actbench, *arguments: str) -> str:
    """Return the one line with which a command is refused."""
    result = actbench(*(arguments or ("list", "cases")))
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("actbench: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("actbench: ").removesuffix("\n")


def prediction(actbench: Actbench, *arguments: str) -> str:
    """Return how long a run would take, as a dry run tells it."""
    result = actbench("run", *SMALL, *arguments, "--dry-run")
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()[-1].partition("; ")[2]


# Precedence


def test_the_command_line_beats_the_environment_beats_the_table_beats_the_file(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('activation = "logistic"\nstrategy = "cached"\nsize = 1000\n')
    assert part(cases(actbench), 5) == {"1000"}
    write('activation = "logistic"\nstrategy = "cached"\nsize = 1000\n[list]\nsize = 2000\n')
    assert part(cases(actbench), 5) == {"2000"}
    monkeypatch.setenv("ACTBENCH_SIZE", "3000")
    assert part(cases(actbench), 5) == {"3000"}
    found = cases(actbench, "-n", "4000")
    assert [part(found, index) for index in (0, 1, 5)] == [{"logistic"}, {"cached"}, {"4000"}]


def test_a_table_holds_for_its_command_alone(actbench: Actbench) -> None:
    write("[run]\nsize = 2000\n")
    assert "2000" not in part(cases(actbench), 5)
    planned = actbench("run", "--dry-run").stdout.partition("\n\n")[0]
    assert part(set(planned.splitlines()), 5) == {"2000"}


def test_a_list_on_the_command_line_replaces_the_list_of_the_file(actbench: Actbench) -> None:
    write('backend = ["python", "numpy"]\nsize = [1000]\n')
    assert part(cases(actbench, "-b", "numba"), 2) == {"numba"}


def test_an_empty_variable_sets_nothing(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTBENCH_SIZE", "")
    assert len(part(cases(actbench), 5)) == 3


def test_help_works_whatever_the_file_says(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nonsense")
    monkeypatch.setenv("ACTBENCH_NONSENSE", "1")
    for arguments in (("--help",), ("--version",), *((name, "--help") for name in COMMANDS)):
        assert actbench(*arguments).exit_code == 0


def test_completion_works_whatever_the_file_says(actbench: Actbench) -> None:
    write("nonsense")
    environ = {"_ACTBENCH_COMPLETE": "bash_complete", "COMP_WORDS": "actbench run --bud", "COMP_CWORD": "2"}
    assert "--budget" in actbench(env=environ, prog_name="actbench").stdout


# What can be set, and how it is written


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
    found = cases(actbench)
    assert (part(found, 5), part(found, 2)) == ({"1000", "2000"}, {"numpy", "numba"})


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
    seen: list[bool] = []
    monkeypatch.setattr("actbench.report.progress.Progress.__init__", lambda _, *, quiet: seen.append(quiet))
    write(f"quiet = {said}")
    actbench("run", *SMALL, "--rounds", "1")
    Path("actbench.toml").unlink()
    monkeypatch.setenv("ACTBENCH_QUIET", said)
    actbench("run", *SMALL, "--rounds", "1")
    assert seen == [quiet, quiet]


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
    assert apart | configuration.PER_COMMAND | configuration.TABLES <= known


# Mistakes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("buget = 3", "actbench.toml: unknown setting 'buget': did you mean 'budget'?"),
        ("max_call = 3", "actbench.toml: unknown setting 'max_call': did you mean 'max-call'?"),
        ("[chek]\nmargin = 3", "actbench.toml: unknown setting 'chek': did you mean 'check'?"),
        ("[check]\nmargn = 3", "actbench.toml [check]: unknown setting of check 'margn': did you mean 'margin'?"),
        ("[list]\nbudget = 3", "actbench.toml [list]: unknown setting of list 'budget': "),
        ("check = 3", "actbench.toml: 'check' is a command: write its settings as a table [check]"),
        ("[run]\nresume = 'x'", "actbench.toml [run]: resume is about one call: write --resume on the command line"),
        ("format = 'json'", "actbench.toml: format differs from command to command: set it in a table like [check]"),
        ("size = 'many'", "size from actbench.toml: 'many' is not a size: write a whole number"),
        ("size = [1000, [2]]", "size from actbench.toml: write a string or a number"),
        ("size = {a = 1}", "size from actbench.toml: write a string or a number"),
        ("budget = true", "budget from actbench.toml: write a string or a number"),
        ("budget = 2026-01-01", "budget from actbench.toml: write a string or a number"),
        ("budget = nan", "budget from actbench.toml: 'nan' is not a time: write for example 90s"),
        ("budget = [3]", "budget from actbench.toml: write one value, not a list"),
        ("rounds = 0", "rounds from actbench.toml: 0 is not in the range x>=1."),
        ("quiet = 1", "quiet from actbench.toml: write true or false"),
        ("[check]\nmargin = 'much'", "margin from actbench.toml [check]: 'much' is not a percentage: write for"),
        ("[compare]\nformat = 'xml'", "format from actbench.toml [compare]: 'xml' is not one of "),
        ("size = 1\nbudget =\n", "actbench.toml is not TOML: Invalid value (at line 2, column 9)"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_that_names_file_and_key(actbench: Actbench, text: str, said: str) -> None:
    write(text)
    assert refused(actbench).startswith(said)


def test_what_is_not_text_is_refused(actbench: Actbench) -> None:
    Path("actbench.toml").write_bytes(b"preset = '\xff'")
    assert refused(actbench) == "actbench.toml is not TOML: it is not encoded in UTF-8"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("ACTBENCH_BUGET", "3", "environment: unknown variable 'ACTBENCH_BUGET': did you mean 'ACTBENCH_BUDGET'?"),
        ("ACTBENCH_BUDGET", "long", "budget from environment ACTBENCH_BUDGET: 'long' is not a time: write for"),
        ("ACTBENCH_BACKEND", "numpy,,numba", "backend from environment ACTBENCH_BACKEND: '' has an empty part"),
        ("ACTBENCH_QUIET", "maybe", "quiet from environment ACTBENCH_QUIET: 'maybe' is not a valid boolean"),
        ("ACTBENCH_OUTPUT", "x", "environment: ACTBENCH_OUTPUT is about one call: write --output on the command line"),
        ("ACTBENCH_FORMAT", "json", "ACTBENCH_FORMAT: format differs from command to command: write --format instead"),
    ],
)
def test_a_mistake_in_the_environment_is_one_line_that_names_the_variable(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, name: str, text: str, said: str
) -> None:
    monkeypatch.setenv(name, text)
    assert refused(actbench).startswith(said)


def test_a_name_that_only_the_plan_can_refuse_is_told_with_its_origin(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('activation = ["tanh", "logistik"]')
    assert refused(actbench) == (
        "unknown activation 'logistik': did you mean 'logistic'? (activation is from actbench.toml)"
    )
    monkeypatch.setenv("ACTBENCH_PRESET", "smoky")
    assert refused(actbench) == (
        "unknown preset 'smoky': did you mean 'smoke'? (preset is from environment ACTBENCH_PRESET)"
    )
    assert refused(actbench, "list", "cases", "--preset", "ful") == "unknown preset 'ful': did you mean 'full'?"


# Which file


def test_a_table_of_pyproject_toml_is_read(actbench: Actbench) -> None:
    write("[tool.actbench]\nsize = 1000\n[tool.actbench.list]\nstrategy = 'cached'\n", "pyproject.toml")
    found = cases(actbench)
    assert (part(found, 5), part(found, 1)) == ({"1000"}, {"cached"})
    assert settings(actbench) == [
        "file pyproject.toml [tool.actbench]",
        "size 1000 (pyproject.toml [tool.actbench])",
        "strategy cached (pyproject.toml [tool.actbench.list])",
    ]


def test_a_file_of_our_own_hides_the_table_and_env_says_so(actbench: Actbench) -> None:
    write("[tool.actbench]\nsize = 1000\n", "pyproject.toml")
    write("size = 2000\n")
    assert part(cases(actbench), 5) == {"2000"}
    assert settings(actbench)[0] == ("file actbench.toml -> hides pyproject.toml [tool.actbench]: keep one of them")


@pytest.mark.parametrize("name", ["actbench.toml", "pyproject.toml"])
def test_the_nearest_directory_upward_that_has_settings_is_read_alone(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    head = "[tool.actbench]\n" if name == "pyproject.toml" else ""
    write("size = 1000\nbackend = 'numba'\n")
    write(f"{head}size = 2000\n", f"a/{name}")
    write("[tool.ruff]\n", "a/b/pyproject.toml")
    monkeypatch.chdir("a/b")
    found = cases(actbench)
    assert part(found, 5) == {"2000"}
    assert part(found, 2) != {"numba"}, "files are not merged"
    assert settings(actbench)[0].startswith(f"file ../{name}")


@pytest.mark.parametrize("text", ["", "[tool]\nother = 1\n", "tool = 3\n", "[project]\n"])
def test_a_pyproject_toml_without_our_table_is_none_of_our_business(actbench: Actbench, text: str) -> None:
    write(text, "pyproject.toml")
    assert settings(actbench) == [
        "file none, neither actbench.toml nor [tool.actbench] in pyproject.toml, here or above",
        "none",
    ]


def test_a_table_that_is_none_is_refused(actbench: Actbench) -> None:
    write("tool.actbench = 3\n", "pyproject.toml")
    assert refused(actbench) == "pyproject.toml: tool.actbench is to be a table: write [tool.actbench]"


def test_a_path_is_seen_from_its_file_and_a_name_stays(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    actbench("run", *SMALL, "-o", "old")
    write("[check]\nbaseline = 'old'\n")
    Path("deep/down").mkdir(parents=True)
    monkeypatch.chdir("deep/down")
    assert settings(actbench)[1] == "baseline ../../old (../../actbench.toml [check])"
    assert actbench("check", "../../old").exit_code == 0
    write("[check]\nbaseline = 'latest'\n", "../../actbench.toml")
    assert settings(actbench)[1] == "baseline latest (../../actbench.toml [check])"


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
    found: dict[str, Any] = json.loads(actbench("env", "--format", "json").stdout)["configuration"]
    assert found["file"] == "actbench.toml"
    assert found["settings"][0] == {"name": "budget", "texts": ["90s"], "origin": "environment ACTBENCH_BUDGET"}


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


# Settings that exclude each other


def test_rounds_on_the_command_line_replace_target_and_budget_of_the_file(actbench: Actbench) -> None:
    write("budget = '1ms'\ntarget = 1\n")
    assert ", 6 rounds: " in prediction(actbench, "--rounds", "6")
    assert actbench("run", *SMALL, "--rounds", "4", "-o", "here").exit_code == 0
    told = record(Path("here"))["settings"]
    assert (told["rounds"], told["budget"]) == (4, None)


@pytest.mark.parametrize("option", [("--budget", "10s"), ("--target", "1")])
def test_a_target_or_a_budget_on_the_command_line_replaces_rounds_of_the_file(
    actbench: Actbench, option: tuple[str, str]
) -> None:
    write("rounds = 3\n")
    assert "rounds or more" in prediction(actbench, *option).replace("round or more", "rounds or more")


def test_a_budget_of_the_environment_replaces_rounds_of_the_file_but_not_those_of_the_command_line(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("rounds = 3\n")
    monkeypatch.setenv("ACTBENCH_BUDGET", "10s")
    assert [line.split()[0] for line in settings(actbench)[1:]] == ["budget"]
    assert ", 5 rounds: " in prediction(actbench, "--rounds", "5")


def test_stock_pyperf_on_the_command_line_passes_over_limits_that_it_does_not_have(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("budget = '30s'\n")
    monkeypatch.setenv("ACTBENCH_TARGET", "1")
    assert prediction(actbench, "--engine", "pyperf").startswith("20 processes a case")


@pytest.mark.parametrize("text", ["engine = 'pyperf'\nbudget = 30\n", "engine = 'pyperf'\n"])
def test_a_budget_for_stock_pyperf_is_refused_with_the_origin_of_the_engine(actbench: Actbench, text: str) -> None:
    write(text)
    result = actbench("run", "--dry-run", *(() if "budget" in text else ("--budget", "30s")))
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "--target and --budget do not apply to stock pyperf (--engine pyperf)" in said
    assert "engine is from actbench.toml" in said


# resume


def test_settings_do_not_stand_in_the_way_of_a_resume(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "2")
    write("preset = 'full'\nsize = 4000\nseed = 9\nengine = 'pyperf'\nrounds = 1\n")
    monkeypatch.setenv("ACTBENCH_STRATEGY", "textbook")
    started = bench.workers_started
    result = actbench("run", "--resume", "here", "--rounds", "3")
    assert result.exit_code == 0, result.stderr
    assert bench.workers_started > started
    told = record(Path("here"))["settings"]
    assert (told["rounds"], told["engine"]) == (3, "interleaved")


def test_a_resume_keeps_the_limits_of_its_run_whatever_the_file_says(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--target", "3", "--budget", "40s", "--timeout", "50s")
    before = record(Path("here"))["settings"]
    write("rounds = 1\ntimeout = 9\n")
    assert actbench("run", "--resume", "here").exit_code == 0
    assert record(Path("here"))["settings"] == before


def test_a_selection_given_again_with_resume_is_completed_by_the_file_as_before(actbench: Actbench) -> None:
    write("size = 1000\n")
    actbench("run", *PAIR, "-o", "here", "--rounds", "1")
    assert actbench("run", *PAIR, "--resume", "here", "--rounds", "2").exit_code == 0


# check


def test_a_baseline_of_the_file_need_not_be_named(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "old")
    write("[check]\nbaseline = 'old'\nmargin = 7\n")
    result = actbench("check", "old")
    assert result.exit_code == 0, result.stderr
    assert "margin 7 %" in result.stdout
    assert "margin 8 %" in actbench("check", "old", "--margin", "8").stdout


def test_a_baseline_that_is_gone_is_told_with_its_origin(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    actbench("run", *SMALL, "-o", "new")
    monkeypatch.setenv("ACTBENCH_BASELINE", "nowhere")
    result = actbench("check", "new")
    assert result.exit_code == 5
    assert result.stderr.endswith(" (baseline is from environment ACTBENCH_BASELINE)\n")


def test_margins_are_a_table_of_globs(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    option = EVERYWHERE["check"]["margins"]
    seen: list[Any] = []
    monkeypatch.setattr(option, "callback", lambda _, __, value: seen.extend(value))
    write("[check.margins]\n'*/numpy/*' = 10\n'tanh/*' = '2.5%'\n")
    assert settings(actbench)[1] == "margins */numpy/*=10, tanh/*=2.5% (actbench.toml [check])"
    actbench("check", "nowhere", "--baseline", "nowhere")
    context = click.Context(click.Command("check"))
    assert tuple(seen) == option.type_cast_value(context, ["*/numpy/*=10", "tanh/*=2.5%"])


def test_a_margin_of_some_cases_that_is_none_is_refused(actbench: Actbench) -> None:
    write("margins = {'*/numpy/*' = 'much'}\n")
    assert refused(actbench).startswith("margins from actbench.toml: 'much' is not a percentage: write")


# The example


def test_the_example_is_accepted_as_it_stands(actbench: Actbench) -> None:
    write(EXAMPLE)
    assert settings(actbench) == [
        "file actbench.toml",
        "activation logistic, tanh (actbench.toml)",
        "baseline results/main (actbench.toml [check])",
        "budget 90s (actbench.toml [run])",
        "margin 5 (actbench.toml [check])",
        "margins */numpy/*=10 (actbench.toml [check])",
        "size 1000, 64k, 1000000 (actbench.toml)",
        "target 1 (actbench.toml [run])",
    ]


def test_the_readme_shows_no_other_example() -> None:
    assert set(re.findall(r"```toml\n(.*?)```", README, re.DOTALL)) <= {EXAMPLE}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
def test_a_file_above_that_others_can_write_is_refused(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    write('[check]\nagainst = "evil"\n')
    Path("actbench.toml").chmod(0o666)
    assert actbench("list", "presets").exit_code == 0, "what lies in the current directory is as trusted as a Makefile"
    Path("below").mkdir()
    monkeypatch.chdir("below")
    result = actbench("list", "presets")
    assert result.exit_code == 2
    assert "others can write it, and it lies above this directory" in result.stderr


def test_a_baseline_environment_is_looked_for_beside_the_file(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('[check]\nagainst = "base"\n')
    Path("base").mkdir()
    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert actbench("check", "-n", "1000", "-b", "numpy").exit_code == 0
    assert bench.opened == ["../base"]
