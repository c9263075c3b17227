"""The page of many hosts: a heat map of speedups, with text in every cell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench.analysis.between_hosts import between_hosts
from actbench.host import environment
from actbench.report.named_hosts import NamedHost
from actbench.report.page.hosts import page
from benchmarks.host_simulation import simulated
from tests.conftest import Actbench
from tests.support.compared import CACHED, NEW, OLD
from tests.support.histories import runs
from tests.support.selections import SMALL


@pytest.fixture
def hosts(actbench: Actbench, two_runs: Path, tmp_path: Path) -> Path:
    """Four runs, in whose tables `cached` takes five times as long on one of another kind."""

    def other_kind(number: int, record: Any) -> None:
        record["environment"]["cpu_model"] = "<b>Abacus</b>" if number == 3 else "Counting frame"

    del actbench
    return runs(two_runs / "run", tmp_path / "fleet", (1.0, 1.0, 1.0, 5.0), change=other_kind)


def written(actbench: Actbench, *arguments: str) -> str:
    result = actbench("compare", *arguments, "--format", "html", "-o", "hosts.html")
    assert result.exit_code == 0, result.output
    return Path("hosts.html").read_text()


def row_of(text: str, case: str) -> list[tuple[str, str]]:
    """Return the classes and the texts of a row of the heat map."""
    heat = text.partition('id="heat"')[2].partition("</section>")[0]
    (row,) = (row for row in heat.split("<tr>") if row.startswith(f'<th scope="row">{case} /'))
    return re.findall(r'<td(?: class="([^"]*)")?>([^<]*)</td>', row)


def test_every_cell_has_a_colour_by_its_ratio_and_a_text_and_hosts_that_differ_a_mark(
    actbench: Actbench, hosts: Path
) -> None:
    cells = row_of(written(actbench, "--by", "host", str(hosts)), CACHED)
    *alike, slower = cells[4:]
    assert all(re.match(r"figure faster\d$", classes) and text == "4.00 ± 0.00" for classes, text in alike)
    assert re.match(r"figure slower\d differs$", slower[0])
    assert slower[1].startswith("0.80")
    assert slower[1].endswith("\u25bc")


def test_rows_whose_winner_changes_come_first_and_colours_are_explained(actbench: Actbench, hosts: Path) -> None:
    text = written(actbench, "--by", "host", str(hosts))
    heat = text.partition('id="heat"')[2].partition("</section>")[0]
    winners = re.findall(r"</th><td>(\w+)</td>", heat)
    assert winners == sorted(winners, key=lambda winner: winner != "changes")
    assert len(re.findall('class="swatch', heat)) == 10
    assert "no difference from 1 shown" in heat


def test_texts_are_escaped_and_nothing_is_loaded(actbench: Actbench, hosts: Path) -> None:
    text = written(actbench, "--by", "kind", str(hosts))
    assert "<b>Abacus" not in text
    assert "&lt;b&gt;Abacus&lt;/b&gt;" in text
    assert "src=" not in text.partition("<script")[0]
    assert 'data-name="library"' not in text, "there is no chart without crossovers"
    assert 'download="hosts.csv"' in text


def test_twelve_hosts_with_two_hundred_speedups_take_less_than_3_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.host_simulation.PAIRS", 200)
    comparison = between_hosts(simulated(np.random.default_rng(1), differing=True))
    assert (len(comparison.hosts), len(comparison.cells)) == (12, 200)
    named = [NamedHost(name, (environment.collect(None),)) for name in comparison.hosts]
    text = page(comparison, named, [], lambda: b"x" * 700_000)
    assert len(text.encode()) < 2e6


def test_a_page_of_one_run_is_that_of_report(actbench: Actbench, hosts: Path) -> None:
    result = actbench("compare", str(hosts / "run00"), "--format", "html")
    assert result.exit_code == 2
    assert "actbench report RUN" in result.stderr


@pytest.mark.parametrize("arguments", [(OLD,), (OLD, NEW), (OLD, NEW, "third"), ("--by", "host", ".")])
def test_every_format_goes_to_a_file_that_is_named(old_and_new: Actbench, arguments: tuple[str, ...]) -> None:
    if "third" in arguments:
        old_and_new("run", *SMALL, "-o", "third")
    for form, as_printed in (("table", "markdown"), ("csv", "csv"), ("json", "json")):
        printed = old_and_new("compare", *arguments, "--format", as_printed).stdout
        result = old_and_new("compare", *arguments, "--format", form, "-o", "compared")
        assert (result.exit_code, result.stdout) == (0, ""), result.stderr
        assert printed.startswith(Path("compared").read_text())
    refused = old_and_new("compare", *arguments, "-o", "none/compared")
    assert refused.exit_code == 2
    assert "cannot write none/compared" in refused.stderr
