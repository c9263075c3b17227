"""Files that are never half written, and a directory that two runs cannot share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from actbench.errors import InputError, unwritable


def write(path: Path, data: str | bytes) -> None:
    """Write a file under a temporary name and move it into place; `InputError` or `OutputError` when that cannot be.

    What is no plain file, a device, a pipe or a link, is written to and not replaced.
    """
    there = False
    temporary = path.with_name(f".{path.name}.part")
    try:
        there = path.exists()
        if path.is_symlink() or (there and not path.is_file()):
            _write_into(path, data)
            return
        with temporary.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        intact = "; what was written before is intact" if there else ""
        raise unwritable(f"cannot write {path}: {error.strerror}{intact}", error) from None


def _write_into(path: Path, data: str | bytes) -> None:
    try:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise unwritable(f"cannot write {path}: {error.strerror}", error) from None


def probe(directory: Path, size: int) -> None:
    """Make sure that `directory` exists and takes a file of `size` bytes; `InputError` or `OutputError` when not."""
    test = directory / ".probe.part"
    try:
        if directory.exists() and not directory.is_dir():
            raise InputError(f"{directory} is no directory: name another with -o")
        directory.mkdir(parents=True, exist_ok=True)
        with test.open("wb") as file:
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        megabytes = max(1, round(size / 1e6))
        said = f"cannot write {megabytes} MB to {directory}: {error.strerror}; name another directory with -o"
        raise unwritable(said, error) from None
    finally:
        with suppress(OSError):
            test.unlink(missing_ok=True)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory for this process alone; `InputError` when another one holds it.

    The lock is on the directory itself and goes with the process, however it ends.
    """
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another run is writing to {directory}: wait for it, or name another with -o") from None
        yield
    finally:
        os.close(handle)
