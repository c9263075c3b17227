"""Files that ``actbench bisect`` loads: which version of them each commit has, and what a commit without one lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actbench.engine.live.revisions import Revision
from tests.conftest import Actbench
from tests.support.bisected import hashes, levels
from tests.support.fake import FakeBench
from tests.support.repository import commit, git, repository

KERNEL = """\
from actbench.formula import Strategy, strategy

@strategy("logistic")
def mine(m):
    '''from z'''
    def derivative(z):
        e = m.exp(-abs(z))
        d = 1.0 + e
        return e / (d * d)
    return Strategy(derivative)
"""
CHANGED = KERNEL.replace("1.0 + e", "e + 1.0")
LOADED = ("--load", "kern.py", "-a", "logistic", "-b", "numpy", "-d", "float64", "-n", "1000", "-q")
MINE = "logistic/mine/numpy/derivative/float64/1000"
CACHED = MINE.replace("mine", "cached")


@pytest.fixture(autouse=True)
def project(actbench: Actbench, bench: FakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Go to a repository with one commit, whose commits have the kernel of the file that they load."""
    del actbench
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    repository(tmp_path / "project", monkeypatch)
    commit("first", project="")
    revisions: dict[str, Revision] = {}

    def revision(name: str) -> Revision:
        return revisions.setdefault(name, Revision(name, tmp_path / f"tree-{len(revisions)}"))

    bench.revision_there = revision
    bench.has_there = lambda name, case: case.strategy.name != "mine" or bool(bench.sources_there[name])
    yield
    for one in revisions.values():
        one.remove_tree()


def texts(bench: FakeBench) -> list[str | None]:
    """Return the text of the file that the workers of each commit load; None where they load none."""
    sources = [bench.sources_there.get(f"git:{name}", ()) for name in hashes()]
    return [Path(source[0].path or source[0].name).read_text() if source else None for source in sources]


def deleted(untracked: str) -> None:
    """Delete the kernel's file in a commit; one of this text lies in the work tree."""
    git("rm", "--quiet", "kern.py")
    git("commit", "--quiet", "--message", "kernel deleted")
    Path("kern.py").write_text(untracked)


def test_a_commit_that_deleted_a_file_does_not_load_the_one_of_the_work_tree(
    actbench: Actbench, bench: FakeBench
) -> None:
    commit("kernel", kern=KERNEL)
    deleted(CHANGED)
    levels(bench, hashes(), {MINE: lambda number: 3.0 if number == 2 else 1.0})
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine,cached")
    assert result.exit_code == 0, result.output
    assert texts(bench) == [None, KERNEL, None]
    assert "kernel deleted" not in result.stdout.splitlines()[1]


def test_a_file_that_only_a_commit_in_between_has_is_the_one_of_the_work_tree_in_none(
    actbench: Actbench, bench: FakeBench
) -> None:
    commit("kernel", kern=KERNEL)
    deleted(CHANGED)
    levels(bench, hashes(), {CACHED: lambda number: 1.5 if number > 0 else 1.0})
    result = actbench("bisect", "HEAD~2", *LOADED, "-s", "mine,cached")
    assert f"1 case slower since {hashes()[1][:12]}" in result.stdout
    assert texts(bench) == [None, KERNEL, None]


def test_a_file_that_no_commit_has_is_the_same_for_all_which_is_reported(actbench: Actbench, bench: FakeBench) -> None:
    commit("second", project="x = 1")
    Path("kern.py").write_text(KERNEL)
    levels(bench, hashes(), {})
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine")
    assert result.exit_code == 0, result.output
    assert texts(bench) == [KERNEL, KERNEL]
    remark = r"^kern\.py \(sha256 \w{12}\) is in no commit: all of them load the one here, so a change of it does not "
    assert len(re.findall(remark, result.stdout, re.MULTILINE)) == 1
