from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from actbench import activations, backends
from actbench.backends import numpy_dtype
from actbench.errors import InputError, WrongKernelError
from actbench.formula import Activation, Dialect
from actbench.kernels.kernel import Array, Operands, Placement, bind, compiled, prepare
from actbench.model import residuals
from actbench.model.cases import RUNGS, Case, Kernel
from actbench.model.names import Dtype, Op, Storage
from actbench.model.strategies import STRATEGIES
from actbench.planning import presets
from actbench.planning.costs import bytes_moved, residual_bytes
from actbench.planning.presets import Axes
from actbench.planning.suite import plan
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.conftest import Actbench
from tests.support import kernels, selections

GIGABYTE = 10**9

AXES = Axes(
    activations=("logistic",),
    strategies=("cached", "cached:float16"),
    backends=("numpy",),
    ops=(Op.DERIVATIVE,),
    dtypes=(Dtype.FLOAT32,),
    sizes=(1000,),
)


def kernel(
    strategy: str, activation: str = "logistic", backend: str = "numpy", op: Op = Op.DERIVATIVE, dtype: str = "float32"
) -> Kernel:
    return Kernel(activation, strategy, backend, op, Dtype(dtype))


def one_of_each_kind() -> list[tuple[str, str]]:
    """Return an activation and a strategy for every strategy and set of residuals that there is; well-known ones."""
    found: dict[tuple[str, tuple[str, ...]], Activation] = {}
    known = activations.catalogue().values()
    for activation in sorted(known, key=lambda each: each.name not in {"logistic", "silu"}):
        for strategy in activation.strategies:
            kept = activation.rule(strategy, Dialect.SCALAR, None).residuals
            found.setdefault((strategy, tuple(name if name in {"z", "y"} else "saved" for name in kept)), activation)
    return [(activation.name, strategy) for (strategy, _), activation in found.items()]


KINDS = one_of_each_kind()
TYPES = [(Storage.FLOAT16, Dtype.FLOAT32), (Storage.BFLOAT16, Dtype.FLOAT32), (Storage.FLOAT32, Dtype.FLOAT64)]
BACKENDS = [
    name for name, each in backends.catalogue().items() if not (each.only_wide or each.optional or each.unavailable)
]


def checked(activation: str, strategy: str, backend: str, storage: str, dtype: str) -> None:
    for op in (Op.DERIVATIVE, Op.STEP) if backend.startswith("numpy") else (Op.STEP,):
        oracle.check(kernel(f"{strategy}:{storage}", activation, backend, op, dtype), kernels.evaluate)


# Kernels


@pytest.mark.parametrize(("storage", "dtype"), TYPES)
@pytest.mark.parametrize("backend", [name for name in BACKENDS if not backends.catalogue()[name].threaded])
@pytest.mark.parametrize(("activation", "strategy"), KINDS)
def test_what_is_kept_narrowly_gives_the_formula_s_value(
    activation: str, strategy: str, backend: str, storage: str, dtype: str
) -> None:
    checked(activation, strategy, backend, storage, dtype)


@pytest.mark.parametrize(
    ("activation", "strategy", "storage", "dtype"),
    [("logistic", "cached", "float16", "float32"), ("silu", "pair", "bfloat16", "float32")],
)
def test_threads_keep_residuals_as_one_thread_does(activation: str, strategy: str, storage: str, dtype: str) -> None:
    checked(activation, strategy, "numba-parallel", storage, dtype)


@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
@pytest.mark.parametrize("backend", ["numpy", "numba-simd"])
def test_float64_is_kept_in_sixteen_bits_as_well(backend: str, storage: str) -> None:
    checked("logistic", "complement", backend, storage, "float64")


@pytest.mark.parametrize("op", [Op.DERIVATIVE, Op.BACKWARD])
@pytest.mark.parametrize(("activation", "strategy"), [("logistic", "cached"), ("silu", "pair")])
def test_compiled_loops_read_what_is_kept_in_every_op(activation: str, strategy: str, op: Op) -> None:
    oracle.check(kernel(f"{strategy}:float16", activation, "numba", op), kernels.evaluate)


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
@pytest.mark.parametrize("op", Op)
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_array_libraries_keep_residuals_narrowly(library: str, storage: str, op: Op) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    for activation, strategy in (("logistic", "cached"), ("logistic", "complement"), ("tanh", "recompute")):
        oracle.check(kernel(f"{strategy}:{storage}", activation, library, op), kernels.evaluate)


