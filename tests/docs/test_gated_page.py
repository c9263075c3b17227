"""The page about gated activations: its file is short, and the oracle accepts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.planning import presets
from tests.conftest import Actbench
from tests.support.documents import files, read
from tests.support.tiers import exhaustive_but

MOST_LINES = 50


@pytest.mark.parametrize("backends", exhaustive_but(["numpy", ",".join(presets.CORE)], "numpy".__eq__))
def test_the_file_of_the_page_is_short_and_every_strategy_of_it_is_measured(actbench: Actbench, backends: str) -> None:
    ((name, code),) = files(read("how-to/write-a-gated-activation.md"))
    assert len(code.splitlines()) <= MOST_LINES
    Path(name).write_text(code, encoding="utf-8")
    result = actbench("run", "--load", name, "-a", "tanhglu", "-b", backends, "-n", "100", "--rounds", "1")
    assert result.exit_code == 0, result.output
    assert "tanhglu, backward" in result.output
    assert "intermediate" in result.output
    assert "Of gated activations, it is the larger error of the gradients of a and b" in " ".join(result.output.split())
    assert "Along rows" not in result.output
    assert "FAILED" not in result.output
