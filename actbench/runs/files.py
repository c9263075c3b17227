"""Atomic writes of one file or of several, and the lock of a run's directory."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from actbench.errors import ActbenchError, InputError, OutputError, reason, unwritable
from actbench.model.shell import command
from actbench.runs.names import FLEET_LIMITS, FLEET_PLAN, LOADED_SOURCE, RUN, WRITTEN

PROBE = ".probe.part"

FLEET = (FLEET_PLAN, FLEET_LIMITS)
"""The files without which a fleet does not go on."""


def part(path: Path) -> Path:
    """Return the temporary name of a file, in the same directory."""
    return path.with_name(f".{path.name}.part")


def encoded(data: str | bytes) -> bytes:
    """Return a text in UTF-8, and bytes as they are.

    What is not UTF-8 in the name of a file, which Python holds as surrogates, is escaped.
    """
    return data.encode(errors="backslashreplace") if isinstance(data, str) else data


def write(path: Path, data: str | bytes, way_out: str = "") -> None:
    """Write a file under a temporary name and move it into place; `InputError` or `OutputError` where that fails.

    A device, a pipe or a link is written to, and not replaced. `way_out` ends the sentence of the error.
    """
    intact = ""
    try:
        existed = path.exists()
        if path.is_symlink() or (existed and not path.is_file()):
            path.write_bytes(encoded(data))
            return
        intact = "the old file is intact" if existed else ""
        _move_into_place(path, data)
    except OSError as error:
        sentence = "; ".join(filter(None, (f"cannot write {path}: {error.strerror}", intact, way_out)))
        raise unwritable(sentence, error) from None


def replace(path: Path, data: str | bytes) -> None:
    """Write a file of a run as `write` does, but replace a link. `InputError` where it is not a regular file."""
    refuse_irregular(path)
    with suppress(OSError):
        if path.is_symlink():
            path.unlink()
    write(path, data)


def commit(directory: Path, contents: Mapping[str, str | bytes], unchanged: Iterable[str] = ()) -> None:
    """Write several files as one: a process that is killed leaves all of them old, or all of them new.

    All are written under temporary names before the first is moved into place. The first name decides: while its
    temporary file exists, the old files are valid; once it has been moved, the new ones are valid, moved or not.
    `recover` completes or undoes an interrupted commit. `unchanged` are files of earlier ones that are right as they
    are. `InputError` or `OutputError` where the disk refuses; the old files are then intact. Where there are such, or
    their directory has gone, another name would not help, and it is the latter.
    """
    first, *others = (directory / name for name in contents)
    try:
        recover(directory, (*contents, *unchanged), ())  # after a commit that Ctrl-C interrupted
        for name, data in contents.items():
            refuse_irregular(directory / name)
            _synced(part(directory / name), data)
    except OSError as error:
        with suppress(OSError):
            _drop([*others, first])
        raise _uncommitted(first, error) from None
    try:
        for path in (first, *others):
            part(path).replace(path)
        _sync(directory)
    except OSError as error:
        place = error.filename or directory
        way_out = f"mend that, and go on with {command('--resume', directory)}"
        raise OutputError(f"cannot write {place}: {error.strerror}; the run is intact: {way_out}") from None


def _uncommitted(first: Path, error: OSError) -> ActbenchError:
    """Return the error for files that could not be committed with the first one."""
    place = Path(error.filename or first.parent)
    if place.name.endswith(".part") and not place.is_dir():  # a directory there is what must go
        place = place.with_name(place.name.removeprefix(".").removesuffix(".part"))
    sentence = f"cannot write {place}: {error.strerror}"
    if not first.parent.is_dir():
        return OutputError(f"{sentence}; its directory has gone, and with it what was measured: begin anew")
    if first.exists():
        way_out = f"mend that, and go on with {command('--resume', first.parent)}"
        return OutputError(f"{sentence}; the old files are intact: {way_out}")
    return unwritable(f"{sentence}; nothing was there before", error)


def current(directory: Path, name: str, first: str) -> Path:
    """Return the path of the valid contents of a file that is committed with `first`: its own or its temporary path."""
    moved = part(directory / name)
    return moved if moved.exists() and not part(directory / first).exists() else directory / name


def recover(directory: Path, committed: tuple[str, ...], others: Iterable[str]) -> None:
    """Clean up after a killed process: complete or undo a `commit` of these files; delete other temporary files.

    The caller holds the lock. `OSError` where the disk refuses.
    """
    first, *rest = (directory / name for name in committed)
    if part(first).exists():
        _drop([*rest, first])
    for path in rest:
        if part(path).exists():
            part(path).replace(path)
    _drop(directory / name for name in others)
    (directory / PROBE).unlink(missing_ok=True)


def append(path: Path, data: bytes) -> None:
    """Append to a regular file, or create it; `OSError` when that fails."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW, 0o666)
    with os.fdopen(handle, "ab") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
        file.write(data)


