"""The environment of the baseline: another interpreter, or one that is built for a revision of the project."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import MappingProxyType
from typing import Protocol

from actbench.engine.client import PACKAGE_DIRECTORY, Interpreter, WorkerProcess
from actbench.engine.launch import NotLoadedError, StartWorker, Worker, WorkerOptions
from actbench.engine.live import compiled_cache
from actbench.engine.live.environment_cache import EnvironmentCache, Tell, silent
from actbench.engine.live.revisions import GIT, Revision, execute, place_for_trees
from actbench.engine.protocol import PROTOCOL, Describe, Described, Source
from actbench.errors import BenchmarkError, NotComparableError, unwritable
from actbench.host import directories, software
from actbench.host.variables import worker_environment
from actbench.runs import files


@dataclass(frozen=True, slots=True)
class BaselineEnvironment:
    """An environment in which workers can be started, with any code of the user's loaded."""

    start_with: Callable[[Sequence[Source]], StartWorker]
    """Returns a function that starts workers which load these sources."""
    revision: Revision | None = None
    """The revision of the project for which it was built."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """The versions of what was installed for it from elsewhere, by name: see `CacheEntry.dependencies`."""


class OpenBaseline(Protocol):
    """Opens an environment by its name, and tells of building it; it is closed on exit."""

    def __call__(
        self, against: str, tell: Tell, pins: Mapping[str, str] = ..., /
    ) -> AbstractContextManager[BaselineEnvironment]:
        """Return the environment, in which what it needs has the versions of `pins`, unless it needs others."""


NO_PINS: Mapping[str, str] = MappingProxyType({})

UNRESOLVED = "ResolutionImpossible"
"""What pip writes where constraints and requirements exclude each other."""

BUILD_TIMEOUT = 900.0
"""Longest duration of building an environment, in seconds."""


@contextmanager
def opened(against: str, tell: Tell = silent, pins: Mapping[str, str] = NO_PINS, /) -> Iterator[BaselineEnvironment]:
    """Yield the environment that `against` names.

    `against` is an interpreter, the directory of a virtual environment, or ``git:REV``, for which an environment is
    built, unless it is in the cache. What is installed in it then has the versions of `pins`, unless the revision needs
    others. `NotComparableError` where it does not exist, or cannot be built.
    """
    with temporary() as name:
        place = Path(name)
        if not against.startswith(GIT):
            python = _python_of(against)
            kept = compiled_cache.entry_of(python) or place
            yield BaselineEnvironment(partial(_starting, _interpreter(python, kept, kept / "numba")))
            return
        revision = Revision(against, place / "tree")
        project = (revision.root / revision.directory_in_tree).name, revision.commit
        try:
            build = partial(_build, revision, pins)
            with EnvironmentCache().opened(_key(revision, pins), project, build, tell) as entry:
                interpreter = _interpreter(entry.python, entry.place, entry.compiled)
                yield BaselineEnvironment(partial(_starting, interpreter), revision, entry.dependencies())
        finally:
            revision.remove_tree()


def temporary() -> TemporaryDirectory[str]:
    """Return a directory for worktrees, which is removed on exit; `OutputError` where none can be made."""
    try:
        return TemporaryDirectory(prefix=place_for_trees())
    except OSError as error:
        message = f"cannot write to {gettempdir()} ({error.strerror}): name another directory by $TMPDIR"
        raise unwritable(message, error) from None


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


PROJECT_FILES = ("pyproject.toml", "setup.py")
"""Files by either of which a project is installed."""

NOT_LOADED = "what is loaded here cannot be loaded there: "
"""What begins the reason where an environment does not take the code of the user's."""


@contextmanager
def first_worker(start: StartWorker, options: WorkerOptions, against: str) -> Iterator[Worker]:
    """Yield the first worker of an environment; `NotComparableError` where none can be used there."""
    what = f"--against {against}: "
    try:
        worker = start(options)
        try:
            yield worker
        finally:
            worker.close()
    except NotLoadedError as error:
        raise NotComparableError(f"{what}{NOT_LOADED}{error}") from None
    except BenchmarkError as error:
        raise NotComparableError(
            f"{what}no worker can run there ({error}): it takes Python 3.11 or newer with numpy"
        ) from None


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


def _build(revision: Revision, pins: Mapping[str, str], environment: Path) -> str:
    """Build the environment of a revision of the project in the current directory; return the version of its Python.

    Where the revision needs other versions than `pins`, it gets these.
    """
    what = f"--against {revision.name}"
    project = revision.tree / revision.directory_in_tree
    if not any((project / name).exists() for name in PROJECT_FILES):
        raise NotComparableError(f"{what}: {_why_no_project(revision.directory_in_tree, project)}")
    runner = _pip_here()
    lent = ("--without-pip",) if runner else ()  # pip of its own would take longer than all else
    execute(what, "python -m venv", *lent, str(environment), program=(sys.executable,))
    # Isolated: otherwise packages on PYTHONPATH would count as installed, and workers have no PYTHONPATH.
    python = str(environment / "bin" / "python"), *(("-I", runner) if runner else ("-Im", "pip"))
    constraints = environment.with_name("constraints.txt")
    files.write(constraints, "".join(f"{name}=={version}\n" for name, version in sorted(pins.items())))
    pip = partial(execute, what, "pip install", "--quiet", "--disable-pip-version-check", program=python)
    try:
        pip("-c", str(constraints), str(project), timeout=BUILD_TIMEOUT)
    except NotComparableError as error:
        if not pins or UNRESOLVED not in str(error):
            raise
        pip(str(project), timeout=BUILD_TIMEOUT)
    return software.python()


def _why_no_project(directory: str, project: Path) -> str:
    """Return why nothing can be installed from a directory of a revision, relative to its root, and what to do."""
    lacks = f"has neither {' nor '.join(PROJECT_FILES)}" if project.is_dir() else "does not exist"
    if not directory:
        return f"its root {lacks}"
    return f"its directory {directory.rstrip('/')} {lacks}: change to the directory of your project"


def _pip_here() -> str | None:
    """Return the file of this environment's pip that other interpreters can run; None where there is none."""
    spec = find_spec("pip")
    runner = Path(spec.origin).with_name("__pip-runner__.py") if spec and spec.origin else None
    return str(runner) if runner and runner.exists() else None


def _key(revision: Revision, pins: Mapping[str, str]) -> str:
    """Return the key of a revision's environment in the cache: what decides which versions are installed in it.

    These are the commit, the pins, the interpreter, pip's settings with the files that they name, such as constraints,
    and the versions here: after an upgrade here, the versions there are resolved again as well.
    """
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    named = {word: Path(word) for value in settings.values() for word in value.split()}
    constraints = {word: sha256(path.read_bytes()).hexdigest() for word, path in named.items() if path.is_file()}
    decisive = (
        (revision.commit, revision.directory_in_tree),
        (os.path.realpath(sys.executable), sys.version),
        sorted(settings.items()),
        sorted(constraints.items()),
        sorted(software.libraries(software.KERNEL_LIBRARIES).items()),
        *([sorted(pins.items())] if pins else ()),
    )
    return directories.name_for(repr(decisive))
