"""What a run of training steps says first: sentences, to the character."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from actbench.analysis.interval import Interval
from actbench.analysis.training import ArmResult
from actbench.model.cases import Case
from actbench.model.checks import StepCheck
from actbench.model.variants import Variant
from actbench.report.training.answers import answers
from actbench.report.training.words import nbytes
from tests.conftest import Actbench
from tests.support.fake import FakeBench, exact_seconds
from tests.support.steps import STEP

Seconds = Callable[[Case], float]

WHERE = "In a training step of dense:16-8 (batch 8, float32, numpy), logistic"

LIMIT = "No cheaper gradient of logistic can save more than 4.0 % of this step (free)."

HALF = "keeps 0.50 of its bytes (256 B instead of 512 B)"


def answer(actbench: Actbench, *options: str) -> list[str]:
    """Measure exact steps, and return the sentences above the first table."""
    assert actbench("train", *STEP, *options).exit_code == 0
    text = Path("results/latest/summary.md").read_text(encoding="utf-8")
    return text.partition("\n### ")[0].strip().split("\n\n")[1:]


def slower(factors: Mapping[str, float]) -> Seconds:
    """Return exact seconds, of steps times the factor of the strategy."""

    def seconds(case: Case) -> float:
        return exact_seconds(case) * (factors.get(case.strategy, 1.0) if case.op.network else 1.0)

    return seconds


def test_what_is_saved_is_said_with_what_is_kept_and_the_most_that_could_be_saved(actbench: Actbench) -> None:
    takes = "keeping y takes 0.970 ± 0.000 of the time of recompute's step (saves 3.00 % ± 0.00 %)"
    assert answer(actbench) == [f"{WHERE}: {takes}, and {HALF}. {LIMIT}"]


def test_a_strategy_that_takes_longer_costs(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower({"cached": 1.1})
    takes = "keeping y takes 1.07 ± 0.00 of the time of recompute's step (costs 6.70 % ± 0.00 %)"
    assert answer(actbench) == [f"{WHERE}: {takes}, and {HALF}. {LIMIT}"]


def test_a_gain_within_one_percent_of_a_step_does_not_matter(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower({"cached": 0.998 / 0.97, "free": 0.996 / 0.96})
    assert answer(actbench) == [
        (
            f"{WHERE}: keeping y takes 0.998 ± 0.000 of the time of recompute's step. It does not matter here: no "
            "cheaper gradient of logistic can save more than 0.4 % of this step (free); keeping y saves 50 % of what "
            "is kept (256 B instead of 512 B)."
        )
    ]


def test_a_gain_that_does_not_matter_is_no_reason_where_a_cheaper_gradient_could_save_more(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = slower({"cached": 0.998 / 0.97})
    (sentence,) = answer(actbench)
    assert sentence.endswith(
        f"It does not matter here: keeping y saves 50 % of what is kept (256 B instead of 512 B). {LIMIT}"
    )


def test_no_difference_is_claimed_that_an_interval_does_not_show(actbench: Actbench, bench: FakeBench) -> None:
    by_round = [slower({"cached": 1 + 0.02 * number}) for number in range(7)]

    def noisy(case: Case) -> float:
        return by_round[bench.workers_started % 7](case)

    bench.seconds = noisy
    takes = "keeping y takes 1.03 ± 0.04 of the time of recompute's step (no difference is shown)"
    assert answer(actbench) == [f"{WHERE}: {takes}, and {HALF}. {LIMIT}"]


def test_too_few_rounds_give_no_answer(actbench: Actbench) -> None:
    assert answer(actbench, "--rounds", "2") == [
        (
            "No answer yet: an interval takes 6 rounds, and there are fewer: 'actbench train --resume DIR --rounds 6' "
            "measures the others."
        )
    ]


@pytest.mark.parametrize(
    ("strategies", "words"),
    [
        (
            "recompute,complement",
            (
                "keeping the small side of y takes 0.990 ± 0.000 of the time of recompute's step (saves 1.00 % ± 0.00 "
                "%), and keeps as many bytes (512 B)."
            ),
        ),
        (
            "recompute,checkpoint",
            (
                "computing z again (checkpoint) takes 1.30 ± 0.00 of the time of recompute's step (costs 30.00 % ± "
                f"0.00 %), and {HALF}."
            ),
        ),
        (
            "recompute,cached:float16",
            (
                "keeping y as float16 takes 0.970 ± 0.000 of the time of recompute's step (saves 3.00 % ± 0.00 %), and "
                "keeps 0.75 of its bytes (384 B instead of 512 B)."
            ),
        ),
    ],
)
def test_without_y_kept_the_answer_is_about_what_there_is(actbench: Actbench, strategies: str, words: str) -> None:
    assert answer(actbench, "-s", strategies) == [f"{WHERE}: {words}"]


def test_the_reference_and_the_limit_alone_say_what_could_be_saved(actbench: Actbench) -> None:
    assert answer(actbench, "-s", "recompute,free") == [f"{WHERE}: no{LIMIT[2:]}"]
    assert answer(actbench, "-s", "free") == []


def test_many_steps_are_counted_and_alike_answers_merged(actbench: Actbench, bench: FakeBench) -> None:
    slow = slower({"cached": 0.995 / 0.97})
    bench.seconds = lambda case: slow(case) if case.size == 16 else exact_seconds(case)
    options = ("--batch", "8,16,32", "-b", "numpy,numpy+numba-simd", "-s", "recompute,cached,free")
    both = "float32, numpy and numpy+numba-simd), logistic"
    gain = "3.0 % of the time of recompute's step with numpy, 3.0 % with numpy+numba-simd"
    limit = "can save more than 4.0 % of these steps with numpy, 4.0 % with numpy+numba-simd (free)."
    assert answer(actbench, *options) == [
        "Of 6 training steps, keeping y saves time in 4 and does not matter in 2 (less than 1 % of a step).",
        (
            f"In training steps of dense:16-8 (batch 8, 32, {both}: keeping y saves {gain}, and keeps 0.50 of its "
            f"bytes. No cheaper gradient of logistic {limit}"
        ),
        (
            f"In training steps of dense:16-8 (batch 16, {both}: it does not matter: keeping y saves or costs less "
            "than 1 % of the time of recompute's step, and keeps 0.50 of its bytes (512 B instead of 1 KiB). No "
            f"cheaper gradient of logistic {limit}"
        ),
    ]


def test_one_gain_a_backend_has_its_interval(actbench: Actbench) -> None:
    options = ("-a", "tanh", "-b", "numpy+numba-simd", "-s", "recompute,cached")
    _, first, second = answer(actbench, *options)
    assert first == (
        "In training steps of dense:16-8 (batch 8, float32, numpy and numpy+numba-simd), logistic: keeping y saves "
        "3.00 % ± 0.00 % of the time of recompute's step with numpy, 3.00 % ± 0.00 % with numpy+numba-simd, and keeps "
        "0.50 of its bytes (256 B instead of 512 B)."
    )
    assert second == first.replace("logistic", "tanh")


def test_an_interval_in_brackets_has_none_of_its_own(actbench: Actbench, bench: FakeBench) -> None:
    by_round = [slower({"cached": 1 - 0.001 * number**3}) for number in range(7)]

    def lopsided(case: Case) -> float:
        return by_round[bench.workers_started % 7](case)

    bench.seconds = lopsided
    (sentence,) = answer(actbench)
    assert "(saves 8.2 %, from 3.1 % to 16.6 %), and keeps" in sentence


def test_networks_of_one_kind_share_an_answer(actbench: Actbench, bench: FakeBench) -> None:
    wide = ("dense:16-16", "dense:16-32", "dense:16-64")
    slow = slower({"cached": 0.995 / 0.97})
    bench.seconds = lambda case: slow(case) if case.op.endswith("-32") and case.size == 8 else exact_seconds(case)
    words = [text.partition(" (")[0] for text in answer(actbench, *wide, "-s", "recompute,cached")]
    assert words[1:3] == [
        "In training steps of dense:16-8, dense:16-16, dense:16-64",
        f"In a training step of {wide[1]}",
    ]
    words = [text.partition(" (")[0] for text in answer(actbench, *wide, "--batch", "16", "-s", "recompute,cached")]
    assert words[1:6] == [
        "In training steps of dense:16-8",
        "In training steps of dense:16-16",
        "In a training step of dense:16-32",
        "In training steps of dense:16-64",
        "In a training step of dense:16-32",
    ]
    bench.seconds = exact_seconds
    words = [text.partition(" (")[0] for text in answer(actbench, *wide, "--batch", "16", "-s", "recompute,cached")]
    assert words[1] == "In training steps of dense:16-8 to dense:16-64"


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
    (sentence,) = answers(arms)
    return sentence


@pytest.mark.parametrize(
    ("backend", "kept"),
    [
        (
            "somebodys",
            ", and keeps 0.75 of its bytes (150 B instead of 200 B)",
        ),
        ("torch-compile", ""),
    ],
)
def test_what_a_framework_ships_is_what_is_compared_with_first_but_for_bytes_that_a_compiler_decides(
    backend: str, kept: str
) -> None:
    assert beside_shipped(backend) == (
        f"In a training step of ffn:8-32 (batch 64, float32, {backend}), gelu: keeping y takes 1.190 ± 0.014 of the "
        f"time of what {backend} itself does (shipped) (costs 19.0 % ± 1.4 %){kept}. No cheaper gradient of gelu can "
        "save more than 0.0 % of this step (free). It takes 0.950 ± 0.009 of the time of recompute's step (saves 5.0 % "
        "± 1.0 %)."
    )


def test_a_formula_that_runs_op_by_op_is_called_so_and_compared_with_what_is_shipped_first() -> None:
    assert beside_shipped("torch") == (
        "In a training step of ffn:8-32 (batch 64, float32, torch), gelu: keeping y, the formula, op by op, takes "
        "1.190 ± 0.014 of the time of what torch itself does (shipped) (costs 19.0 % ± 1.4 %), and keeps 0.75 of its "
        "bytes (150 B instead of 200 B). No cheaper gradient of gelu can save more than 0.0 % of this step (free). "
        "Beside formulas that are computed so as well, it takes 0.950 ± 0.009 of the time of recompute's step (saves "
        "5.0 % ± 1.0 %)."
    )


def test_steps_without_enough_rounds_are_counted_beside_answers_for_the_others() -> None:
    known = [arm("recompute", "numpy", None, 300), arm("cached", "numpy", 0.95, 150)]
    few = arm("cached", "jax", 0.95, 150)
    unknown = [arm("recompute", "jax", None, 300), replace(few, gain=Interval(0.05, nan, nan))]
    first, last = answers([*known, *unknown])
    assert "numpy" in first
    assert last == (
        "1 training step without an answer yet: an interval takes 6 rounds, and there are fewer: 'actbench train "
        "--resume DIR --rounds 6' measures the others."
    )


def test_what_was_not_checked_keeps_an_unknown_number_of_bytes() -> None:
    arms = [arm("recompute", "numpy", None, 300), arm("cached", "numpy", 0.95, 150)]
    (sentence,) = answers([replace(row, check=None) for row in arms])
    assert sentence.endswith("(saves 5.0 % ± 1.0 %).")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *[(0, "0 B"), (256, "256 B"), (1500, "1 500 B"), (2048, "2 KiB"), (12_345, "12.1 KiB"), (529_408, "517 KiB")],
        *[(1_053_696, "1 029 KiB"), (12_900_000, "12.3 MiB"), (-512 << 10, "-512 KiB"), (3 << 41, "6 144 GiB")],
    ],
)
def test_bytes_have_the_unit_in_which_they_are_short(number: int, text: str) -> None:
    assert nbytes(number).replace("\u202f", " ") == text
