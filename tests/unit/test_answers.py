"""What a summary says in words, before any table."""

from __future__ import annotations

from tests.conftest import Actbench


def said(actbench: Actbench, *selection: str) -> list[str]:
    """Return the sentences in front of the first table."""
    result = actbench("run", *selection, "-n", "1000", "--rounds", "6", "-q")
    assert result.exit_code == 0, result.stderr
    before, _, _ = result.stdout.partition("\n\n\n")
    return [line for line in before.split("\n\nSpeedup over")[0].splitlines() if line]


def test_where_the_output_does_not_give_the_derivative_what_else_can_be_kept_is_reported(actbench: Actbench) -> None:
    kept = ("what the forward pass computed on the way", "both the input and the output")
    assert said(actbench, "-a", "silu", "-b", "numpy", "-d", "float64", "--op", "derivative")[:2] == [
        f"silu, derivative: keeping {what} is faster than recomputing in 1 of 1 comparison (1.3 times with numpy)."
        for what in kept
    ]


def test_a_cached_output_is_all_that_is_reported_where_there_is_one(actbench: Actbench) -> None:
    lines = said(actbench, "-a", "logistic", "-b", "numpy,numba", "-d", "float64", "--op", "derivative")
    assert lines[0] == (
        "logistic, derivative: reusing the cached output is faster than recomputing in 2 of 2 comparisons (4.0 times "
        "with numpy, 4.0 times with numba)."
    )
    assert not any("small side" in line for line in lines)


def test_many_answers_have_one_over_all_in_front(actbench: Actbench) -> None:
    lines = said(actbench, "-a", "logistic,tanh,elu,silu", "-b", "numpy", "-d", "float64", "--op", "derivative")
    faster = "reusing the cached output is faster than recomputing in 3 of 3 comparisons (4.0 times)."
    assert lines[0] == f"Over logistic, tanh, elu, {faster}"
    assert [line.partition(",")[0] for line in lines[1:6]] == ["logistic", "tanh", "elu", "silu", "silu"]


def test_many_answers_about_one_activation_are_of_its_ops(actbench: Actbench) -> None:
    lines = said(actbench, "-a", "logistic,silu", "-b", "numpy", "-d", "float64", "--op", "derivative,backward,step")
    assert lines[0].startswith("Over 3 ops, reusing the cached output is faster than recomputing in 3 of 3")


def test_many_answers_of_which_one_op_is_in_question_are_over_one_op(actbench: Actbench) -> None:
    lines = said(actbench, "-a", "logistic,silu,gelu", "-b", "numpy", "-d", "float64", "--op", "derivative")
    assert lines[0].startswith("Over 1 op, reusing the cached output is faster than recomputing in 1 of 1 comparison")
