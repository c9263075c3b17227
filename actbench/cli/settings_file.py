"""The file with settings: its location and its contents.

It is the nearest one, from the current directory upward: `actbench.toml`, or the table [tool.actbench] of
pyproject.toml. If a directory has both, `actbench.toml` applies, as with ruff and pytest.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actbench.errors import InputError
from actbench.host import regular

OWN_FILE, SHARED_FILE = "actbench.toml", "pyproject.toml"

SECTION = "tool.actbench"
"""The table of the shared file."""


@dataclass(frozen=True, slots=True)
class File:
    """A file with settings: its path from here, the table that holds them, and the settings."""

    path: Path
    section: str
    content: dict[str, Any]

    def place(self, command: str = "") -> str:
        """Return the name of a table as users know it: ``pyproject.toml [tool.actbench.check]``."""
        table = ".".join(filter(None, (self.section, command)))
        return f"{self.path} [{table}]" if table else str(self.path)


def find() -> File | None:
    """Return the settings of the nearest directory that has some, from the current one upward."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return None
    file = next(filter(None, (_of(directory) for directory in (here, *here.parents))), None)
    if file and file.path.resolve().parent != here:
        _refuse_foreign(file.path)
    return file


def _refuse_foreign(path: Path) -> None:
    """Raise `InputError` for a file above this directory that others can write: settings name programs to run."""
    status = path.stat()
    if hasattr(os, "geteuid") and (status.st_uid not in {os.geteuid(), 0} or status.st_mode & stat.S_IWOTH):
        raise InputError(
            f"{path} is not used: others can write it, and it lies above this directory; own it, or move it"
        )


def _of(directory: Path) -> File | None:
    """Return the settings of a directory: actbench.toml hides the table in pyproject.toml."""
    path = directory / OWN_FILE
    if os.path.exists(path):  # noqa: PTH110  # see _is_file
        return File(_from_here(path), "", _parsed(path))
    return _shared(directory / SHARED_FILE)


def hidden_by(file: File) -> File | None:
    """Return the settings that a file hides."""
    return None if file.section else _shared(file.path.with_name(SHARED_FILE))


def _shared(path: Path) -> File | None:
    """Return the settings in a pyproject.toml; without our table, the file is ignored."""
    if not _is_file(path):
        return None
    tools = _parsed(path).get("tool", {})
    if not isinstance(tools, dict) or "actbench" not in tools:
        return None
    if not isinstance(tools["actbench"], dict):
        raise InputError(f"{_from_here(path)}: tool.actbench is to be a table: write [{SECTION}]")
    return File(_from_here(path), SECTION, tools["actbench"])


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  # Path.is_file raises where a directory above cannot be entered


def _parsed(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(regular.read(path).decode())
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{_from_here(path)} is not TOML: {error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{_from_here(path)} is not TOML: it is not encoded in UTF-8") from None
    except OSError as error:
        raise InputError(f"{_from_here(path)} cannot be read ({error.strerror}): let it be read, or move it") from None


def _from_here(path: Path) -> Path:
    return Path(os.path.relpath(path))
