"""The documents: README.md, CONTRIBUTING.md and the pages of docs/."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages import marks

ROOT = Path(__file__).parents[2]

DOCS = ROOT / "docs"

PAGES = marks.pages()
"""README.md, and the pages of docs/ that somebody wrote."""

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def name(page: Path) -> str:
    """Return how a page is named in a report."""
    return page.relative_to(ROOT).as_posix()


def read(path: str) -> str:
    """Return the text of a page of docs/."""
    return (DOCS / path).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Return the command lines of the console blocks, without their prompts."""
    lines = "".join(blocks(text, "console")).splitlines()
    return [line.removeprefix("$ ").partition("  #")[0] for line in lines if line.startswith("$ ")]


def files(text: str) -> Iterator[tuple[str, str]]:
    """Yield the files that a page shows, by name: blocks whose first line is a comment with nothing but the name."""
    yield from re.findall(r"^```\w+\n(?:#|//) (\w+\.\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def table(text: str, head: str) -> list[list[str]]:
    """Return the cells of the table with this first column, row by row."""
    _, _, below = text.partition(f"\n| {head} |")
    lines = below.partition("\n\n")[0].splitlines()[2:]
    return [re.split(r" ?(?<!\\)\| ?", line)[1:-1] for line in lines]


def extension(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a module of docs/_ext."""
    monkeypatch.setattr(sys, "path", [str(DOCS / "_ext"), *sys.path])
    return import_module(name)
