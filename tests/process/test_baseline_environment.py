from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from click.testing import CliRunner, Result

import actbench
from actbench import __version__
from actbench.cli import main
from actbench.errors import NotComparableError
from actbench.host import software
from actbench.measure.baseline import describe, opened
from actbench.measure.client import WorkerProcess
from actbench.model.cases import Kernel
from actbench.model.names import Dtype, Op
from tests.conftest import Actbench

TIMEOUT = 60.0
PACKAGES = Path(sysconfig.get_path("purelib"))

ISRU = '''
"""The inverse square root unit."""
from actbench.formula import Formulas, activation

@activation
def isru(m):
    """z / sqrt(1 + z^2)"""
    def forward(z):
        return z / m.sqrt(1.0 + z * z)
    def recompute(z):
        return (1.0 + z * z) ** -1.5
    return Formulas(forward=forward, recompute=recompute)
'''

DIES_IN_A_ROUND = """\
        if cases[0].endswith("/2000"):
            import pathlib
            prepared = pathlib.Path(__file__).with_name("prepared")
            if prepared.exists():
                os.kill(os.getpid(), 9)
            prepared.touch()
        self._operands = None
"""
"""A worker that takes the block up while loops are calibrated, and dies of it in the first round."""

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


@pytest.fixture(scope="session")
def only_numpy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with this environment's numpy and nothing else."""
    directory = tmp_path_factory.mktemp("packages")
    for entry in PACKAGES.glob("numpy*"):
        (directory / entry.name).symlink_to(entry)
    return directory


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: a directory of the test's own."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return directory


@pytest.fixture
def check(actbench: Actbench, temporary: Path) -> Callable[..., Result]:
    """Check against an environment with real workers; nothing may be left behind."""
    del actbench  # it only goes to an empty directory, with no variables set

    def run(against: str | Path, *arguments: str) -> Result:
        small = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", "1000", "-q")
        command = ["check", "--against", str(against), *small, "--budget", "3s", "--margin", "99", *arguments]
        result = CliRunner().invoke(main, command)
        assert not list(temporary.iterdir())
        return result

    return run


