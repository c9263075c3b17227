"""What `actbench show` prints."""

from __future__ import annotations

from itertools import product

import pytest

from actbench import registry
from actbench.model.names import Op
from tests.conftest import Actbench
from tests.support.tiers import exhaustive_but

AVAILABLE = [name for name, backend in registry.backends().items() if not (backend.optional or backend.unavailable)]


@pytest.mark.parametrize(
    ("op", "backend"),
    exhaustive_but(
        product((Op.DERIVATIVE, Op.BACKWARD, Op.STEP), AVAILABLE),
        lambda pair: pair[0] is Op.STEP or not pair[1].startswith("numba"),
    ),
)
def test_show_prints_the_code_that_is_measured(actbench: Actbench, backend: str, op: Op) -> None:
    case = f"logistic/complement/{backend}/{op}/float64/1000"
    result = actbench("show", case)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{case}\nlogistic: 1 / (1 + exp(-z))\n{op}: ")
    assert "return c * (1.0 - c)" in result.stdout
    assert "keeps c: 8 bytes per element" in result.stdout
    assert ("\ncompiled\n" in result.stdout) == backend.startswith("numba")


def test_show_prints_where_an_activation_is_from_and_what_is_known_of_it(actbench: Actbench) -> None:
    shown = actbench("show", "elu:alpha=0.50/recompute/numpy/step/float64/10").stdout
    assert shown.startswith("elu:alpha=0.5/recompute/numpy/step/float64/10\nelu:alpha=0.5: z where z > 0, ")
    assert "\nD.-A. Clevert, T. Unterthiner and S. Hochreiter, " in shown
    assert "\nvalues from -0.5 to inf\nat the kinks, by convention, g'(0) = 0.5\n" in shown
    pair = actbench("show", "silu/pair/numpy/derivative/float64/10").stdout
    assert "\nno cached: y between -0.278 and 0 comes from two different z\n" in pair
    assert "keeps z, y: 16 bytes per element" in pair


def test_show_counts_the_bytes_of_one_call(actbench: Actbench) -> None:
    shown = actbench("show", "tanh/cached/numpy/backward/float32/1000").stdout
    assert "keeps y: 4 bytes per element; one call moves 12000 bytes" in shown
    assert "known weakness: cancels: " in shown


@pytest.mark.skipif("numba" not in AVAILABLE, reason="numba is not installed")
def test_a_float32_kernel_of_numba_computes_in_float32(actbench: Actbench) -> None:
    shown = actbench("show", "logistic/recompute/numba/derivative/float32/1000").stdout
    assert "float32 to float64    none" in shown
    assert "expf" in shown


