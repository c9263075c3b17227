"""What is drawn from distributions and files, and that kernels are found right on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actbench.engine.protocol import ListDoubts, Prepare, Slice, Sweep, Time
from actbench.engine.working.checking import Verification
from actbench.errors import InputError
from actbench.kernels.drawing import draw, pinned
from actbench.kernels.operands import DY, Operands
from actbench.model.cases import Arm, Block
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.plan import Plan
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning import suite
from actbench.planning.presets import Axes
from actbench.planning.selection import Room
from actbench.registry import STRATEGIES
from tests.support.judged import InProcess
from tests.support.tiers import exhaustive_but


def saved(directory: Path, array: object, name: str = "z.npy") -> Inputs:
    """Return inputs from a file that holds an array."""
    path = directory / name
    np.save(path, np.asarray(array))
    return pinned(Inputs.parse(str(path)))


@pytest.mark.parametrize("dtype", WIDE)
def test_the_standard_normal_distribution_gives_what_it_always_gave(dtype: Dtype) -> None:
    z, dy = draw(Inputs.parse("normal:0,1"), dtype, 1000, seed=3)
    assert z.tobytes() == np.random.default_rng(3).standard_normal(1000, dtype=np.dtype(dtype).type).tobytes()
    assert dy is None
    operands = Operands.drawn(None, dtype, 1000, 3, STANDARD_NORMAL)
    assert operands.array(DY).tobytes() == np.roll(z, 1).tobytes()


@pytest.mark.parametrize("dtype", WIDE)
def test_distributions_have_their_parameters_and_the_seed_decides(dtype: Dtype) -> None:
    for text in ("normal:5,0.5", "uniform:4,6"):
        z, dy = draw(Inputs.parse(text), dtype, 10_000, seed=1)
        assert dy is not None
        assert z.dtype == dy.dtype == dtype
        assert abs(float(z.mean()) - 5) < 0.05
        assert abs(float(z.std()) - (0.5 if text.startswith("normal") else 3**-0.5)) < 0.02
        same_seed, other_seed = (draw(Inputs.parse(text), dtype, 10_000, seed)[0] for seed in (1, 2))
        assert np.array_equal(z, same_seed)
        assert not np.array_equal(z, other_seed)


def test_the_upstream_gradient_is_normal_whatever_z_is_drawn_from() -> None:
    _, dy = draw(Inputs.parse("uniform:-800,800"), Dtype.FLOAT64, 10_000, seed=1)
    _, same = draw(Inputs.parse("uniform:-1e-310,1e-310"), Dtype.FLOAT64, 10_000, seed=1)
    assert dy is not None
    assert same is not None
    assert np.array_equal(dy, same)
    assert abs(float(dy.mean())) < 0.05
    assert abs(float(dy.std()) - 1) < 0.05
    z, dy = draw(Inputs.parse("normal:0,3"), Dtype.FLOAT64, 10_000, seed=1)
    assert dy is not None
    assert abs(np.corrcoef(z, dy)[0, 1]) < 0.05


@pytest.mark.parametrize(("dtype", "text"), [("float64", "uniform:-1e-310,1e-310"), ("float32", "normal:0,1e-40")])
def test_denormal_numbers_are_drawn(dtype: str, text: str) -> None:
    z, _ = draw(Inputs.parse(text), Dtype(dtype), 1000, seed=1)
    assert np.count_nonzero(z) > 990
    assert np.all(np.abs(z) < np.finfo(dtype).tiny)


def test_a_file_of_the_block_s_size_is_taken_as_it_is(tmp_path: Path) -> None:
    array = np.random.default_rng(1).normal(size=(4, 5, 5)).astype(np.float32)
    z, _ = draw(saved(tmp_path, array), Dtype.FLOAT32, 100, seed=1)
    assert z.tobytes() == array.tobytes()
    assert draw(saved(tmp_path, array.astype(">f8")), Dtype.FLOAT32, 100, seed=2)[0].tobytes() == array.tobytes()


def test_a_larger_file_is_thinned_and_a_smaller_one_repeated_in_its_order(tmp_path: Path) -> None:
    array = np.arange(1000.0)
    inputs = saved(tmp_path, array)
    few, _ = draw(inputs, Dtype.FLOAT64, 100, seed=1)
    assert len({*few.tolist()}) == 100
    assert np.all(np.diff(few) > 0)
    assert not np.array_equal(few, draw(inputs, Dtype.FLOAT64, 100, seed=2)[0])
    assert abs(float(few.mean()) - 500) < 100
    many, _ = draw(inputs, Dtype.FLOAT64, 2500, seed=1)
    assert np.array_equal(many[:2000], np.tile(array, 2))
    assert len({*many[2000:].tolist()}) == 500
    assert np.all(np.diff(many[2000:]) > 0)


def test_a_file_that_changed_is_not_drawn_from(tmp_path: Path) -> None:
    inputs = saved(tmp_path, np.ones(3))
    saved(tmp_path, np.zeros(3))
    with pytest.raises(InputError, match=r"z\.npy changed since this run started; start a new run"):
        draw(inputs, Dtype.FLOAT64, 3, seed=1)


UNUSUAL = {
    "saturated": "uniform:-800,800",
    "denormal": "uniform:-1e-310,1e-310",
    "denormal in float32": "uniform:-1e-40,1e-40",
    "large": "uniform:-1e30,1e30",
    "file": "",
}


def planned(activation: str, backends: tuple[str, ...], inputs: Inputs) -> Plan:
    """Return the plan of an activation on inputs: all strategies, ops and dtypes."""
    strategies = tuple(map(Variant, STRATEGIES))
    axes = Axes((activation,), strategies, backends, tuple(Op), WIDE, sizes(1000))
    return suite.on_inputs(suite.plan(axes, Room(1 << 34), seed=1), inputs)


def refuse_wrong(plan: Plan) -> None:
    """Compare and time every block, as a run does; `WrongKernelError` where a kernel is found to be wrong."""
    worker, verification = InProcess(), Verification(plan)
    for block in plan.blocks:
        worker.ask(Prepare.of(block, plan, whole=True))
        verification.compare(block, worker)
        slices = tuple(Slice(arm, 1) for arm in range(len(block.timed)))
        for seed in range(2):
            worker.ask(Time((Sweep(seed, slices),)))
            verification.settle(block, worker.ask(ListDoubts()).doubts)


@pytest.mark.parametrize("what", UNUSUAL)
@pytest.mark.parametrize(
    "activation", exhaustive_but(["logistic", "tanh", "gelu", "softplus", "arctan"], lambda name: name == "gelu")
)
def test_right_kernels_are_right_on_unusual_inputs(tmp_path: Path, activation: str, what: str) -> None:
    array = np.random.default_rng(1).normal(0, 3, size=(7, 11))
    inputs = Inputs.parse(UNUSUAL[what]) if UNUSUAL[what] else saved(tmp_path, array)
    plan = planned(activation, ("python", "numpy", "numpy-blocked"), inputs)
    assert plan.blocks
    refuse_wrong(plan)


def test_compiled_kernels_are_right_on_saturated_and_denormal_inputs() -> None:
    arms = tuple(Arm(Variant("recompute"), backend) for backend in ("numba", "numba-simd"))
    for dtype, inputs in ((Dtype.FLOAT32, "uniform:-1e-40,1e-40"), (Dtype.FLOAT64, "uniform:-800,800")):
        refuse_wrong(Plan((Block("tanh", Op.BACKWARD, dtype, 1000, arms),), seed=1, inputs=Inputs.parse(inputs)))


def test_what_raises_in_a_probe_is_left_out_though_a_small_block_happens_not_to() -> None:
    """Probes of 8192 elements are measured beside the blocks of all sizes."""
    inputs = Inputs.parse("uniform:-712,712")
    assert draw(inputs, Dtype.FLOAT64, 10, seed=1)[0].min() > -700
    kernels = ("logistic",), (Variant("textbook"),), ("python", "numpy"), (Op.STEP,), (Dtype.FLOAT64,)
    axes = Axes(*kernels, sizes(10, 20_000))
    plan = suite.on_inputs(suite.plan(axes, Room(1 << 34), seed=1), inputs)
    assert {case.backend for block in (*plan.blocks, *plan.probes) for case in block.cases} == {"numpy"}
    assert len(plan.left_out) == 2
