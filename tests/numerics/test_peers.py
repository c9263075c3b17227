from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from actbench import activations, backends
from actbench.backends import Bound, _framework, _nvidia
from actbench.backends._backend import rewritten
from actbench.backends.torch import Torch
from actbench.errors import InputError, NotComparableError, WrongKernelError
from actbench.formula import Dialect, Rule
from actbench.host import environment
from actbench.kernels import kernel
from actbench.kernels.kernel import Array
from actbench.measure.checking import check_kernels
from actbench.measure.client import WorkerProcess, here
from actbench.measure.protocol import Slice, Sweep
from actbench.model.cases import Arm, Block, Case, Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.planning import presets, suite
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.conftest import Actbench
from tests.support import kernels
from tests.support.selections import record, rows

OPTIONAL = [name for name, backend in backends.catalogue().items() if backend.optional]
TIMEOUT = 300.0
"""Seconds: the first kernel that torch compiles on a machine takes about twenty."""


def usable(name: str) -> Any:
    """Return a parameter that is skipped where the backend is missing, with the reason."""
    reason = backends.catalogue()[name].unavailable
    return pytest.param(name, marks=pytest.mark.skipif(reason is not None, reason=f"{name}: {reason}"))


each_usable = pytest.mark.parametrize("name", [usable(name) for name in OPTIONAL])


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    """A real worker for all tests here: importing torch takes seconds."""
    started = WorkerProcess(cpu=None, timeout=TIMEOUT, interpreter=here())
    yield started
    started.close()


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    """Take a backend's library away, and return what is then missing."""
    monkeypatch.setattr(type(backends.catalogue()[name]), "requires", "no_such_library")
    return "no_such_library is not installed; python -m pip install no_such_library"


# What there is


def test_a_class_without_a_name_of_its_own_stands_in_nobodys_place() -> None:
    assert type(backends.catalogue()["torch"]) is Torch
    assert all("name" in vars(type(backend)) for backend in backends.catalogue().values())


def test_backends_are_listed_by_rank_and_the_optional_ones_are_these() -> None:
    ranks = [backend.rank for backend in backends.catalogue().values()]
    assert ranks == sorted(set(ranks))
    assert OPTIONAL == ["numexpr", "torch", "torch-compile", "torch-cuda", "torch-compile-cuda", "jax"]
    assert {backends.catalogue()[name].requires for name in OPTIONAL} == {"numexpr", "torch", "jax"}


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_missing_library_is_told_with_what_brings_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    reason = without(monkeypatch, name)
    assert backends.catalogue()[name].unavailable == reason
    with pytest.raises(InputError) as refused:
        backends.get(name)
    assert str(refused.value) == f"backend '{name}' is not available: {reason}"


def test_torch_compile_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = backends.catalogue()["torch-compile"]
    monkeypatch.setattr(type(backend), "requires", "numpy")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert backend.unavailable == "torch.compile needs a C++ compiler: no-such-compiler is not found"
    monkeypatch.setenv("CXX", sys.executable)
    assert backend.unavailable is None


def test_torch_cuda_needs_a_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    backend = backends.catalogue()["torch-cuda"]
    monkeypatch.setattr(type(backend), "requires", "numpy")
    monkeypatch.setattr(_nvidia, "DEVICES", ((str(tmp_path), "nvidia[0-9]*"), ("/no/such", "dxg")))
    (tmp_path / "nvidiactl").touch()
    assert backend.unavailable == "no NVIDIA device is found"
    (tmp_path / "nvidia0").touch()
    assert backend.unavailable is None


def test_a_torch_that_cannot_use_the_device_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False), __version__="9.9+cpu")
    monkeypatch.setattr(_nvidia, "library", lambda: torch)
    with pytest.raises(InputError, match=r"^backend 'torch-cuda' cannot run: torch 9\.9\+cpu finds no CUDA device$"):
        backends.catalogue()["torch-cuda"].bind(Op.DERIVATIVE, Rule(abs, abs, None), Dtype.FLOAT32)


def test_listing_backends_imports_none_of_their_libraries() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from actbench.cli import main; "
        "text = CliRunner().invoke(main, ['list', 'backends']).output; "
        "print(len(text.splitlines()), sorted({'numba', 'numexpr', 'torch', 'jax'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(backends.catalogue())} []\n"