def test_the_yardstick_of_a_block_is_shown_as_the_copy_that_it_is(actbench: Actbench) -> None:
    shown = actbench("show", "elu:alpha=1/yardstick/numpy/derivative/float32/1000").stdout
    assert shown.startswith("elu/yardstick/numpy/derivative/float32/1000\na plain copy, ")
    assert "one call moves 8000 bytes" in shown
    assert "    numpy.copyto\n" in shown


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("logistic", "is not a case: write activation/strategy/backend/op/dtype/size"),
        ("logistic/cached/numpy/derivative/float32/0", "is not a case"),
        ("logistic/cached/numpy/derivative/float32/-5", "is not a case"),
        ("logistic/cached/numpy/derivative/float32/1e3", "is not a case: write its size in digits, such as 1000000,"),
        (
            "logistic/cached/numpy/derivative/float8/1000",
            "is not a case: the dtype is one of float16, bfloat16, float32, float64, not",
        ),
        (
            "logistic/cached/numpy/forward/float32/1000",
            "is not a case: the op is one of derivative, backward, step,",
        ),
        ("logistic/cached/numpy/derivative/float32/1000/", "is not a case"),
        ("logistic/cached/numpy/derivative/float32/1000/hot", "and '/residuals-cold' or '/cold' after it where"),
        ("", "is not a case"),
        ("logistik/cached/numpy/derivative/float32/1000", "did you mean 'logistic'?"),
        ("logistic/cache/numpy/derivative/float32/1000", "did you mean 'cached'?"),
        ("logistic/cached/nunpy/derivative/float32/1000", "did you mean 'numpy'?"),
        ("identity/cached/numpy/derivative/float32/1000", "unknown strategy of identity 'cached'"),
        ("logistic/cached/python/derivative/float32/1000", "float64 only"),
        ("elu:beta=2/cached/numpy/derivative/float32/1000", "elu has no parameter 'beta'"),
    ],
)
def test_a_bad_case_is_refused_in_one_line(actbench: Actbench, case: str, said: str) -> None:
    result = actbench("show", case)
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_training_step_is_shown_with_its_layers_what_it_keeps_and_all_that_it_executes(actbench: Actbench) -> None:
    case = "silu/pair/numpy/glu-ffn:8-4/float32/128"
    shown = actbench("show", case).stdout
    assert shown.startswith(f"{case}\nsilu: z / (1 + exp(-z))\nglu-ffn:8-4: g(x A) times x B, ")
    assert "a step on 128 rows: forward, loss, backward, update" in shown
    assert (
        "\n    Multiply, of what these make of one input:\n        Linear(8, 4)\n        Activate()\n      and\n"
        in shown
    )
    assert "keeps z, y for g': 2\u202f048 bytes a step, beside 10\u202f240 bytes that the network holds" in shown
    for code in ("def pair_array(z, y):", "def _descend(self)", "class LinearLayer:", "class Gate:"):
        assert code in shown
    assert "CheckpointedActivation" not in shown


def test_arms_that_are_no_strategies_are_shown_as_what_they_are(actbench: Actbench) -> None:
    checkpoint = actbench("show", "tanh/checkpoint/numpy/ffn:8-4/float32/2").stdout
    assert "checkpoint: keep the linear layer's input alone, and compute z again\n" in checkpoint
    assert "keeps nothing for g': 0 bytes" in checkpoint
    assert "class CheckpointedActivation:" in checkpoint
    free = actbench("show", "tanh/free/numpy/ffn:8-4/float32/2").stdout
    assert "wrong by design" in free
    assert "backward pass of the activation" not in free


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("tanh/shipped/numpy/ffn:8-4/float32/2", "does not exist: numpy has no automatic differentiation"),
        ("silu/cached/numpy/ffn:8-4/float32/2", "unknown strategy of silu 'cached'"),
        ("tanh/yardstick/numpy/ffn:8-4/float32/2", "unknown strategy of tanh 'yardstick'"),
        ("tanh/cached/numba/ffn:8-4/float32/2", "write numpy+numba"),
        ("tanh/cached/numpy/ffn:8/float32/2", "write ffn:WIDTH-HIDDEN with as many widths as it names"),
        ("tanh/cached/numpy/ffn:8-4/float32/2/cold", "a training step has no state of operands"),
        ("overhead/empty/numpy/ffn:8-4/float32/2", "unknown activation 'overhead'"),
    ],
)
def test_a_training_step_that_does_not_exist_is_refused_in_a_line(actbench: Actbench, case: str, said: str) -> None:
    result = actbench("show", case)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("case", "meaning", "formula"),
    [
        (
            "softmax/cached/numpy/backward/float32/4x4",
            "backward: the gradient of z from dy, the vector-Jacobian product of a row",
            "gradient of z, from dy and y",
        ),
        (
            "glu/recompute/numpy/backward/float32/4",
            "backward: dy b g'(a) and dy g(a), the vector-Jacobian products by a and by b",
            "b g'(a) and g(a), from a, b",
        ),
        ("tanh/cached/numpy/second/float32/4", "second: g''(z)", "second derivative, from y"),
    ],
)
def test_show_says_of_which_mathematics_a_formula_is(actbench: Actbench, case: str, meaning: str, formula: str) -> None:
    shown = actbench("show", case).stdout.splitlines()
    assert meaning in shown
    assert formula in shown