def refuse_irregular(path: Path) -> None:
    """Raise `InputError` where a path exists and is not a regular file."""
    if path.exists() and not path.is_file():
        raise InputError(f"cannot write {path}: it is not a regular file; remove it")


def refuse_file_of_run(path: Path, named: str) -> None:
    """Raise `InputError` where an output would replace a file of a run or a fleet; `named` begins the sentence."""
    place = Path(os.path.realpath(path))  # of a loop of links as well
    directory = path.parent if Path(os.path.realpath(path.parent)) == place.parent else place.parent
    if place.name in {*WRITTEN, LOADED_SOURCE} and (place.parent / RUN).exists():
        raise InputError(f"{named}: that is a file of the run in {directory}: name another file")
    if place.name in FLEET and all((place.parent / name).exists() for name in FLEET):
        raise InputError(f"{named}: that is a file of the fleet in {directory}: name another file")


def try_out(path: Path) -> None:
    """Write nothing where `write` would write a file; `OSError` where that is not possible. What exists stays."""
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not path.is_file():  # opening a pipe would block
        if not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return
    try:
        _synced(part(path), b"")
    finally:
        with suppress(OSError):
            part(path).unlink(missing_ok=True)


def refuse_unwritable(path: Path, named: str, way_out: str = "name a file in a directory that exists") -> None:
    """Raise `InputError` or `OutputError`, before anything is measured, where `write` could not write a file.

    `named`, the option that names it, with its value, begins the sentence, and `way_out` ends it. Files of a run are
    not written.
    """
    refuse_file_of_run(path, named)
    try:
        try_out(path)
    except OSError as error:
        raise unwritable(f"{named}: cannot write there ({reason(error)}): {way_out}", error) from None


NAME_ANOTHER = "name another directory with -o"
"""What to do where a directory that the user may name cannot be written."""


def probe(directory: Path, size: int, way_out: str = NAME_ANOTHER) -> None:
    """Create `directory` if needed, and check that it has room for `size` bytes; `InputError` where it has not."""
    test = directory / PROBE
    with removed_if_empty(directory):
        try:
            if directory.exists() and not directory.is_dir():
                raise InputError(f"{directory} is not a directory: name another with -o")
            directory.mkdir(parents=True, exist_ok=True)
            _synced(test, bytes(size))
        except OSError as error:
            megabytes = max(1, round(size / 1e6))
            message = f"cannot write {megabytes} MB to {directory}: {error.strerror}; {way_out}"
            raise unwritable(message, error) from None
        finally:
            with suppress(OSError):
                test.unlink(missing_ok=True)


@contextmanager
def removed_if_empty(directory: Path) -> Iterator[None]:
    """Remove a directory, and those above it, that did not exist before and are empty where an error is raised."""
    absent = [one for one in (directory, *directory.parents) if not one.exists()]
    try:
        yield
    except ActbenchError:
        for one in absent:
            with suppress(OSError):
                one.rmdir()
        raise


def oldest_first(paths: Iterable[Path]) -> list[Path]:
    """Return files or directories by the time of their last change, without those that are removed meanwhile."""
    changed: dict[Path, float] = {}
    for path in paths:
        with suppress(OSError):
            changed[path] = path.stat().st_mtime
    return sorted(changed, key=changed.__getitem__)


@contextmanager
def locked(directory: Path, busy: str = "") -> Iterator[None]:
    """Hold the lock of the directory; `InputError` where another process holds it, with `busy` as its text.

    The lock is on the directory itself, and ends with the process.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)  # opening a pipe would block
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            of_run = f"another run is writing to {directory}: wait for it, or name another with -o"
            raise InputError(busy or of_run) from None
        yield
    finally:
        os.close(handle)


def _synced(path: Path, data: str | bytes) -> None:
    path.unlink(missing_ok=True)  # of any kind: opening a pipe would block
    with path.open("xb") as file:
        file.write(encoded(data))
        file.flush()
        os.fsync(file.fileno())


def _move_into_place(path: Path, data: str | bytes) -> None:
    temporary = part(path)
    try:
        _synced(temporary, data)
        temporary.replace(path)
    except BaseException:  # Ctrl-C, too: what is not whole is not needed
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _drop(paths: Iterable[Path]) -> None:
    for path in paths:
        part(path).unlink(missing_ok=True)
