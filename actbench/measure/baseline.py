"""The environment of the baseline: another interpreter, or one that is built for a revision of the project."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from actbench.errors import BenchmarkError, NotComparableError
from actbench.host.variables import worker_environment
from actbench.measure.client import PACKAGE_DIRECTORY, Interpreter, WorkerProcess
from actbench.measure.launch import StartWorker, Worker, WorkerOptions
from actbench.measure.protocol import PROTOCOL, Describe, Described, Source
from actbench.measure.revisions import GIT, Revision, execute


@dataclass(frozen=True, slots=True)
class BaselineEnvironment:
    """An environment in which workers can be started, with any code of the user's loaded."""

    start_with: Callable[[Sequence[Source]], StartWorker]
    """Returns a function that starts workers which load these sources."""
    revision: Revision | None = None
    """The revision of the project for which it was built."""


OpenBaseline = Callable[[str], AbstractContextManager[BaselineEnvironment]]
"""Opens an environment by its name; it is closed on exit."""


@contextmanager
def opened(against: str) -> Iterator[BaselineEnvironment]:
    """Yield the environment that `against` names.

    `against` is an interpreter, the directory of a virtual environment, or ``git:REV``, for which an environment is
    built and removed again. `NotComparableError` where it does not exist, or cannot be built.
    """
    with TemporaryDirectory(prefix="actbench-") as name:
        place = Path(name)
        if not against.startswith(GIT):
            yield BaselineEnvironment(partial(_starting, _interpreter(_python_of(against), place)))
            return
        revision = Revision(against, place / "tree")
        try:
            python = _built(revision, place / "environment")
            yield BaselineEnvironment(partial(_starting, _interpreter(python, place)), revision)
        finally:
            revision.remove_tree()


def describe(worker: Worker, against: str) -> Described:
    """Return the answer of a worker; `NotComparableError` where the worker does not understand requests."""
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
    return described


def _starting(interpreter: Interpreter, sources: Sequence[Source]) -> StartWorker:
    def start(options: WorkerOptions) -> Worker:
        worker = WorkerProcess(options, interpreter)
        if sources:
            with suppress(BenchmarkError):
                if worker.ask(Describe()).protocol != PROTOCOL:
                    return worker  # its first answer will be refused
            worker.load(sources)
        return worker

    return start


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


def _built(revision: Revision, environment: Path) -> Path:
    """Build the environment of a revision of the project in the current directory; return its interpreter."""
    what = f"--against {revision.name}"
    project = revision.tree / revision.directory_in_tree
    execute(what, "python -m venv", str(environment), program=sys.executable)
    python = environment / "bin" / "python"
    # Isolated: otherwise packages on PYTHONPATH would count as installed, and workers have no PYTHONPATH.
    pip = ("python -Im pip", "install", "--quiet", "--disable-pip-version-check")
    execute(what, *pip, str(project), program=str(python))
    return python
