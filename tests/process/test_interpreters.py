"""What is checked on other interpreters: .ci/interpreters.py, .ci/oldest.py and the sample of tests."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests import sample

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def script(name: str) -> ModuleType:
    """Import a script of .ci, which is no package."""
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


interpreters = script("interpreters")
oldest = script("oldest")


STUB = """case "$*" in
    *version_info\\[*) echo %s;;
    "-m venv"*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python";;
esac"""
"""An interpreter that knows its version, and makes environments of itself."""


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Python; programs in bin are on the path, and pyenv is in pyenv."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{tmp_path / 'bin'}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_an_interpreter_that_does_not_run_is_passed_over(machine: Path) -> None:
    program(machine / "shims" / "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    assert interpreters.interpreter("3.12") is None
    right = program(machine / "bin" / "python3.12", "echo 3.12")
    assert interpreters.interpreter("3.12") == right


@pytest.mark.parametrize("answer", ["3.13", "3.14 free-threaded", ""])
def test_an_interpreter_of_another_kind_is_passed_over(machine: Path, answer: str) -> None:
    program(machine / "bin" / "python3.14", f"echo {answer}")
    assert interpreters.interpreter("3.14") is None


def test_an_interpreter_that_pyenv_keeps_off_the_path_is_used(machine: Path) -> None:
    right = program(machine / "pyenv" / "versions" / "3.13.0" / "bin" / "python3.13", "echo 3.13")
    assert interpreters.interpreter("3.13") == right


def test_this_interpreter_can_do_what_is_asked_of_one(machine: Path) -> None:
    version = "{}.{}".format(*sys.version_info)
    (machine / "bin").mkdir()
    (machine / "bin" / f"python{version}").symlink_to(sys.executable)
    assert interpreters.interpreter(version) == machine / "bin" / f"python{version}"


def test_a_missing_interpreter_is_skipped_with_a_line_and_its_types_are_checked(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = program(machine / "bin" / "python3.12", "echo 3.12")
    planned = interpreters.jobs(["3.11", "3.12", "3.13"], checked="3.13")
    assert [job.arguments for job in planned] == [("types", "TARGET=3.11"), ("portable", f"PYTHON={path}")]
    assert capsys.readouterr().out.splitlines() == [
        "Python 3.11: skipped, it is not on this machine; types alone are checked",
        "Python 3.11, oldest libraries: skipped, it is not on this machine",
        "Python 3.13, newest libraries: make test has checked them",
    ]


def test_the_oldest_libraries_are_checked_on_the_oldest_python_though_make_test_has_checked_it(machine: Path) -> None:
    path = program(machine / "bin" / "python3.11", "echo 3.11")
    (job,) = interpreters.jobs(["3.11"], checked="3.11")
    assert job.arguments == ("oldest", f"PYTHON={path}")


def test_one_that_fails_lets_all_fail_and_the_others_run(machine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(machine / "bin" / "make", 'echo "$2"; case "$3" in *3.12) exit 2;; esac')
    for version in ("3.11", "3.12"):
        program(machine / "bin" / f"python{version}", f"echo {version}")
    assert interpreters.main() == 1
    printed = capfd.readouterr().out
    assert printed.count("FAILED with status 2") == ("{}.{}".format(*sys.version_info) != "3.12")
    assert re.search(r"== Python 3.11, oldest libraries\noldest\n== Python 3.11, oldest libraries: passed", printed)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_the_environment_of_a_different_python_than_the_named_one_is_made_anew(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    older, newer = (program(tmp_path / f"python{version}", STUB % version) for version in ("3.11", "3.13"))

    def environment(*arguments: str) -> tuple[str, int]:
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))}
        command = ["make", "--silent", ".venv/.ready", *arguments]
        subprocess.run(command, cwd=tmp_path, env=clean, check=True)
        return (tmp_path / ".venv/bin/python").read_text(), (tmp_path / ".venv/.ready").stat().st_mtime_ns

    assert environment(f"PYTHON={older}")[0] == older.read_text()
    made = environment(f"PYTHON={newer}")
    assert made[0] == newer.read_text()
    assert environment(f"PYTHON={newer}") == environment() == made, "nothing is to be done"


def test_the_supported_versions_are_those_of_the_classifiers_the_oldest_first() -> None:
    names = [f"Programming Language :: Python :: 3{minor}" for minor in (".9", " :: Only", ".11", ".10")]
    assert interpreters.supported(names) == ["3.9", "3.10", "3.11"]
    assert f">={interpreters.supported(PROJECT['classifiers'])[0]}" == PROJECT["requires-python"]


def test_the_oldest_libraries_are_the_lower_bounds_of_all_that_actbench_needs() -> None:
    assert oldest.oldest(["numpy>=2.0", "click>=8.2"]) == ["numpy==2.0", "click==8.2"]
    assert len(oldest.oldest(PROJECT["dependencies"])) == len(PROJECT["dependencies"])


@pytest.mark.parametrize("requirement", ["numpy", "numpy>=2,<3", "numpy>=2; python_version < '3.13'"])
def test_a_requirement_without_a_plain_lower_bound_is_refused(requirement: str) -> None:
    with pytest.raises(SystemExit, match="no lower bound alone"):
        oldest.oldest([requirement])


def test_the_workflow_tests_every_system_and_every_python_that_is_promised() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == interpreters.supported(PROJECT["classifiers"])
    assert matrix["system"] == ["ubuntu-latest", "ubuntu-24.04-arm", "macos-latest"]
    assert workflow["jobs"]["test"]["runs-on"] == "${{ matrix.system }}"


def test_the_sample_names_tests_that_exist() -> None:
    for name in sample.SAMPLE:
        file, _, test = name.partition("::")
        assert not test or f"\ndef {test}(" in (ROOT / "tests" / file).read_text()
        assert (ROOT / "tests" / file).is_file()


def test_a_sample_with_a_failing_test_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest, "main", lambda _: 1)
    assert sample.main() == 1
