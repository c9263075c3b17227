from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from actbench import plugins, registry
from actbench.backends._compiling import jitted
from actbench.backends.numba_parallel import copying
from actbench.cli import main
from actbench.engine import session, stock
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.live import baseline
from actbench.engine.protocol import PROTOCOL, Evaluate, Prepare, Slice, Source, Sweep, Time
from actbench.errors import BenchmarkError
from actbench.kernels.resolution import resolve
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from tests.support.selections import UNPROBED, names, record, rows
from tests.support.tiers import exhaustive_but

TIMEOUT = 60.0

MINE = """\
from actbench.backends.numpy import Numpy
from actbench.formula import Flaw, Formulas, Strategy, Weakness, activation, strategy
SCALE = 0.5

@activation
def softer(m):
    '''tanh(z / 2)'''
    def half(z):
        return SCALE * z
    def forward(z):
        return m.tanh(half(z))
    def recompute(z):
        e = m.exp(-abs(z))
        d = 1.0 + e
        return 2.0 * e / (d * d)
    def pair(z, y):
        e = m.exp(-abs(z))
        return SCALE * (1.0 + abs(y)) * 2.0 * e / (1.0 + e)
    return Formulas(forward=forward, recompute=recompute, pair=pair)

@strategy("logistic")
def two_terms(m):
    def derivative(y):
        return y * (1.0 - y)
    return Strategy(derivative, weaknesses=(Weakness(Flaw.CANCELS, "1 - y cancels", lambda z, fmt: z > 0),))

class Quiet(Numpy):
    name = "numpy-quiet"
    summary = "numpy, again"
    rank = 11
"""


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the file, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    yield path
    plugins.unload()


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    started = WorkerProcess(WorkerOptions(None, TIMEOUT), here())
    yield started
    started.close()


