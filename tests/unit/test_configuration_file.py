"""Which settings file is read, how paths in it are seen, and the example of one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import SMALL
from tests.support.settings import cases, part, refused, settings, write

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


def test_a_table_of_pyproject_toml_is_read(actbench: Actbench) -> None:
    write("[tool.actbench]\nsize = 1000\n[tool.actbench.list]\nstrategy = 'cached'\n", "pyproject.toml")
    selected = cases(actbench)
    assert (part(selected, 5), part(selected, 1)) == ({"1000"}, {"cached"})
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
    selected = cases(actbench)
    assert part(selected, 5) == {"2000"}
    assert part(selected, 2) != {"numba"}, "files are not merged"
    assert settings(actbench)[0].startswith(f"file ../{name}")


@pytest.mark.parametrize("text", ["", "[tool]\nother = 1\n", "tool = 3\n", "[project]\n"])
def test_a_pyproject_toml_without_our_table_is_none_of_our_business(actbench: Actbench, text: str) -> None:
    write(text, "pyproject.toml")
    assert settings(actbench) == [
        "file none, neither actbench.toml nor [tool.actbench] in pyproject.toml, here or above",
        "settings none",
    ]


def test_a_table_that_is_none_is_refused(actbench: Actbench) -> None:
    write("tool.actbench = 3\n", "pyproject.toml")
    assert refused(actbench) == "pyproject.toml: tool.actbench is to be a table: write [tool.actbench]"


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


# Paths in it


def test_a_path_is_seen_from_its_file_and_a_name_stays(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    actbench("run", *SMALL, "-o", "old")
    write("[check]\nbaseline = 'old'\n")
    Path("deep/down").mkdir(parents=True)
    monkeypatch.chdir("deep/down")
    assert settings(actbench)[1] == "baseline ../../old (../../actbench.toml [check])"
    shutil.copytree("../../old", "../../new")
    assert actbench("check", "../../new").exit_code == 0
    write("[check]\nbaseline = 'latest'\n", "../../actbench.toml")
    assert settings(actbench)[1] == "baseline latest (../../actbench.toml [check])"


def test_a_baseline_environment_is_looked_for_next_to_the_file(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('[check]\nagainst = "base"\n')
    Path("base").mkdir()
    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert actbench("check", "-n", "1000", "-b", "numpy").exit_code == 0
    assert bench.opened == ["../base"]


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
