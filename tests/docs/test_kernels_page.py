"""The page about compiled kernels: its files are written, its commands run, where what they need is installed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.tiers import EXHAUSTIVE

PAGE = (Path(__file__).parents[2] / "docs/kernels.md").read_text(encoding="utf-8")

SECTIONS = {
    "C, through cffi": ("cffi",),
    "C++, as an extension of torch": ("torch", "ninja"),
    "Triton, on a GPU": ("torch", "triton"),
}
"""What each section needs."""

FILE = re.compile(r"```\w+\n(?:#|//) (\w+\.\w+)\n(.*?)```", re.DOTALL)

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def parts() -> dict[str, str]:
    """Return the text of each section, by title."""
    titles_and_texts = re.split(r"^## (.*)\n", PAGE, flags=re.MULTILINE)[1:]
    return dict(zip(titles_and_texts[::2], titles_and_texts[1::2], strict=True))


def test_the_page_has_these_sections_with_a_file_and_a_command_each() -> None:
    assert [*parts()] == [*SECTIONS]
    assert all(FILE.search(text) and CONSOLE.search(text) for text in parts().values())


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
    for name, code in FILE.findall(parts()[title]):
        Path(name).write_text(code, encoding="utf-8")
    for line in "".join(CONSOLE.findall(parts()[title])).splitlines():
        program, *words = shlex.split(line.removeprefix("$ "))
        if program == "actbench":
            result = actbench(*words)
            assert result.exit_code == 0, result.output
        else:
            subprocess.run([program, *words], check=True)
