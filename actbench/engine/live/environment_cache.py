"""Environments that were built for revisions, kept between checks: each is built once, and the least recently used go.

An entry is a directory named by its key, in which an environment is built in place, since environments cannot be moved.
Its description is written last: without one, the entry is half-built, and is never used but built again. A lock beside
it is held alone while it is built or removed, and with others while it is used. The lock ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import Distribution, distributions
from pathlib import Path

import msgspec

from actbench.errors import NotComparableError, unwritable
from actbench.host import directories
from actbench.model.built_environment import BuiltEnvironment
from actbench.runs import files

MOST_BYTES = 4 << 30
"""Bytes that all entries may take together; an environment with numpy, scipy, numba and pandas takes 0.5 GB."""

DESCRIPTION = "environment.json"

Tell = Callable[[str], None]
"""Takes a sentence for the user about what takes long."""


def silent(_: str) -> None:
    """Tell nothing."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One environment in the cache, or a place for one."""

    place: Path

    @property
    def environment(self) -> Path:
        """The directory of the virtual environment."""
        return self.place / "environment"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.environment / "bin" / "python"

    @property
    def compiled(self) -> Path:
        """The directory for what numba compiles in it."""
        return self.place / "numba"

    @property
    def last_used(self) -> float:
        """When it was used last, in seconds since the epoch; 0 where it is half-built."""
        try:
            return (self.place / DESCRIPTION).stat().st_mtime
        except OSError:
            return 0.0

    @property
    def description(self) -> BuiltEnvironment | None:
        """What it was built of; None where it is half-built, or where it is not what was built any more."""
        try:
            description = msgspec.json.decode((self.place / DESCRIPTION).read_bytes(), type=BuiltEnvironment)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        intact = os.access(self.python, os.X_OK) and self.resolved() == description.distributions
        return description if intact else None

    def resolved(self) -> dict[str, str]:
        """Return the versions of what is installed in it."""
        return dict(sorted((str(item.metadata["Name"]), item.version) for item in self._installed()))

    def dependencies(self) -> dict[str, str]:
        """Return the versions of what was installed in it from an index: not the project, and not pip."""
        from_index = (item for item in self._installed() if item.read_text("direct_url.json") is None)
        names = ((str(item.metadata["Name"]), item.version) for item in from_index)
        return dict(sorted((name, version) for name, version in names if name != "pip"))

    def _installed(self) -> Iterable[Distribution]:
        return distributions(path=[str(path) for path in self.environment.glob("lib/python*/site-packages")])

    def touch(self) -> None:
        """Note that it is used now."""
        with suppress(OSError):
            os.utime(self.place / DESCRIPTION)

    def remove(self) -> None:
        """Remove it; its description first, so that what is left of it is never used."""
        (self.place / DESCRIPTION).unlink(missing_ok=True)
        shutil.rmtree(self.place, ignore_errors=True)

    @contextmanager
    def locked(self, how: int, waiting: Callable[[], None] | None = None) -> Iterator[bool]:
        """Hold the lock, alone or with others; yield False where it is taken and nobody wants to wait.

        `how` is fcntl's LOCK_EX or LOCK_SH; `waiting` is called before waiting.
        """
        handle = _lock(self.place.with_suffix(".lock"), how, waiting)
        try:
            yield handle is not None
        finally:
            if handle is not None:
                os.close(handle)

    def forget(self) -> bool:
        """Remove it with its lock, which the caller holds alone; return whether nothing of it is left."""
        with suppress(OSError):
            self.remove()
        if self.place.exists():
            return False
        self.place.with_suffix(".lock").unlink(missing_ok=True)
        return True


@dataclass(frozen=True, slots=True)
class ClearedCache:
    """What became of the entries that were to be removed."""

    removed: list[CacheEntry]
    in_use: list[CacheEntry]
    refused: list[CacheEntry]
    """Those that the operating system does not let be removed, or not whole."""