@pytest.mark.parametrize(
    ("activation", "inaccurate", "zero"), [("logistic", 3.69, 8.32), ("tanh", 2.20, 4.505)], ids=["logistic", "tanh"]
)
def test_the_kept_output_in_float16_gives_1_percent_wrong_and_0_from_known_z(
    activation: str, inaccurate: float, zero: float
) -> None:
    z = np.concatenate([np.linspace(inaccurate - 0.2, inaccurate + 0.1, 3001), np.linspace(zero - 0.2, 20.0, 2001)])
    z = z.astype(np.float32)
    found = kernels.outputs(kernel("cached:float16", activation), z)[-1]
    slope = oracle.slopes_at(activation, z)
    wrong = np.abs(found / slope.nearest - 1) > 0.01
    assert z[wrong].min() == pytest.approx(inaccurate, rel=0.01)
    assert not np.any(found[z > zero + 0.001])
    assert np.all(found[z < zero - 0.01])


@pytest.mark.parametrize("backend", ["numpy", "numba", "numba-simd"])
def test_what_is_too_large_for_float16_becomes_infinite_without_a_word(backend: str) -> None:
    z = np.array([11.0, 11.2, 65504.0, 1e5, -1e5], dtype=np.float32)
    kept_y = kernels.outputs(kernel("cached:float16", "exp", backend, Op.STEP), z)[-1]
    assert np.array_equal(kept_y, np.array([59872.0, np.inf, np.inf, np.inf, 0.0], dtype=np.float32))
    kept_z = kernels.outputs(kernel("recompute:float16", "softplus", backend, Op.STEP), z)[-1]
    assert np.array_equal(kept_z[2:], [1.0, 1.0, 0.0])


def test_the_error_told_is_that_against_the_truth_and_the_rounding_is_a_known_weakness() -> None:
    check = oracle.check(kernel("complement:bfloat16"), kernels.evaluate)
    plain = oracle.check(kernel("complement"), kernels.evaluate)
    assert plain.max_ulp < 8
    assert 2**14 < check.max_ulp < 2**16  # of 24 bits 8 are left
    assert check.weaknesses == (
        "what is kept is rounded to 8 significant bits (bfloat16), above 3.39e38 to inf, below 4.6e-41 to 0",
    )


def spoilt(of: str, by: float = 1.0) -> oracle.Evaluate:
    """Return an evaluation that computes another strategy in place of the one asked for, and that times a factor."""

    def evaluate(asked: Kernel, z: Array, dy: Array) -> Evaluation:
        found = kernels.evaluate(replace(asked, strategy=of), z, dy)
        return replace(found, derivative=found.derivative * np.float32(by))

    return evaluate


@pytest.mark.parametrize(
    ("of", "by"),
    [("complement", 1.0), ("complement:bfloat16", 1.0), ("complement:float16", 1 + 2e-6), ("cached:float16", 1.0)],
    ids=["not narrowed", "another type", "off by 16 ULP", "another residual"],
)
def test_a_kernel_that_computes_from_anything_else_is_wrong(of: str, by: float) -> None:
    with pytest.raises(WrongKernelError, match=r"where g' from what is kept = "):
        oracle.check(kernel("complement:float16"), spoilt(of, by))


def test_compiled_code_widens_whole_vectors_and_computes_in_float32() -> None:
    found = compiled(kernel("cached:float16", backend="numba-simd"))
    assert found is not None
    assert found.signature == "(array(float32, 1d, C), array(uint16, 1d, C))"
    assert found.vector_bits >= 128
    assert not found.library_calls
    assert not found.double_conversions


# Arrays


def test_narrow_residuals_are_made_once_and_shared_by_strategies_and_backends() -> None:
    operands = Operands.drawn("silu", Dtype.FLOAT32, 100, seed=1)
    kept = operands.array("pair:float16", "y:float16")
    assert kept.dtype == np.float16
    assert kept is operands.array("cached:float16", "y:float16")
    assert np.array_equal(kept, operands.array("pair", "y").astype(np.float16))
    placement = Placement(operands, np.random.default_rng(0))
    of_numpy = placement.operand(backends.get("numpy"), "pair:float16", "z:float16")
    of_numba = placement.operand(backends.get("numba"), "pair:float16", "z:float16")
    assert of_numba.dtype == np.uint16
    assert np.shares_memory(of_numpy, of_numba)


@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
@pytest.mark.parametrize("backend", ["numpy-blocked", "numba"])
def test_a_step_writes_its_residuals_in_their_type_and_its_results_in_the_arithmetic_s(
    backend: str, storage: str
) -> None:
    case = kernel(f"pair:{storage}", "silu", backend, Op.STEP).at(100)
    operands = Operands.drawn("silu", Dtype.FLOAT32, 100, seed=1)
    y, kept_z, kept_y, dz = prepare(case, Placement(operands, np.random.default_rng(0))).results()
    assert y.dtype == dz.dtype == np.float32
    narrow = numpy_dtype(storage)
    assert kept_z.dtype == kept_y.dtype == narrow
    assert np.array_equal(kept_z, operands.array("pair", "z").astype(narrow))
    assert np.array_equal(kept_y, y.astype(narrow))


