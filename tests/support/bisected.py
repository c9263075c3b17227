"""Histories whose commits take exact times, for the tests of ``actbench bisect``."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from actbench.model.cases import Case
from tests.support.checked import CACHED
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.repository import commit, git, repository
from tests.support.selections import PAIR

SELECTED = (*PAIR, "-n", "1000", "-q")

Levels = Callable[[int], float]
"""How many times as long a case takes in a commit, by its number."""


def history(number: int) -> None:
    """Make so many commits in the current directory."""
    for index in range(number):
        commit(f"commit {index}", project=f"COMMIT = {index}\n")


def project_of_four(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a project with four commits below a directory, and go there; environments are kept beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "caches"))
    repository(directory / "project", monkeypatch)
    history(4)


def hashes() -> list[str]:
    """Return the hashes of the commits of the current directory, the oldest first."""
    return git("log", "--reverse", "--format=%H").splitlines()


def levels(bench: FakeBench, commits: list[str], of_case: Mapping[str, Levels], scatter: float = 0.0) -> None:
    """Let cases take so many times as long in each commit; GOOD is number 0. They scatter evenly, either way."""
    generator = random.Random(1)  # noqa: S311
    numbers = {f"git:{name}": number for number, name in enumerate(commits)}

    def seconds(environment: str, case: Case) -> float:
        level = of_case[case.id](numbers[environment]) if case.id in of_case else 1.0
        return exact_seconds(case) * level * (1 + scatter * generator.uniform(-1, 1))

    bench.seconds_there = seconds


def steps(*at: int, case: str = CACHED, size: float = 1.1) -> Mapping[str, Levels]:
    """Return the levels of one case that gets slower in these commits."""
    return {case: lambda number: size ** sum(number >= commit for commit in at)}
