"""Damage by chance: refused in one sentence, or read as it was measured (`make fuzz` does ten thousand)."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fuzz
from tests.support.tiers import exhaustive_but


@pytest.mark.parametrize(
    ("command", "count"),
    exhaustive_but(
        [("run", 60), ("run", 100), ("train", 20), ("train", 60)], lambda of: of in {("run", 60), ("train", 20)}
    ),
)
def test_damaged_directories_are_refused_or_read_as_they_were_measured(
    tmp_path: Path, command: str, count: int
) -> None:
    fuzz.make(tmp_path, command=command)
    wrong: list[str] = []
    ended = fuzz.trials(range(count), tmp_path, drawing=False, say=wrong.append)
    assert not wrong
    assert ended["refused"] > 0.6 * count, "most damage is damage"
    assert ended["accepted"] > 0.1 * count, "some is not, such as to a file that the command does not read"
