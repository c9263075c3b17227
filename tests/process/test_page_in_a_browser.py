"""The report as a browser shows it, opened from disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_in
from tests.support.browser import IN_A_BROWSER, Page, contrast
from tests.support.damage import resealed

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [*IN_A_BROWSER]


@pytest.fixture(scope="module")
def report(runs: Path) -> Path:
    run_in(runs, "report", "run")
    return runs / "run" / "report.html"


def test_every_chart_is_drawn_without_an_error_or_a_request(browser: Any, report: Path) -> None:
    with Page(browser, report) as opened:
        kinds = opened.page.eval_on_selector_all(".chart", "charts => charts.map(chart => chart.dataset.kind)")
        marks = opened.page.eval_on_selector_all(
            ".chart", "charts => charts.map(chart => chart.querySelectorAll('svg.marks path').length)"
        )
        assert kinds == ["speedup", "time", "parts", "accuracy", "rounds"]
        assert all(count > 10 for count in marks)
        assert opened.errors == []
        assert opened.requests == [report.as_uri()]


def test_controls_choose_what_a_chart_shows(browser: Any, report: Path) -> None:
    with Page(browser, report) as opened:
        chart = opened.page.locator("#chart-speedup")
        before = chart.locator("svg.marks").inner_html()
        chart.locator("select").first.select_option("tanh")
        opened.page.wait_for_function(
            "before => document.querySelector('#chart-speedup svg.marks').innerHTML !== before", arg=before
        )


def test_the_page_of_a_history_shows_the_case_that_is_chosen(browser: Any, runs: Path) -> None:
    run_in(runs, "history", "run", "other", "--format", "html", "-o", "history.html")
    with Page(browser, runs / "history.html") as opened:
        chart = opened.page.locator("#chart-history")
        before = chart.locator("svg.marks").inner_html()
        chart.locator("select").first.select_option(index=1)
        opened.page.wait_for_function(
            "before => document.querySelector('#chart-history svg.marks').innerHTML !== before", arg=before
        )
        assert chart.locator("svg.marks .mark-symbol path").count() == 2
        assert opened.errors == []
        assert opened.requests == [(runs / "history.html").as_uri()]


def test_tables_are_filtered_by_words_and_sorted_by_number(browser: Any, report: Path) -> None:
    with Page(browser, report) as opened:
        table = opened.page.locator(".table", has=opened.page.locator("caption", has_text="Time: logistic")).first
        rows = table.locator("tbody tr:visible")
        total = rows.count()
        table.locator(".filter input").fill("numpy float64")
        assert 0 < rows.count() < total
        assert all("numpy" in text and "float64" in text for text in rows.all_inner_texts())
        table.locator(".filter input").fill("")
        assert rows.count() == total
        heads = table.locator("thead th")
        column = heads.all_inner_texts().index("cached")
        head = heads.nth(column)
        for direction, ordered in (("ascending", sorted), ("descending", lambda values: sorted(values, reverse=True))):
            head.locator("button").press("Enter")
            assert head.get_attribute("aria-sort") == direction
            values = [float(row.locator("th, td").nth(column).inner_text().split()[0]) for row in rows.all()]
            assert values == ordered(values)


def test_figures_are_sorted_by_number_and_unit(browser: Any, report: Path) -> None:
    ordered = [
        *("512 B", "1\u202f029 KiB", "12.5 MiB", "1 GiB"),
        *("3 ns", "2 µs ± 1 µs", "1.5 ms", "1 s"),
        *("1\u202f600", "50k (40k to 60k)", "3.1M", "∞"),
    ]
    with Page(browser, report) as opened:
        for begin in range(0, len(ordered), 4):
            texts = ordered[begin : begin + 4]
            keys = opened.page.evaluate("texts => texts.map(text => key({ textContent: text }))", texts)
            assert keys == sorted(keys)
            assert len({*keys}) == 4


@pytest.mark.parametrize("name", ["cases.csv", "speedups.csv"])
def test_the_files_of_the_run_can_be_had_from_the_page(browser: Any, report: Path, name: str) -> None:
    with Page(browser, report) as opened:
        with opened.page.expect_download() as download:
            opened.page.locator(".files a", has_text=name).click()
        assert download.value.suggested_filename == name
        assert Path(download.value.path()).read_bytes() == (report.parent / name).read_bytes()


def test_many_rows_are_packed_and_folded_and_come_out_the_same(
    browser: Any, runs: Path, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actbench.report.page.rendering.MOST_ROWS", 3)
    shutil.copytree(runs / "run", tmp_path, dirs_exist_ok=True)
    run_in(tmp_path, "report", ".", "-o", "large.html")
    rows = "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
    with Page(browser, report) as plain, Page(browser, tmp_path / "large.html") as packed:
        assert packed.errors == []
        assert packed.page.locator("#tables caption:visible").count() == 0
        packed.page.locator("summary", has_text="Time: logistic").first.click()
        assert packed.page.locator("#tables caption:visible").count() == 1
        assert packed.page.eval_on_selector_all("#tables tr", rows) == plain.page.eval_on_selector_all(
            "#tables tr", rows
        )
        shown = packed.page.locator("#tables tbody tr:visible")
        total = shown.count()
        packed.page.locator("#tables .filter input:visible").fill("float64")
        assert 0 < shown.count() < total


def test_a_browser_that_cannot_unpack_says_so_and_still_shows_the_tables(browser: Any, report: Path) -> None:
    context = browser.new_context()
    context.add_init_script("delete window.DecompressionStream")
    page = context.new_page()
    page.goto(report.as_uri())
    assert "need a browser" in page.locator("[role=alert]").inner_text()
    assert page.locator("#tables td:visible").count() > 0
    context.close()


def test_the_page_follows_the_systems_theme_and_the_button_changes_it(browser: Any, report: Path) -> None:
    ink = "getComputedStyle(document.body).color"
    paper = "document.querySelector('svg.marks').style.backgroundColor"
    with Page(browser, report, color_scheme="light") as light, Page(browser, report, color_scheme="dark") as dark:
        assert light.page.evaluate(ink) != dark.page.evaluate(ink)
        assert light.page.evaluate(paper) != dark.page.evaluate(paper)
        assert light.page.locator("#theme").inner_text() == "Switch to dark"
        assert dark.page.locator("#theme").inner_text() == "Switch to light"
        dark.page.locator("#theme").click()
        assert light.page.evaluate(ink) == dark.page.evaluate(ink)
        dark.page.wait_for_function(f"() => ({paper}) === {light.page.evaluate(paper)!r}")


def test_a_phone_shows_it_without_scrolling_sideways(browser: Any, report: Path) -> None:
    with Page(browser, report, viewport={"width": 390, "height": 800}) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
        widths = opened.page.eval_on_selector_all("svg.marks", "all => all.map(chart => chart.clientWidth)")
        assert all(200 < width <= 390 for width in widths)


def test_what_is_shown_can_be_read_by_a_screen_reader(browser: Any, report: Path) -> None:
    with Page(browser, report) as opened:
        unnamed = opened.page.evaluate(
            """() => [...document.querySelectorAll('.chart, table, button, input, select, summary, [role=region]')]
                .filter(control => !(control.getAttribute('aria-label') || control.getAttribute('aria-labelledby') ||
                          control.textContent.trim() || control.closest('label'))).length"""
        )
        assert unnamed == 0
        assert opened.page.locator("th:not([scope])").count() == 0
        assert opened.page.locator("figure figcaption").count() == opened.page.locator(".chart").count()
        assert opened.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_as_wcag_asks_for(browser: Any, report: Path, scheme: str) -> None:
    with Page(browser, report, color_scheme=scheme) as opened:
        for selector in (".answer", ".note", "figcaption", ".files a", "dt", "td"):
            assert contrast(opened.page, selector) >= 4.5, selector


@pytest.mark.parametrize("name", ["<script>alert(1)<script>", "=cmd()", "'onload='x", "{{7*7}}"])
@pytest.mark.parametrize("most", [3, 1000], ids=["packed", "plain"])
def test_a_hostile_name_is_shown_as_text(
    browser: Any, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, most: int
) -> None:
    for copied in ("run.json", "values.csv", "probes.csv"):
        text = (runs / "run" / copied).read_text()
        (tmp_path / copied).write_text(text.replace("logistic", name))
    resealed(tmp_path)
    monkeypatch.setattr("actbench.report.page.rendering.MOST_ROWS", most)
    run_in(tmp_path, "report", ".")
    file = tmp_path / "report.html"
    with Page(browser, file) as opened:
        assert opened.errors == []
        assert opened.requests == [file.as_uri()]
        assert opened.page.locator("main img, main script").count() == 0
        assert name in opened.page.locator("#answer").inner_text()
        assert name in opened.page.locator("caption").first.text_content()
        options = opened.page.locator("#chart-speedup select").first.locator("option").all_inner_texts()
        assert name in options


def test_two_runs_are_compared(browser: Any, runs: Path) -> None:
    run_in(runs, "report", "run", "other", "-o", "both.html")
    with Page(browser, runs / "both.html") as opened:
        assert opened.errors == []
        assert opened.page.locator("#chart-compare svg.marks path").count() > 10
        assert "in both runs" in opened.page.locator("#comparison").inner_text()


def test_the_table_of_recommendations_opens_without_charts_sorts_and_offers_its_file(
    browser: Any, tmp_path: Path
) -> None:
    restricted = ("-a", "logistic,relu", "-d", "float32", "--op", "backward", "--operands", "warm", "-n", "1000")
    run_in(tmp_path, "recommend", "--all", *restricted, "-q", "-o", "table")
    with Page(browser, tmp_path / "table" / "report.html") as opened:
        table = opened.page.locator("#races table")
        assert table.locator("tbody tr").count() == 2
        table.locator("th button", has_text="activation").click()
        table.locator("th button", has_text="activation").click()
        assert table.locator("tbody th").all_inner_texts() == ["relu", "logistic"]
        opened.page.wait_for_selector("a[download='recommendations.csv'][href^='blob:']")
        assert opened.errors == []
        assert all(url.startswith(("file:", "blob:")) for url in opened.requests)
