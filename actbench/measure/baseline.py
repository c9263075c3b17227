"""The environment of the baseline: another interpreter, or one that is built for a revision of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from actbench import plugins
from actbench.errors import BenchmarkError, NotComparableError
from actbench.host.variables import worker_environment
from actbench.measure.client import PACKAGE_DIRECTORY, Interpreter, WorkerProcess
from actbench.measure.launch import StartWorker, Worker, WorkerOptions
from actbench.measure.protocol import PROTOCOL, Describe, Source
from actbench.model.loaded import LoadedFrom

GIT = "git:"
"""Prefix of a revision, as in ``git:main``."""

NOTICE_PREFIXES = ("note:", "hint:", "[notice]")
"""Prefixes of lines of git and pip that are not error messages."""

OpenBaseline = Callable[[str], AbstractContextManager[StartWorker]]
"""Opens an environment by its name, and yields a function that starts workers in it; it is closed on exit."""


@contextmanager
def opened(against: str) -> Iterator[StartWorker]:
    """Yield a function that starts workers in the environment that `against` names.

    `against` is an interpreter, the directory of a virtual environment, or ``git:REV``, for which an environment is
    built and removed again. `NotComparableError` where it does not exist, or cannot be built.
    """
    with TemporaryDirectory(prefix="actbench-") as place:
        if against.startswith(GIT):
            with _built(against.removeprefix(GIT), Path(place)) as python:
                yield _starting(_interpreter(python, Path(place)))
        else:
            yield _starting(_interpreter(_python_of(against), Path(place)))


def describe(worker: Worker, against: str) -> dict[str, str]:
    """Return the versions in a worker; `NotComparableError` where the worker does not understand requests."""
    try:
        described = worker.ask(Describe())
    except BenchmarkError as error:
        raise NotComparableError(
            f"--against {against}: its actbench cannot be measured by this one ({error}): install this version there"
        ) from None
    if described.protocol != PROTOCOL:
        raise NotComparableError(
            f"--against {against}: its actbench {described.versions.get('actbench')} speaks protocol "
            f"{described.protocol} with workers, this one speaks {PROTOCOL}: install one of the same protocol there"
        )
    return described.versions


def _starting(interpreter: Interpreter) -> StartWorker:
    def start(options: WorkerOptions) -> Worker:
        worker = WorkerProcess(options, interpreter)
        if sources := _sources():
            with suppress(BenchmarkError):
                if worker.ask(Describe()).protocol != PROTOCOL:
                    return worker  # its first answer will be refused
            worker.load(sources)
        return worker

    return start


def _sources() -> list[Source]:
    """Return the code that is loaded here. Files must be equal there; packages may differ, if these are compared."""
    return [Source(code.name, code.sha256 if code.kind is LoadedFrom.FILE else None) for code in plugins.loaded()]


def _interpreter(python: Path, place: Path) -> Interpreter:
    """Return another environment, with a path to this actbench in case it has none.

    It finds its packages by itself, so PYTHONPATH is not inherited. numba's cache is not shared either, since only one
    version of numba can use it at a time.
    """
    lent = place / "lent"
    lent.mkdir()
    (lent / PACKAGE_DIRECTORY.name).symlink_to(PACKAGE_DIRECTORY, target_is_directory=True)
    variables = worker_environment(os.environ) | {"NUMBA_CACHE_DIR": str(place / "numba")}
    variables.pop("PYTHONPATH", None)
    return Interpreter(str(python), str(lent), variables)


def _python_of(against: str) -> Path:
    path = Path(against)
    if path.is_dir():
        path = path / "bin" / "python"
    if path.is_file() and os.access(path, os.X_OK):
        return path.absolute()
    if os.sep not in against and (command := shutil.which(against)):
        return Path(command)
    raise NotComparableError(
        f"--against {against}: there is no such interpreter: name a Python, the directory of a virtual environment, "
        "or git:REV"
    )


@contextmanager
def _built(revision: str, place: Path) -> Iterator[Path]:
    """Build the environment of a revision of the project in the current directory; remove its worktree on exit."""
    tree, environment = place / "tree", place / "environment"
    what = f"--against {GIT}{revision}"
    inside = _done(what, "git rev-parse", "--show-prefix")
    commit = _commit(what, revision)
    try:
        _done(what, "git worktree", "add", "--detach", "--quiet", str(tree), commit)
        _done(what, "python -m venv", str(environment), program=sys.executable)
        python = environment / "bin" / "python"
        project = str(tree / inside)
        # Isolated: otherwise packages on PYTHONPATH would count as installed, and workers have no PYTHONPATH.
        _done(what, "python -Im pip", "install", "--quiet", "--disable-pip-version-check", project, program=str(python))
        yield python
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=False, capture_output=True)  # noqa: S607


def _commit(what: str, revision: str) -> str:
    """Return the hash of a revision; `NotComparableError` says why this clone lacks it, where that can be seen."""
    lookup = ("git rev-parse", "--verify", "--quiet", "--end-of-options")
    try:
        return _done(what, *lookup, f"{revision}^{{commit}}")
    except NotComparableError:
        if _succeeds(*lookup, f"refs/remotes/origin/{revision}^{{commit}}"):
            raise NotComparableError(
                f"{what}: this clone has no branch of that name, but the repository that it came from has: name "
                f"{GIT}origin/{revision}"
            ) from None
        if _done(what, "git rev-parse", "--is-shallow-repository") == "true":
            raise NotComparableError(
                f"{what}: the clone is shallow, and does not reach that far: fetch the whole history "
                "('git fetch --unshallow'; with actions/checkout, fetch-depth: 0)"
            ) from None
        raise


def _succeeds(command: str, *arguments: str) -> bool:
    try:
        _done("", command, *arguments)
    except NotComparableError:
        return False
    return True


def _done(what: str, command: str, *arguments: str, program: str | None = None) -> str:
    """Run a command and return its output; `NotComparableError` with its last message where it fails.

    `program` is the path of the command's first word, where that is not on the search path.
    """
    name, *words = command.split()
    try:
        done = subprocess.run(
            [program or name, *words, *arguments], check=False, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        raise NotComparableError(f"{what}: {name} cannot be run ({error.strerror}): install it") from None
    if done.returncode == 0:
        return done.stdout.strip()
    sentence = _last_words(done.stderr) or _last_words(done.stdout) or "it is not a revision of this project"
    raise NotComparableError(f"{what}: '{command}' failed: {sentence}")


def _last_words(text: str) -> str:
    """Return the last line with a message; where pip reports a failed build, that of the build."""
    build, _, _ = text.partition("[end of output]")
    lines = [line.strip() for line in build.splitlines()]
    return next((line for line in reversed(lines) if line and not line.startswith(NOTICE_PREFIXES)), "")