def run(*arguments: str) -> str:
    """Run a command with real workers; return what it said."""
    result = CliRunner().invoke(main, [*arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("backends", exhaustive_but(["numpy-quiet", "numpy-quiet,numba"], "numpy-quiet".__eq__))
def test_a_loaded_activation_strategy_and_backend_are_measured_by_real_workers(backends: str) -> None:
    selection = ("-a", "softer,logistic", "-s", "recompute,two-terms,pair", "-b", backends)
    few = ("-d", "float64", "-n", "100", "--rounds", "1", "-q", "-o", "here")
    run("run", "--load", "mine.py", *selection, *few)
    measured = {(row["activation"], row["strategy"], row["backend"]) for row in rows(Path("here/cases.csv"))}
    for backend in backends.split(","):
        assert {("softer", "pair", backend), ("logistic", "two-terms", backend)} <= measured
    assert record(Path("here"))["loaded"][0]["name"] == "mine.py"


def test_stock_pyperf_loads_the_same_and_measures_the_same_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes take few values, and those quickly: by default they measure for a second each."""
    run_pyperf, few = stock._run, ("--values", "1", "--warmups", "1", "--min-time", "0.001")
    monkeypatch.setattr(stock, "_run", lambda command, variables: run_pyperf([*command, *few], variables))
    selection = ("-a", "softer", "-s", "pair", "-b", "numpy", "-d", "float64", "-n", "10")
    run("run", "--load", "mine.py", *selection, "--engine", "pyperf", "--rounds", "1", "-q", "-o", "here")
    assert names(Path("here")) == UNPROBED
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {"1"}
    assert {row["strategy"] for row in rows(Path("here/cases.csv"))} == {"pair", "yardstick"}
    assert {row["activation"] for row in rows(Path("here/cases.csv"))} == {"softer"}
    assert "softer" in Path("here/summary.md").read_text()


@pytest.mark.exhaustive
def test_a_check_loads_the_same_on_both_sides() -> None:
    selection = ("-a", "softer", "-s", "recompute", "-b", "numpy", "-d", "float64", "-n", "1000")
    arguments = ["check", "--against", sys.executable, "--load", "mine.py", *selection, "--budget", "100ms", "-q"]
    result = CliRunner().invoke(main, [*arguments, "--format", "json", "-o", "kept"])
    assert result.exit_code in {0, 3}, result.output
    assert "softer/recompute/numpy/derivative/float64/1000" in json.dumps(json.loads(result.stdout))
    for side in ("baseline", "candidate", "control"):
        assert record(Path("kept", side))["loaded"][0]["name"] == "mine.py"


def test_a_baseline_that_cannot_load_the_same_is_not_comparable(mine: Path) -> None:
    mine.write_text(MINE + "\nimport sys\nif 'click' not in sys.modules: raise ValueError('no click')\n")
    result = CliRunner().invoke(main, ["check", "--against", sys.executable, "--load", "mine.py", "-a", "softer", "-q"])
    assert result.exit_code == 5
    assert "what is loaded here cannot be loaded there: in the baseline, --load mine.py" in result.stderr
    assert "raised ValueError: no click: correct that line" in result.stderr


def test_a_worker_prepares_and_times_what_it_was_told_to_load(worker: WorkerProcess) -> None:
    loaded = plugins.load("mine.py")
    worker.load([Source(loaded.name, loaded.sha256)])
    arms = (Arm(Variant("pair"), "numba-simd"), Arm(Variant("pair"), "numpy-quiet"))
    worker.ask(Prepare.of(Block("softer", Op.STEP, Dtype.FLOAT32, 100, arms), Plan((), seed=1)))
    ((*seconds,),) = worker.ask(Time((Sweep(2, (Slice(0, 2), Slice(1, 2))),))).seconds
    assert all(value > 0 for value in seconds)


def test_a_worker_refuses_a_file_that_has_changed(mine: Path, worker: WorkerProcess) -> None:
    loaded = plugins.load("mine.py")
    mine.write_text(MINE + "\n")
    with pytest.raises(BenchmarkError, match=r"--load mine\.py changed since this run started; start a new run"):
        worker.load([Source(loaded.name, loaded.sha256)])


def test_workers_of_this_environment_load_what_this_process_has() -> None:
    plugins.load("mine.py")
    started = session.start_process(WorkerOptions(None, TIMEOUT))
    z = np.linspace(-2.0, 2.0, 5)
    answer = started.ask(
        Evaluate.of(KernelId("softer", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64), z, z)
    )
    started.close()
    np.testing.assert_allclose(answer.outputs[0].unpack(), 0.5 / np.cosh(z / 2) ** 2)


def test_a_worker_that_speaks_an_older_protocol_is_not_told_to_load(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = plugins.load("mine.py")
    monkeypatch.setattr(baseline, "PROTOCOL", PROTOCOL + 1)
    with baseline.opened(sys.executable) as there:
        started = there.start_with([Source(loaded.name, loaded.sha256)])(WorkerOptions(None, TIMEOUT, "baseline"))
        kernel = KernelId("softer", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
        with pytest.raises(BenchmarkError, match="unknown activation 'softer'"):
            started.ask(Evaluate.of(kernel, np.ones(1), np.ones(1)))
        started.close()


@pytest.mark.parametrize("backend", exhaustive_but(["numba", "numba-simd"], "numba".__eq__))
def test_formulas_call_functions_beside_them_in_the_kernel_s_dtype(backend: str) -> None:
    plugins.load("mine.py")
    kernel = KernelId("softer", Variant("pair"), backend, Op.STEP, Dtype.FLOAT32)

    facts = resolve(kernel).compiled
    assert facts is not None
    assert facts.double_conversions == 0


def test_what_numba_cannot_compile_is_one_line_with_its_place(mine: Path) -> None:
    mine.write_text(MINE.replace("d = 1.0 + e", "d = m.no_such_function(e)"))
    result = CliRunner().invoke(main, ["show", "--load", "mine.py", "softer/recompute/numba/derivative/float64/10"])
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: numba cannot compile recompute: ")
    assert "no_such_function" in result.stderr
    assert result.stderr.count("\n") == 1
    line = 1 + mine.read_text().splitlines().index("    def recompute(z):")
    assert f"(mine.py, line {line})" in result.stderr


def test_what_numba_has_no_type_for_is_reported_with_its_types_and_a_place_in_the_user_s_file(mine: Path) -> None:
    mine.write_text(MINE.replace("d = 1.0 + e", 'raise ValueError("boo")'))
    result = CliRunner().invoke(main, ["show", "--load", "mine.py", "softer/recompute/numba/derivative/float64/10"])
    assert result.exit_code == 2
    assert "setitem(array(float64, 1d, C), int64, none) (mine.py, line " in result.stderr


def test_a_kernel_is_compiled_where_there_is_no_place_for_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])
    copied = np.empty(3)
    jitted(copying(range), [Dtype.FLOAT64] * 2)(copied, np.arange(3.0))
    assert copied.tolist() == [0.0, 1.0, 2.0]


def test_loading_leaves_the_built_in_backends_as_they_are() -> None:
    before = {name: id(backend) for name, backend in registry.backends().items()}
    plugins.load("mine.py")
    plugins.unload()
    assert {name: id(backend) for name, backend in registry.backends().items()} == before
    assert not [name for name in sys.modules if name.startswith("actbench_loaded_")]
    assert os.getcwd() not in sys.path  # noqa: PTH109  # as it stands there


def test_a_formula_of_arrays_that_branches_is_refused_with_its_place(mine: Path) -> None:
    mine.write_text(MINE.replace("d = 1.0 + e", "d = 1.0 + (e if z < 0.0 else e)"))
    selection = ("-a", "softer", "-s", "recompute", "-b", "numpy", "-d", "float64", "-n", "10")
    result = CliRunner().invoke(main, ["run", "--load", "mine.py", *selection, "-q"])
    line = mine.read_text().partition("if z < 0.0")[0].count("\n") + 1
    assert result.exit_code == 2
    assert result.stderr == (
        "actbench: no case is left to measure, because recompute raised ValueError: The truth value of an array with "
        "more than one element is ambiguous. Use a.any() or a.all() "
        f"(mine.py, line {line}): it is given a whole array, so choose by m.where, or Piecewise\n"
    )


def test_what_raises_a_value_error_of_anything_else_has_failed(mine: Path) -> None:
    mine.write_text(MINE.replace("d = 1.0 + e", "d = int('boo') if hasattr(z, 'nbytes') else 1.0 + e"))
    selection = ("-a", "softer", "-b", "numpy", "-d", "float64", "-n", "10", "--op", "derivative", "--rounds", "1")
    result = CliRunner().invoke(main, ["run", "--load", "mine.py", *selection, "-q", "-o", "here"])
    assert result.exit_code == 4
    words, line = " ".join(result.stdout.split()), mine.read_text().partition("int(")[0].count("\n") + 1
    assert "softer/recompute/numpy/derivative/float64 cannot be checked: the worker raised ValueError: " in words
    assert f"'boo' (mine.py, line {line})" in words
