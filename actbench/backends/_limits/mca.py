"""llvm-mca, where it is installed: the bound of a loop by LLVM's own model of this processor.

Its name for the processor is the one that LLVM takes it for, so an old llvm-mca has the model of an older processor.
One that knows no name for it would model a processor of no kind, which is no bound of this one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

from actbench.backends._limits.inner_loop import InnerLoop

PROGRAM = "llvm-mca"
OPTIONS = ("-iterations=1", "-instruction-info=false", "-resource-pressure=false")
TIMEOUT = 10.0
"""Seconds."""

VERSION = re.compile(r"LLVM version ([\w.]+)")
PROCESSOR = re.compile(r"Host CPU: (\S+)")
OF_NO_KIND = frozenset({"(unknown)", "generic", "x86-64"})
"""Names that LLVM has for a processor that it does not know."""

THROUGHPUT = re.compile(r"^Block RThroughput: ([\d.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class McaBound:
    """What llvm-mca says of an iteration."""

    version: str
    processor: str
    """By the name of LLVM; empty where it does not know it."""
    cycles: float | None
    """The reciprocal of the throughput; None where it knows no such processor, or does not take the loop."""


def installed() -> bool:
    """Return whether the program is found."""
    return shutil.which(PROGRAM) is not None


def mca_bound(loop: InnerLoop) -> McaBound | None:
    """Return what it says; None where it is not installed, or does not start."""
    program = shutil.which(PROGRAM)
    if program is None:
        return None
    try:
        described = _run(program, "--version")
        named, version = PROCESSOR.search(described), VERSION.search(described)
        processor = named[1] if named and named[1] not in OF_NO_KIND else ""
        stated = THROUGHPUT.search(_run(program, *OPTIONS, text=loop.text)) if processor else None
    except (OSError, subprocess.TimeoutExpired):
        return None
    return McaBound(version[1] if version else "of no known version", processor, float(stated[1]) if stated else None)


def _run(program: str, *options: str, text: str = "") -> str:
    command = [program, *options]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout
