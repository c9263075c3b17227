"""A link to a file outside of docs/ downloads it. It is written as any link, so that it works in the repository too."""

from __future__ import annotations

import re
from typing import Any

FILE = r"(?:\.\./)+(?:CHANGELOG\.md|(?:actbench|results)/[^)#]+)"

LINK = re.compile(rf"(?P<words>(?<!!)\[[^]]+\])\((?P<path>{FILE})\)")


def downloading(text: str) -> str:
    """Return a page whose links to such files name them as paths, which are pages to Sphinx otherwise."""
    return LINK.sub(r"\g<words>(path:\g<path>)", text)


def read(_: Any, __: str, source: list[str]) -> None:
    """Let links of a page download files."""
    source[0] = downloading(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Change what is read."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
