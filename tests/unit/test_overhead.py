"""The overhead ladder: what its rungs do, that wrong ones are refused, and how they are shown."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from actbench import backends, registry
from actbench.errors import WrongKernelError
from actbench.kernels.operands import Operand, Operands
from actbench.kernels.overhead import Rung
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import resolve
from actbench.model.cases import RUNGS, KernelId
from actbench.model.names import Dtype
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.resolved import prepare
from tests.support.rungs import LADDERS, NUMPY, every_rung, rung


def as_rung(of: KernelId) -> Rung:
    subject = resolve(of)
    assert isinstance(subject, Rung)
    return subject


def evaluate(kernel_: KernelId, z: Any, dy: Any) -> Evaluation:
    """Answer as a worker does."""
    placement = Placement(Operands(None, z, dy), np.random.default_rng(0))
    with np.errstate(all="ignore"):
        outputs = prepare(kernel_.at(z.size), placement).results()
    return Evaluation(outputs[-1] if outputs else np.empty(0, dtype=kernel_.dtype), None)


# What a rung does


@every_rung
def test_every_rung_does_what_it_says(of: KernelId) -> None:
    check = oracle.check(resolve(of), evaluate)
    assert check.max_ulp <= (2.0 if of.strategy == "arithmetic" else 0.0)
    assert not check.weaknesses


@pytest.mark.parametrize("name", ["python", "numpy", "numba"])
def test_a_backend_says_of_every_rung_what_it_is_or_why_there_is_none(name: str) -> None:
    assert list(registry.backends()[name].ladder) == list(RUNGS)


@pytest.mark.parametrize("backend", LADDERS, ids=lambda backend: backend.name)
def test_an_empty_call_takes_nothing(backend: backends.Backend) -> None:
    assert as_rung(rung("empty", backend.name)).parameters == ()


@every_rung
def test_a_rung_is_called_with_the_block_s_own_arrays(of: KernelId) -> None:
    placement = Placement(Operands.drawn(None, of.dtype, 100, seed=1), np.random.default_rng(0))
    invocation = prepare(of.at(100), placement)
    copied, read = placement.output(0), placement.operand(registry.backend("numpy"), Operand.of("", "z"))
    for name, array in zip(as_rung(of).parameters, invocation.arguments, strict=True):
        if isinstance(array, np.ndarray):
            assert np.shares_memory(array, copied if name.startswith("out") else read)
            assert array.size == (1 if name.endswith("0") else 100)
        else:
            assert array == read.tolist()


@pytest.mark.parametrize("rung_", ["allocation", "loop", "arithmetic"])
def test_a_result_that_numpy_allocates_starts_in_the_phase_that_is_asked_for(rung_: str) -> None:
    placement = Placement(Operands.drawn(None, Dtype.FLOAT64, 1000, seed=1), np.random.default_rng(0))
    invocation = prepare(rung(rung_).at(1000), placement)
    placement.warm(invocation.result_address, 2)
    assert invocation.result_address() is not None


def test_the_two_highest_rungs_are_executed_as_formulas_are_in_numba() -> None:
    function: Any = resolve(rung("loop", "numba")).bound.function
    code = inspect.getsource(function.py_func)
    assert "formula(residual[i])" in code


def test_a_subclass_inherits_the_ladder_of_its_backend() -> None:
    numpy = type(registry.backends()["numpy"])

    class Quieter(numpy):  # type: ignore[misc, valid-type]
        """Another numpy."""

    assert Quieter.ladder is numpy.ladder


# What is refused

Spoil = Callable[..., Any]


def spoilt(monkeypatch: pytest.MonkeyPatch, name: str, function: Spoil) -> KernelId:
    """Put a function in the place of a rung of numpy."""
    numpy = type(registry.backends()["numpy"])
    monkeypatch.setattr(numpy, "ladder", {**numpy.ladder, name: function})
    monkeypatch.setattr(registry, "_CURRENT", [replace(registry.current())])
    return rung(name)


def working(out: Any, y: Any) -> None:
    np.copyto(out, y)


def idle(out: Any, y: Any) -> None:
    del out, y


def forgetful(y: Any) -> None:
    del y


@pytest.mark.parametrize(
    ("name", "function", "said"),
    [
        ("empty", lambda y: y, "numbers where it should do nothing"),
        ("dispatch", working, "numbers where it should do no work"),
        ("allocation", lambda y: np.empty(y.size + 1), r"it gives float64 of shape \(\d+,\) for float64 of shape"),
        ("allocation", lambda y: np.empty(y.size, np.float32), "it gives float32 of shape"),
        ("allocation", forgetful, r"it gives float64 of shape \(0,\)"),
        ("loop", lambda y: y + 0.0, r"at y = -?0 it gives 0 \(inf ULP; 0 are allowed\)"),
        ("loop", lambda y: np.where(y == 1.0, 1.5, y), r"at y = 1 it gives 1.5 \(inf ULP; 0 are allowed\)"),
        ("loop", idle, r"it gives nan \(inf ULP"),
        ("arithmetic", lambda y: np.where(y == 0.5, 0.2501, y * (1.0 - y)), "at y = 0.5 it gives 0.2501 "),
        ("arithmetic", lambda y: y * (1.0 + y), "ULP; 2 are allowed"),
    ],
)
def test_a_rung_that_does_something_else_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, function: Spoil, said: str
) -> None:
    of = spoilt(monkeypatch, name, function)
    with pytest.raises(WrongKernelError, match=rf"^overhead/{name}/numpy/derivative/float64 is wrong: .*{said}"):
        oracle.check(resolve(of), evaluate)


def test_a_wrong_rung_is_left_out(actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt(monkeypatch, "loop", lambda y: y * 1.5)
    timed: set[str] = set()
    bench.on_time = lambda block: timed.update(case.strategy for case in block.cases)
    result = actbench("run", *NUMPY, "-o", "here")
    assert result.exit_code == 4
    assert ": overhead/loop/numpy/derivative/float64 is wrong: at y = " in result.stderr
    assert timed == {*RUNGS} - {"loop"}


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("overhead/lop/numpy/derivative/float64/16", "unknown rung 'lop': did you mean 'loop'?"),
        ("overhead/cached/numpy/derivative/float64/16", "unknown rung 'cached'"),
        ("overhead/allocation/numba/derivative/float64/16", "compiled loops write into a preallocated result"),
        ("overhead/loop/numpy/step/float64/16", "the overhead ladder is the same for every op"),
        ("overhead/loop/python/derivative/float32/16", "python computes in float64 only"),
        ("logistic/loop/numpy/derivative/float64/16", "unknown strategy of logistic 'loop'"),
    ],
)
def test_a_rung_that_does_not_exist_is_refused_in_one_line(actbench: Actbench, case: str, said: str) -> None:
    result = actbench("show", case)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
