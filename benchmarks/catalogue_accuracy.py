"""What does the accuracy of the whole catalogue cost? Processor seconds of one command, with its worker.

    python -m benchmarks.catalogue_accuracy [--empty-cache] [-o FILE.csv]

The command is ``actbench accuracy``, of every activation and strategy in float64, by numpy, numba and numba-simd. With
--empty-cache numba compiles every kernel as well. Exit code 1: it takes longer than `LIMIT` with compiled kernels.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 90.0
"""Processor seconds."""

SELECTION = ("-a", "*", "-b", "numpy,numba,numba-simd", "-d", "float64")


def processor_seconds(output: Path, variables: dict[str, str]) -> float:
    """Run the command, and return the processor time of its processes, in user and system mode."""
    command = [sys.executable, "-m", "actbench", "accuracy", *SELECTION, "--format", "csv", "-o", str(output), "-q"]
    subprocess.run(command, check=True, env=os.environ | variables)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--empty-cache", action="store_true", help="let numba compile every kernel")
    parser.add_argument("-o", "--output", type=Path, help="where to keep the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        variables = {"NUMBA_CACHE_DIR": directory} if options.empty_cache else {}
        seconds = processor_seconds(options.output or Path(directory, "accuracy.csv"), variables)
    print(f"actbench accuracy {' '.join(SELECTION)}: {seconds:.1f} s of processor time")
    return int(not options.empty_cache and seconds > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
