from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Actbench
from tests.support.documents import ROOT
from tests.support.workflows import METADATA, RECIPES, WORKFLOW


def test_every_input_and_output_is_described() -> None:
    assert all(item["description"] for item in (*METADATA["inputs"].values(), *METADATA["outputs"].values()))
    assert [output["value"] for output in METADATA["outputs"].values()] == [
        f"${{{{ steps.check.outputs.{name} }}}}" for name in METADATA["outputs"]
    ]


def uses(jobs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the steps that use the action."""
    for job in jobs.values():
        yield from (step for step in job["steps"] if ".github/actions/" in step.get("uses", ""))


def github() -> dict[str, Any]:
    """Return the recipe for GitHub."""
    (recipe,) = (candidate for candidate in RECIPES if "jobs" in candidate)
    return recipe


def gitlab() -> dict[str, Any]:
    """Return the job of the recipe for GitLab."""
    (recipe,) = (candidate for candidate in RECIPES if "jobs" not in candidate)
    (job,) = recipe.values()
    assert isinstance(job, dict)
    return job


@pytest.mark.parametrize("jobs", [WORKFLOW["jobs"], github()["jobs"]], ids=["the project", "the recipe"])
def test_the_action_that_is_used_exists_and_knows_its_inputs_and_outputs(jobs: dict[str, Any]) -> None:
    (step,) = uses(jobs)
    path = re.sub(r"^(\.|OWNER/actbench)/|@main$", "", step["uses"])
    assert (ROOT / path / "action.yml").is_file()
    assert set(step.get("with", {})) <= set(METADATA["inputs"])
    read = set(re.findall(rf"steps\.{step['id']}\.outputs\.([a-z-]+)", str(jobs)))
    assert read
    assert read <= set(METADATA["outputs"])


def test_the_project_checks_itself_with_no_right_but_to_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())


def test_the_options_in_the_recipes_are_those_of_check(actbench: Actbench) -> None:
    (step,) = uses(github()["jobs"])
    (line,) = (line for line in gitlab()["script"] if line.startswith("actbench "))
    for words in (
        ["check", "--against", "git:main", *shlex.split(step["with"]["arguments"])],
        shlex.split(line)[1:],
    ):
        result = actbench(*words)
        assert result.exit_code == 0, result.output
    assert f"--report junit={gitlab()['artifacts']['reports']['junit']}" in line
    assert gitlab()["allow_failure"]["exit_codes"] == 3


def test_the_recipes_install_the_distribution_under_its_own_name() -> None:
    scripts = [step.get("run", "") for job in github()["jobs"].values() for step in job["steps"]] + gitlab()["script"]
    installing = [script for script in scripts if "pip install" in script]
    assert len(installing) == 2
    assert all('"actbench-derivatives @ git+https://' in script for script in installing)
