"""Code that is compiled for a processor which need not be this one, in a process of its own.

What a program prints is kept beside pytest's cache. It is printed anew where a file of the project in a directory that
the program imports from differs, or the compiler, the variables that tune it, or the processor that executes it.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
import pytest
from llvmlite import binding

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".pytest_cache/d/targets"  # pytest --cache-clear drops what is in d

on_x86 = pytest.mark.skipif(platform.machine().lower() not in {"x86_64", "amd64"}, reason="compiles for x86-64")

BEFORE = "import gc; gc.disable()  # it would take a tenth of the time\n"

IMPORTED_FROM = """
import os
import sys
files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
print(json.dumps(sorted({os.path.dirname(file) for file in files if file})))
"""
"""Prints a second line: the directories of all modules."""


def printed_for(processor: str, program: str, *arguments: str, features: str = "") -> Any:
    """Return what a program prints as JSON, where numba compiles for a processor with these further features."""
    variables = os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features}
    kept = KEPT / f"{_key(program, arguments, variables)}.gz"
    if kept.exists():
        printed, files = json.loads(gzip.decompress(kept.read_bytes()))
        if files == {directory: _digest(directory) for directory in files}:
            return printed
    done = subprocess.run(
        [sys.executable, "-c", f"{BEFORE}{program}{IMPORTED_FROM}", *arguments],
        env=variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    printed, directories = map(json.loads, done.stdout.splitlines())
    _keep(kept, printed, directories)
    return printed


def _keep(file: Path, printed: Any, directories: Iterable[str]) -> None:
    ours = (Path(directory) for directory in directories if Path(directory).is_relative_to(ROOT / "actbench"))
    files = {str(directory.relative_to(ROOT)): "" for directory in ours}
    entry = printed, {directory: _digest(directory) for directory in files}
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}")
    part.write_bytes(gzip.compress(json.dumps(entry).encode(), compresslevel=1))
    part.replace(file)


def _key(program: str, arguments: Iterable[str], variables: dict[str, str]) -> str:
    """Return a digest of what is run, by what, and with which variables."""
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    host = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    tuning = sorted(pair for pair in variables.items() if pair[0].startswith("NUMBA_"))
    return sha256(repr((program, *arguments, tuning, versions, host)).encode()).hexdigest()


def _digest(directory: str) -> str:
    """Return the digest of the names and contents of a directory's files of Python."""
    texts = ((path.name.encode(), path.read_bytes()) for path in sorted(Path(ROOT, directory).glob("*.py")))
    return sha256(repr([*texts]).encode()).hexdigest()