def environment(place: Path, *packages: Path) -> Path:
    """Create a virtual environment in which these directories are on the path, and no packages are installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "shown.pth").write_text("".join(f"{directory}\n" for directory in packages))
    return place


def altered(place: Path, *edits: tuple[str, str, str]) -> Path:
    """Copy actbench and edit its files: each edit names a file, what is there (nothing: a new file), and what shall be.

    Return the directory to be on the path.
    """
    copy = place / "altered" / "actbench"
    shutil.copytree(Path(actbench.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in edits:
        text = (copy / name).read_text() if old else ""
        assert old in text
        (copy / name).write_text(text.replace(old, new) if old else new)
    return copy.parent


def script(place: Path, text: str) -> Path:
    """Write a program."""
    path = place / "python"
    path.write_text(text)
    path.chmod(0o755)
    return path


def refusal(result: Result) -> str:
    """Return what a refused check said: one line, and exit code 5."""
    assert (result.exit_code, result.stdout) == (5, ""), result.output
    (line,) = result.stderr.splitlines()
    return str(line)


# What can be measured


def test_an_environment_without_actbench_is_lent_this_one(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    result = check(environment(tmp_path / "environment", only_numpy))
    assert result.exit_code in {0, 3}, result.output
    assert "2 cases, margin 99 %: 2 " in result.stdout
    assert f"\nnumba: not there in the baseline, {software.versions()['numba']} here\n" in result.stdout
    assert "actbench:" not in result.stdout, "it is this one"


def test_an_environment_s_own_actbench_is_measured_where_it_has_one(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    own = altered(
        tmp_path,
        ("__init__.py", f'"{__version__}"', '"0.0.1"'),
        ("activations/isru.py", "", ISRU),
    )
    result = check(environment(tmp_path / "environment", own, only_numpy), "-a", "logistic,isru", "--format", "text")
    assert result.exit_code == 3, result.output
    assert f"\nactbench: 0.0.1 in the baseline, {__version__} here\n" in result.stdout
    assert "isru/recompute/numpy/derivative/float64/1000 missing" in " ".join(result.stdout.split())


def test_a_wrong_kernel_of_the_baseline_is_refused_as_the_baseline_s(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    own = altered(tmp_path, ("activations/logistic.py", "return y * (1.0 - y)", "return y * (1.0 + y)"))
    result = check(environment(tmp_path / "environment", own, only_numpy))
    assert result.exit_code == 4
    (line,) = result.stderr.splitlines()
    assert line.startswith("actbench: in the baseline, logistic/cached/numpy/derivative/float64 is wrong: at z = ")


def test_a_wrong_kernel_here_is_refused_as_the_candidate_s(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = altered(tmp_path, ("activations/logistic.py", "return y * (1.0 - y)", "return y * (1.0 + y)"))
    monkeypatch.setattr("actbench.measure.client.PACKAGE", own / "actbench")
    monkeypatch.setattr(
        "actbench.measure.client.sys.executable", str(environment(tmp_path / "here", only_numpy) / "bin/python")
    )
    result = check(environment(tmp_path / "environment", only_numpy))
    assert result.exit_code == 4
    assert result.stderr.startswith("actbench: in the candidate, logistic/cached/numpy/derivative/float64 is wrong")


def test_a_baseline_that_dies_in_a_round_is_named_and_the_others_go_on(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    own = altered(
        tmp_path,
        (
            "measure/worker.py",
            "        self._operands = self._watch = None\n        gc",
            f"{DIES_IN_A_ROUND}        gc",
        ),
    )
    result = check(environment(tmp_path / "environment", own, only_numpy), "-n", "1000,2000", "--budget", "9s")
    assert result.exit_code == 4, result.output
    said = "logistic/derivative/float64/2000: the baseline was killed by SIGKILL"
    assert result.stderr == "actbench: failed: logistic/derivative/float64/2000 (see above)\n"
    assert "2 cases, margin 99 %: 2 " in result.stdout
    assert f"{said.replace(':', ' failed:')}\n" in result.stdout


def test_the_user_s_python_path_and_numba_s_cache_are_not_shared(
    tmp_path: Path, only_numpy: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    real = environment(tmp_path / "environment", only_numpy) / "bin" / "python"
    wrapped = script(tmp_path, f'#!/bin/sh\nenv > {seen}\nexec {real} "$@"\n')
    monkeypatch.setenv("PYTHONPATH", str(PACKAGES))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    with opened(str(wrapped)) as start:
        worker = start(None, TIMEOUT, "baseline", 1)
        versions = describe(worker, str(wrapped))
        worker.close()
        found = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
        assert Path(found["NUMBA_CACHE_DIR"]).parent.parent == temporary
    assert "PYTHONPATH" not in found
    assert "numba" not in versions
    assert not list(temporary.iterdir())


# What cannot


def test_an_actbench_of_another_protocol_is_refused(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    own = altered(tmp_path, ("measure/protocol.py", "PROTOCOL = 4\n", "PROTOCOL = 99\n"))
    place = environment(tmp_path / "environment", own, only_numpy)
    assert refusal(check(place)) == (
        f"actbench: --against {place}: its actbench {__version__} speaks protocol 99 with workers, this one speaks 4: "
        "install one of the same protocol there"
    )


def test_an_actbench_that_cannot_describe_itself_is_refused(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    own = altered(tmp_path, ("measure/worker.py", '            "describe": worker.describe,\n', ""))
    place = environment(tmp_path / "environment", own, only_numpy)
    assert refusal(check(place)) == (
        f"actbench: --against {place}: its actbench cannot be measured by this one (the baseline raised KeyError: "
        "'describe'): install this version there"
    )


def test_another_package_of_the_name_is_refused(check: Callable[..., Result], tmp_path: Path, only_numpy: Path) -> None:
    (tmp_path / "others" / "actbench").mkdir(parents=True)
    (tmp_path / "others" / "actbench" / "__init__.py").touch()
    place = environment(tmp_path / "environment", tmp_path / "others", only_numpy)
    assert "its last words: ModuleNotFoundError: No module named 'actbench.measure'" in refusal(check(place))


def test_an_interpreter_without_numpy_is_refused(check: Callable[..., Result], tmp_path: Path) -> None:
    place = environment(tmp_path / "environment")
    assert refusal(check(place)) == (
        f"actbench: --against {place}: no worker can run there (the baseline raised ModuleNotFoundError: No module "
        "named 'numpy'): it takes Python 3.11 or newer with numpy"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho 'my last words' >&2\nexit 3\n", "the baseline exited with status 3; its last words: my last"),
        ("#!/bin/sh\ncat\n", "the baseline answered nonsense: "),
        ("#!/nowhere/python\n", "the baseline cannot be started: No such file or directory"),
        ("import sys\n", "the baseline cannot be started: Exec format error"),
    ],
    ids=["fails", "echoes", "interpreter gone", "no program"],
)
def test_a_program_that_is_no_python_is_refused(
    check: Callable[..., Result], tmp_path: Path, text: str, said: str
) -> None:
    path = script(tmp_path, text)
    assert refusal(check(path)).startswith(f"actbench: --against {path}: no worker can run there ({said}")


def test_an_interpreter_that_hangs_is_ended_with_all_it_started(check: Callable[..., Result], tmp_path: Path) -> None:
    path = script(tmp_path, f"#!/bin/sh\nsleep 1000 &\necho $! > {tmp_path / 'sleeping'}\nwait\n")
    assert "the baseline took longer than the 0.5 s" in refusal(check(path, "--timeout", "0.5s"))
    sleeping = int((tmp_path / "sleeping").read_text())
    for _ in range(100):
        if has_ended(sleeping):
            break
        time.sleep(0.05)
    assert has_ended(sleeping)


def has_ended(process: int) -> bool:
    """Say whether a process runs no more; one that nobody waits for stays as a zombie."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("name", ["nowhere", "./nowhere", "empty"])
