"""Kernels of the user's in anything, called by real workers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from actbench import plugins
from actbench.cli import main
from tests.support.selections import rows

C = """\
#include <math.h>

void backward(long n, const double *dy, const double *z, double *out) {
    for (long i = 0; i < n; i++)
        out[i] = dy[i] * (0.5 * erfc(-z[i] * M_SQRT1_2) + z[i] * 0.3989422804014327 * exp(-0.5 * z[i] * z[i]));
}
"""

MINE = """\
import ctypes
import math
import numba
import numpy as np
from actbench import Strategy, kernel, strategy
from numpy.ctypeslib import ndpointer
from scipy.special import erfc

R, C = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)
library = ctypes.CDLL({library!r})
library.backward.argtypes = ctypes.c_long, *[ndpointer(np.float64, 1, flags="C")] * 3
library.backward.restype = None

@kernel("gelu", "by-numpy")
def by_numpy(dy, z):
    return dy * (0.5 * erfc(-z * R) + z * C * np.exp(-0.5 * z * z))

@kernel("gelu", "by-numba")
@numba.njit
def by_numba(dy, z, out):
    for i in range(z.size):
        out[i] = dy[i] * (0.5 * math.erfc(-z[i] * R) + z[i] * C * math.exp(-0.5 * z[i] * z[i]))

@kernel("gelu", "by-c")
def by_c(dy, z, out):
    library.backward(z.size, dy, z, out)

exponential = ctypes.CDLL(None).exp
exponential.argtypes, exponential.restype = (ctypes.c_double,), ctypes.c_double

@strategy("logistic")
def by_libm(m):
    def derivative(z):
        e = exponential(-abs(z))
        return e / (1.0 + e * (2.0 + e))
    return Strategy(derivative, backends=("numba", "python"))
"""

IN_TORCH = """
import torch

@kernel("gelu", "by-torch", backends=("torch",))
class Gelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return 0.5 * z * torch.erfc(-z * R)

    @staticmethod
    def backward(ctx, dy):
        (z,) = ctx.saved_tensors
        return dy * (0.5 * torch.erfc(-z * R) + z * C * torch.exp(-0.5 * z * z))
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Compile the library and write the file, in an empty directory."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no compiler of C")
    monkeypatch.chdir(tmp_path)
    Path("mine.c").write_text(C)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", "mine.so", "mine.c", "-lm"], check=True)
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(library=str(tmp_path / "mine.so")) + (IN_TORCH if find_spec("torch") else ""))
    return path


def run(*arguments: str) -> str:
    """Run a command with real workers; return what it said."""
    try:
        result = CliRunner().invoke(main, [*arguments])
    finally:
        plugins.unload()
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.exhaustive
def test_kernels_in_anything_are_measured_in_one_run_beside_the_built_in_ones(mine: Path) -> None:
    """Each on what it supports; the rest is left out with its reason."""
    torch = bool(find_spec("torch"))
    strategies = ("recompute", "by-numpy", "by-numba", "by-c", "by-libm", *(("by-torch",) if torch else ()))
    selected = ("-a", "gelu,logistic", "-s", ",".join(strategies), "-b", f"numpy,numba{',torch' if torch else ''}")
    few = ("-d", "float64", "-n", "100", "--rounds", "1", "--op", "backward", "-o", "here")
    said = run("run", "--load", str(mine), *selected, *few)
    measured = {(row["strategy"], row["backend"]) for row in rows(Path("here/cases.csv"))}
    assert {("recompute", "numpy"), ("recompute", "numba")} <= measured
    arrays = {"by-numpy": "numpy", "by-numba": "numpy", "by-c": "numpy", "by-libm": "numba"}
    arrays |= {"by-torch": "torch"} if torch else {}
    assert {case for case in measured if case[0].startswith("by-")} == {*arrays.items()}
    assert "'by-c' takes arrays of numpy only (backends=)" in said
    assert "strategy 'by-libm' of logistic is limited to the backends numba, python" in said


@pytest.mark.exhaustive
def test_both_sides_of_a_check_load_the_kernels(mine: Path) -> None:
    selected = ("-a", "gelu", "-s", "by-c", "-b", "numpy", "-d", "float64", "-n", "100", "--op", "backward")
    against = ("--against", sys.executable, "--budget", "1s", "--margin", "99")
    result = CliRunner().invoke(main, ["check", *against, "--load", str(mine), *selected])
    plugins.unload()
    assert "gelu/by-c/numpy/backward/float64/100" in result.stdout, result.output
