"""Damage by chance: refused in one sentence, or read as it was measured (`make fuzz` does ten thousand)."""

from __future__ import annotations

from pathlib import Path

from benchmarks import fuzz


def test_damaged_directories_are_refused_or_read_as_they_were_measured(tmp_path: Path) -> None:
    fuzz.make(tmp_path)
    wrong: list[str] = []
    ended = fuzz.trials(range(100), tmp_path, drawing=False, say=wrong.append)
    assert not wrong
    assert ended["refused"] > 75, "most damage is damage"
    assert ended["accepted"] > 10, "some is not, such as to a file that the command does not read"
