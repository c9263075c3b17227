"""Notebooks are pages as well: their texts, their code, and pictures where a cell's metadata names one.

A cell has no output, because that is of one machine. A picture of a committed run stands in its place:
``"picture": "speedup.svg"``, with its ``"description"``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIGURES = "../../results/reference/figures"

SUFFIX = ".ipynb"


def page(name: str, notebook: dict[str, Any]) -> str:
    """Return a notebook as a page in Markdown, with a link to its file under the title."""
    first, *cells = notebook["cells"]
    title, _, rest = "".join(first["source"]).partition("\n")
    download = f"{{download}}`Download this notebook <{name}>`"
    return "\n\n".join([title, download, rest.strip(), *map(part, cells), ""])


def part(cell: dict[str, Any]) -> str:
    """Return a cell as Markdown."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return source
    shown = cell["metadata"]
    picture = f"\n\n![{shown['description']}]({FIGURES}/{shown['picture']})" if "picture" in shown else ""
    return f"```python\n{source}\n```{picture}"


def read(app: Any, document: str, source: list[str]) -> None:
    """Replace the text of a notebook by that of its page."""
    path = Path(app.env.doc2path(document))
    if path.suffix == SUFFIX:
        source[0] = page(path.name, json.loads(source[0]))


def setup(app: Any) -> dict[str, bool]:
    """Read notebooks as Markdown."""
    app.add_source_suffix(SUFFIX, "markdown")
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