def test_list_gives_the_reason_of_what_is_missing(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = without(monkeypatch, "torch-compile")
    lines = actbench("list", "backends").stdout.splitlines()
    (line,) = (line for line in lines if line.startswith("torch-compile "))
    assert line.split(maxsplit=1) == ["torch-compile", f"not available: {reason}"]


def test_a_run_with_what_is_missing_ends_with_its_reason(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = without(monkeypatch, "torch-compile")
    result = actbench("run", "--preset", "smoke", "-b", "torch-compile")
    assert result.exit_code == 2
    assert result.stderr == f"actbench: backend 'torch-compile' is not available: {reason}\n"


def test_presets_leave_optional_backends_out_but_for_the_one_that_compares_them() -> None:
    for name, preset in presets.catalogue().items():
        assert name == "peers" or not {*preset.axes.backends} & {*OPTIONAL}


@each_usable
def test_an_environment_offers_what_is_asked_for_by_name(name: str) -> None:
    asked = suite.Selection("smoke", {"backends": (name,)}, "*", 1 << 33, 1.0)
    assert {case.backend for case in suite.offered(asked)} == {name}


def test_numexpr_has_no_error_function(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(backends.catalogue()["numexpr"]), "requires", "numpy")
    result = actbench("list", "cases", "-a", "gelu", "-b", "numexpr", "-d", "float64", "-n", "10")
    assert result.stdout.splitlines() == [
        f"gelu/{strategy}/numexpr/derivative/float64/10" for strategy in ("intermediate", "pair")
    ]
    assert "numexpr has no erf" in result.stderr
    assert "numexpr has no erfc" in result.stderr


def test_a_hyphen_in_a_name_is_read_back() -> None:
    case = Case("logistic", "cached", "torch-compile", Op.STEP, Dtype.FLOAT32, 1000)
    assert case.id == "logistic/cached/torch-compile/step/float32/1000"
    assert Case.parse(case.id) == case


# What it computes


@each_usable
def test_every_kernel_passes_the_oracle(worker: WorkerProcess, name: str) -> None:
    """One after the other in one worker; where nothing is declared, to 8 ULP."""
    backend = backends.catalogue()[name]
    chosen = [
        Kernel(activation.name, strategy, name, op, dtype).at(1)
        for activation, op, dtype in product(activations.catalogue().values(), Op, backend.dtypes)
        for strategy in activation.strategies
        if kernel.refusal(Kernel(activation.name, strategy, name, op, dtype)) is None
    ]
    plan = Plan(suite.grouped(chosen), seed=1)
    shared: Any = SimpleNamespace(evaluate=worker.evaluate, inspect=worker.inspect, close=lambda: None)
    checks = [found.check for found in check_kernels(plan, lambda: shared)]
    assert {check.kernel.at(1) for check in checks} == {*chosen}
    for check in checks:
        strategies = activations.get(check.kernel.activation).strategies
        declared = [weakness.why for weakness in strategies[check.kernel.strategy].weaknesses]
        assert [why for why in check.weaknesses if why != backend.flushes] == declared
        assert check.weaknesses or check.max_ulp <= STATED_ULP
        assert (check.compile_seconds is not None) == (name in {"torch-compile", "torch-compile-cuda", "jax"})


@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")  # torch's own
@pytest.mark.parametrize("name", [usable("torch-compile")])
def test_what_torch_compile_is_said_to_lack_is_wrong_there(name: str) -> None:
    torch: Any = importlib.import_module("torch")
    backend: Any = backends.catalogue()[name]

    def less_one(x: Any) -> Any:
        return torch.expm1(x)

    small = torch.full((64,), 1e-20)
    assert torch.expm1(small).tolist() == small.tolist()
    assert backend.build(less_one)(small).tolist() == [0.0] * 64
    refused = kernel.refusal(Kernel("elu", "recompute", name, Op.STEP, Dtype.FLOAT32))
    assert refused == "torch-compile has no expm1: torch.compile's own is exp(x) - 1 in vectors, which is 0 for small x"
    assert kernel.refusal(Kernel("elu", "recompute", name, Op.DERIVATIVE, Dtype.FLOAT32)) is None


@pytest.mark.parametrize("name", [usable("jax")])
def test_jax_flushes_denormals_where_a_result_is_next_to_nothing(worker: WorkerProcess, name: str) -> None:
    plan = Plan(suite.grouped([Case("logistic", "recompute", name, Op.STEP, Dtype.FLOAT32, 1)]), seed=1)
    shared: Any = SimpleNamespace(evaluate=worker.evaluate, inspect=worker.inspect, close=lambda: None)
    ((found),) = [found.check for found in check_kernels(plan, lambda: shared)]
    assert found.weaknesses == (backends.catalogue()[name].flushes,)


@each_usable
def test_float32_stays_float32_and_is_not_rounded_from_float64(worker: WorkerProcess, name: str) -> None:
    """Rounding once at the end would leave half a unit of error; arithmetic in float32 leaves more somewhere."""
    z = np.linspace(-8, 8, 4001, dtype=np.float32)
    answer = worker.evaluate(Kernel("logistic", "recompute", name, Op.DERIVATIVE, Dtype.FLOAT32), z, np.ones_like(z))
    (found,) = [array.unpack() for array in answer.outputs]
    e = np.exp(-np.abs(z.astype(np.float64)))
    exact = e / (1 + e) ** 2
    assert found.dtype == np.float32
    error = np.abs(found - exact) / np.spacing(exact.astype(np.float32))
    assert 0.75 < error.max() < STATED_ULP


@each_usable
def test_a_worker_times_every_op_at_two_sizes(worker: WorkerProcess, name: str) -> None:
    for op, size in product(Op, (100, 1000)):
        arms = tuple(Arm(strategy, name) for strategy in ("recompute", "cached", "complement"))
        worker.prepare(Block("tanh", op, Dtype.FLOAT32, size, arms), seed=1)
        slices = tuple(Slice(arm, 2) for arm in range(len(arms) + 1))
        for seconds in worker.time([Sweep(1, slices), Sweep(2, slices)], TIMEOUT).seconds:
            assert len(seconds) == len(slices)
            assert min(seconds) > 0


def test_what_is_compiled_for_a_size_is_compiled_once_with_operands_of_that_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[tuple[int, ...]] = []

    def specialise(operands: tuple[Any, ...]) -> Bound:
        sizes.append(tuple(operand.size for operand in operands))
        return Bound(lambda *_: operands[0], 0.25)

    general = Bound(lambda *_: None, specialise=specialise)
    monkeypatch.setattr(type(backends.catalogue()["numpy"]), "bind", lambda *_: general)
    monkeypatch.setattr(kernel, "bind", kernel.bind.__wrapped__)
    for size, _ in product((10, 20), range(2)):
        case = Case("tanh", "cached", "numpy", Op.BACKWARD, Dtype.FLOAT32, size)
        placement = kernel.Placement(kernel.Operands.drawn("tanh", case.dtype, size, 1), np.random.default_rng(1))
        assert kernel.prepare(case, placement).results()[0].tolist() == [1.0] * size
        assert kernel.bind_at(case).compile_seconds == 0.25
    assert sizes == [(10, 10), (20, 20)]


@each_usable
def test_the_code_of_a_kernel_is_shown(name: str) -> None:
    command = [sys.executable, "-m", "actbench", "show", f"tanh/cached/{name}/backward/float32/1000"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"executed by {name}: " in shown.stdout
    assert ("gradient = aten.tanh_backward.default" in shown.stdout) == (name in {"torch", "torch-cuda"})


def test_a_library_s_own_kernel_is_given_a_single_one_for_dy() -> None:
    assert _framework.derivative(lambda dy, y: (dy, y), 1.0)(3.0) == (1.0, 3.0)


def test_the_builtins_of_a_rewritten_formula_are_replaced_in_it_alone() -> None:
    formula = activations.get("logistic").rule("recompute", Dialect.ARRAY, np).derivative
    other = rewritten(formula, np.float32, abs=lambda z: 0 * z)
    assert other(np.float32(3)) == np.float32(0.25)
    assert formula(3.0) == pytest.approx(0.04517666)


VIEWS = """
import sys
import numpy as np
from actbench import backends
from actbench.kernels import kernel
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op

name = sys.argv[1]
operands = kernel.Operands.drawn("logistic", Dtype.FLOAT64, 1000, seed=1)
placements = [kernel.Placement(operands, np.random.default_rng(seed)) for seed in (1, 2)]


def call(strategy, placement):
    return kernel.prepare(Case("logistic", strategy, name, Op.DERIVATIVE, Dtype.FLOAT64, 1000), placement)


seen = [call("recompute", placement).arguments[0] for placement in placements]
assert call("textbook", placements[0]).arguments[0] is seen[0]
where = [np.asarray(each).ctypes.data for each in seen]
assert where == [placement.operand(backends.get("numpy"), "", "z").ctypes.data for placement in placements]
assert where[0] != where[1]
for placement in placements * 5:
    invocation = call("recompute", placement)
    placement.warm(invocation, 1)
    assert invocation.result_address() is None
    assert invocation.results()[0].ctypes.data % kernel.ALIGNMENT == 0
"""
"""In a process of its own: jax forbids forking once it is imported, and torch warns of itself."""


@pytest.mark.parametrize("name", [usable("torch"), usable("torch-compile"), usable("jax")])
def test_operands_are_views_of_placed_arrays_and_results_start_at_a_cache_line(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", VIEWS, name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Denormal numbers


@pytest.fixture
def flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare that numpy flushes."""
    monkeypatch.setattr(type(backends.catalogue()["numpy"]), "flushes", "for a test")


KERNEL = Kernel("logistic", "recompute", "numpy", Op.STEP, Dtype.FLOAT32)


def changed(below: float, to: float) -> oracle.Evaluate:
    """Evaluate with what is below so many smallest normal numbers replaced."""

    def answer(chosen: Kernel, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(chosen, z, dy)
        tiny = np.finfo(np.float32).tiny
        assert right.y is not None
        slope, y = (np.where(abs(part) < below * tiny, np.float32(to), part) for part in (right.derivative, right.y))
        return Evaluation(slope, y)

    return answer


def test_flushing_is_refused_where_it_is_not_declared() -> None:
    with pytest.raises(WrongKernelError):
        oracle.check(KERNEL, changed(1, 0))


@pytest.mark.usefixtures("flushing")
def test_flushing_is_a_weakness_where_it_is_seen_and_excuses_nothing_else() -> None:
    assert oracle.check(KERNEL, kernels.evaluate).weaknesses == ()
    assert oracle.check(KERNEL, changed(1, 0)).weaknesses == ("for a test",)
    for below, to in ((1, 1e-36), (1, np.nan), (100, 0)):
        with pytest.raises(WrongKernelError):
            oracle.check(KERNEL, changed(below, to))


# What a run records


@pytest.mark.parametrize("name", [usable("torch"), usable("numexpr"), usable("jax")])
def test_a_run_records_the_libraries_that_it_uses_and_no_others(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    library = backends.catalogue()[name].libraries[-1]
    plan = Plan(suite.grouped([Case("tanh", "cached", name, Op.DERIVATIVE, Dtype.FLOAT32, 10)]), seed=1)
    found = environment.collect(None, {}, backends.libraries(case.backend for case in plan.cases))
    assert found.libraries[library] == version(library)
    actbench("run", "-a", "tanh", "-b", "numpy", "-n", "1000", "--rounds", "1", "-o", "here")
    assert library not in record(Path("here"))["environment"]["libraries"]
    monkeypatch.setattr(type(backends.catalogue()[name]), "requires", "no_such_library")
    assert actbench("run", "--resume", "here", "--rounds", "2").exit_code == 0, "it does not use the library"


def test_a_run_goes_on_with_the_version_of_a_peer_that_it_began_with_alone() -> None:
    now = environment.collect(None, {})
    before, after = (replace(now, libraries=now.libraries | {"torch": number}) for number in ("1.0", "2.0"))
    environment.refuse_other(before, before)
    with pytest.raises(NotComparableError, match=r"libraries: .*torch 1\.0 then"):
        environment.refuse_other(before, after)


@pytest.mark.parametrize("name", [usable("numexpr")])
def test_a_real_run_of_a_peer_leaves_its_name_in_every_file(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", "actbench", "run", "--preset", "smoke", "-b", f"numpy,{name}", "--rounds", "1"]
    done = subprocess.run([*command, "-q", "-o", "here"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {row["backend"] for row in rows(tmp_path / "here/cases.csv")} == {"numpy", name}
    assert json.loads((tmp_path / "here/run.json").read_text())["environment"]["libraries"][name] == version(name)
