"""`actbench.measure`, with exact times."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import actbench
from actbench import Formulas
from actbench.api import measuring, surveying
from actbench.api.opened import MeasuredRun
from actbench.errors import BenchmarkError, InputError, OptionsError, WrongKernelError
from actbench.model.cases import Block
from tests.conftest import Actbench
from tests.support.fake import FakeBench, crash
from tests.support.selections import SMALL, SPEEDUPS, names, record

FACTOR = 2.0


def doubled(m: Any, z: Any) -> Any:
    return FACTOR * m.tanh(z)


@actbench.activation
def twice_tanh(m: Any) -> Formulas:
    """2 tanh(z)."""

    def forward(z: Any) -> Any:
        return doubled(m, z)

    def recompute(z: Any) -> Any:
        s = 1.0 / m.cosh(z)
        return FACTOR * s * s

    return Formulas(forward=forward, range=(-2.0, 2.0), recompute=recompute)


@actbench.activation
def wrong(m: Any) -> Formulas:
    """3 z, whose derivative is not 2."""
    del m

    def forward(z: Any) -> Any:
        return 3.0 * z

    def recompute(z: Any) -> Any:
        return 2.0 + 0.0 * z

    return Formulas(forward=forward, recompute=recompute)


@pytest.fixture(autouse=True)
def exact_times(actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    del actbench  # it has made an empty directory the current one
    for module in (measuring, surveying):
        monkeypatch.setattr(module, "Seams", lambda: bench.seams)


def measure(**options: object) -> MeasuredRun:
    """Measure one block of two arms, unless the options say otherwise."""
    small: dict[str, object] = {
        "activations": "logistic",
        "backends": "numpy",
        "strategies": "recompute,cached",
        "sizes": 1000,
        "dtypes": "float64",
        "seed": 1,
        "rounds": 6,
    }
    run: MeasuredRun = actbench.measure(**(small | options))  # type: ignore[arg-type]
    return run


def test_it_measures_what_the_command_line_measures(actbench: Actbench) -> None:
    run = measure(output="there")
    assert actbench("run", *SMALL, "--rounds", "6", "-o", "here").exit_code == 0
    for name in ("values.csv", "speedups.csv"):
        assert Path("there", name).read_text() == Path("here", name).read_text()
    assert (Path("there", "speedups.csv").read_text(), run.status) == (SPEEDUPS, "complete")


def test_a_run_without_an_output_is_the_latest() -> None:
    run = measure()
    assert run.path.parent == Path("results")
    assert actbench.open_run().speedups.equals(run.speedups)


@pytest.mark.parametrize("sizes", ["1k,2k", [1000, 2e3], ["1000", (2, 1000)], (1000,), [1000, 2000]])
def test_sizes_are_numbers_texts_or_shapes(sizes: object) -> None:
    run = measure(sizes=sizes, rounds=1)
    assert {*run.cases["size"]} == ({1000} if sizes == (1000,) else {1000, 2000})


def test_a_budget_is_seconds_or_a_text(bench: FakeBench) -> None:
    measure(rounds=None, budget="2m", target=50, output="one")
    first = bench.clock.now
    measure(rounds=None, budget=120, target="50%", output="two")
    assert [record(Path(name))["settings"]["budget"] for name in ("one", "two")] == [120.0, 120.0]
    assert [record(Path(name))["settings"]["target"] for name in ("one", "two")] == [0.5, 0.5]
    assert bench.clock.now == pytest.approx(2 * first)


def test_a_function_of_a_notebook_is_measured_from_its_source_which_the_run_keeps() -> None:
    run = measure(activations=[twice_tanh, "logistic"], strategies="recompute", rounds=1, output="mine")
    assert {*run.cases["activation"]} == {"twice-tanh", "logistic"}
    source = Path("mine/loaded.py").read_text()
    assert "FACTOR = 2.0\n" in source
    assert source.index("def doubled") < source.index("def twice_tanh")
    assert len(actbench.measure(resume="mine", rounds=2).values) == 2 * len(run.values)


def test_a_wrong_function_is_refused_with_a_z_and_leaves_nothing_loaded() -> None:
    with pytest.raises(WrongKernelError, match="wrong/recompute/numpy/derivative/float64 is wrong: at z = "):
        measure(activations=[wrong], strategies="recompute")
    with pytest.raises(InputError, match="unknown activation 'wrong'"):
        measure(activations="wrong")


def test_the_directory_of_a_refused_run_may_be_used_again() -> None:
    with pytest.raises(WrongKernelError):
        measure(activations=[wrong], strategies="recompute", output="mine")
    assert measure(activations=[twice_tanh], strategies="recompute", rounds=1, output="mine").status == "complete"
    assert "def twice_tanh" in Path("mine/loaded.py").read_text()


def test_an_interrupt_keeps_what_is_finished_and_says_how_to_go_on(bench: FakeBench) -> None:
    def interrupt(_: Block) -> None:
        if bench.workers_started > 5:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    with pytest.raises(KeyboardInterrupt, match=r"actbench\.open_run\('part'\) opens it, and .*resume='part'"):
        measure(output="part")
    assert actbench.open_run("part").status == "interrupted"
    bench.on_time = lambda _: None
    assert actbench.measure(resume="part").status == "complete"


def test_a_benchmark_that_fails_is_an_error_and_the_others_are_in_the_run(bench: FakeBench) -> None:
    bench.on_time = lambda block: crash("lost") if block.size == 2000 else None
    message = r"failed: logistic/.*/2000 .*\(.*lost.*\).*: actbench\.open_run\('half'\) opens it"
    with pytest.raises(BenchmarkError, match=message):
        measure(sizes=[1000, 2000], output="half")
    assert {*actbench.open_run("half").cases["size"]} == {1000}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activations": "nope"}, "unknown activation 'nope'"),
        ({"activations": [len]}, "'len' is no activation: name one, or declare a function"),
        ({"activations": ["logistic", ""]}, "'' is no name"),
        ({"activations": 3}, "'3' is no activation"),
        ({"backends": "zz*"}, "no backend matches 'zz*'"),
        ({"sizes": 0}, "'0' is not a size"),
        ({"sizes": 1.5}, "'1.5' is not a size"),
        ({"sizes": [True]}, "'True' is not a size"),
        ({"sizes": float("inf")}, "'inf' is not a size"),
        ({"budget": "soon"}, "'soon' is not a time"),
        ({"budget": -1}, "'-1' is not a time"),
        ({"target": 0}, "'0' is not a percentage"),
        ({"rounds": 0}, "rounds=0: write a whole number from 1 to 1000000"),
        ({"rounds": 1.5}, "rounds=1.5: write a whole number"),
        ({"seed": -1}, "seed=-1: write a whole number from 0"),
        ({"threads": 0}, "threads=0: write a whole number from 1"),
        ({"affinity": "all"}, "affinity='all': write a whole number from 0"),
        ({"dtypes": 64}, "64 is no name"),
        ({"sizes": None}, "'None' is not a size"),
        ({"strategies": "cached:int8"}, "unknown residual dtype of cached 'int8'"),
        ({"load": Path("nowhere.py")}, "--load nowhere.py: there is no such file"),
        ({"preset": 3}, "unknown preset '3'"),
        ({"preset": "larg"}, "unknown preset 'larg'"),
        ({"inputs": "nowhere.npy"}, "nowhere.npy"),
        ({"load": "nowhere.py"}, "--load nowhere.py: there is no such file"),
        ({"resume": "nowhere"}, "nowhere is not a run"),
    ],
)
def test_what_cannot_be_used_is_an_error_with_the_sentence_of_the_command_line(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        measure(**options)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert names(Path()) <= {"results"}


def test_functions_and_a_directory_are_no_part_of_going_on() -> None:
    with pytest.raises(OptionsError, match="leave output= and functions out"):
        measure(resume="there", activations=[twice_tanh])
    with pytest.raises(OptionsError, match="leave output= and functions out"):
        measure(resume="there", output="here")


def test_a_directory_with_a_run_is_not_written_over() -> None:
    measure(activations=[twice_tanh], strategies="recompute", rounds=1, output="mine")
    before = {path.name: path.read_bytes() for path in Path("mine").iterdir()}
    for activations in ([twice_tanh], ["logistic"]):
        with pytest.raises(InputError, match="mine"):
            measure(activations=activations, output="mine")
    assert {path.name: path.read_bytes() for path in Path("mine").iterdir()} == before


def test_a_budget_too_short_for_intervals_is_a_warning() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        measure(rounds=None, budget=1e-3 * 500, output="short", sizes=4_000_000)
    assert any("budget" in str(warning.message) for warning in caught)
    assert {Path(warning.filename).name for warning in caught} == {"test_python_measure.py"}


def test_accuracy_is_a_frame_with_a_row_per_part_of_the_real_line() -> None:
    frame = actbench.accuracy("tanh", backends="numpy", dtypes="float32", strategies="cached", points=10)
    assert {*frame["part"]} == {"normal", "left", "right"}
    assert frame["max_ulp"].max() > 1e6
    assert (frame["median_ulp"] <= frame["max_ulp"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"of": "g"}, "unknown quantity 'g'"),
        ({"residuals": "rounded"}, "unknown kind of residuals 'rounded'"),
        ({"points": 1}, "points=1: write a whole number from 10 to 100000"),
        ({"activations": "overhead"}, "'overhead' has no derivative"),
        ({"strategies": "empty"}, "'empty' is a rung"),
    ],
)
def test_a_survey_of_what_does_not_exist_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        actbench.accuracy(**options)  # type: ignore[arg-type]