@pytest.mark.parametrize(
    ("strategy", "kept", "derivative", "backward", "step"),
    [
        ("recompute", 4, 8, 12, 20),
        ("recompute:float16", 2, 4 + 2, 8 + 2, 16 + 2 * 2),
        ("pair", 8, 12, 16, 24),
        ("pair:bfloat16", 4, 4 + 4, 8 + 4, 16 + 2 * 4),
        ("intermediate", 8, 12, 16, 28),
        ("intermediate:float16", 4, 4 + 4, 8 + 4, 16 + 2 * 4),
    ],
)
def test_bytes_are_those_of_the_types_in_which_arrays_lie(
    strategy: str, kept: int, derivative: int, backward: int, step: int
) -> None:
    cases = [kernel(strategy, "silu", op=op).at(1000) for op in Op]
    assert [residual_bytes(case) for case in cases] == [kept] * 3
    assert [bytes_moved(case) for case in cases] == [1000 * each for each in (derivative, backward, step)]


def test_float64_kept_as_float32_takes_half_the_bytes() -> None:
    case = kernel("cached:float32", dtype="float64").at(1000)
    assert residual_bytes(case) == 4
    assert bytes_moved(case) == 1000 * (8 + 4)


# Names


@pytest.mark.parametrize("storage", Storage)
def test_the_strategy_s_name_says_the_type_and_so_does_the_id(storage: Storage) -> None:
    text = f"logistic/cached:{storage}/numpy/derivative/float64/1000"
    case = Case.parse(text)
    assert case.id == text
    assert residuals.split(case.strategy) == ("cached", storage)


def test_variants_stand_after_their_strategy_in_every_table() -> None:
    given = ["empty", "complement:float16", "cached:bfloat16", "complement", "cached:float16", "cached", "textbook"]
    assert sorted(given, key=residuals.rank) == [
        *("textbook", "cached", "cached:float16", "cached:bfloat16", "complement", "complement:float16", "empty")
    ]
    assert sorted([*STRATEGIES, *RUNGS], key=residuals.rank) == [*STRATEGIES, *RUNGS]


def test_narrow_and_plain_arms_share_a_block() -> None:
    (block,) = plan(AXES, seed=1, memory=GIGABYTE).blocks
    assert [arm.strategy for arm in block.arms] == ["cached", "cached:float16"]


@pytest.mark.parametrize(
    ("strategy", "backend", "dtype", "reason"),
    [
        ("cached:float32", "numpy", "float32", "float32 is no narrower than the arithmetic's float32"),
        ("cached:float16", "python", "float64", "Python's lists hold float64 alone"),
    ],
)
def test_what_cannot_be_kept_narrowly_is_left_out_with_the_reason(
    strategy: str, backend: str, dtype: str, reason: str
) -> None:
    axes = replace(AXES, strategies=("cached", strategy), backends=(backend,), dtypes=(Dtype(dtype),))
    found = plan(axes, seed=1, memory=GIGABYTE)
    assert [case.strategy for case in found.cases] == ["cached"]
    assert [item.case for item in found.left_out] == [f"logistic/{strategy}/{backend}/derivative/{dtype}/1000"]
    assert found.left_out[0].reason.startswith(reason)
    with pytest.raises(InputError, match=reason):
        bind(kernel(strategy, backend=backend, dtype=dtype))


def test_numexpr_keeps_nothing_narrowly() -> None:
    reason = backends.catalogue()["numexpr"].storage_refusal(Storage.FLOAT16, Dtype.FLOAT32)
    assert reason is not None
    assert reason.startswith("numexpr has no 16-bit floats")


