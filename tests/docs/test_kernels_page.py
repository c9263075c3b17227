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


def test_a_function_that_is_passed_on_as_the_page_says_is_a_strategy(actbench: Actbench) -> None:
    (statement,) = re.findall(r"`(\w+ = kernel\(.*\))`", PAGE)
    function = "def f(dy, z):\n    return dy * z\n"
    Path("mine.py").write_text(f"from actbench import kernel\n\n\n{function}\n\n{statement}\n", encoding="utf-8")
    result = actbench(
        "run",
        "--load",
        "mine.py",
        "-a",
        "gelu",
        "-b",
        "numpy",
        "-s",
        "mine",
        "--op",
        "backward",
        "-d",
        "float64",
        "--dry-run",
    )
    assert "gelu/mine/numpy/backward/float64" in result.output
