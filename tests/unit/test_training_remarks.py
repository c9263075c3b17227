"""What is said of instrumented training steps that are unlike timed ones."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support import fake, steps
from tests.support.steps import STEP

INSTRUMENTS = "reading the clock after every part takes that long, and shares are of the instrumented step."

DISTURBED = "other processes were at work, and shares and predictions are not those of the times."


@pytest.mark.parametrize(
    ("factors", "rounds", "sentence"),
    [
        ((1.3,), "7", f"33 % more time than timed ones (CASE): {INSTRUMENTS}"),
        ((1.3,), "1", f"33 % more time than timed ones (CASE): {INSTRUMENTS}"),
        ((1.0, 1.4, 1.8), "7", f"43 % more time than timed ones (CASE): {DISTURBED}"),
        ((0.5,), "7", f"49 % less time than timed ones (CASE): {DISTURBED}"),
    ],
)
def test_other_processes_are_blamed_only_for_what_instruments_cannot_do(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, factors: tuple[float, ...], rounds: str, sentence: str
) -> None:
    of_rounds = cycle(factors)

    def parts(*arguments: object) -> tuple[tuple[float, ...], ...]:
        factor = next(of_rounds)
        return tuple(tuple(factor * part for part in arm) for arm in steps.parts(*arguments))  # type: ignore[arg-type]

    monkeypatch.setattr(fake, "parts", parts)
    assert actbench("train", *STEP, "-s", "recompute", "--rounds", rounds, "-o", "here").exit_code == 0
    expected = sentence.replace("CASE", "logistic/recompute/numpy/dense:16-8/float32/8")
    assert f"Instrumented steps take up to {expected}" in Path("here/summary.md").read_text(encoding="utf-8")
