"""A browser without a window, and pages in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.tiers import EXHAUSTIVE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

IN_A_BROWSER = (EXHAUSTIVE, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"))
"""Marks of tests that need one."""

OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


class Page:
    """A page, and what went on while it was open."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        """Open a file."""
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._context = browser.new_context(**options)
        self._context.set_default_timeout(10_000)
        self.page = self._context.new_page()
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        assert self.page.evaluate("window.drawn")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._context.close()


def contrast(page: Any, selector: str, behind: str = "body") -> float:
    """Return WCAG's contrast of an element's text with the paper behind it."""
    ratio: float = page.evaluate(
        """([selector, behind]) => {
            const light = text => {
                const part = text.match(/[0-9.]+/g).slice(0, 3).map(Number).map(v => v / 255)
                    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
            };
            const ink = light(getComputedStyle(document.querySelector(selector)).color);
            const paper = light(getComputedStyle(document.querySelector(behind)).backgroundColor);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        }""",
        [selector, behind],
    )
    return ratio
