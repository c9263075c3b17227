"""The overhead ladder: what its rungs do, that wrong ones are refused, and how they are shown."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench import backends
from actbench.analysis.ladder import steps
from actbench.errors import InputError, WrongKernelError
from actbench.formula import Rule
from actbench.kernels import kernel, overhead
from actbench.kernels.kernel import Operands, Placement
from actbench.model.cases import OVERHEAD, RUNGS, Arm, Block, Kernel
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.planning import costs, presets, suite
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.conftest import Actbench
from tests.support.fake import FakeBench, exact_seconds
from tests.support.selections import UNPROBED, names, record, rows

USABLE = [backend for backend in backends.catalogue().values() if not backend.unavailable]
LADDERS = [backend for backend in USABLE if backend.ladder]
EVERY = [
    Kernel(OVERHEAD, rung, backend.name, Op.DERIVATIVE, dtype)
    for backend in LADDERS
    for rung, step in backend.ladder.items()
    if not isinstance(step, str)
    for dtype in backend.dtypes
]
NUMPY = ("--preset", "overhead", "-b", "numpy", "-d", "float64", "-n", "16", "--seed", "1")


def evaluate(kernel_: Kernel, z: Any, dy: Any) -> Evaluation:
    """Answer as a worker does."""
    placement = Placement(Operands(OVERHEAD, z, dy), np.random.default_rng(0))
    with np.errstate(all="ignore"):
        found = kernel.prepare(kernel_.at(z.size), placement).results()
    return Evaluation(found[-1] if found else np.empty(0, dtype=kernel_.dtype), None)


def rung(name: str, backend: str = "numpy") -> Kernel:
    return Kernel(OVERHEAD, name, backend, Op.DERIVATIVE, Dtype.FLOAT64)


# What a rung does


@pytest.mark.parametrize("of", EVERY, ids=lambda of: of.id)
def test_every_rung_does_what_it_says(of: Kernel) -> None:
    found = oracle.check(of, evaluate)
    assert found.max_ulp <= (2.0 if of.strategy == "arithmetic" else 0.0)
    assert not found.weaknesses


@pytest.mark.parametrize("name", ["python", "numpy", "numba"])
def test_a_backend_says_of_every_rung_what_it_is_or_why_there_is_none(name: str) -> None:
    assert list(backends.catalogue()[name].ladder) == list(RUNGS)


@pytest.mark.parametrize("backend", LADDERS, ids=lambda backend: backend.name)
def test_an_empty_call_takes_nothing(backend: backends.Backend) -> None:
    assert overhead.operands(rung("empty", backend.name)) == ()


@pytest.mark.parametrize("of", EVERY, ids=lambda of: of.id)
def test_a_rung_is_called_with_the_block_s_own_arrays(of: Kernel) -> None:
    placement = Placement(Operands.drawn(OVERHEAD, of.dtype, 100, seed=1), np.random.default_rng(0))
    invocation = kernel.prepare(of.at(100), placement)
    copied, read = placement.output(0), placement.operand(backends.get("numpy"), "", "z")
    for name, array in zip(overhead.operands(of), invocation.arguments, strict=True):
        if isinstance(array, np.ndarray):
            assert np.shares_memory(array, copied if name.startswith("out") else read)
            assert array.size == (1 if name.endswith("0") else 100)
        else:
            assert array == read.tolist()


@pytest.mark.parametrize("rung_", ["allocation", "loop", "arithmetic"])
def test_a_result_that_numpy_allocates_starts_in_the_phase_that_is_asked_for(rung_: str) -> None:
    placement = Placement(Operands.drawn(OVERHEAD, Dtype.FLOAT64, 1000, seed=1), np.random.default_rng(0))
    invocation = kernel.prepare(rung(rung_).at(1000), placement)
    placement.warm(invocation, 2)
    assert invocation.result_address() is not None


def test_the_two_highest_rungs_are_executed_as_formulas_are_in_numba() -> None:
    function: Any = kernel.bind(rung("loop", "numba")).function
    code = inspect.getsource(function.py_func)
    assert "formula(kept[i])" in code


def test_a_subclass_inherits_the_ladder_of_its_backend() -> None:
    numpy = type(backends.catalogue()["numpy"])

    class Quieter(numpy):  # type: ignore[misc, valid-type]
        """Another numpy."""

    assert Quieter.ladder is numpy.ladder


# What is refused


Spoil = Callable[..., Any]


def spoilt(monkeypatch: pytest.MonkeyPatch, name: str, function: Spoil) -> Kernel:
    """Put a function in the place of a rung of numpy."""
    numpy = type(backends.catalogue()["numpy"])
    monkeypatch.setattr(numpy, "ladder", {**numpy.ladder, name: function})
    monkeypatch.setattr("actbench.kernels.kernel.bind", kernel.bind.__wrapped__)
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
        oracle.check(of, evaluate)


def test_a_wrong_rung_ends_the_run_before_anything_is_timed(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt(monkeypatch, "loop", lambda y: y * 1.5)
    timed: list[Block] = []
    bench.on_time = timed.append
    result = actbench("run", *NUMPY, "-o", "here")
    assert result.exit_code == 4
    assert "actbench: overhead/loop/numpy/derivative/float64 is wrong: at y = " in result.stderr
    assert not timed
    assert record(Path("here"))["status"] == "refused"


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("overhead/lop/numpy/derivative/float64/16", "unknown rung 'lop': did you mean 'loop'?"),
        ("overhead/cached/numpy/derivative/float64/16", "unknown rung 'cached'"),
        ("overhead/allocation/numba/derivative/float64/16", "compiled loops write into a result made beforehand"),
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


# The plan


def planned(pattern: str = "*", **changes: Any) -> Plan:
    axes = presets.get("overhead").axes
    return suite.plan(replace(axes, **changes), pattern=pattern, seed=1, memory=1 << 40)


def test_the_preset_has_every_rung_of_the_plain_backends_and_of_threads() -> None:
    measured = {"python", "numpy", "numba", "numba-parallel"}
    assert {case.kernel for case in planned().cases} == {each for each in EVERY if each.backend in measured}


def test_a_rung_that_a_backend_lacks_is_left_out_with_its_reason() -> None:
    (left,) = planned(backends=("numba",), dtypes=(Dtype.FLOAT64,), sizes=(16,)).left_out
    assert left.case == "overhead/allocation/numba/derivative/float64/16"
    assert left.reason == "compiled loops write into a result made beforehand"


def test_a_backend_without_a_ladder_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(backends.catalogue()["numpy"]), "ladder", {})
    plan = planned(backends=("numpy", "numba"))
    assert {case.backend for case in plan.cases} == {"numba"}
    assert {left.reason for left in plan.left_out if "/numpy/" in left.case} == {"numpy has no overhead ladder"}


def test_other_ops_leave_nothing_with_the_reason() -> None:
    with pytest.raises(InputError, match="the overhead ladder is the same for every op"):
        planned(ops=(Op.STEP,))


def test_rungs_and_derivatives_are_never_in_one_block() -> None:
    plan = planned(activations=("logistic", OVERHEAD), strategies=("cached", "loop"), backends=("numpy",))
    assert all(len({case.is_rung for case in block.cases}) == 1 for block in plan.blocks)
    assert {case.strategy for case in plan.cases if case.is_rung} == {"loop"}
    assert {case.strategy for case in plan.cases if not case.is_rung} == {"cached"}


def test_no_other_preset_has_a_rung() -> None:
    for name, preset in presets.catalogue().items():
        assert (OVERHEAD in preset.axes.activations) == (name == OVERHEAD)


def test_a_rung_keeps_nothing_and_moves_what_it_passes_over() -> None:
    moved = {name: costs.bytes_moved(rung(name).at(1000)) for name in RUNGS}
    assert moved == {"empty": 0, "dispatch": 0, "allocation": 0, "loop": 16_000, "arithmetic": 16_000}
    assert all(costs.residual_bytes(rung(name).at(1000)) == 0 for name in RUNGS)


# A run


TABLE = """
Overhead ladder: float64
Nanoseconds per call, and in brackets what a rung adds over the one before it, by pairs and not by columns: ≈ 0 where \
the interval holds 0, nothing where there\u0020
is none.
backend    n        empty                    dispatch              allocation            loop           arithmetic
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
numpy     16   30.0 ± 0.0   100.0 ± 0.0 (+70.0 ± 0.0)   150 ± 0 (+50.0 ± 0.0)   150 ± 0 (≈ 0)   400 ± 0 (+250 ± 0)
"""


def test_exact_times_give_an_exact_ladder_and_no_other_table(actbench: Actbench) -> None:
    result = actbench("run", *NUMPY, "-o", "here")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(TABLE)
    markdown = Path("here/summary.md").read_text()
    assert "### Overhead ladder: float64" in markdown
    assert "| numpy | 16 | 30.0 ± 0.0 | 100.0 ± 0.0 (+70.0 ± 0.0) | 150 ± 0 (+50.0 ± 0.0) | 150 ± 0 (≈ 0) |" in markdown
    assert not [other for other in ("Speedup over", "Time:", "What a strategy costs") if other in markdown]


def test_the_files_have_rungs_like_any_case(actbench: Actbench) -> None:
    assert actbench("run", *NUMPY, "-o", "here").exit_code == 0
    assert names(Path("here")) == UNPROBED
    cases = {row["strategy"]: row for row in rows(Path("here/cases.csv"))}
    assert list(cases) == [*RUNGS, "yardstick"]
    assert {row["residual_bytes_per_element"] for row in cases.values()} == {"0"}
    assert {
        name: row["max_ulp"] for name, row in cases.items() if name not in {"arithmetic", "yardstick"}
    } == dict.fromkeys(RUNGS.keys() - {"arithmetic"}, "0")
    assert 0 < float(cases["arithmetic"]["max_ulp"]) <= 2
    pairs = {
        (row["reference_strategy"], row["candidate_strategy"]): row["ratio"] for row in rows(Path("here/speedups.csv"))
    }
    assert pairs["dispatch", "arithmetic"] == "0.25"


def test_a_rung_is_shown_over_the_one_before_it_that_was_measured(actbench: Actbench) -> None:
    result = actbench("run", *NUMPY, "-s", "empty,loop")
    assert "150 ± 0 (+120 ± 0)" in result.stdout


def test_without_intervals_the_ladder_says_so_and_nothing_of_what_a_rung_adds(actbench: Actbench) -> None:
    line = actbench("run", *NUMPY, "--rounds", "2").stdout.partition("numpy  ")[2].partition("\n")[0]
    assert "100 ?" in line
    assert "(" not in line


def test_a_rung_that_is_cheaper_than_the_one_before_it_adds_less_than_nothing(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = lambda case: exact_seconds(case) * (0.5 if case.strategy == "loop" else 1.0)
    assert "75.0 ± 0.0 (-75.0 ± 0.0)" in actbench("run", *NUMPY).stdout


def test_drift_that_two_rungs_share_is_in_neither_of_their_differences() -> None:
    arms = (Arm("empty", "numpy"), Arm("empty", "numba"), Arm("dispatch", "numpy"))
    block = Block(OVERHEAD, Op.DERIVATIVE, Dtype.FLOAT64, 16, arms)
    drift = [0.0, 5.0, 1.0, 7.0, 3.0, 9.0, 2.0]
    finished = [
        BlockTimes(block, number, ((1 + each, 2 + each), (9.0,), (4 + each, 5 + each), (1.0,)))
        for number, each in enumerate(drift, start=1)
    ]
    lowest, other, dispatch = steps(Times(Plan((block,), seed=1), finished), block)
    assert (lowest.added, other.added) == (None, None)
    assert dispatch.added == pytest.approx((3.0, 3.0, 3.0))
    assert dispatch.seconds.high > dispatch.seconds.low


def test_derivatives_and_rungs_of_one_run_have_tables_of_their_own(actbench: Actbench) -> None:
    result = actbench(
        *("run", "-a", "logistic,overhead", "-s", "recompute,cached,empty,loop", "-b", "numpy", "-n", "16"),
        *("-d", "float64", "-o", "here"),
    )
    assert result.exit_code == 0, result.output
    titles = [line for line in Path("here/summary.md").read_text().splitlines() if line.startswith("### ")]
    assert titles == [
        "### Speedup over recompute: logistic, derivative",
        "### Time: logistic, derivative",
        "### What bounds it: logistic, derivative",
        "### What a strategy costs",
        "### Overhead ladder: float64",
    ]
    assert result.stdout.startswith("logistic, derivative: reusing the cached output is faster")


COMMANDS = [
    ("compare", "here"),
    ("compare", "here", "--by", "backend"),
    ("compare", "here", "--by", "size"),
    ("compare", "here", "there"),
    ("check", "here", "--baseline", "there"),
    ("check", "--against", ".venv", "--preset", "overhead", "-n", "16"),
    ("run", "--resume", "here", "--rounds", "8"),
    ("run", "--preset", "overhead", "--dry-run"),
    ("list", "cases", "--preset", "overhead"),
    ("list", "presets"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_such_a_run(actbench: Actbench, words: tuple[str, ...]) -> None:
    assert (
        actbench(
            "run", "--preset", "overhead", "-b", "numpy,numba", "-n", "16,99", "--seed", "1", "-o", "here"
        ).exit_code
        == 0
    )
    shutil.copytree("here", "there")
    result = actbench(*words)
    assert result.exit_code == 0, result.output


def test_every_export_takes_such_a_run(actbench: Actbench) -> None:
    assert actbench("run", *NUMPY, "-o", "here").exit_code == 0
    for form in ("bmf", "benchstat", "github-action-benchmark"):
        result = actbench("export", "here", "--to", form)
        assert result.exit_code == 0, result.output
        assert "dispatch" in result.stdout


@pytest.mark.parametrize("of", EVERY, ids=lambda of: of.id)
def test_show_prints_the_code_of_a_rung(actbench: Actbench, of: Kernel) -> None:
    shown = actbench("show", of.at(16).id).stdout
    assert shown.startswith(f"{of.at(16).id}\na rung of the overhead ladder: {RUNGS[of.strategy]}\n")
    step = overhead.step(of)
    function = step.derivative if isinstance(step, Rule) else step
    assert f"def {function.__name__}(" in shown
    assert ("\ncompiled\n" in shown) == (of.backend.startswith("numba") and isinstance(step, Rule))


def test_a_ladder_without_a_counterpart_is_not_regrouped_with_arms_of_another_activation() -> None:
    arms = (Arm("loop", "numpy"),)
    block = Block(OVERHEAD, Op.DERIVATIVE, Dtype.FLOAT64, 16, arms)
    assert block.id == "overhead/derivative/float64/16"
    assert [case.id for case in block.timed] == [
        "overhead/loop/numpy/derivative/float64/16",
        "overhead/yardstick/numpy/derivative/float64/16",
    ]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (("-a", "overhead"), "'overhead' has rungs in place of strategies: add -s empty,dispatch"),
        (("-a", "overhead,logistic"), "'overhead' has rungs in place of strategies"),
        (("-s", "loop,cached"), "'loop' is a rung of the overhead ladder: add -a overhead, or use --preset overhead"),
        (("--preset", "overhead", "-a", "logistic"), "'empty' is a rung of the overhead ladder"),
        (("--preset", "overhead", "-a", "overhead,logistic"), "'logistic' has strategies in place of rungs"),
    ],
)
@pytest.mark.parametrize("command", [("run",), ("check", "--against", ".venv")], ids=["run", "check"])
def test_a_part_of_a_selection_does_not_go_without_a_word(
    actbench: Actbench, command: tuple[str, ...], chosen: tuple[str, ...], message: str
) -> None:
    result = actbench(*command, *chosen)
    assert result.exit_code == 2
    assert message in result.stderr
