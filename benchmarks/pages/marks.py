"""The marks in pages, and what stands between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from benchmarks.pages import accuracy, backends, keeping, outputs, rows_and_gates, steps, sweep

ROOT = Path(__file__).parents[2]

QUOTED: Mapping[str, Callable[[], Iterable[str]]] = {
    "answer": steps.answer,
    "answer in brief": steps.answer_in_brief,
    "answer in words": steps.answer_in_words,
    "first ratio": steps.first_ratio,
    "products in words": steps.products_in_words,
    "reference": keeping.reference,
    "reference in words": keeping.reference_in_words,
    "peers": keeping.peers,
    "peers in words": keeping.peers_in_words,
    "cuda": keeping.cuda,
    "cuda in words": keeping.cuda_in_words,
    "accuracy": accuracy.lines,
    "abilities": backends.abilities,
    "sweep": sweep.lines,
    "rows": rows_and_gates.rows,
    "rows in words": rows_and_gates.rows_in_words,
    "gated": rows_and_gates.gated,
    **outputs.QUOTED,
}
"""What computes the lines between marks, by the name in the marks."""

MARKED = re.compile(r"<!-- begin: (?P<name>.+?) -->\n(?P<text>.*?)<!-- end: (?P=name) -->\n", re.DOTALL)


GENERATED = ("activations", "commands")
"""The folders of pages that are made when the documents are built."""


def pages() -> list[Path]:
    """Return README.md and the pages of docs/ that somebody wrote."""
    written = (page for page in (ROOT / "docs").rglob("*.md") if page.parent.name not in GENERATED)
    return [ROOT / "README.md", *sorted(written)]


def names(text: str) -> list[str]:
    """Return the names in the marks of a page."""
    return [match["name"] for match in MARKED.finditer(text)]


def replaced(text: str) -> str:
    """Return the text of a page with what is computed now; `KeyError` for a name that nothing computes."""

    def computed(match: re.Match[str]) -> str:
        lines = "".join(f"{line}\n" for line in QUOTED[match["name"]]())
        return f"<!-- begin: {match['name']} -->\n{lines}<!-- end: {match['name']} -->\n"

    return MARKED.sub(computed, text)
