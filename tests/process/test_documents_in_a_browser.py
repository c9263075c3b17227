"""The documents as a browser shows them, by keyboard alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import IN_A_BROWSER
from tests.support.documents import ROOT

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [*IN_A_BROWSER]

WIDE, NARROW = 1400, 390
"""Widths of the window in pixels; a wide one shows both menus."""

SCROLLING = """() => [...document.querySelectorAll('article *')]
    .filter(place => place.clientWidth > 0 && place.scrollWidth > place.clientWidth + 1)
    .filter(place => /auto|scroll/.test(getComputedStyle(place).overflowX))
    .map(place => [place.tabIndex, place.getAttribute('role'), Boolean(place.getAttribute('aria-label'))])"""

FOCUSED = """() => {
    const place = document.activeElement, style = getComputedStyle(place);
    const {left, right} = place.getBoundingClientRect();
    const outlined = style.outlineStyle === 'solid' && style.outlineWidth === '3px';
    return {name: (place.getAttribute('aria-label') || place.title || place.textContent).trim(),
            shown: place === document.body || outlined && right > 0 && left < innerWidth}
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the documents."""
    for module in ("sphinx", "myst_parser", "furo", "sphinx_click"):
        pytest.importorskip(module, reason=f"{module} is not installed: pip install --group docs")
    built = tmp_path_factory.mktemp("documents")
    subprocess.run([sys.executable, "-m", "sphinx", "-q", "docs", built], cwd=ROOT, check=True)
    return built


@pytest.fixture
def results(browser: Any, pages: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Open a page with tables, code and charts, in a window of a width."""
    context = browser.new_context(viewport={"width": request.param, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto((pages / "explanation/results.html").as_uri())
    yield page
    context.close()


def focused(page: Any, presses: int) -> list[dict[str, Any]]:
    """Press Tab so many times, and return what has the focus each time."""
    seen = []
    for _ in range(presses):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
    return seen


@pytest.mark.parametrize("results", [WIDE, NARROW], indirect=True)
def test_what_scrolls_takes_the_focus_and_has_a_name(results: Any) -> None:
    places = results.evaluate(SCROLLING)
    assert places
    assert all(place == [0, "region", True] for place in places)


@pytest.mark.parametrize("results", [WIDE], indirect=True)
def test_the_first_stop_leads_to_the_content_and_every_stop_is_seen(results: Any) -> None:
    skip, *others = focused(results, 60)
    assert skip["name"] == "Skip to content"
    assert [one["name"] for one in others if not one["shown"]] == []
    assert any("color theme" in one["name"] for one in others)


@pytest.mark.parametrize("results", [NARROW], indirect=True)
def test_on_a_narrow_page_the_menu_opens_by_keyboard_and_takes_no_focus_while_it_is_closed(results: Any) -> None:
    closed = [one["name"] for one in focused(results, 8)]
    assert closed[0] == "Toggle site navigation sidebar"
    assert "How-to guides" not in closed
    results.focus("#__navigation")
    results.keyboard.press("Space")
    assert "How-to guides" in [one["name"] for one in focused(results, 12)]
