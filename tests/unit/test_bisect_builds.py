"""What goes wrong around a commit of ``actbench bisect``: worktrees, hooks, full disks, builds, libraries."""

from __future__ import annotations

import errno
import os
import re
from functools import partial
from pathlib import Path

import pytest

from actbench.engine.live import baseline
from actbench.engine.live.revisions import Revision, execute
from actbench.errors import NotComparableError, OutputError
from tests.conftest import Actbench
from tests.support.bisected import SELECTED, hashes, levels, project_of_four, steps
from tests.support.fake import FakeBench, crash
from tests.support.repository import git


@pytest.fixture(autouse=True)
def project(actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a project with four commits, and go there."""
    del actbench
    project_of_four(tmp_path, monkeypatch)


def test_a_hook_that_fails_does_not_matter(tmp_path: Path) -> None:
    hook = Path(".git/hooks/post-checkout")
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    revision = Revision("git:HEAD", tmp_path / "tree")
    assert (revision.tree / "project.py").exists()
    revision.remove_tree()


def test_the_submodules_of_a_commit_are_there_and_one_that_cannot_be_fetched_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("COUNT", "1"), ("KEY_0", "protocol.file.allow"), ("VALUE_0", "always")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    origin = tmp_path / "origin"
    git("clone", "--quiet", ".", str(origin))
    git("submodule", "--quiet", "add", str(origin), "inner")
    git("commit", "--quiet", "--message", "with a submodule")
    revision = Revision("git:HEAD", tmp_path / "tree")
    assert (revision.tree / "inner" / "project.py").exists()
    revision.remove_tree()
    assert not (tmp_path / "tree").exists()
    origin.rename(tmp_path / "moved")
    with pytest.raises(NotComparableError, match=r"git:HEAD: 'git .* submodule' failed: .*inner"):
        _ = Revision("git:HEAD", tmp_path / "tree").tree


def test_worktrees_of_processes_that_were_killed_are_removed(tmp_path: Path) -> None:
    over, here = tmp_path / f"actbench-{2**22}-x", tmp_path / f"actbench-{os.getpid()}-y"
    for place in (over, here):
        git("worktree", "add", "--quiet", "--detach", str(place / "tree"))
    revision = Revision("git:HEAD", tmp_path / "tree")
    assert revision.tree.exists()
    assert (over.exists(), here.exists()) == (False, True)
    assert str(over) not in git("worktree", "list")


def test_a_disk_that_fills_while_a_commit_is_built_says_nothing_about_the_commit(tmp_path: Path) -> None:
    program = tmp_path / "full"
    program.write_text("#!/bin/sh\necho 'fatal: No space left on device' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(OutputError, match=r"^build: 'pip install' failed: No space left on device$"):
        execute("build", "pip install", program=(str(program),))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            """\
  error: subprocess-exited-with-error

  × Building wheel for p (pyproject.toml) did not run successfully.
  ╰─> [5 lines of output]
      /tmp/actbench-12-x/tree/src/kern.c: In function 'f':
      /tmp/actbench-12-x/tree/src/kern.c:3:5: error: expected ';' before '}' token
          3 | int x
      error: command 'gcc' failed with exit code 1
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
  ERROR: Failed building wheel for p
""",
            "src/kern.c:3:5: error: expected ';' before '}' token; error: command 'gcc' failed with exit code 1",
        ),
        (
            """\
  error: backend-unavailable

  × Cannot import build backend 'nope'.
  ╰─> Cannot find module 'nope' in ['/tmp/actbench-12-x/tree']

  note: This is likely not a problem with pip.
ERROR: Failed to build 'file:///tmp/actbench-12-x/tree'
""",
            "Cannot import build backend 'nope'.; Cannot find module 'nope' in ['.']; ERROR: Failed to build '.'",
        ),
        (
            "ERROR: Could not find a version for no (from p)\nERROR: No matching distribution found for no (from p)\n",
            "ERROR: Could not find a version for no (from p); ERROR: No matching distribution found for no (from p)",
        ),
        (
            f"ERROR: No version satisfies n>=99 (from versions: {', '.join(f'1.{minor}' for minor in range(99))})\n",
            "ERROR: No version satisfies n>=99 (from versions: 1.0, ..., 1.96, 1.97, 1.98)",
        ),
        (
            "ERROR: Directory '/tmp/actbench-12-x/tree/' is not installable. Neither 'setup.py' nor ...\n",
            "ERROR: Directory '.' is not installable. Neither 'setup.py' nor ...",
        ),
        (
            'Trace:\n  File "/tmp/pip-env-7/a.py", line 1\nValueError: file:///tmp/actbench-1-y/tree is broken\n',
            "ValueError: . is broken",
        ),
    ],
)
def test_a_build_that_fails_is_reported_with_its_cause_and_without_temporary_paths(
    tmp_path: Path, output: str, sentence: str
) -> None:
    (tmp_path / "output").write_text(output)
    program = tmp_path / "pip"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/output >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(NotComparableError, match=f"^build: 'pip install' failed: {re.escape(sentence)}$"):
        execute("build", "pip install", program=(str(program),))


@pytest.mark.parametrize(
    ("directory", "reason"),
    [
        ("", "its root has neither pyproject.toml nor setup.py"),
        ("sub", "its directory sub does not exist: change to the directory of your project"),
    ],
)
def test_a_revision_that_has_no_project_here_is_refused_before_anything_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str, reason: str
) -> None:
    Path("sub").mkdir()
    monkeypatch.chdir(Path("sub") if directory else Path.cwd())
    revision = Revision("git:HEAD", tmp_path / "tree")
    with pytest.raises(NotComparableError, match=f"^--against git:HEAD: {reason}$"):
        baseline._build(revision, {}, tmp_path / "environment")
    assert not (tmp_path / "environment").exists()
    revision.remove_tree()


def test_a_full_temporary_directory_ends_with_74(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(baseline, "TemporaryDirectory", full)
    with pytest.raises(OutputError, match=r"\(No space left on device\): name another directory by \$TMPDIR$"):
        baseline.opened("git:HEAD").__enter__()


@pytest.mark.parametrize(("message", "builds"), [("ERROR: ResolutionImpossible", True), ("the build broke", False)])
def test_a_commit_that_needs_other_versions_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, *, builds: bool
) -> None:
    commands: list[tuple[str, ...]] = []

    def run(what: str, command: str, *arguments: str, **_: object) -> str:
        commands.append((command, *arguments))
        if "-c" in arguments:
            assert Path(arguments[arguments.index("-c") + 1]).read_text() == "numpy==2.0\n"
            raise NotComparableError(f"{what}: {message}")
        return ""

    revision = Revision("git:HEAD", tmp_path / "tree")
    (revision.tree / "pyproject.toml").touch()
    monkeypatch.setattr(baseline, "execute", run)
    build = partial(baseline._build, revision, {"numpy": "2.0"}, tmp_path / "environment")
    if builds:
        build()
        assert "-c" not in commands[-1]
    else:
        with pytest.raises(NotComparableError, match="the build broke"):
            build()


def test_a_library_that_the_project_of_a_commit_does_not_depend_on_is_a_failure_with_a_way_out(
    actbench: Actbench, bench: FakeBench
) -> None:
    levels(bench, hashes(), {})
    bench.on_time = lambda _: crash("in GOOD, it needs mpmath, which is not installed")
    result = actbench("bisect", "HEAD~3", *SELECTED)
    assert result.exit_code == 4
    assert (
        "failed: in GOOD, it needs mpmath, which is not installed: the environment of a commit has what its project "
        "depends on: bisect commits whose project depends on it, or select cases that need it not (exit code 4)\n"
    ) in result.stdout


def test_going_on_uses_the_environment_of_good_that_is_there_unless_its_versions_are_others_now(
    actbench: Actbench, bench: FakeBench
) -> None:
    levels(bench, hashes(), steps(2))
    pins = []
    for version, resume in (("2.0", ()), ("2.0", ("--resume",)), ("2.1", ("--resume",))):
        bench.versions_there = {"numpy": version}
        bench.pins.clear()
        actbench("bisect", "HEAD~3", *SELECTED, *resume)
        pins.append(bench.pins[:2])
    assert pins == [[{}, {"numpy": "2.0"}], [{}, {"numpy": "2.0"}], [{}, {"numpy": "2.0"}]]
