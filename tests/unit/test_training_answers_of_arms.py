"""What is said first of made-up arms of training steps: beside what a framework ships, and of bytes that they keep."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from actbench.analysis.interval import Interval
from actbench.analysis.training import ArmResult
from actbench.model.cases import Case
from actbench.model.checks import StepCheck
from actbench.model.variants import Variant
from actbench.report.training.answers import answers
from actbench.report.training.sentences import StepAnswer, sentences
from actbench.report.training.words import nbytes

STEP_OF_REFERENCE = "of the time of recompute's step"

MORE = "actbench train --resume here --rounds 6"


def arm(strategy: str, backend: str, ratio: float | None, kept: int, over_shipped: float | None = None) -> ArmResult:
    """Return an arm that takes so much of the time of recompute's step, and of shipped's."""
    case = Case.parse(f"gelu/{strategy}/{backend}/ffn:8-32/float32/64")

    def exact(value: float) -> Interval:
        return Interval(value, value - 0.01, value + 0.01)

    return ArmResult(
        case,
        exact(1.0),
        8,
        Variant("recompute"),
        None if ratio is None else exact(1 / ratio),
        None if over_shipped is None else exact(1 / over_shipped),
        None if ratio is None else exact(1 - ratio),
        (),
        None,
        StepCheck(case.kernel, 1e-7, "W1 (8 x 32)", kept, 100, kept, 100, None),
    )


def beside_shipped(backend: str) -> str:
    """Return the answer where keeping y takes 0.95 of the time of recompute's step, and 1.19 of shipped's."""
    arms = [
        arm("recompute", backend, None, 300, 1.25),
        arm("cached", backend, 0.95, 150, 1.19),
        arm("shipped", backend, 0.8, 200),
        arm("free", backend, 0.9, 150, 1.12),
    ]
    (sentence,) = answers(arms, MORE)
    return sentence


@pytest.mark.parametrize(
    ("backend", "kept"),
    [("somebodys", " It keeps 25 % fewer bytes than shipped (150 B instead of 200 B)."), ("torch-compile", "")],
)
def test_what_a_framework_ships_is_what_is_compared_with_first_but_for_bytes_that_a_compiler_decides(
    backend: str, kept: str
) -> None:
    assert beside_shipped(backend) == (
        f"In a training step of ffn:8-32 (batch 64, float32, {backend}), gelu: keeping y (cached) is slower than what "
        f"{backend} itself does (shipped): 0.840 ± 0.010 times as fast. It saves 5.0 % ± 1.0 % {STEP_OF_REFERENCE}."
        f"{kept} A step that copies dy in place of dy g'(z) (free) is 0.893 ± 0.010 times as fast as shipped."
    )


def test_a_formula_that_runs_op_by_op_is_called_so_and_compared_with_what_is_shipped_first() -> None:
    assert beside_shipped("torch") == (
        "In a training step of ffn:8-32 (batch 64, float32, torch), gelu: keeping y (cached), the formula, op by op, "
        "is slower than what torch itself does (shipped): 0.840 ± 0.010 times as fast. It saves 5.0 % ± 1.0 % "
        f"{STEP_OF_REFERENCE} (the formula, op by op, too). It keeps 25 % fewer bytes than shipped (150 B instead of "
        "200 B). A step that copies dy in place of dy g'(z) (free) is 0.893 ± 0.010 times as fast as shipped."
    )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([(300, 200)], "50 % more bytes than recompute (300 B instead of 200 B)"),
        ([(300, 200), (280, 200)], "40 to 50 % more bytes than recompute"),
        ([(150, 200), (280, 200)], "0.75 to 1.4 times as many bytes as recompute"),
        ([(200, 200), (300, 300)], "as many bytes as recompute"),
    ],
)
def test_bytes_are_more_or_fewer(counts: list[tuple[int, int]], words: str) -> None:
    steps = [
        StepAnswer(arm("cached", "numpy", 0.95, kept), arm("recompute", "numpy", None, base), None, None)
        for kept, base in counts
    ]
    assert sentences(steps).endswith(f". It keeps {words}.")


def test_steps_without_enough_rounds_are_counted_beside_answers_for_the_others() -> None:
    known = [arm("recompute", "numpy", None, 300), arm("cached", "numpy", 0.95, 150)]
    few = arm("cached", "jax", 0.95, 150)
    unknown = [arm("recompute", "jax", None, 300), replace(few, gain=Interval(0.05, nan, nan))]
    first, last = answers([*known, *unknown], MORE)
    assert "numpy" in first
    assert last == (
        "1 training step without an answer yet: an interval takes 6 rounds, and there are fewer: 'actbench train "
        "--resume here --rounds 6' measures the others."
    )


def test_what_was_not_checked_keeps_an_unknown_number_of_bytes() -> None:
    arms = [arm("recompute", "numpy", None, 300), arm("cached", "numpy", 0.95, 150)]
    (sentence,) = answers([replace(row, check=None) for row in arms], MORE)
    assert sentence.endswith(f"saves 5.0 % ± 1.0 % {STEP_OF_REFERENCE}.")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *[(0, "0 B"), (256, "256 B"), (1500, "1 500 B"), (2048, "2 KiB"), (12_345, "12.1 KiB"), (529_408, "517 KiB")],
        *[(1_053_696, "1 029 KiB"), (12_900_000, "12.3 MiB"), (-512 << 10, "-512 KiB"), (3 << 41, "6 144 GiB")],
    ],
)
def test_bytes_have_the_unit_in_which_they_are_short(number: int, text: str) -> None:
    assert nbytes(number).replace("\u202f", " ") == text
