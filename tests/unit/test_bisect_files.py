"""Files that ``actbench bisect`` loads: which version of them each commit has, and what a commit without one lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actbench.engine.launch import NotLoadedError
from actbench.engine.live.revisions import Revision
from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.bisected import hashes, levels
from tests.support.declaring import STRATEGY
from tests.support.fake import FakeBench
from tests.support.repository import commit, git, repository

CHANGED = STRATEGY.replace("1.0 + e", "e + 1.0")
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
    commit("kernel", kern=STRATEGY)
    deleted(CHANGED)
    levels(bench, hashes(), {MINE: lambda number: 3.0 if number == 2 else 1.0})
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine,cached")
    assert result.exit_code == 3, result.output
    assert texts(bench) == [None, STRATEGY, None]
    assert result.stdout.splitlines()[0] == (
        f"HEAD lacks 1 case that HEAD~1 has, e.g. {MINE}; of the others, none is slower (exit code 3)"
    )
    assert f"\nBAD lacks 1 of 2 selected cases, {MINE} (kern.py is not in it)\n" in result.stdout


def test_a_file_that_only_a_commit_in_between_has_is_the_one_of_the_work_tree_in_none(
    actbench: Actbench, bench: FakeBench
) -> None:
    commit("kernel", kern=STRATEGY)
    deleted(CHANGED)
    levels(bench, hashes(), {CACHED: lambda number: 1.5 if number > 0 else 1.0})
    result = actbench("bisect", "HEAD~2", *LOADED, "-s", "mine,cached")
    assert f"1 case slower since {hashes()[1][:12]}" in result.stdout
    assert texts(bench) == [None, STRATEGY, None]


def test_a_file_that_no_commit_has_is_the_same_for_all_which_is_reported(actbench: Actbench, bench: FakeBench) -> None:
    commit("second", project="x = 1")
    Path("kern.py").write_text(STRATEGY)
    levels(bench, hashes(), {})
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine")
    assert result.exit_code == 0, result.output
    assert texts(bench) == [STRATEGY, STRATEGY]
    remark = r"^kern\.py \(sha256 \w{12}\) is in none of these commits: all of them load the one here, so a change "
    assert len(re.findall(remark, result.stdout, re.MULTILINE)) == 1


# What GOOD or BAD lacks


def test_cases_that_good_lacks_are_named_with_the_file_that_is_missing(actbench: Actbench, bench: FakeBench) -> None:
    commit("kernel", kern=STRATEGY)
    levels(bench, hashes(), {})
    arguments = ("bisect", "HEAD~1", *LOADED, "-s", "mine,cached")
    result = actbench(*arguments)
    assert result.exit_code == 0, result.output
    head = "HEAD is not slower than HEAD~1 by more than 5 %, in the cases that both have (exit code 0)"
    assert result.stdout.splitlines()[0] == head
    sentence = f"GOOD lacks 1 of 2 selected cases, {MINE} (kern.py is not in it)"
    assert f"\n{sentence}\n" in result.stdout
    report = json.loads(actbench(*arguments, "--format", "json").stdout)
    assert report["lacked"] == [{"by": "GOOD", "cases": [MINE], "files": ["kern.py"]}]
    messages = actbench(*[argument for argument in arguments if argument != "-q"]).stderr
    assert f"\n{sentence}\n" in messages, "before anything is measured"


@pytest.mark.parametrize(
    ("deletes", "end", "letter", "verb"), [(False, "GOOD", "A", "adds"), (True, "BAD", "D", "deletes")]
)
def test_where_no_case_is_left_the_side_the_file_and_a_way_out_are_named(
    actbench: Actbench, bench: FakeBench, end: str, letter: str, verb: str, *, deletes: bool
) -> None:
    commit("kernel", kern=STRATEGY)
    if deletes:
        deleted(STRATEGY)
    levels(bench, hashes(), {})
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == (
        f"actbench: GOOD and BAD have no selected case in common: {end} lacks 1 of 1 selected case, {MINE} (kern.py is "
        f"not in it): name a {end} that has it ('git log --diff-filter={letter} -- kern.py' shows which commit {verb} "
        "it), or select other cases\n"
    )


def test_a_commit_whose_file_cannot_be_loaded_is_skipped_with_what_is_wrong_of_it(
    actbench: Actbench, bench: FakeBench
) -> None:
    for number, text in enumerate((STRATEGY, "x = (", CHANGED)):
        commit(f"commit {number}", kern=text)
    names = hashes()
    broken = names[2]
    wrong = "--load kern.py: line 1 is not Python ('(' was never closed): correct it"

    def has_there(against: str, _: Case) -> bool:
        if against == f"git:{broken}":
            raise NotLoadedError(f"in commit {broken[:12]}, {wrong}")
        return True

    bench.has_there = has_there
    levels(bench, names, {MINE: lambda number: 1.5 if number >= 3 else 1.0})
    result = actbench("bisect", names[1], *LOADED, "-s", "mine")
    assert result.exit_code == 1, result.output
    assert re.search(rf"skipped: {broken[:12]} \S+ commit 1: {re.escape(wrong)}\n", result.stdout)


def test_a_commit_that_lacks_a_file_is_skipped_with_its_name(actbench: Actbench, bench: FakeBench) -> None:
    commit("kernel", kern=STRATEGY)
    deleted(STRATEGY)
    commit("kernel again", kern=STRATEGY)
    levels(bench, hashes(), {MINE: lambda number: 1.5 if number == 3 else 1.0})
    result = actbench("bisect", "HEAD~2", *LOADED, "-s", "mine")
    assert result.exit_code == 1, result.output
    assert f"kernel deleted: it has no {MINE}: kern.py is not in it\n" in result.stdout


# The work tree's version


@pytest.mark.parametrize("text", ["raise RuntimeError\n", "x = (\n", "nothing = 1\n", None])
def test_the_file_of_the_work_tree_need_not_be_loadable_nor_exist(
    actbench: Actbench, bench: FakeBench, text: str | None
) -> None:
    commit("kernel", kern=STRATEGY)
    commit("slower", kern=CHANGED)
    levels(bench, hashes(), {MINE: lambda number: 1.5 if number == 2 else 1.0})
    Path("kern.py").write_text(text) if text else Path("kern.py").unlink()
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine")
    assert result.exit_code == 1, result.output
    assert f"1 case slower since {hashes()[2][:12]}" in result.stdout
    assert texts(bench)[1:] == [STRATEGY, CHANGED]
    assert git("worktree", "list").count("\n") == 2, "those of the tests alone"


def test_a_file_that_cannot_be_loaded_in_bad_is_that_of_bad(actbench: Actbench, bench: FakeBench) -> None:
    commit("kernel", kern=STRATEGY)
    commit("broken", kern="raise RuntimeError\n")
    levels(bench, hashes(), {})
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith(f"actbench: BAD {hashes()[2][:12]}: --load kern.py: ")


def test_a_file_that_is_nowhere_is_refused(actbench: Actbench) -> None:
    commit("second", project="x = 1")
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine")
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: --load kern.py: there is no such file")


def test_a_name_that_the_file_of_bad_lacks_is_refused_with_the_commit_of_that_file(
    actbench: Actbench, bench: FakeBench
) -> None:
    commit("kernel", kern=STRATEGY)
    commit("renamed", kern=STRATEGY.replace("def mine(", "def mien("))
    levels(bench, hashes(), {})
    Path("kern.py").write_text(STRATEGY)
    result = actbench("bisect", "HEAD~1", *LOADED, "-s", "mine")
    assert (result.exit_code, result.stdout) == (2, "")
    name = "unknown strategy 'mine': did you mean 'mien'?"
    assert result.stderr == f"actbench: {name} (--load kern.py is that of BAD {hashes()[-1][:12]})\n"
