"""What ``actbench bisect`` refuses, in one sentence, and what it prints for programs."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actbench.engine.bisect import bisect_state
from actbench.engine.bisect.commit_line import between
from actbench.engine.launch import Launch, WorkerOptions
from actbench.engine.working.checking import Refused, Verification
from actbench.errors import unwritable
from actbench.runs import files
from tests.conftest import Actbench
from tests.support.bisected import SELECTED, hashes, levels, project_of_four, steps
from tests.support.fake import FakeBench
from tests.support.repository import commit, git, repository


@pytest.fixture(autouse=True)
def project(actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a project with four commits, and go there."""
    del actbench
    project_of_four(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("nope",), 5, "GOOD nope: that is no revision of this project: name a branch, a tag or a commit ("),
        (("HEAD~3", "nope"), 5, "BAD nope: that is no revision of this project: name a branch, a tag or a commit ("),
        (
            ("HEAD:project.py",),
            5,
            "GOOD HEAD:project.py: that is no revision of this project: name a branch, a tag or a commit (",
        ),
        (("--", "--all"), 5, "GOOD --all: that is no revision of this project: name a branch, a tag or a commit ("),
        (("HEAD",), 2, "GOOD HEAD and BAD HEAD are the same commit: there is nothing between them"),
        (("HEAD", "HEAD~2"), 5, "BAD HEAD~2 does not come from GOOD HEAD, but GOOD from BAD: exchange them"),
        (("HEAD~3", "-a", "tahn"), 2, "unknown activation 'tahn': did you mean 'tanh'?"),
        (
            ("HEAD~3", "--resume"),
            2,
            "--resume: there is nothing to go on with for these commits and options: leave it ",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    actbench: Actbench, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    result = actbench("bisect", "-q", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"actbench: {sentence}")


def test_a_branch_that_bad_does_not_come_from_names_their_base(actbench: Actbench) -> None:
    base = git("rev-parse", "HEAD~1")
    git("checkout", "--quiet", "-b", "side", base)
    commit("on the side", side="1")
    result = actbench("bisect", "main", "-q")
    assert result.exit_code == 5
    assert result.stderr == (
        "actbench: BAD HEAD does not come from GOOD main: name a commit that it comes from, such as "
        f"{base[:12]}, from which both do\n"
    )


def test_a_history_without_a_common_commit_is_reported_as_that(actbench: Actbench) -> None:
    git("checkout", "--quiet", "--orphan", "alone")
    commit("alone", alone="1")
    result = actbench("bisect", "main", "-q")
    assert (result.exit_code, "they have no commit in common" in result.stderr) == (5, True)


def test_a_branch_without_a_commit_is_reported_as_that(
    actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path / "unborn", monkeypatch)
    result = actbench("bisect", "HEAD", "-q")
    assert result.exit_code == 5
    assert result.stderr == "actbench: GOOD HEAD: this branch has no commit yet: name a revision that exists\n"


def test_outside_of_a_repository_nothing_can_be_bisected(
    actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    result = actbench("bisect", "HEAD~1", "-q")
    assert result.exit_code == 5
    assert result.stderr.endswith(
        "is in no git repository: change to the directory of your project, or make it one (git init)\n"
    )


def test_a_shallow_clone_says_how_to_fetch_the_history(
    actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = git("rev-parse", "HEAD~3")
    git("clone", "--quiet", "--depth=2", f"file://{tmp_path}/project", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    for good in (first, "HEAD~3"):
        result = actbench("bisect", good, "-q")
        assert result.exit_code == 5
        assert "('git fetch --unshallow'; with actions/checkout, fetch-depth: 0)" in result.stderr


def test_commits_that_change_no_file_are_nothing_to_measure(actbench: Actbench) -> None:
    git("commit", "--quiet", "--allow-empty", "--message", "empty")
    result = actbench("bisect", "HEAD~1", "-q")
    assert (result.exit_code, "changes a file: there is nothing to measure" in result.stderr) == (2, True)


def test_files_that_are_not_committed_are_left_alone_and_mentioned(actbench: Actbench, bench: FakeBench) -> None:
    levels(bench, hashes(), steps(2))
    Path("project.py").write_text("not committed")
    result = actbench("bisect", "HEAD~3", *SELECTED)
    assert result.exit_code == 1
    assert "files here differ from HEAD: what is not committed is not measured\n" in result.stdout
    assert Path("project.py").read_text() == "not committed"


def test_a_second_bisect_of_the_same_question_is_refused(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels(bench, hashes(), steps(2))
    opened = bisect_state.opened
    results = []

    def opened_twice(question: str) -> object:
        monkeypatch.setattr(bisect_state, "opened", opened)
        with opened(question):
            results.append(actbench("bisect", "HEAD~3", *SELECTED))
        return opened(question)

    monkeypatch.setattr(bisect_state, "opened", opened_twice)
    assert actbench("bisect", "HEAD~3", *SELECTED).exit_code == 1
    (refused,) = results
    assert refused.exit_code == 2
    assert refused.stderr == "actbench: another bisect of the same commits and cases is running: wait for it\n"


def test_a_full_disk_ends_with_74_and_keeps_what_was_written(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels(bench, hashes(), steps(2))
    write = files.write
    written: list[Path] = []

    def full(path: Path, data: bytes) -> None:
        if len(written) > 10:
            raise unwritable(f"cannot write {path}: No space left on device", OSError(errno.ENOSPC, ""))
        write(path, data)
        written.append(path)

    monkeypatch.setattr(files, "write", full)
    result = actbench("bisect", "HEAD~3", *SELECTED)
    assert (result.exit_code, "No space left on device" in result.stderr) == (74, True)
    monkeypatch.setattr(files, "write", write)
    result = actbench("bisect", "HEAD~3", *SELECTED, "--resume")
    assert result.exit_code == 1


def test_json_and_markdown_have_the_answer(actbench: Actbench, bench: FakeBench) -> None:
    names = hashes()
    levels(bench, names, steps(2))
    report = json.loads(actbench("bisect", "HEAD~3", *SELECTED, "--format", "json").stdout)
    (case,) = report["cases"]
    (culprit,) = case["culprits"]
    assert report["commits"][culprit["commits"][0]]["hash"] == names[2]
    assert culprit["probability"] > 0.99
    assert report["exit_code"] == 1
    text = actbench("bisect", "HEAD~3", *SELECTED, "--format", "markdown").stdout
    assert text.startswith(f"## actbench bisect: 1 case slower since {names[2][:12]} (exit code 1)\n")
    assert "| number | commit | case | rounds | change |" in text


def test_the_subject_of_a_commit_is_no_markup_and_every_answer_of_a_job_begins_a_block(
    actbench: Actbench, bench: FakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    commit("close <details> in *a* `b`", project="COMMIT = 4")
    levels(bench, hashes()[3:], steps(1))
    for _ in range(2):
        text = actbench("bisect", "HEAD~1", *SELECTED, "--format", "markdown").stdout
        assert r"close \<details> in \*a\* \`b\`**" in text
        assert r"\n- GOOD: HEAD\~1, " in text.replace("\n", r"\n")
    assert summary.read_text().count("\n\n## actbench bisect: ") == 1


@pytest.mark.parametrize("role", ["GOOD", "BAD"])
def test_a_wrong_kernel_of_an_end_is_that_of_good_or_bad(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    levels(bench, hashes(), {})
    check_kernels = Verification.check_kernels

    def checked(self: Verification, launch: Launch) -> Iterator[object]:
        for check in check_kernels(self, launch):
            wrong = launch.options.role == role
            yield Refused(check.check.kernel, "it is wrong") if wrong else check  # type: ignore[union-attr]

    monkeypatch.setattr(Verification, "check_kernels", checked)
    result = actbench("bisect", "HEAD~3", *SELECTED)
    assert result.exit_code == 4
    assert result.stderr.startswith(f"actbench: in {role}, ")


def test_what_a_worker_is_called_has_an_article_unless_it_is_a_name() -> None:
    launch = Launch(FakeBench().start, WorkerOptions(None, 60.0, "baseline"))
    assert launch.options.subject == "the baseline"
    assert launch.named("commit a274f50603ca").options.subject == "commit a274f50603ca"


def test_a_budget_that_is_too_small_for_the_check_names_the_one_that_it_takes(
    actbench: Actbench, bench: FakeBench
) -> None:
    levels(bench, hashes(), steps(2), scatter=0.02)
    result = actbench("bisect", "HEAD~3", *SELECTED, "--budget", "1s")
    assert result.exit_code == 3
    sentence = re.search(
        r"the check of BAD has 50 % of --budget.* of the (\d+) that .* --budget (\d+s) goes", result.stdout
    )
    assert sentence is not None
    assert sentence[1] == "8"
    result = actbench("bisect", "HEAD~3", *SELECTED, "--resume", "--budget", sentence[2])
    assert "undecided in" not in result.stdout


# The line of commits


def test_merges_are_followed_to_the_parent_that_comes_from_good() -> None:
    good = git("rev-parse", "HEAD")
    git("checkout", "--quiet", "-b", "side")
    commit("on the side", side="1")
    git("checkout", "--quiet", "main")
    git("reset", "--quiet", "--hard", "HEAD~1")
    commit("on main", main="1")
    git("merge", "--quiet", "--no-edit", "side")
    assert [one.subject for one in between(good, "HEAD")] == ["commit 3", "on the side", "Merge branch 'side'"]
    assert [one.subject for one in between("HEAD~1", "HEAD")] == ["on main", "Merge branch 'side'"]


def test_a_culprit_that_is_a_merge_says_how_to_look_into_it(actbench: Actbench, bench: FakeBench) -> None:
    git("checkout", "--quiet", "-b", "side")
    commit("on the side", side="1")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--no-edit", "side")
    line = [one.hash for one in between("HEAD~2", "HEAD")]
    levels(bench, line, steps(2))
    result = actbench("bisect", "HEAD~2", *SELECTED)
    main, side = (git("rev-parse", f"HEAD^{number}")[:12] for number in (1, 2))
    assert f"it is a merge: actbench bisect $(git merge-base {main} {side}) {side} looks into it\n" in result.stdout


def test_of_a_merge_whose_second_parent_comes_from_good_the_first_is_looked_into(
    actbench: Actbench, bench: FakeBench
) -> None:
    git("checkout", "--quiet", "-b", "side", "HEAD~1")
    commit("on the side", side="1")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--no-edit", "side")
    levels(bench, [one.hash for one in between("side", "HEAD")], steps(1))
    result = actbench("bisect", "side", *SELECTED)
    main, side = (git("rev-parse", f"HEAD^{number}")[:12] for number in (1, 2))
    assert f"it is a merge: actbench bisect $(git merge-base {side} {main}) {main} looks into it\n" in result.stdout


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x1c", "\r"], ids=ascii)
def test_a_subject_with_a_line_separator_is_one_commit(separator: str) -> None:
    commit(f"one{separator}two", project="COMMIT = 4")
    before, last = between("HEAD~1", "HEAD")
    assert before.subject == "commit 3"
    assert re.fullmatch(r"one\\\w+two", last.subject)
