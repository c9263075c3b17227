"""Relative links lead somewhere, and so do their anchors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.pages.marks import GENERATED
from tests.support.documents import PAGES, ROOT, extension, name

LINK = re.compile(r"(?<!!)\[([^]]*)\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")


def anchors(text: str) -> set[str]:
    """Return the anchors of headings, as GitHub and MyST make them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=name)
def test_every_relative_link_leads_to_a_file_and_to_one_of_its_headings(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for _, path, anchor in LINK.findall(text):
        target = (page.parent / path).resolve() if path else page
        if target.parent.name in GENERATED:
            continue  # Sphinx looks at these
        assert target.exists(), f"{path} is not there"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{target.name} has no #{anchor}"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=name)
def test_links_are_those_of_any_markdown_and_have_words_since_pages_are_read_in_the_repository_too(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "{download}" not in text
    assert all(words for words, _, _ in LINK.findall(text))


def test_a_link_to_a_file_outside_of_the_documents_downloads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    links = extension("outside_files", monkeypatch)
    assert links.downloading("a [b](../../results/c/summary.md), [d](../how-to/e.md) ![f g](../../results/h.svg)") == (
        "a [b](path:../../results/c/summary.md), [d](../how-to/e.md) ![f g](../../results/h.svg)"
    )
