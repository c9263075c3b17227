"""The action that checks pull requests: its script run as GitHub runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.workflows import ACTION, METADATA, RECIPES, WORKFLOW

REPORT = "**4 cases, margin 5 %: 4 unchanged**\n\n| case |\n"

STUB = f"""#!/bin/sh
if [ "$1" = -c ]; then exec "{sys.executable}" "$@"; fi
printf '%s\\n' "$@" > "$STUB_ARGUMENTS"
printf '%s' "$STUB_REPORT"
exit "$STUB_CODE"
"""
"""An interpreter that is none: as `python -m actbench` it notes its arguments, and ends as it is told."""


@dataclass
class Job:
    """What is left of a job in which the action ran."""

    code: int
    log: str
    outputs: dict[str, str]
    arguments: list[str] = field(default_factory=list)
    """Those of the interpreter."""


@dataclass
class Runner:
    """Runs the action's step as GitHub does, in a checkout, with a stub in place of actbench."""

    place: Path
    checkout: Path

    def __call__(self, code: int = 0, report: str = REPORT, base: str = "", **inputs: str) -> Job:
        """Run it; inputs are named with underscores."""
        (step,) = METADATA["runs"]["steps"]
        values = {name: description["default"] for name, description in METADATA["inputs"].items()}
        values |= {"python": str(self.place / "python"), "against": "other"}
        values |= {name.replace("_", "-"): text for name, text in inputs.items()}
        output, noted = self.place / "output", self.place / "arguments"
        for path in (output, noted):
            path.write_text("")
        variables = {name: values[self._input(text)] for name, text in step["env"].items()} | {
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_BASE_REF": base,
            "RUNNER_TEMP": str(self.place),
            "STUB_ARGUMENTS": str(noted),
            "STUB_REPORT": report,
            "STUB_CODE": str(code),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],  # noqa: S607
            cwd=self.checkout,
            env=os.environ | variables,
            check=False,
            capture_output=True,
            text=True,
        )
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return Job(done.returncode, done.stdout + done.stderr, outputs, noted.read_text().splitlines())

    @staticmethod
    def _input(expression: str) -> str:
        (name,) = re.findall(r"^\${{ inputs\.([a-z-]+) }}$", expression)
        return str(name)


def git(directory: Path, *arguments: str) -> str:
    """Run git and return what it prints."""
    who = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=directory, check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout.strip()


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Give a runner whose checkout is an empty directory."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    stub = tmp_path / "python"
    stub.write_text(STUB)
    stub.chmod(0o755)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    return Runner(tmp_path, checkout)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Give a repository with two commits on main, and one more on change."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    path = tmp_path / "origin"
    path.mkdir()
    git(path, "init", "--quiet")
    for message in ("first", "second", "third"):
        if message == "third":
            git(path, "switch", "--quiet", "--create", "change")
        git(path, "commit", "--quiet", "--allow-empty", "--message", message)
    return path


def check_out(runner: Runner, origin: Path, *options: str) -> None:
    git(runner.place, "clone", "--quiet", *options, f"file://{origin}", str(runner.checkout))


# What the action makes of exit codes


def test_a_check_that_passes_passes(runner: Runner) -> None:
    job = runner()
    assert job.code == 0
    assert job.log == REPORT + "::notice title=actbench::4 cases, margin 5 %25: 4 unchanged\n"


@pytest.mark.parametrize("fail_on", ["regression", "inconclusive"])
def test_a_regression_fails(runner: Runner, fail_on: str) -> None:
    job = runner(1, fail_on=fail_on)
    assert (job.code, job.outputs["verdict"]) == (1, "regressed")
    assert "::error title=actbench::4 cases" in job.log


def test_what_is_inconclusive_warns(runner: Runner) -> None:
    job = runner(3)
    assert (job.code, job.outputs["verdict"], job.outputs["exit-code"]) == (0, "inconclusive", "3")
    assert "::warning title=actbench::4 cases" in job.log


def test_what_is_inconclusive_fails_where_that_is_asked_for(runner: Runner) -> None:
    job = runner(3, fail_on="inconclusive")
    assert (job.code, job.outputs["verdict"]) == (3, "inconclusive")
    assert "::error title=actbench::4 cases" in job.log


