"""`actbench.measure`, with exact times."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actbench
from actbench import Formulas
from actbench.api import measuring, surveying
from actbench.api.opened import MeasuredRun
from actbench.errors import BenchmarkError, InputError, OptionsError, WrongKernelError
from actbench.model.cases import Block
from tests.conftest import Actbench
from tests.support.cells import run_cell
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


@pytest.mark.parametrize("sizes", [np.int64(1000), np.array([1000, 1000]), [np.float64(1000)], (np.int32(10), 100)])
def test_numbers_of_numpy_are_numbers(sizes: object) -> None:
    run = measure(sizes=sizes, rounds=np.int64(1), seed=np.int64(1), max_call=np.float32(0.5))
    assert {*run.cases["size"]} == {1000}


FAILING = """
# a comment above it

@actbench.activation
def unfinished(m):
    below = SCALE + SHIFT
    raise ValueError(below)
"""


def test_a_function_that_fails_is_named_with_its_cell_and_its_line_there() -> None:
    names: dict[str, Any] = {"__name__": "__main__", "actbench": actbench}
    run_cell("SCALE = 2.0\nSHIFT = 1.0", names)
    place = run_cell(FAILING, names)
    for measured in (measure, actbench.accuracy):
        with pytest.raises(InputError) as refused:
            measured(activations=[names["unfinished"]], strategies="recompute")
        where = f"'unfinished' ({place}): activation 'unfinished': line 7 of {place}"
        assert str(refused.value) == f"{where} raised ValueError: 3.0: correct that line"


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


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_a_file_in_place_of_the_directory_of_a_function_of_a_notebook_is_refused(output: str) -> None:
    Path("file").write_text("mine")
    with pytest.raises(InputError, match=r"name another (directory )?with output=$"):
        measure(activations=[twice_tanh], strategies="recompute", output=output)
    assert Path("file").read_text() == "mine"


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
        ({"activations": [len]}, "activations: 'len' is no activation: pass a name, or a function of yours"),
        ({"activations": ["logistic", ""]}, "activations=['logistic', '']: pass names"),
        ({"activations": 3}, "activations: 3 is no activation"),
        ({"activations": b"tanh"}, "activations: b'tanh' is no activation"),
        ({"backends": None}, "backends=None: pass names, or one text with commas between them; leave it out"),
        ({"backends": Path("numpy")}, "backends=PosixPath('numpy'): pass names"),
        ({"strategies": [1, 2]}, "strategies=[1, 2]: pass names"),
        ({"ops": np.arange(1000)}, "ops=array([  0,   1,   2"),
        ({"pattern": 5}, "pattern=5: pass a text, such as 'logistic/*'"),
        ({"preset": np.int64(3)}, "preset="),
        ({"inputs": 3.5}, "inputs=3.5: pass a text, such as 'normal:0,3'"),
        ({"load": None}, "load=None: pass the path of a Python file"),
        ({"load": [3]}, "load=[3]: pass the path of a Python file"),
        ({"output": 3}, "output=3: pass a path, as a text or a pathlib.Path"),
        ({"output": ""}, "output='': pass a path"),
        ({"resume": [1]}, "resume=[1]: pass a path"),
        ({"strict": "no"}, "strict='no': pass True or False"),
        ({"inputs": "normal:0"}, "inputs: 'normal:0' cannot be drawn from"),
        ({"sizes": 1e-9}, "sizes: '0.000000001' is not a size"),
        ({"budget": [1]}, "budget=[1]: pass seconds, or a text"),
        ({"target": {}}, "target={}: pass percent"),
        ({"backends": "zz*"}, "no backend matches 'zz*'"),
        ({"sizes": 0}, "'0' is not a size"),
        ({"sizes": 1.5}, "'1.5' is not a size"),
        ({"sizes": [True]}, "sizes=True: pass numbers of elements"),
        ({"sizes": float("inf")}, "'inf' is not a size"),
        ({"sizes": 10**5000}, "'<int>' is not a size"),
        ({"budget": "soon"}, "'soon' is not a time"),
        ({"budget": -1}, "'-1' is not a time"),
        ({"target": 0}, "'0' is not a percentage"),
        ({"rounds": 0}, "rounds=0: pass a whole number from 1 to 1000000"),
        ({"rounds": 1.5}, "rounds=1.5: pass a whole number"),
        ({"seed": -1}, "seed=-1: pass a whole number from 0"),
        ({"threads": 0}, "threads=0: pass a whole number from 1"),
        ({"affinity": "all"}, "affinity='all': pass a whole number from 0"),
        ({"dtypes": 64}, "dtypes=64: pass names"),
        ({"sizes": None}, "sizes=None: pass numbers of elements"),
        ({"strategies": "cached:int8"}, "unknown residual dtype of cached 'int8'"),
        ({"load": Path("nowhere.py")}, "load='nowhere.py': there is no such file"),
        ({"preset": 3}, "preset=3: pass a text"),
        ({"preset": "larg"}, "unknown preset 'larg'"),
        ({"inputs": "nowhere.npy"}, "nowhere.npy"),
        ({"load": "nowhere.py"}, "load='nowhere.py': there is no such file"),
        ({"activations": "overhead", "strategies": "recompute"}, "preset='overhead'"),
        ({"resume": "nowhere"}, "nowhere is not a run"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_names_the_argument_and_a_way_out(
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


@pytest.mark.parametrize("activations", [twice_tanh, [twice_tanh, "twice-tanh"]])
def test_the_accuracy_of_a_function_of_a_notebook_is_surveyed(activations: Any) -> None:
    frame = actbench.accuracy(activations, backends="numpy", dtypes="float32", points=10)
    assert {*frame["activation"]} == {"twice-tanh"}
    assert frame["max_ulp"].max() < 10
    assert names(Path()) == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"of": "g"}, "unknown of 'g'"),
        ({"residuals": "rounded"}, "unknown residuals 'rounded'"),
        ({"points": 1}, "points=1: pass a whole number from 10 to 100000"),
        ({"activations": "overhead"}, "'overhead' has no derivative"),
        ({"strategies": "empty"}, "'empty' is a rung"),
    ],
)
def test_a_survey_of_what_does_not_exist_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        actbench.accuracy(**options)  # type: ignore[arg-type]