def test_what_is_no_environment_is_refused(check: Callable[..., Result], name: str) -> None:
    Path("empty").mkdir()
    assert refusal(check(name)) == (
        f"actbench: --against {name}: there is no such interpreter: name a Python, the directory of a virtual "
        "environment, or git:REV"
    )


# Revisions


def git(*arguments: str) -> str:
    """Run git in the current directory."""
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.org"]
    done = subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path, only_numpy: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder of a repository, which is the current directory; its last revision does not build."""
    del temporary
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    directory = tmp_path / "repository" / "project"
    directory.mkdir(parents=True)
    monkeypatch.chdir(directory)
    git("init", "--quiet", "--initial-branch=main", "..")
    (directory / "pyproject.toml").write_text(PROJECT)
    for raises in (False, True):
        (directory / "backend.py").write_text(f"NUMPY, RAISES = {str(only_numpy)!r}, {raises}\n{BACKEND}")
        git("add", ".")
        git("commit", "--quiet", "--message", "breaks" if raises else "builds")
    return directory


def test_the_environment_of_a_revision_is_built_and_removed_again_even_by_ctrl_c(
    project: Path, temporary: Path
) -> None:
    z = np.linspace(-3, 3, 7)

    def use() -> None:
        with opened("git:HEAD~1") as start:
            (_, tree) = git("worktree", "list", "--porcelain").split("\n\n")
            assert tree.splitlines()[1:] == [f"HEAD {git('rev-parse', 'HEAD~1')}", "detached"]
            worker = start(None, TIMEOUT, "baseline", 1)
            try:
                assert isinstance(worker, WorkerProcess)
                assert describe(worker, "git:HEAD~1")["numpy"] == np.__version__
                answer = worker.evaluate(Kernel("identity", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64), z, z)
                np.testing.assert_array_equal(answer.outputs[-1].unpack(), np.ones(7))
            finally:
                worker.close()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert_nothing_is_left(project, temporary)


def test_a_revision_that_does_not_build_is_refused_with_the_build_s_words(project: Path, temporary: Path) -> None:
    with pytest.raises(NotComparableError, match=r"^--against git:HEAD: 'python -Im pip' failed: .*the build broke$"):
        opened("git:HEAD").__enter__()
    assert_nothing_is_left(project, temporary)


def test_a_revision_that_does_not_exist_is_refused(
    check: Callable[..., Result], project: Path, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    monkeypatch.chdir(project)
    assert refusal(check("git:nope")) == (
        "actbench: --against git:nope: 'git rev-parse' failed: it is not a revision of this project"
    )
    assert_nothing_is_left(project, temporary)


def test_a_revision_beyond_a_shallow_clone_is_told_as_that(
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
    assert said.startswith("actbench: --against git:HEAD: 'git rev-parse' failed: fatal: not a git repository")


def test_a_revision_without_git_is_refused(
    check: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(check("git:HEAD")) == (
        "actbench: --against git:HEAD: git cannot be run (No such file or directory): install it"
    )


def assert_nothing_is_left(project: Path, temporary: Path) -> None:
    assert git("worktree", "list").splitlines() == [f"{project.parent}  {git('rev-parse', '--short', 'HEAD')} [main]"]
    assert not list(temporary.iterdir())
