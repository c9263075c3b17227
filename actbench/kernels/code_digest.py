"""The digest of all code that a call of a kernel executes, by which two environments are known to run the same.

Where it is equal, a difference in time comes from the placement of code and data alone, as LLVM's LNT says of programs
with equal hashes. It is made of the machine code of a compiled kernel, or else of actbench's own source and of the
installed files of the libraries that execute it; and of what calls it. What a user's formula calls besides numpy is not
known, so it has a digest only where it is compiled.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import actbench

RECORD = "RECORD"
"""The file of an installed distribution that lists its files with their digests."""

NOT_EXECUTED = re.compile(r"\.\.[/\\]|[^/,]*\.dist-info[/\\]|.*\.pyc\b")
"""Its lines about scripts, which name the environment that they are in, about the installation itself, and about byte
code."""


def of_machine_code(digest: str, called_by: Iterable[str]) -> str | None:
    """Return the digest of a compiled kernel that these distributions call."""
    return _joined([digest, *map(installed, called_by)])


def of_step(activation: str | None, products: Iterable[str]) -> str | None:
    """Return the digest of a training step: of its activation's code, and of what executes the rest of it."""
    rest = of_interpreted_code(products)
    return _joined([activation, rest])


def of_interpreted_code(executed_by: Iterable[str]) -> str | None:
    """Return the digest of what is built in and these distributions execute; None where their files are not known."""
    return _joined([source_of_actbench(), *map(installed, executed_by)])


@cache
def installed(name: str) -> str | None:
    """Return the digest of the files of an installed distribution, as they were recorded when it was installed.

    It is the same in every environment in which the same wheel is installed.
    """
    try:
        record = distribution(name).read_text(RECORD)
    except PackageNotFoundError:
        return None
    return None if record is None else of_record(record)


def of_record(record: str) -> str:
    """Return the digest of the files that the text of a RECORD lists."""
    lines = sorted(line for line in record.splitlines() if not NOT_EXECUTED.match(line))
    return sha256("\n".join(lines).encode()).hexdigest()


@cache
def source_of_actbench() -> str:
    """Return the digest of actbench's Python files."""
    package = Path(actbench.__file__).parent
    return sha256(b"".join(path.read_bytes() for path in sorted(package.rglob("*.py")))).hexdigest()


def _joined(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return sha256("\n".join([sys.version, *known]).encode()).hexdigest() if len(known) == len(parts) else None
