"""Relative links lead somewhere, and so do their anchors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.pages.marks import GENERATED
from tests.support.documents import PAGES, ROOT, name

LINK = re.compile(r"(?<!!)\[[^]]*\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)|\{download\}`[^<]*<([^>]+)>`")


def anchors(text: str) -> set[str]:
    """Return the anchors of headings, as GitHub and MyST make them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=name)
def test_every_relative_link_leads_to_a_file_and_to_one_of_its_headings(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for path, anchor, download in LINK.findall(text):
        target = (page.parent / (path or download)).resolve() if path or download else page
        if target.parent.name in GENERATED:
            continue  # Sphinx looks at these
        assert target.exists(), f"{path or download} is not there"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{target.name} has no #{anchor}"
