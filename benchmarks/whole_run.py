"""One whole `actbench run`, as a user starts it, for the scripts in this directory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from actbench.runs.archive import Run, load


def whole_run(*options: str) -> tuple[Run, float]:
    """Run actbench with these options; return what it measured and the wall seconds it took."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "run")
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "actbench", "run", "-q", *options, "-o", str(output)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return load(output), time.monotonic() - start
