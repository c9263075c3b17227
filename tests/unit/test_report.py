"""`actbench report`: a page of one run or two."""

from __future__ import annotations

import gc
import re
import shutil
from pathlib import Path

import pytest

from actbench import registry
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.report.charts.functions import functions
from actbench.report.page.rendering import _environment
from actbench.runs.archive import Run, labels
from tests.conftest import Actbench


def test_a_report_is_written_into_the_runs_directory(actbench: Actbench, loaded_run: Run) -> None:
    result = actbench("report", str(loaded_run.path))
    assert result.exit_code == 0, result.output
    assert "report.html" in result.stderr
    text = (loaded_run.path / "report.html").read_text()
    assert text.count("<table>") >= 7
    assert "Content-Security-Policy" in text
    assert len(text) < 3e6
    assert re.search(r"a case&#39;s time over rounds is [\d.]+ % .*; that of a speedup is [\d.]+ %\.", text)


@pytest.mark.usefixtures("loaded_run")
def test_every_section_of_a_page_of_two_runs_says_whose_it_is(
    actbench: Actbench, two_runs: Path, tmp_path: Path
) -> None:
    shutil.copytree(two_runs / "other", tmp_path / "other")
    assert actbench("report", "other", "run", "-o", "page.html").exit_code == 0
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", Path("page.html").read_text())
    assert "run compared with other" in titles
    assert len(titles) > 6
    assert all(title.endswith(": run") for title in titles if title != "run compared with other")
    actbench("report", "run", "-o", "page.html")
    assert '<h2 id="answer-title">The answer</h2>' in Path("page.html").read_text()


def test_runs_in_directories_of_one_name_are_distinguished_by_their_paths() -> None:
    before, after = (
        Run(Path("results", name, "run"), Plan((), seed=1), Times(Plan((), seed=1)), None, {}) for name in "ab"
    )
    assert labels([after, before]) == ["b/run", "a/run"]


def test_python_looks_for_circles_again_after_a_report_and_after_one_that_is_refused(
    actbench: Actbench, loaded_run: Run
) -> None:
    for arguments in ([str(loaded_run.path)], ["nowhere"]):
        actbench("report", *arguments)
        assert gc.isenabled()


def test_a_report_goes_to_a_page_alone(actbench: Actbench, loaded_run: Run) -> None:
    result = actbench("report", str(loaded_run.path), "-o", "x.pdf")
    assert result.exit_code == 2
    assert "name a file that ends in .html" in result.output
    assert not Path("x.pdf").exists()


def test_a_report_needs_a_run_with_its_record(actbench: Actbench, loaded_run: Run) -> None:
    (loaded_run.path / "run.json").unlink()
    result = actbench("report", str(loaded_run.path / "pyperf.json"), "-o", "x.html")
    assert result.exit_code == 2
    assert "has no run.json next to it" in result.output


def test_every_activation_can_be_drawn() -> None:
    points = functions([*registry.activations().values()]).rows
    assert set(points["activation"]) == set(registry.activations())


def test_no_line_ends_within_an_option() -> None:
    shown = _environment().from_string("{{ text | unbroken }}").render(text="a < b: add --max-call or -o, --budget")
    assert shown == ('a &lt; b: add <span class="option">--max-call</span> or -o, <span class="option">--budget</span>')
