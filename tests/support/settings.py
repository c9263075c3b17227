"""What the tests of settings share: a file with them, and what holds then."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Actbench
from tests.support.selections import SMALL


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


def part(cases: set[str], index: int) -> set[str]:
    """Return the values of one part of the cases' ids."""
    return {case.split("/")[index] for case in cases}


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