@pytest.mark.parametrize("code", [2, 4, 5, 127, 130])
def test_any_other_exit_code_fails(runner: Runner, code: int) -> None:
    job = runner(code, report="")
    assert (job.code, job.outputs) == (code, {"verdict": "failed", "exit-code": str(code)})
    assert f"::error title=actbench::the check ended with exit code {code}; the log says why" in job.log


def test_an_interpreter_without_actbench_is_not_a_regression(runner: Runner) -> None:
    job = runner(1, report="")
    assert (job.code, job.outputs["verdict"]) == (1, "failed")


def test_an_interpreter_that_does_not_exist_fails(runner: Runner) -> None:
    assert runner(python="no-such-python").code not in {0, 3}


def test_what_fail_on_does_not_know_is_refused_before_measuring(runner: Runner) -> None:
    job = runner(fail_on="regressions")
    assert (job.code, job.arguments) == (2, [])


# What goes in, and what comes out


def test_the_report_is_an_output_and_the_runs_are_where_something_was_measured(runner: Runner) -> None:
    job = runner()
    assert Path(job.outputs["report"]).read_text() == REPORT
    assert set(job.outputs) == {"verdict", "exit-code", "report"}, "the stub keeps no runs"
    assert set(job.outputs) < set(METADATA["outputs"])


def test_actbench_is_run_once_with_the_options_that_were_given_and_the_actions_own_last(runner: Runner) -> None:
    job = runner(arguments="-a logistic\n--margins '*/python/*=10'", against="../base env")
    assert job.arguments[:-1] == [
        *("-P", "-m", "actbench", "check", "-a", "logistic", "--margins", "*/python/*=10"),
        *("--against=../base env", "--format=markdown"),
    ]
    assert job.arguments[-1].startswith("--output=")


@pytest.mark.parametrize("name", ["against", "python", "arguments", "fail_on"])
def test_nothing_in_an_input_is_executed(runner: Runner, name: str) -> None:
    inputs: dict[str, Any] = {
        name: "a; touch pwned #$(touch pwned)`touch pwned`\ntouch pwned | touch pwned && touch pwned *"
    }
    runner(**inputs)
    assert not list(runner.checkout.iterdir())


def test_no_script_contains_an_expression() -> None:
    jobs = [*WORKFLOW["jobs"].values(), *(job for recipe in RECIPES for job in recipe.get("jobs", {}).values())]
    steps = [step for job in (METADATA["runs"], *jobs) for step in job["steps"]]
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]


# What it compares with


def test_a_pull_request_is_compared_with_its_base_branch_even_in_a_shallow_checkout(
    runner: Runner, origin: Path
) -> None:
    check_out(runner, origin, "--depth=1", "--branch=change")
    job = runner(against="", base="main")
    assert "--against=git:origin/main" in job.arguments
    assert git(runner.checkout, "rev-parse", "origin/main") == git(origin, "rev-parse", "main")


def test_a_base_branch_that_moved_on_is_fetched_and_a_whole_checkout_stays_whole(runner: Runner, origin: Path) -> None:
    check_out(runner, origin, "--branch=change")
    git(origin, "switch", "--quiet", "main")
    git(origin, "commit", "--quiet", "--allow-empty", "--message", "fourth")
    assert runner(against="git:origin/main").code == 0
    assert git(runner.checkout, "rev-parse", "origin/main") == git(origin, "rev-parse", "main")
    assert git(runner.checkout, "rev-parse", "--is-shallow-repository") == "false"


def test_elsewhere_the_commit_before_is_the_one_to_compare_with(runner: Runner, origin: Path) -> None:
    check_out(runner, origin, "--depth=1", "--branch=change")
    assert "--against=git:HEAD^" in runner(against="").arguments
    assert git(runner.checkout, "rev-parse", "HEAD^") == git(origin, "rev-parse", "main")


def test_a_branch_that_does_not_exist_fails_before_measuring(runner: Runner, origin: Path) -> None:
    check_out(runner, origin, "--depth=1", "--branch=change")
    job = runner(against="git:origin/nowhere")
    assert job.code not in {0, 3}
    assert not job.arguments
