"""The environment of the baseline: another interpreter, or one that is built for a revision of the project."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from actbench.errors import BenchmarkError, NotComparableError
from actbench.host import directories, software
from actbench.host.variables import worker_environment
from actbench.measure import compiled_cache
from actbench.measure.client import PACKAGE_DIRECTORY, Interpreter, WorkerProcess
from actbench.measure.environment_cache import EnvironmentCache, Tell, silent
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


OpenBaseline = Callable[[str, Tell], AbstractContextManager[BaselineEnvironment]]
"""Opens an environment by its name, and tells of building it; it is closed on exit."""

BUILD_TIMEOUT = 900.0
"""Longest duration of building an environment, in seconds."""


@contextmanager
def opened(against: str, tell: Tell = silent) -> Iterator[BaselineEnvironment]:
    """Yield the environment that `against` names.

    `against` is an interpreter, the directory of a virtual environment, or ``git:REV``, for which an environment is
    built, unless it is in the cache. `NotComparableError` where it does not exist, or cannot be built.
    """
    with TemporaryDirectory(prefix="actbench-") as name:
        place = Path(name)
        if not against.startswith(GIT):
            python = _python_of(against)
            kept = compiled_cache.entry_of(python) or place
            yield BaselineEnvironment(partial(_starting, _interpreter(python, kept, kept / "numba")))
            return
        revision = Revision(against, place / "tree")
        project = (revision.root / revision.directory_in_tree).name, revision.commit
        try:
            with EnvironmentCache().opened(_key(revision), project, partial(_build, revision), tell) as entry:
                interpreter = _interpreter(entry.python, entry.place, entry.compiled)
                yield BaselineEnvironment(partial(_starting, interpreter), revision)
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


def _interpreter(python: Path, place: Path, compiled: Path) -> Interpreter:
    """Return another environment, with a path to this actbench in case it has none.

    It finds its packages by itself, so PYTHONPATH is not inherited. numba's cache is not shared either, since only one
    version of numba can use it at a time: `compiled` is the directory of its own.
    """
    lent = place / f"lent-{directories.name_for(str(PACKAGE_DIRECTORY))}"
    lent.mkdir(exist_ok=True)  # in the cache it stays, since numba knows its files by their paths
    with suppress(FileExistsError):
        (lent / PACKAGE_DIRECTORY.name).symlink_to(PACKAGE_DIRECTORY, target_is_directory=True)
    variables = worker_environment(os.environ) | {"NUMBA_CACHE_DIR": str(compiled)}
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


def _build(revision: Revision, environment: Path) -> str:
    """Build the environment of a revision of the project in the current directory; return the version of its Python."""
    what = f"--against {revision.name}"
    project = revision.tree / revision.directory_in_tree
    execute(what, "python -m venv", str(environment), program=sys.executable)
    # Isolated: otherwise packages on PYTHONPATH would count as installed, and workers have no PYTHONPATH.
    pip = ("python -Im pip", "install", "--quiet", "--disable-pip-version-check")
    execute(what, *pip, str(project), program=str(environment / "bin" / "python"), timeout=BUILD_TIMEOUT)
    return software.python()


def _key(revision: Revision) -> str:
    """Return the key of a revision's environment in the cache: what decides which versions are installed in it.

    These are the commit, the interpreter, pip's settings with the files that they name, such as constraints, and the
    versions here: after an upgrade here, the versions there are resolved again as well.
    """
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    named = {word: Path(word) for value in settings.values() for word in value.split()}
    pins = {word: sha256(path.read_bytes()).hexdigest() for word, path in named.items() if path.is_file()}
    decisive = (
        (revision.commit, revision.directory_in_tree),
        (os.path.realpath(sys.executable), sys.version),
        sorted(settings.items()),
        sorted(pins.items()),
        sorted(software.libraries(software.KERNEL_LIBRARIES).items()),
    )
    return directories.name_for(repr(decisive))
