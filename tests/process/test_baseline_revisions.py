"""Environments of revisions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from actbench.cli import main
from actbench.engine.client import WorkerProcess
from actbench.engine.launch import WorkerOptions
from actbench.engine.live.baseline import describe, opened
from actbench.engine.live.environment_cache import EnvironmentCache
from actbench.engine.protocol import Evaluate
from actbench.errors import NotComparableError
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.declaring import STRATEGY
from tests.support.environments import TIMEOUT, refusal
from tests.support.repository import commit, git, repository
from tests.support.tiers import EXHAUSTIVE

BACKEND = '''\
"""Builds a wheel by hand, so that no network is needed, and shows it the numpy that is here."""
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if RAISES:
        raise RuntimeError("the build broke")
    name = "project-1.0-py3-none-any.whl"
    info = "project-1.0.dist-info"
    files = {
        "project.pth": NUMPY + "\\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: project\\nVersion: 1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return name
'''

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


@pytest.fixture
def project(tmp_path: Path, only_numpy: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder of a repository, which is the current directory; its last revision does not build."""
    del temporary
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    repository(tmp_path / "repository", monkeypatch)
    directory = tmp_path / "repository" / "project"
    directory.mkdir()
    monkeypatch.chdir(directory)
    (directory / "pyproject.toml").write_text(PROJECT)
    for raises in (False, True):
        (directory / "backend.py").write_text(f"NUMPY, RAISES = {str(only_numpy)!r}, {raises}\n{BACKEND}")
        git("add", ".")
        git("commit", "--quiet", "--message", "breaks" if raises else "builds")
    return directory


@EXHAUSTIVE
def test_the_environment_of_a_revision_is_built_once_and_its_worktree_removed_even_by_ctrl_c(
    project: Path, temporary: Path
) -> None:
    z = np.linspace(-3, 3, 7)
    told: list[str] = []

    def use() -> None:
        with opened("git:HEAD~1", told.append) as baseline:
            worker = baseline.start_with(())(WorkerOptions(None, TIMEOUT, "baseline"))
            try:
                assert isinstance(worker, WorkerProcess)
                assert describe(worker, "git:HEAD~1").versions["numpy"] == np.__version__
                kernel = KernelId("identity", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
                answer = worker.ask(Evaluate.of(kernel, z, z))
                np.testing.assert_array_equal(answer.outputs[-1].unpack(), np.ones(7))
            finally:
                worker.close()
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            use()
        assert_nothing_is_left(project, temporary)
    short = git("rev-parse", "HEAD~1")[:10]
    assert [re.sub(r" \d+ s$|built 20.*", "", line) for line in told] == [
        f"building the environment of {short}, once for all checks",
        f"built the environment of {short} in",
        f"the environment of {short} is in the cache, ",
    ]
    git("tag", "--annotate", "--message", "a tag", "v1", "HEAD~1")
    with opened("git:v1", told.append):
        assert len(told) == 4, "an annotated tag is its commit"
    (built,) = EnvironmentCache().entries()
    assert built.description is not None
    assert built.description.distributions.keys() >= {"project"}


@EXHAUSTIVE
def test_a_revision_that_does_not_build_is_refused_with_the_build_s_words(project: Path, temporary: Path) -> None:
    with pytest.raises(NotComparableError, match=r"^--against git:HEAD: 'pip install' failed: .*the build broke$"):
        opened("git:HEAD").__enter__()
    assert_nothing_is_left(project, temporary)


def test_a_revision_that_does_not_exist_is_refused(
    check: Callable[..., Result], project: Path, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    monkeypatch.chdir(project)
    assert refusal(check("git:nope")) == (
        "actbench: --against git:nope: that is no revision of this project: name a branch, a tag or a commit ('git log "
        "--oneline --all' lists commits)"
    )
    assert_nothing_is_left(project, temporary)


def test_a_revision_beyond_a_shallow_clone_is_reported_as_that(
    actbench: Actbench, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("clone", "--quiet", "--depth=1", f"file://{project.parent}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    monkeypatch.setattr("tests.support.fake.FakeBench.open_baseline", staticmethod(opened))
    result = actbench("check", "--against", "git:HEAD~1", "-q")
    assert result.exit_code == 5
    assert result.stderr == (
        "actbench: --against git:HEAD~1: the clone is shallow, and does not reach that far: fetch the whole history "
        "('git fetch --unshallow'; with actions/checkout, fetch-depth: 0)\n"
    )


def test_a_branch_of_the_origin_alone_is_named(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("branch", "other")
    git("clone", "--quiet", f"file://{project.parent}", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(NotComparableError, match=r"that it came from has: name git:origin/other$"):
        opened("git:other").__enter__()


def test_a_revision_outside_of_a_repository_is_refused(
    check: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    said = refusal(check("git:HEAD"))
    assert said.startswith("actbench: --against git:HEAD: ")
    assert said.endswith("is in no git repository: change to the directory of your project, or make it one (git init)")


def test_a_revision_without_git_is_refused(
    check: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(check("git:HEAD")) == (
        "actbench: --against git:HEAD: git cannot be run (No such file or directory): install it"
    )


@EXHAUSTIVE
def test_a_slowdown_in_a_loaded_file_of_the_project_is_found_for_real(project: Path) -> None:
    git("checkout", "--quiet", "HEAD~1")
    commit("with a strategy", mine=STRATEGY)
    (project / "mine.py").write_text(STRATEGY.replace("e / (d * d)", "e / (d * d) * m.exp(0.0 * z)"))
    selection = ("-a", "logistic", "-s", "mine", "-b", "numpy", "-d", "float64", "-n", "10000", "--budget", "2m")
    command = ("check", "--against", "git:HEAD", "--load", "mine.py", *selection, "-q", "--format", "json")
    result = CliRunner().invoke(main, [*command])
    assert result.exit_code == 1, result.output
    (case,) = json.loads(result.stdout)["cases"]
    assert case["low"] > 1.2, "another exponential takes half as long again, and more"


def assert_nothing_is_left(project: Path, temporary: Path) -> None:
    assert git("worktree", "list").splitlines() == [f"{project.parent}  {git('rev-parse', '--short', 'HEAD')} [main]"]
    assert not list(temporary.iterdir())
