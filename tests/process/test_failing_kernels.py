"""Kernels of one's own that hang, crash or lack a library, in real workers: the others are measured as without them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from actbench.cli.main import main
from tests.support.selections import record, rows
from tests.support.tiers import exhaustive_but

KERNELS = """
import ctypes
import os
import resource
import signal

import numpy as np

from actbench import kernel


def slope(z):
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


@kernel("logistic", "honest", op="derivative")
def honest(z):
    return slope(z)


@kernel("logistic", "hanging", op="derivative")
def hanging(z):
    while True:
        pass


@kernel("logistic", "crashing", op="derivative")
def crashing(z):
    ctypes.string_at(0)


@kernel("logistic", "aborting", op="derivative")
def aborting(z):
    os.abort()


@kernel("logistic", "lacking", op="derivative")
def lacking(z):
    import a_library_that_is_not_there

    return slope(z)


@kernel("logistic", "limiting", op="derivative")
def limiting(z):
    resource.setrlimit(resource.RLIMIT_AS, (1 << 33, resource.RLIM_INFINITY))
    return slope(z)


@kernel("logistic", "stopping", op="derivative")
def stopping(z):
    os.kill(os.getpid(), signal.SIGSTOP)
    return slope(z)


@kernel("logistic", "writing", op="derivative")
def writing(z):
    if z.size == 2000:
        place = (ctypes.c_double * z.size).from_address(z.ctypes.data)
        np.frombuffer(place)[:] = -np.abs(z)
    return slope(z)


@kernel("logistic", "late", op="derivative")
def late(z):
    if z.size == 2000:
        os.abort()
    return slope(z)
"""

REASONS = {
    "hanging": "took longer than the 1 s that a case may take (--timeout allows more), with logistic/hanging/",
    "crashing": "the worker was killed by SIGSEGV",
    "aborting": "the worker was killed by SIGABRT",
    "lacking": "it needs a_library_that_is_not_there, which is not installed",
    "limiting": "it changes RLIMIT_AS, a limit of the process that all kernels share",
    "stopping": "took longer than the 1 s that a case may take (--timeout allows more), with logistic/stopping/",
    "writing": "logistic/writing/numpy/derivative/float64 is wrong: a kernel of this block changes the operand z",
    "late": "cannot be timed: the worker was killed by SIGABRT",
}

QUICKLY = "crashing,late"
"""One that ends its process, and one that is noticed where it is timed; test_real_worker.py has one that hangs."""


COMPILED = """
import os

import torch

from actbench import kernel


def slope(z):
    e = torch.exp(-z.abs())
    return e / (1 + e) ** 2


def endless(z):
    while True:
        z = z + 1.0


def aborting(graph, inputs):
    os.abort()


def raising(graph, inputs):
    raise RuntimeError("no such instruction")


def compiled(name, function, **options):
    declared = kernel("logistic", name, op="derivative", backends=("torch-compile",))
    return declared(torch.compile(function, dynamic=False, **options))


honest = compiled("honest", slope)
never = compiled("never-compiled", endless)
crashing = compiled("crashing-compiler", slope, backend=aborting)
refused = compiled("refused-by-compiler", slope, backend=raising)
"""

COMPILER_REASONS = {
    "never-compiled": "took longer than the 15 s that a case may take (--timeout allows more), with logistic/never-co",
    "crashing-compiler": "the worker was killed by SIGABRT",
    "refused-by-compiler": "backend='raising' raised: RuntimeError: no such instruction",
}


@pytest.mark.exhaustive
@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_kernel_that_torch_compiles_for_ever_or_not_at_all_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(COMPILED)
    options = ("-a", "logistic", "-s", f"recompute,honest,{','.join(COMPILER_REASONS)}", "-b", "torch-compile")
    sizes = ("-d", "float64", "-n", "1000", "--op", "derivative", "--rounds", "1", "--timeout", "15s", "-o", "here")
    result = CliRunner().invoke(main, ["run", "--load", "mine.py", *options, *sizes])
    assert result.exit_code == 4, result.output
    left_out = {item["case"].split("/")[1]: item["reason"] for item in record(Path("here"))["plan"]["left_out"]}
    assert left_out.keys() == COMPILER_REASONS.keys()
    assert all(reason in left_out[strategy] for strategy, reason in COMPILER_REASONS.items()), left_out
    assert {"recompute", "honest"} <= {row["strategy"] for row in rows(Path("here/cases.csv"))}


@pytest.mark.parametrize(
    "failing",
    exhaustive_but([QUICKLY, ",".join(REASONS)], QUICKLY.__eq__),
)
def test_the_others_are_measured_as_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(KERNELS)
    options = ("-a", "logistic", "-s", f"recompute,honest,{failing}", "-b", "numpy", "-d", "float64")
    sizes = ("-n", "1000,2000", "--op", "derivative", "--rounds", "1", "--timeout", "1s", "-o", "here")
    result = CliRunner().invoke(main, ["run", "--load", "mine.py", *options, *sizes])
    assert result.exit_code == 4, result.output
    left_out = record(Path("here"))["plan"]["left_out"]
    for strategy in failing.split(","):
        reason = REASONS[strategy]
        of_strategy = [item for item in left_out if f"/{strategy}/" in item["case"]]
        assert len(of_strategy) == (1 if strategy == "late" else 2), (strategy, left_out)
        assert all(reason in item["reason"] for item in of_strategy), of_strategy
        assert all(item["failed"] == (strategy != "lacking") for item in of_strategy)
    measured = [(row["strategy"], row["size"]) for row in rows(Path("here/cases.csv"))]
    expected = {("recompute", "1000"), ("honest", "1000"), ("late", "1000"), ("recompute", "2000"), ("honest", "2000")}
    assert {pair for pair in measured if pair[0] != "yardstick"} == expected
    assert record(Path("here"))["failures"] == []
