"""A sample of the tests, for every interpreter and every version of the libraries: ``python -m tests.sample``.

It holds what depends most on them: arithmetic of numpy and in compiled code, rewritten byte code, tables and files,
statistics, workers, and real runs. All tests together run on one interpreter only: ``make test``.
"""

from __future__ import annotations

import faulthandler
import os
import platform
import sys
from importlib.metadata import version

import pytest

SAMPLE = (
    "unit/test_pyperf_suite.py::test_a_lone_pyperf_json_says_the_same_as_its_run",
    "process/test_code_placement.py",
    "unit/test_csv_text.py",
    "unit/test_files.py",
    "unit/test_numba_backend.py::test_integers_and_names_are_left_alone_and_so_is_the_original",
    "unit/test_numba_backend.py::test_literals_are_given_the_kernels_dtype",
    "numerics/test_oracle_truth.py::test_the_truth_at_some_z",
    "process/test_real_worker.py::test_a_real_smoke_run_leaves_all_files",
    "process/test_loading_workers.py::test_stock_pyperf_loads_the_same_and_measures_the_same_plan",
    "unit/test_sequential.py",
    "unit/test_statistics.py",
)
"""Files of tests, or single tests of files that take long."""

HANGING_SECONDS = 600.0
"""After so long, by the clock, a test is taken to hang: the stacks are printed and the process ends with 1."""


def main() -> int:
    """Run the sample and say how much processor time it took; return pytest's exit code."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy", "pandas", "pyperf"))
    print(f"Python {platform.python_version()}, {libraries}", flush=True)
    faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True, file=os.dup(2))  # pytest replaces the stream
    code = int(pytest.main(["-q", "--exitfirst", "-p", "no:cacheprovider", *(f"tests/{name}" for name in SAMPLE)]))
    faulthandler.cancel_dump_traceback_later()
    seconds = sum(os.times()[:4])
    print(f"{seconds:.0f} s of processor time")
    return code


if __name__ == "__main__":
    sys.exit(main())
