"""Runs in directories whose names are not UTF-8: reports escape them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Actbench

LATIN = os.fsdecode(b"caf\xe9")

ESCAPED = r"caf\udce9"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the system takes names in UTF-8 alone")


@pytest.fixture
def compared(actbench: Actbench, two_runs: Path) -> Actbench:
    """A run in a directory whose name is Latin-1, and two with plain names."""
    for name, copied in (("run", LATIN), ("other", "plain"), ("other", "plain-as-well")):
        shutil.copytree(two_runs / name, copied)
    return actbench


@pytest.mark.parametrize(
    "command",
    [
        ("report", LATIN),
        ("compare", LATIN, "plain", "plain-as-well", "--format", "markdown"),
        ("compare", "--by", "host", LATIN, "plain", "--format", "json"),
        ("history", LATIN, "plain", "--format", "html"),
        ("check", "plain", "--baseline", LATIN, "--format", "json"),
    ],
    ids=lambda command: f"{command[0]} {command[-1] if '--format' in command else ''}",
)
def test_a_report_about_it_is_written(compared: Actbench, command: tuple[str, ...]) -> None:
    result = compared(*command)
    assert result.exit_code == 0, result.output


def test_the_title_of_its_page_has_the_escaped_name(compared: Actbench) -> None:
    compared("report", LATIN)
    assert f"<title>actbench: {ESCAPED}</title>" in Path(LATIN, "report.html").read_text(encoding="utf-8")


def test_a_verdict_in_a_file_names_it_escaped(compared: Actbench) -> None:
    compared("check", "plain", "--baseline", LATIN, "--report", "markdown=check.md", "--report", "json=check.json")
    assert r"baseline: caf\\udce9" in Path("check.md").read_text(encoding="utf-8")  # Markdown shows one of the strokes
    assert r"caf\\udce9" in Path("check.json").read_text(encoding="utf-8")
