"""``actbench train`` as it is, with real workers and a real clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from actbench.cli import main
from actbench.model.training import StepPart
from tests.support.selections import rows


def test_a_small_step_is_checked_measured_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("dense:16-8", "--batch", "8", "--rounds", "1", "-a", "logistic", "-b", "numpy", "-q")
    result = CliRunner().invoke(main, ["train", *options, "-o", "here"])
    assert result.exit_code == 0, result.output
    assert "No answer yet: an interval takes 6 rounds" in result.stdout
    parts = rows(Path("here/parts.csv"))
    assert len(parts) == 5 * len(StepPart)
    assert all(float(row["seconds"]) >= 0 for row in parts)
    memory = {row["strategy"]: row for row in rows(Path("here/memory.csv"))}
    assert {row["strategy"]: row["kept_bytes"] for row in memory.values()} == {
        "recompute": "512",
        "cached": "256",
        "complement": "512",
        "checkpoint": "256",
        "free": "256",
    }
    assert all(row["kept_bytes"] == row["predicted_kept_bytes"] for row in memory.values())
    assert 0 < float(memory["cached"]["gradient_error"]) < 1e-5
    assert [row["gain"] for row in rows(Path("here/gains.csv"))].count("") == 0
