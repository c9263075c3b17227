"""The files of a user's that a fleet needs: each whole with its digest, and kept in the fleet's directory by that."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from actbench.errors import InputError, reason
from actbench.host import regular
from actbench.runs import files


def read_unchanged(path: Path, digest: str, option: str) -> bytes:
    """Return a file that was read before; `InputError` where it cannot be read any more, or has another digest.

    `option` is the one that names it, ``--load x.py``.
    """
    try:
        data = regular.read(path)
    except OSError as error:
        raise InputError(f"{option}: it cannot be read any more ({reason(error)})") from None
    if sha256(data).hexdigest() != digest:
        raise InputError(f"{option} changed since this fleet started; start again")
    return data


def keep(fleet: Path, place: str, digest: str, data: bytes) -> None:
    """Write a file below the fleet's directory, so that it can go on without the user's.

    `InputError` or `OutputError` where that fails.
    """
    (fleet / place).mkdir(exist_ok=True)
    files.write(fleet / place / digest, data)


def kept(fleet: Path, place: str, digest: str, name: str) -> bytes:
    """Return a file that the fleet keeps; `InputError` where it is missing or was changed."""
    try:
        data = regular.read(fleet / place / digest)
    except OSError as error:
        raise InputError(f"--resume {fleet}: the fleet needs {name}, which is not there ({reason(error)})") from None
    if sha256(data).hexdigest() != digest:
        raise InputError(f"--resume {fleet}: {name} is not what the fleet began with: start a new one")
    return data
