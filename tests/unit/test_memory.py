"""The memory that plans count on: a container may have less than the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.host import memory
from actbench.planning import presets
from actbench.planning.room import room_here

MIB = 1 << 20

NO_LIMIT = "9223372036854771712"
"""What version 1 reports where there is no limit."""


@pytest.mark.parametrize(
    ("groups", "files", "usable"),
    [
        ("0::/", {"memory.max": str(512 * MIB)}, 512 * MIB),
        ("0::/a/b", {"a/memory.max": str(512 * MIB), "a/b/memory.max": "max"}, 512 * MIB),
        ("0::/a/b", {"a/memory.max": str(512 * MIB), "a/b/memory.max": str(256 * MIB)}, 256 * MIB),
        ("0::/", {"memory.max": "max"}, 1024 * MIB),
        ("0::/", {}, 1024 * MIB),
        ("4:cpu,memory:/docker/1\n0::/", {"memory/memory.limit_in_bytes": str(512 * MIB)}, 512 * MIB),
        ("4:memory:/1", {"memory/1/memory.limit_in_bytes": "4096", "memory.max": "max"}, 4096),
        ("4:memory:/1", {"memory/1/memory.limit_in_bytes": NO_LIMIT}, 1024 * MIB),
        ("4:cpu:/1", {"memory/memory.limit_in_bytes": "4096"}, 1024 * MIB),
        ("", {"memory.max": "4096"}, 1024 * MIB),
    ],
)
def test_memory_is_limited_by_the_control_groups_of_a_process_and_those_above_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, groups: str, files: dict[str, str], usable: int
) -> None:
    for name, text in {"groups": groups, **{f"mounted/{name}": text for name, text in files.items()}}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "MOUNTED", tmp_path / "mounted")
    monkeypatch.setattr(memory, "machine", lambda: 1024 * MIB)
    assert memory.usable() == usable
    assert room_here(presets.get("smoke").axes).memory == usable


def test_a_system_without_control_groups_has_the_machine_s_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    assert memory.usable() == memory.machine() > 0
