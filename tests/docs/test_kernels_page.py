"""The page about kernels of one's own: its files are written, its commands run, where what they need is installed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.documents import commands, files, read
from tests.support.tiers import EXHAUSTIVE

PAGE = read("how-to/measure-your-own-kernel.md")

SECTIONS = {
    "Measure your own kernel": ("numba",),
    "C, through cffi": ("cffi",),
    "C++, as an extension of torch": ("torch", "ninja"),
    "Triton, on a GPU": ("torch", "triton"),
}
"""What each section with a kernel needs."""


def parts() -> dict[str, str]:
    """Return the text of each section, by title."""
    return dict(section.split("\n", 1) for section in re.split(r"^#{1,2} (?=[A-Z])", PAGE, flags=re.MULTILINE)[1:])


def test_these_sections_have_a_file_and_a_command_each_and_no_other_has() -> None:
    assert [title for title, text in parts().items() if [*files(text)]] == [*SECTIONS]
    assert [title for title, text in parts().items() if commands(text)] == [*SECTIONS]


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=EXHAUSTIVE if "torch" in needs else ()) for title, needs in SECTIONS.items()]
)
def test_the_kernel_of_a_section_is_checked_and_measured(actbench: Actbench, title: str) -> None:
    for module in SECTIONS[title]:
        pytest.importorskip(module, reason=f"{module} is not installed")
    if "triton" in SECTIONS[title] and not pytest.importorskip("torch").cuda.is_available():
        pytest.skip("there is no GPU")
    if shutil.which("cc") is None:
        pytest.skip("there is no compiler")
    for name, code in files(parts()[title]):
        Path(name).write_text(code, encoding="utf-8")
    for line in commands(parts()[title]):
        program, *words = shlex.split(line)
        if program == "actbench":
            result = actbench(*words)
            assert result.exit_code == 0, result.output
        else:
            subprocess.run([program, *words], check=True)
