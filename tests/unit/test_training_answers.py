"""What a run of training steps says first: sentences, to the character."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from actbench import registry
from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.steps import STEP

Seconds = Callable[[Case], float]

WHERE = "In a training step of dense:16-8 (batch 8, float32, numpy), logistic"

LIMIT = "No cheaper gradient of logistic can save more than 4.00 % ± 0.00 % of this step (free)."

HALF = "It keeps 50 % fewer bytes than recompute (256 B instead of 512 B)."

STEP_OF_REFERENCE = "of the time of recompute's step"


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
    assert answer(actbench) == [
        f"{WHERE}: keeping y (cached) saves 3.00 % ± 0.00 % {STEP_OF_REFERENCE}. {HALF} {LIMIT}"
    ]


def test_a_strategy_that_takes_longer_costs(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower({"cached": 1.1})
    assert answer(actbench) == [
        f"{WHERE}: keeping y (cached) costs 6.70 % ± 0.00 % {STEP_OF_REFERENCE}. {HALF} {LIMIT}"
    ]


def test_a_gain_within_one_percent_of_a_step_does_not_matter(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower({"cached": 0.998 / 0.97})
    effect = f"keeping y (cached) does not matter (less than 1 %): it saves 0.20 % ± 0.00 % {STEP_OF_REFERENCE}."
    assert answer(actbench) == [f"{WHERE}: {effect} {HALF} {LIMIT}"]


def test_no_difference_is_claimed_that_an_interval_does_not_show(actbench: Actbench, bench: FakeBench) -> None:
    by_round = [slower({"cached": 1 + 0.02 * number}) for number in range(7)]

    def noisy(case: Case) -> float:
        return by_round[bench.workers_started % 7](case)

    bench.seconds = noisy
    effect = f"is not shown to save or cost time: by estimate it costs 2.8 % ± 3.9 % ≈ {STEP_OF_REFERENCE}."
    assert answer(actbench) == [f"{WHERE}: keeping y (cached) {effect} {HALF} {LIMIT}"]


@pytest.mark.parametrize("factor", [1.0, 1.1, 0.998 / 0.97])
def test_every_figure_of_the_answer_is_one_of_the_table(actbench: Actbench, bench: FakeBench, factor: float) -> None:
    by_round = [slower({"cached": factor + 0.02 * number, "free": 1 + 0.001 * number**3}) for number in range(7)]

    def noisy(case: Case) -> float:
        return by_round[bench.workers_started % 7](case)

    bench.seconds = noisy
    (sentence,) = answer(actbench)
    table = Path("results/latest/summary.md").read_text(encoding="utf-8").partition("\n### ")[2].split("\n\n")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    saved = {name: cells[-1] for name, *cells in rows}
    assert f" {saved['cached'].replace('-', '')} {STEP_OF_REFERENCE}." in sentence.replace("-", "")
    assert f"can save more than {saved['free (bound)']} of this step (free)." in sentence


def test_too_few_rounds_give_no_answer(actbench: Actbench) -> None:
    (reason,) = answer(actbench, "--rounds", "2")
    directory = Path("results/latest").resolve().name
    assert reason == (
        f"No answer yet: an interval takes 6 rounds, and there are fewer: 'actbench train --resume results/{directory} "
        "--rounds 6' measures the others."
    )


@pytest.mark.parametrize(
    ("strategies", "words"),
    [
        (
            "recompute,complement",
            (
                f"keeping the small side of y (complement) saves 1.00 % ± 0.00 % {STEP_OF_REFERENCE}. It keeps as many "
                "bytes as recompute (512 B)."
            ),
        ),
        (
            "recompute,checkpoint",
            f"computing z again (checkpoint) costs 30.00 % ± 0.00 % {STEP_OF_REFERENCE}. {HALF}",
        ),
        (
            "recompute,cached:float16",
            (
                f"keeping y as float16 (cached:float16) saves 3.00 % ± 0.00 % {STEP_OF_REFERENCE}. It keeps 25 % fewer "
                "bytes than recompute (384 B instead of 512 B)."
            ),
        ),
    ],
)
def test_without_y_kept_the_answer_is_about_what_there_is(actbench: Actbench, strategies: str, words: str) -> None:
    assert answer(actbench, "-s", strategies) == [f"{WHERE}: {words}"]


def test_the_reference_and_the_limit_alone_say_what_could_be_saved(actbench: Actbench) -> None:
    assert answer(actbench, "-s", "recompute,free") == [f"{WHERE}: no{LIMIT[2:]}"]


@pytest.mark.parametrize("arm", ["free", "cached"])
def test_one_arm_alone_has_no_answer_and_nothing_that_it_is_compared_with(actbench: Actbench, arm: str) -> None:
    assert answer(actbench, "-s", arm) == [
        "No answer: it takes two arms on the same backend, such as -s recompute,cached."
    ]
    table = Path("results/latest/summary.md").read_text(encoding="utf-8").partition("### ")[2].partition("\n### ")[0]
    assert "reference" not in table
    assert "speedup" not in table


def test_free_is_no_limit_where_the_reference_computes_z_again(actbench: Actbench) -> None:
    (sentence,) = answer(actbench, "-s", "free,checkpoint")
    free = "a step that copies dy in place of dy g'(z) (free) saves 26.15 % ± 0.00 % of checkpoint's step."
    assert sentence == f"{WHERE}: {free}"


def test_free_is_no_limit_where_the_step_is_compiled_as_a_whole(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.backends()["numpy"], "compiles_for_a_size", True)
    free = "A step that copies dy in place of dy g'(z) (free) saves 4.00 % ± 0.00 % of recompute's step."
    assert answer(actbench) == [f"{WHERE}: keeping y (cached) saves 3.00 % ± 0.00 % {STEP_OF_REFERENCE}. {HALF} {free}"]
    assert "(bound)" not in Path("results/latest/summary.md").read_text(encoding="utf-8")


def test_free_is_no_limit_where_a_strategy_is_faster(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower({"free": 1.1})
    (sentence,) = answer(actbench)
    assert sentence.endswith(
        "A step that copies dy in place of dy g'(z) (free) costs 5.60 % ± 0.00 % of recompute's step."
    )


def test_many_steps_are_counted_and_alike_answers_merged(actbench: Actbench, bench: FakeBench) -> None:
    slow = slower({"cached": 0.995 / 0.97})
    bench.seconds = lambda case: slow(case) if case.size == 16 else exact_seconds(case)
    options = ("--batch", "8,16,32", "-b", "numpy,numpy+numba-simd", "-s", "recompute,cached,free")
    both = "float32, numpy and numpy+numba-simd), logistic"
    gain = f"saves 3.0 % {STEP_OF_REFERENCE} with numpy, 3.0 % with numpy+numba-simd"
    little = f"saves 0.50 % ± 0.00 % {STEP_OF_REFERENCE} with numpy, 0.50 % ± 0.00 % with numpy+numba-simd"
    limits = [
        f"can save more than {limit} of these steps with numpy, {limit} with numpy+numba-simd (free)."
        for limit in ("4.0 %", "4.00 % ± 0.00 %")
    ]
    assert answer(actbench, *options) == [
        (
            "Of 6 training steps with numpy and numpy+numba-simd, keeping y (cached) saves time in 4 and does not "
            "matter in 2 (less than 1 % of a step)."
        ),
        (
            f"In training steps of dense:16-8 (batch 8, 32, {both}: keeping y (cached) {gain}. It keeps 50 % fewer "
            f"bytes than recompute. No cheaper gradient of logistic {limits[0]}"
        ),
        (
            f"In training steps of dense:16-8 (batch 16, {both}: keeping y (cached) does not matter (less than 1 %): "
            f"it {little}. It keeps 50 % fewer bytes than recompute (512 B instead of 1 KiB). No cheaper gradient of "
            f"logistic {limits[1]}"
        ),
    ]


def test_one_gain_a_backend_has_its_interval(actbench: Actbench) -> None:
    options = ("-a", "tanh", "-b", "numpy+numba-simd", "-s", "recompute,cached")
    _, first, second = answer(actbench, *options)
    assert first == (
        "In training steps of dense:16-8 (batch 8, float32, numpy and numpy+numba-simd), logistic: keeping y "
        f"(cached) saves 3.00 % ± 0.00 % {STEP_OF_REFERENCE} with numpy, 3.00 % ± 0.00 % with numpy+numba-simd. {HALF}"
    )
    assert second == first.replace("logistic", "tanh")


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
