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

from actbench import backends, registry
from actbench.backends import Bound, _framework
from actbench.backends._rewriting import rewritten
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import Launch, WorkerOptions
from actbench.engine.protocol import Evaluate, Prepare, Slice, Sweep, Time
from actbench.engine.working.checking import Verification, all_passing
from actbench.errors import NotComparableError
from actbench.host import environment
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import kernel, resolve
from actbench.model.cases import Arm, Block, Case, KernelId
from actbench.model.checks import STATED_ULP
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.rule import Dialect
from actbench.model.variants import Variant
from actbench.planning import suite
from tests.conftest import Actbench
from tests.support.kernels import wide
from tests.support.peers import each_usable, usable
from tests.support.resolved import prepare
from tests.support.selections import record, rows

STRATEGIES = ("recompute", "cached", "complement")

TIMEOUT = 300.0
"""Seconds: the first kernel that torch compiles on a machine takes about twenty."""


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    """A real worker for all tests here: importing torch takes seconds."""
    started = WorkerProcess(WorkerOptions(None, TIMEOUT), here())
    yield started
    started.close()


# What it computes


@each_usable
def test_every_kernel_passes_the_oracle(worker: WorkerProcess, name: str) -> None:
    """One after the other in one worker; where nothing is declared, to 8 ULP."""
    backend = registry.backends()[name]
    chosen = [
        KernelId(activation.name, Variant(strategy), name, op, dtype).at(1)
        for activation, op, dtype in product(registry.elementwise().values(), Op, wide(backend))
        for strategy in activation.strategies
        if resolve(KernelId(activation.name, Variant(strategy), name, op, dtype)).unsupported is None
    ]
    plan = Plan(suite.grouped(chosen), seed=1)
    shared: Any = SimpleNamespace(ask=worker.ask, close=lambda: None)
    launch = Launch(lambda _: shared, WorkerOptions(None, TIMEOUT))
    checks = [checked.check for checked in all_passing(Verification(plan).check_kernels(launch))]
    assert {check.kernel.at(1) for check in checks} == {*chosen}
    for check in checks:
        declared = [weakness.why for weakness in kernel(check.kernel).weaknesses]
        assert [why for why in check.weaknesses if why != backend.flushes] == declared
        assert check.weaknesses or check.max_ulp <= STATED_ULP
        assert (check.compile_seconds is not None) == (name in {"torch-compile", "torch-compile-cuda", "jax", "onednn"})


@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")  # torch's own
@pytest.mark.parametrize("name", [usable("torch-compile")])
def test_what_torch_compile_is_said_to_lack_is_wrong_there(name: str) -> None:
    torch: Any = importlib.import_module("torch")
    backend: Any = registry.backends()[name]

    def less_one(x: Any) -> Any:
        return torch.expm1(x)

    small = torch.full((64,), 1e-20)
    assert torch.expm1(small).tolist() == small.tolist()
    assert backend.build(less_one)(small).tolist() == [0.0] * 64
    refused = resolve(KernelId("elu", Variant("recompute"), name, Op.STEP, Dtype.FLOAT32)).unsupported
    assert refused == "torch-compile has no expm1: torch.compile's own is exp(x) - 1 in vectors, which is 0 for small x"
    assert resolve(KernelId("elu", Variant("recompute"), name, Op.DERIVATIVE, Dtype.FLOAT32)).unsupported is None


@pytest.mark.parametrize("name", [usable("jax")])
def test_jax_flushes_denormals_where_a_result_is_next_to_nothing(worker: WorkerProcess, name: str) -> None:
    plan = Plan(suite.grouped([Case("logistic", Variant("recompute"), name, Op.STEP, Dtype.FLOAT32, 1)]), seed=1)
    shared: Any = SimpleNamespace(ask=worker.ask, close=lambda: None)
    launch = Launch(lambda _: shared, WorkerOptions(None, TIMEOUT))
    (check,) = [checked.check for checked in all_passing(Verification(plan).check_kernels(launch))]
    assert check.weaknesses == (registry.backends()[name].flushes,)


