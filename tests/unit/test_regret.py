"""The benchmark of held-out regret: its cells, and what it says of them."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import regret
from benchmarks.regret import Cell, cells, report


def line(outcome: str, choice: str, cached: tuple[float, float, float]) -> dict[str, Any]:
    """Return a cell in which `recompute` is the best, and `cached` takes so many times as long."""
    return {
        "cell": Cell("tanh", "float32", 1000, "step", "warm", "numpy")._asdict(),
        "outcome": outcome,
        "choice": choice,
        "ties": [],
        "open": [],
        "keeps": {"recompute": ["z"], "cached": ["y"]},
        "best": "recompute",
        "regrets": {"recompute": [1.0, 1.0, 1.0], "cached": [*cached]},
    }


def test_there_are_24_cells_of_12_activations() -> None:
    assert len({*cells()}) == 24
    assert len({cell.activation for cell in cells()}) == 12
    assert {cell.backend for cell in cells(("torch", "jax"))} == {"torch", "jax"}


def test_a_winner_that_is_shown_to_be_worse_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regret, "kept_by", lambda name, _: ["y"] if name == "torch" else ["g'"])
    first, _, _, actbench, torch, jax, _, worse = report(
        [line("winner", "cached", (1.04, 1.02, 1.06)), line("winner", "recompute", (1.01, 0.99, 1.03))]
    )
    assert first.endswith("regret +4.0 % ± 2.0 %; torch keeps y (cached): +4.0 % ± 2.0 %; jax keeps g'")
    assert actbench.startswith(
        "actbench: 2 cells, regret: median 2.00 %, worst 4.00 %, worst beyond the interval 2.00 %"
    )
    assert torch.startswith("torch: 2 cells, regret: median 2.50 %")
    assert jax.startswith("jax: nothing to compare")
    assert worse == "named alone: 2; shown to be worse: tanh/float32/1000/step/warm/numpy"


def test_pieces_add_up_and_rounds_too_few_for_an_interval_count_with_their_ratio() -> None:
    nan = float("nan")
    *_, actbench, _, _, _, worse = report(
        [line("open", "cached", (1.04, nan, nan)), line("open", "recompute", (1.0,) * 3)]
    )
    assert actbench == "actbench: 2 cells, regret: median 2.00 %, worst 4.00 %, worst beyond the interval 0.00 %"
    assert worse == "named alone: 0; shown to be worse: none"
