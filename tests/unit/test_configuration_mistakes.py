"""What is said of a mistake in a setting, and what works in spite of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.cli.main import COMMANDS
from tests.conftest import Actbench
from tests.support.selections import SMALL
from tests.support.settings import refused, write


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
        ("rounds = 0", "rounds from actbench.toml: '0' is not a whole number from 1 to 1000000"),
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


def test_a_name_that_only_the_plan_can_refuse_is_reported_with_its_origin(
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


def test_a_margin_of_some_cases_that_is_none_is_refused(actbench: Actbench) -> None:
    write("margins = {'*/numpy/*' = 'much'}\n")
    assert refused(actbench).startswith("margins from actbench.toml: 'much' is not a percentage: write")


def test_a_baseline_that_is_gone_is_reported_with_its_origin(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    actbench("run", *SMALL, "-o", "new")
    monkeypatch.setenv("ACTBENCH_BASELINE", "nowhere")
    result = actbench("check", "new")
    assert result.exit_code == 5
    assert result.stderr.endswith(" (baseline is from environment ACTBENCH_BASELINE)\n")


# What works in spite of it


def test_help_works_whatever_the_file_says(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nonsense")
    monkeypatch.setenv("ACTBENCH_NONSENSE", "1")
    for arguments in (("--help",), ("--version",), *((name, "--help") for name in COMMANDS)):
        assert actbench(*arguments).exit_code == 0


def test_completion_works_whatever_the_file_says(actbench: Actbench) -> None:
    write("nonsense")
    environ = {"_ACTBENCH_COMPLETE": "bash_complete", "COMP_WORDS": "actbench run --bud", "COMP_CWORD": "2"}
    assert "--budget" in actbench(env=environ, prog_name="actbench").stdout
