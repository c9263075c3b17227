"""Rewrite what the documents quote of the committed runs."""

from __future__ import annotations

from benchmarks.pages.marks import pages, replaced


def main() -> None:
    """Rewrite README.md and the pages of docs/."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(replaced(text), encoding="utf-8")


if __name__ == "__main__":
    main()