@each_usable
def test_float32_stays_float32_and_is_not_rounded_from_float64(worker: WorkerProcess, name: str) -> None:
    """Rounding once at the end would leave half a unit of error; arithmetic in float32 leaves more somewhere."""
    z = np.linspace(-8, 0, 4001, dtype=np.float32)  # for z > 0 oneDNN's loses digits, as declared
    recompute = KernelId("logistic", Variant("recompute"), name, Op.DERIVATIVE, Dtype.FLOAT32)
    answer = worker.ask(Evaluate.of(recompute, z, np.ones_like(z)))
    (output,) = [array.unpack() for array in answer.outputs]
    e = np.exp(-np.abs(z.astype(np.float64)))
    exact = e / (1 + e) ** 2
    assert output.dtype == np.float32
    error = np.abs(output - exact) / np.spacing(exact.astype(np.float32))
    assert 0.75 < error.max() < STATED_ULP


@each_usable
def test_a_worker_times_every_op_at_two_sizes(worker: WorkerProcess, name: str) -> None:
    for op, size in product(Op, (100, 1000)):
        kernels = (KernelId("tanh", Variant(strategy), name, op, Dtype.FLOAT32) for strategy in STRATEGIES)
        arms = tuple(Arm(one.strategy, name) for one in kernels if resolve(one).unsupported is None)
        worker.ask(Prepare.of(Block("tanh", op, Dtype.FLOAT32, size, arms), Plan((), seed=1)))
        slices = tuple(Slice(arm, 2) for arm in range(len(arms) + 1))
        for seconds in worker.ask(Time((Sweep(1, slices), Sweep(2, slices)))).seconds:
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
    monkeypatch.setattr(type(registry.backends()["numpy"]), "bind", lambda *_: general)
    monkeypatch.setattr(registry, "_CURRENT", [replace(registry.current())])
    for size, _ in product((10, 20), range(2)):
        case = Case("tanh", Variant("cached"), "numpy", Op.BACKWARD, Dtype.FLOAT32, size)
        placement = Placement(
            Operands.drawn(registry.activation("tanh"), case.dtype, size, 1), np.random.default_rng(1)
        )
        assert prepare(case, placement).results()[0].tolist() == [1.0] * size
        assert resolve(case).bound_at(case.size).compile_seconds == 0.25
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
    formula = registry.activation("logistic").rule("recompute", Dialect.ARRAY, np).derivative
    other = rewritten(formula, np.float32, abs=lambda z: 0 * z)
    assert other(np.float32(3)) == np.float32(0.25)
    assert formula(3.0) == pytest.approx(0.04517666)


VIEWS = """
import sys
import numpy as np
from actbench import registry
from actbench.kernels.operands import Z, Operands
from actbench.kernels.placement import ALIGNMENT, Placement
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.support.resolved import prepare

name = sys.argv[1]
operands = Operands.drawn(registry.activation("logistic"), Dtype.FLOAT64, 1000, seed=1)
placements = [Placement(operands, np.random.default_rng(seed)) for seed in (1, 2)]


def call(strategy, placement):
    return prepare(Case("logistic", Variant(strategy), name, Op.DERIVATIVE, Dtype.FLOAT64, 1000), placement)


seen = [call("recompute", placement).arguments[0] for placement in placements]
assert call("textbook", placements[0]).arguments[0] is seen[0]
where = [np.asarray(each).ctypes.data for each in seen]
assert where == [placement.operand(registry.backend("numpy"), Z).ctypes.data for placement in placements]
assert where[0] != where[1]
for placement in placements * 5:
    invocation = call("recompute", placement)
    placement.warm(invocation.result_address, 1)
    assert invocation.result_address() is None
    assert invocation.results()[0].ctypes.data % ALIGNMENT == 0
"""
"""In a process of its own: jax forbids forking once it is imported, and torch warns of itself."""


@pytest.mark.parametrize("name", [usable("torch"), usable("torch-compile"), usable("jax")])
def test_operands_are_views_of_placed_arrays_and_results_start_at_a_cache_line(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", VIEWS, name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# What a run records


@pytest.mark.parametrize("name", [usable("torch"), usable("numexpr"), usable("jax")])
def test_a_run_records_the_libraries_that_it_uses_and_no_others(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    library = registry.backends()[name].libraries[-1]
    plan = Plan(suite.grouped([Case("tanh", Variant("cached"), name, Op.DERIVATIVE, Dtype.FLOAT32, 10)]), seed=1)
    collected = environment.collect(
        None, {}, backends.libraries(registry.known_backends(case.backend for case in plan.cases))
    )
    assert collected.libraries[library] == version(library)
    actbench("run", "-a", "tanh", "-b", "numpy", "-n", "1000", "--rounds", "1", "-o", "here")
    assert library not in record(Path("here"))["environment"]["libraries"]
    monkeypatch.setattr(type(registry.backends()[name]), "requires", "no_such_library")
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