def test_without_ml_dtypes_there_is_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actbench.backends._narrowing.find_spec", lambda _: None)
    numpy = backends.get("numpy")
    assert (numpy.storage_refusal(Storage.BFLOAT16, Dtype.FLOAT32) or "").startswith("ml_dtypes is not installed")
    assert numpy.storage_refusal(Storage.FLOAT16, Dtype.FLOAT32) is None


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("cached:float61", "unknown residual dtype of cached 'float61': did you mean 'float16'?"),
        ("cached:float64", "unknown residual dtype of cached 'float64'"),
        ("cashed:float16", "unknown strategy 'cashed:float16'"),
        ("empty:float16", "unknown strategy 'empty:float16'"),
        ("cached:", "unknown residual dtype of cached ''"),
    ],
)
def test_a_name_that_is_not_known_is_refused(strategy: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        plan(replace(AXES, strategies=(strategy,)), seed=1, memory=GIGABYTE)


# Commands


def cases(actbench: Actbench, *arguments: str) -> list[str]:
    result = actbench("list", "cases", "-a", "logistic", "-b", "numpy", "-d", "float32", "-n", "1000", *arguments)
    assert result.exit_code == 0, result.output
    return [line.split("/")[1] for line in result.stdout.splitlines()]


def test_the_option_adds_variants_beside_the_strategies_that_are_chosen(actbench: Actbench) -> None:
    option = ("--residual-dtype", "bfloat16,float16")
    assert cases(actbench, "-s", "cached", *option) == ["cached", "cached:float16", "cached:bfloat16"]
    assert cases(actbench, "-s", "cached:float16") == ["cached:float16"]
    assert cases(actbench, "-s", "cached:float16,complement", "--residual-dtype", "bfloat16") == [
        *("cached:float16", "complement", "complement:bfloat16")
    ]


def test_without_a_choice_it_adds_to_the_preset_s_strategies(actbench: Actbench) -> None:
    plain = [name for name in presets.get("default").axes.strategies if name in activations.get("logistic").strategies]
    found = cases(actbench, "--residual-dtype", "float16")
    assert found == [name for pair in product(plain, ("", ":float16")) for name in ["".join(pair)]]


def test_it_is_a_setting_as_the_other_axes_are(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("actbench.toml").write_text('residual-dtype = "float16"\n', encoding="utf-8")
    assert cases(actbench, "-s", "cached") == ["cached", "cached:float16"]
    monkeypatch.setenv("ACTBENCH_RESIDUAL_DTYPE", "bfloat16")
    assert cases(actbench, "-s", "cached") == ["cached", "cached:bfloat16"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--residual-dtype", "float61"), "unknown residual dtype 'float61': did you mean 'float16'?"),
        (
            ("--preset", "overhead", "--residual-dtype", "float16"),
            "--residual-dtype: no strategy among empty, dispatch, ",
        ),
        (
            ("-s", "cached:float16", "--residual-dtype", "bfloat16"),
            "--residual-dtype: no strategy among cached:float16 keeps",
        ),
    ],
)
def test_a_choice_that_means_nothing_is_one_line_and_exit_code_2(
    actbench: Actbench, arguments: tuple[str, ...], said: str
) -> None:
    result = actbench("list", "cases", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_run_measures_them_side_by_side_and_its_files_know_them_by_name(actbench: Actbench) -> None:
    narrow = ("--residual-dtype", "float16,bfloat16", "-o", "out")
    result = actbench("run", *selections.SMALL, "--rounds", "6", *narrow)
    assert result.exit_code == 0, result.output
    found = selections.rows(Path("out", "cases.csv"))
    kept = {row["strategy"]: int(row["residual_bytes_per_element"]) for row in found}
    plain = dict.fromkeys(("recompute", "cached"), 8) | {"yardstick": 0}
    assert kept == plain | dict.fromkeys(
        (f"{name}:{kept_in}" for name in ("recompute", "cached") for kept_in in ("float16", "bfloat16")), 2
    )
    ratios = {
        (row["reference_strategy"], row["candidate_strategy"]): float(row["ratio"])
        for row in selections.rows(Path("out", "speedups.csv"))
    }
    assert ratios["cached", "cached:float16"] == pytest.approx(4 / 3)
    summary = Path("out", "summary.md").read_text(encoding="utf-8")
    heads = "recompute:float16 | recompute:bfloat16 | cached | cached:float16 | cached:bfloat16"
    assert heads in summary
    assert "rounded to 11 significant bits (float16)" in summary
    compared = actbench("compare", "out", "--by", "strategy", "--reference", "cached", "--format", "csv")
    assert ",cached,cached:float16," in compared.stdout


@pytest.mark.parametrize(
    ("backend", "code"),
    [("numpy", "return computed.astype(narrower)"), ("numba", "def float16_to_float32(kept):")],
)
def test_show_prints_how_residuals_are_kept(actbench: Actbench, backend: str, code: str) -> None:
    shown = actbench("show", f"logistic/cached:float16/{backend}/step/float32/1000").stdout
    assert "keeps y:float16: 2 bytes per element; one call moves 20000 bytes" in shown
    assert "return y * (1.0 - y)" in shown
    assert code in shown
    assert "known weakness: what is kept is rounded to 11 significant bits (float16)" in shown
