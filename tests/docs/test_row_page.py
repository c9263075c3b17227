"""The page about row activations: its file is short, and the oracle accepts it."""

from __future__ import annotations

from pathlib import Path

from actbench.planning import presets
from tests.conftest import Actbench
from tests.support.documents import files, read

MOST_LINES = 50


def test_the_file_of_the_page_is_short_and_every_strategy_of_it_is_measured(actbench: Actbench) -> None:
    ((name, code),) = files(read("how-to/write-a-row-activation.md"))
    assert len(code.splitlines()) <= MOST_LINES
    Path(name).write_text(code, encoding="utf-8")
    result = actbench(
        "run", "--load", name, "-a", "unit-length", "-b", ",".join(presets.CORE), "-n", "4x25", "--rounds", "1"
    )
    assert result.exit_code == 0, result.output
    assert "unit-length, backward" in result.output
    assert "4x25" in result.output
    assert "intermediate" in result.output
    assert "FAILED" not in result.output


def test_a_strategy_that_takes_no_dy_is_refused_with_what_to_write(actbench: Actbench) -> None:
    ((name, code),) = files(read("how-to/write-a-row-activation.md"))
    Path(name).write_text(code.replace("def recompute(dy, z):", "def recompute(z):"), encoding="utf-8")
    result = actbench("list", "activations", "--load", name)
    assert result.exit_code == 2
    assert "strategy 'recompute' of unit-length works along rows" in result.stderr
    assert "as in def recompute(dy, z)" in result.stderr
