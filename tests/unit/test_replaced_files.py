"""What commands write replaces no file of a run or of a fleet, and none that they read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.cluster import SCHEDULER, Cluster
from tests.support.selections import SMALL

MINE = """
from actbench import Formulas, activation

@activation
def mine(m):
    '''z^2'''
    def forward(z): return z * z
    def recompute(z): return 2.0 * z
    return Formulas(forward=forward, recompute=recompute)
"""


def contents() -> dict[Path, bytes]:
    """Return what is in all files."""
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "one", "two", "-o", "one/run.json"),
        ("compare", "one", "-o", "link"),
        ("compare", "one", "-o", "two/loaded.py", "--format", "csv"),
        ("compare", "--by", "host", "one", "two", "-o", "two/run.json", "--format", "json"),
        ("history", "one", "two", "-o", "two/pyperf.json"),
        ("check", "one", "--baseline", "two", "--report", "json=two/values.csv"),
        ("accuracy", "-a", "relu", "-b", "numpy", "-o", "one/summary.md"),
        ("export", "one", "--to", "bmf", "-o", "one/run.json"),
    ],
    ids=" ".join,
)
def test_a_file_of_a_run_is_not_replaced_by_what_a_command_writes(actbench: Actbench, command: tuple[str, ...]) -> None:
    for name in ("one", "two"):
        actbench("run", *SMALL, "-o", name, "--rounds", "6")
    Path("two/loaded.py").write_text("# declared in Python")
    Path("link").symlink_to("one/run.json")
    before = contents()
    result = actbench(*command)
    assert result.exit_code == 2
    assert ": that is a file of the run in " in result.stderr
    assert "in .:" not in result.stderr
    assert contents() == before


@pytest.mark.parametrize("name", ["plan.json", "limits.json"])
def test_a_file_of_a_fleet_is_not_replaced(actbench: Actbench, cluster: Cluster, name: str) -> None:
    assert cluster.hosts
    actbench("fleet", "run", *SMALL, "--rounds", "6", *SCHEDULER, "-o", "fleet")
    before = contents()
    result = actbench("compare", "--by", "host", "fleet", "--format", "json", "-o", f"fleet/{name}")
    assert result.exit_code == 2
    assert "that is a file of the fleet in fleet: name another file" in result.stderr
    assert contents() == before


@pytest.mark.parametrize(
    "command", [("compare", "suite.json"), ("export", "suite.json", "--to", "bmf")], ids=lambda command: command[0]
)
def test_a_file_that_is_read_is_not_replaced(actbench: Actbench, command: tuple[str, ...]) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "6")
    shutil.copy("here/pyperf.json", "suite.json")
    before = contents()
    result = actbench(*command, "-o", "./suite.json")
    assert result.exit_code == 2
    assert result.stderr.endswith("-o suite.json: that is the file that is read: name another file\n")
    assert contents() == before
    assert actbench(*command, "-o", "written").exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("check", "here", "--baseline", "suite.json", "--report", "json=suite.json"),
        ("check", "suite.json", "--baseline", "here", "--report", "json=suite.json"),
        ("check", "--against", "x", "--load", "mine.py", "--report", "json=./mine.py"),
        ("report", "suite.html", "-o", "suite.html"),
        ("accuracy", "--load", "mine.py", "-a", "mine", "-b", "numpy", "--format", "csv", "-o", "mine.py"),
    ],
    ids=" ".join,
)
def test_a_baseline_and_loaded_code_are_not_replaced(actbench: Actbench, command: tuple[str, ...]) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "6")
    shutil.copy("here/pyperf.json", "suite.json")
    shutil.copy("here/pyperf.json", "suite.html")
    Path("mine.py").write_text(MINE)
    before = contents()
    result = actbench(*command)
    assert result.exit_code == 2
    assert ": that is the file that is read: name another file" in result.stderr
    assert contents() == before
