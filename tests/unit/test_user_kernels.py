from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actbench import plugins, registry
from actbench.errors import InputError
from actbench.kernels.resolution import kernel as resolved
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.selections import rows

HEAD = "import numpy as np\nfrom actbench import kernel\n"

SLOPE = """
def slope(z):
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2
"""

MINE = f"""{HEAD}{SLOPE}
@kernel("logistic", "mine", dtypes=("float32", "float64"))
def mine(dy, z):
    '''keep z; as a test writes it'''
    return dy * slope(z)

@kernel("logistic", "mine", op="derivative")
def mine_alone(z):
    return slope(z)

@kernel("logistic", "filling", keeps=("y", "z"))
def filling(dy, out, y, z):
    '''keep y and z'''
    np.multiply(dy, slope(z), out=out)
    return out

from actbench.activations.silu import CROSSES, FEW_DIGITS, MULTIPLIED

KNOWN = (CROSSES, MULTIPLIED, FEW_DIGITS)

@kernel("silu", "from-intermediate", keeps=("z", "s"), backends=("numba", "numpy"), weaknesses=KNOWN)
def from_intermediate(dy, z, s, *, out):
    '''keep z and the s of z s(z)'''
    near = np.where(np.abs(z) > 800, 0, z)
    np.multiply(dy, s * (1 + near * (1 - s)), out=out)
"""


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let files be written into an empty directory, and unload what is loaded."""
    monkeypatch.chdir(tmp_path)
    yield
    plugins.unload()


def write(text: str) -> None:
    Path("mine.py").write_text(text)


def case(text: str) -> KernelId:
    activation, strategy, backend, op, dtype = text.split("/")
    return KernelId(activation, Variant(strategy), backend, Op(op), Dtype(dtype))


def test_kernels_are_listed_run_shown_and_surveyed_beside_formulas(actbench: Actbench) -> None:
    write(MINE)
    load = ("--load", "mine.py", "-d", "float64", "-b", "numpy")
    assert "keep z; as a test writes it" in actbench("list", "strategies", "--load", "mine.py").stdout
    result = actbench(
        "run", *load, "-a", "logistic,silu", "--op", "backward", "-n", "1000", "--rounds", "6", "-o", "here"
    )
    assert result.exit_code == 0, result.stderr
    measured = {row["strategy"] for row in rows(Path("here/cases.csv"))}
    assert {"mine", "filling", "from-intermediate", "recompute", "cached"} <= measured
    said = " ".join(result.stdout.split())
    assert "logistic, backward: mine, of your own, times as fast as the built-in strategies: numpy: " in said
    shown = actbench("show", "--load", "mine.py", "logistic/filling/numpy/step/float64/10").stdout
    assert "keeps y, z: 16 bytes" in shown
    assert "np.multiply(dy, slope(z), out=out)" in shown
    surveyed = actbench("accuracy", *load, "-a", "logistic", "-s", "mine,filling", "--points", "10")
    assert surveyed.exit_code == 0, surveyed.stderr
    assert "mine" in surveyed.stdout
    assert "filling" in surveyed.stdout
    assert "left out" not in surveyed.stderr


def test_a_python_function_that_numba_compiled_is_labelled_so(actbench: Actbench) -> None:
    write(
        f"{HEAD}import numba\n"
        "@kernel('logistic', 'jitted')\n"
        "@numba.njit(error_model='numpy')\n"
        "def jitted(dy, z):\n"
        "    e = np.exp(-np.abs(z))\n"
        "    return dy * (e / (1 + e) ** 2)\n"
    )
    case = "logistic/jitted/numpy/backward/float64/10"
    assert "a Python function that numba compiled" in actbench("show", "--load", "mine.py", case).stdout
    options = (
        "--load",
        "mine.py",
        "-a",
        "logistic",
        "-s",
        "recompute,jitted",
        "-b",
        "numpy",
        "-d",
        "float64",
        "-n",
        "10",
    )
    result = actbench("run", *options, "--op", "backward", "--rounds", "1")
    assert result.exit_code == 0, result.stderr
    assert "Python functions that numba compiled: jitted." in " ".join(result.stdout.split())


def test_a_kernel_is_left_out_with_the_reason_where_it_takes_no_such_arrays(actbench: Actbench) -> None:
    write(MINE)
    options = ("--load", "mine.py", "-a", "logistic", "-s", "recompute,filling", "-b", "numpy,numba", "-n", "1000")
    listed = actbench("list", "cases", *options, "--op", "derivative,backward")
    assert [line for line in listed.stdout.splitlines() if "filling" in line] == [
        "logistic/filling/numpy/backward/float64/1000"
    ]
    for reason in (
        "'filling' computes backward only (op=)",
        "'filling' takes arrays of numpy only (backends=)",
        "'filling' takes float64 only (dtypes=)",
    ):
        assert reason in listed.stderr


def test_a_training_step_takes_no_kernel(actbench: Actbench) -> None:
    write(MINE)
    refused = actbench("train", "dense:8-8", "--load", "mine.py", "-a", "logistic", "-s", "recompute,mine")
    assert refused.exit_code == 2
    assert "'mine' is a kernel, which has no part in a training step" in refused.stderr
    left = actbench("train", "dense:8-8", "--load", "mine.py", "-a", "logistic", "-b", "numpy", "--dry-run").stdout
    assert "/mine/" not in left


def test_presets_have_what_kernels_compute_and_take(actbench: Actbench) -> None:
    write(MINE)
    cases = actbench("list", "cases", "--load", "mine.py", "--preset", "smoke").stdout
    assert "logistic/mine/numpy/backward/float64/1000" in cases
    assert "/backward/" not in actbench("list", "cases", "--preset", "smoke").stdout


def test_kernels_for_several_ops_and_dtypes_share_a_name() -> None:
    write(MINE)
    plugins.load("mine.py")
    assert resolved(case("logistic/mine/numpy/derivative/float64")).unsupported is None
    assert resolved(case("logistic/mine/numpy/step/float32")).unsupported is None
    assert resolved(case("logistic/mine/numpy/derivative/float32")).unsupported == "'mine' takes float64 only (dtypes=)"


def test_a_kernel_of_an_activation_with_parameters_is_for_these_alone() -> None:
    write(f'{HEAD}mine = kernel("elu:alpha=0.5", "mine")(lambda dy, z: dy * np.where(z > 0, 1, 0.5 * np.exp(z)))')
    plugins.load("mine.py")
    assert "mine" in registry.activation("elu:alpha=0.5").strategies
    assert "mine" not in registry.activation("elu").strategies


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ('kernel("logistic", "cached")(np.multiply)', "there is a strategy 'cached' already: give yours another name"),
        ('kernel("logistic", "shipped")(np.multiply)', "there is a strategy 'shipped' already"),
        ('kernel("logistics", "mine")(np.multiply)', "kernel 'mine': unknown activation 'logistics'"),
        (
            'kernel("silu", "mine", keeps=("q",))(np.multiply)',
            "kernel 'mine' of silu keeps q, which no forward pass of silu saves: it can keep z, y, s (of 'inter",
        ),
        ('kernel("silu", "mine", keeps=("dy",))(np.multiply)', "keeps dy, which is the upstream gradient"),
        ('kernel("silu", "mine", keeps=("z", "z"))(len)', "keeps (z, z): name each residual once"),
        ('kernel("silu", "mine", backends=("nunpy",))(np.multiply)', "unknown backend 'nunpy': did you mean 'numpy'?"),
        ('kernel("silu", "mine")(lambda z: z)', "cannot be called as f(dy, z) (too many positional arguments)"),
        ('kernel("silu", "mine", keeps="z")', 'write a tuple of names, such as keeps=("z",)'),
        ('kernel("silu", "mine", op="step")', "op='step': a kernel computes derivative or backward"),
        ('kernel("silu", "mine", dtypes=("int8",))', "there is no kernel in int8, only in float16"),
        ('kernel("silu", "mine")(3)', "kernel 'mine' is 3, which cannot be called as a kernel"),
        (
            'kernel("silu", "mine")(np.multiply)\nmine = kernel("silu", "again")(np.multiply)',
            "kernel 'mine' is defined on line 3 and again on line 4, so that the first is lost",
        ),
        (
            'kernel("silu", "mine")(np.multiply); again = kernel("silu", "mine", keeps=("y",))(np.multiply)',
            "keeps (z) and (y): a strategy keeps the same everywhere",
        ),
        (
            'kernel("silu", "mine")(np.multiply); again = kernel("silu", "mine")(np.multiply)',
            "is declared twice for backward, with a backend and a dtype in common",
        ),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused_with_the_way_out(declared: str, reason: str) -> None:
    write(f"{HEAD}mine = {declared}\n")
    with pytest.raises(InputError) as refused:
        plugins.load("mine.py")
    assert reason in str(refused.value)


def test_a_formula_is_limited_to_the_backends_and_dtypes_that_it_names(actbench: Actbench) -> None:
    write(
        "from actbench import Strategy, strategy\n"
        "@strategy('logistic')\n"
        "def mine(m):\n"
        "    def derivative(z):\n"
        "        e = m.exp(-abs(z))\n"
        "        return e / (1.0 + e * (2.0 + e))\n"
        "    return Strategy(derivative, backends=('numpy',), dtypes=('float64',))\n"
    )
    listed = actbench(
        "list", "cases", "--load", "mine.py", "-a", "logistic", "-s", "mine", "-b", "numpy,numba", "-n", "9"
    )
    assert listed.stdout.splitlines() == ["logistic/mine/numpy/derivative/float64/9"]
    assert "strategy 'mine' of logistic is limited to the backend numpy" in listed.stderr
    assert "strategy 'mine' of logistic is limited to float64" in listed.stderr