class EnvironmentCache:
    """The entries in a directory."""

    def __init__(self, directory: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        """Take a directory, by default the user's, which need not exist."""
        self.directory = directory or directories.cache() / "environments"
        self._most_bytes = most_bytes

    def entries(self) -> list[CacheEntry]:
        """Return all entries, the one that was used last first."""
        places = [path for path in self.directory.glob("*") if path.is_dir()]
        return sorted(map(CacheEntry, places), key=lambda entry: entry.last_used, reverse=True)

    @contextmanager
    def opened(
        self, key: str, project: tuple[str, str], build: Callable[[Path], str], tell: Tell
    ) -> Iterator[CacheEntry]:
        """Yield the entry of a key, which nobody removes meanwhile; `build` makes it where it does not exist.

        `project` is the name and the commit. `build` makes an environment in a directory that does not exist yet, and
        returns the version of its Python. `InputError` or `OutputError` where nothing can be written.
        """
        name, commit = project
        entry = CacheEntry(self.directory / key)
        self._create(self.directory)
        wait = partial(tell, f"another check is building the environment of {commit[:10]}: waiting for it")
        built_now = False
        while True:
            with entry.locked(fcntl.LOCK_SH, wait):
                if (description := entry.description) is not None:
                    entry.touch()
                    if not built_now:
                        tell(f"the environment of {commit[:10]} is in the cache, built {description.built}")
                    yield entry
                    return
            with entry.locked(fcntl.LOCK_EX):
                if entry.description is None:
                    self._build(entry, name, commit, build, tell)
                    built_now = True
            self._bound(key)

    def clear(self, commits: Collection[str] = ()) -> ClearedCache:
        """Remove the entries of these commits, by the beginnings of their hashes, or all, unless they are in use.

        Half-built entries are removed with all.
        """
        cleared = ClearedCache([], [], [])
        for entry in self.entries():
            description = entry.description
            if commits and not (description and description.commit.startswith(tuple(commits))):
                continue
            with entry.locked(fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
                if not alone:
                    cleared.in_use.append(entry)
                elif entry.forget():
                    cleared.removed.append(entry)
                else:
                    cleared.refused.append(entry)
        return cleared

    def _create(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot write to the cache {self.directory} ({error.strerror}): name another by $XDG_CACHE_HOME"
            raise unwritable(message, error) from None

    def _build(self, entry: CacheEntry, name: str, commit: str, build: Callable[[Path], str], tell: Tell) -> None:
        tell(f"building the environment of {commit[:10]}, once for all checks")
        entry.remove()
        self._create(entry.place)
        begun = time.monotonic()
        try:
            python = build(entry.environment)
        except BaseException:
            entry.remove()
            raise
        seconds = time.monotonic() - begun
        built = datetime.now(UTC).isoformat(timespec="seconds")
        size = _bytes_in(entry.place)
        description = BuiltEnvironment(commit, name, python, entry.resolved(), built, round(seconds, 1), size)
        files.write(entry.place / DESCRIPTION, msgspec.json.encode(description))
        if entry.description is None:
            entry.remove()
            raise NotComparableError(f"the environment of {commit} that was built has no Python that can be run")
        tell(f"built the environment of {commit[:10]} in {seconds:.0f} s")

    def _bound(self, newest: str) -> None:
        """Remove half-built entries, and the least recently used ones beyond the limit; those in use stay."""
        total = 0
        for entry in self.entries():
            description = entry.description
            size = description.bytes if description else 0
            if entry.place.name == newest or (description and total + size <= self._most_bytes):
                total += size
                continue
            with entry.locked(fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
                if not (alone and entry.forget()):
                    total += size


def _lock(path: Path, how: int, waiting: Callable[[], None] | None) -> int | None:
    """Return an open file that holds the lock; None where `how` does not wait and another process has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if how & fcntl.LOCK_NB:
                    os.close(handle)
                    return None
                if waiting is not None:
                    waiting()
                fcntl.flock(handle, how)
        except BaseException:
            os.close(handle)
            raise
        with suppress(OSError):  # the process that held it may have removed the entry with its lock
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        os.close(handle)


def _bytes_in(directory: Path) -> int:
    """Return the bytes on disk of all files in a directory."""
    return sum(512 * path.lstat().st_blocks for path in directory.rglob("*"))
