"""Names take globs, wherever names are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench import registry
from actbench.model.variants import Variant
from actbench.planning.selection import Selection
from actbench.planning.training import TrainingSelection
from tests.conftest import Actbench


def test_a_glob_stands_for_the_names_here_that_match() -> None:
    selection = Selection(
        activations=("logi*", "tanh"), backends=("num?y",), strategies=(Variant("c*:float16"),), dtypes=("*float16",)
    ).expanded()
    assert selection.activations == ("logistic", "tanh")
    assert selection.backends == ("numpy",)
    assert selection.strategies == ("cached:float16", "complement:float16")
    assert selection.dtypes == ("float16", "bfloat16")


def test_all_activations_are_a_star() -> None:
    assert Selection(activations=("*",)).expanded().activations == tuple(registry.activations())


def test_backends_that_cannot_be_used_here_do_not_match_others() -> None:
    assert {*Selection(backends=("*",)).expanded().backends} == {*registry.available_backends()}


def test_training_steps_take_globs_on_either_side_of_a_plus() -> None:
    selection = TrainingSelection(backends=("numpy+numba*", "nump*"), strategies=(Variant("ch*"),)).expanded()
    compiled = ("numba", "numba-simd", "numba-simd-streaming", "numba-parallel")
    assert selection.backends == (*(f"numpy+{name}" for name in compiled), "numpy")
    assert selection.strategies == ("checkpoint",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-a", "zz*"), "no activation matches 'zz*': known are "),
        (("-b", "zz*"), "no backend matches 'zz*': known are python, numpy"),
        (("-s", "[x]"), "no strategy matches '[x]': known are textbook, "),
        (("-d", "int*"), "no dtype matches 'int*': known are float16, bfloat16, float32, float64"),
        (("--op", "for*"), "no op matches 'for*': known are derivative, backward, step"),
        (("--operands", "hot*"), "no state of operands matches 'hot*': known are warm, "),
    ],
)
def test_a_glob_that_matches_nothing_is_refused_with_what_there_is(
    actbench: Actbench, arguments: tuple[str, ...], message: str
) -> None:
    result = actbench("list", "cases", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"actbench: {message}")


def test_a_recommendation_takes_a_glob_that_matches_one(actbench: Actbench) -> None:
    result = actbench("recommend", "-a", "log-*")
    assert result.exit_code == 2
    assert "'log-*' matches log-cosh, log-ndtr, log-sigmoid: name one of them" in result.stderr
    assert "'float*' is a list: ask for one at a time" in actbench("recommend", "-a", "tanh", "-d", "float*").stderr


def test_of_a_run_globs_stand_for_what_it_has(actbench: Actbench, one_block: Path) -> None:
    assert actbench("plot", "speedup", str(one_block), "-s", "c*", "-b", "n*", "-o", "x.svg").exit_code == 0
    result = actbench("plot", "speedup", str(one_block), "-b", "numba*", "-o", "x.svg")
    assert result.exit_code == 2
    assert "no backend matches 'numba*': known are numpy" in result.stderr
