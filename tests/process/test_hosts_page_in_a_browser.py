"""The page of a comparison of hosts, as a browser shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_in
from tests.support import histories
from tests.support.browser import IN_A_BROWSER, Page, contrast

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [*IN_A_BROWSER]


@pytest.fixture(scope="module")
def hosts(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a comparison of four hosts, with crossovers."""

    def other_kind(number: int, record: Any) -> None:
        record["environment"]["caches"] = {"L1d": 2**15, "L2": 2**20 * (number + 1)}

    place = tmp_path_factory.mktemp("hosts")
    fleet = histories.runs(runs / "run", place / "fleet", (1.0, 1.0, 1.0, 5.0), change=other_kind)
    for number in range(4):
        histories.crossing(fleet / f"run{number:02}", 1000 * (number + 1))
    run_in(place, "compare", "--by", "host", "fleet", "--format", "html", "-o", "hosts.html")
    return place / "hosts.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_a_heat_map_of_hosts_can_be_read_in_both_themes_and_on_a_phone(
    browser: Any, hosts: Path, scheme: str, width: int
) -> None:
    with Page(browser, hosts, color_scheme=scheme, viewport={"width": width, "height": 800}) as opened:
        assert opened.errors == []
        assert opened.requests == [hosts.as_uri()]
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width
        for shade in (f"{side}{level}" for side in ("faster", "slower") for level in range(1, 5)):
            assert contrast(opened.page, "#heat td", behind=f".{shade}") >= 4.5, shade
        assert opened.page.locator("#chart-crossovers svg.marks .mark-symbol path").count() >= 4


def test_a_heat_map_is_scrolled_sorted_and_filtered_by_keyboard(browser: Any, hosts: Path) -> None:
    with Page(browser, hosts, viewport={"width": 390, "height": 800}) as opened:
        region = opened.page.locator("#heat .scroll")
        region.focus()
        for _ in range(5):
            opened.page.keyboard.press("ArrowRight")
        opened.page.wait_for_function("document.querySelector('#heat .scroll').scrollLeft > 0")
        head = opened.page.locator("#heat thead th").nth(5)
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        opened.page.locator("#heat .filter input").press_sequentially("float64")
        assert all("float64" in text for text in opened.page.locator("#heat tbody tr:visible").all_inner_texts())
