"""The documents become pages, without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from actbench import registry
from actbench.report.charts.functions import functions
from actbench.report.charts.render import rendered
from actbench.report.charts.style import PAPER
from tests.support.documents import ROOT, extension
from tests.support.tiers import EXHAUSTIVE


def test_the_plain_text_of_a_help_means_the_same_as_restructured_text(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = extension("plain_help", monkeypatch)
    assert plain.escaped("NUMBA_* of |z| with --load, see 'actbench run'") == (
        r"NUMBA\_\* of \|z\| with ``--load``, see ``actbench run``"
    )
    lines = ["Say more.", "", "| Examples:", "|   actbench run --filter '*/cached/*'", ""]
    plain.description(None, None, lines)
    assert lines[:4] == ["Say more.", "", "Examples:", ""]
    assert lines[4:7] == [".. code-block:: text", "", "     actbench run --filter '*/cached/*'"]


def test_a_chart_is_shown_on_the_paper_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = extension("dark_pictures", monkeypatch)
    assert pictures.both("a ![b c](../../results/reference/figures/step.svg) d") == (
        "a ![b c](../../results/reference/figures/step.svg){.only-light} ![b c](/_dark/step.svg){.only-dark} d"
    )
    drawn = {theme: rendered(functions([registry.activation("relu")]), "svg", theme).decode() for theme in PAPER}
    assert pictures.dark(drawn["light"]) == drawn["dark"]


def test_pages_of_what_is_there_no_longer_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = extension("generated_pages", monkeypatch)
    pages.write(tmp_path / "commands", {"run.rst": b"old", "gone.rst": b"old"})
    pages.write(tmp_path / "commands", {"run.rst": b"new"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "commands").iterdir()} == {"run.rst": b"new"}


@EXHAUSTIVE
def test_the_documents_are_built_without_a_warning_and_without_a_network(tmp_path: Path) -> None:
    for module in ("sphinx", "myst_parser", "furo", "sphinx_click"):
        pytest.importorskip(module, reason=f"{module} is not installed: pip install --group docs")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-d", tmp_path / "trees", "docs", tmp_path],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    pages = [*tmp_path.rglob("*.html")]
    assert len(pages) > 60
    for page in pages:
        loaded = re.findall(
            r'<(?:script|link|img)[^>]* (?:src|href)="(https?:[^"]*)"', page.read_text(encoding="utf-8")
        )
        assert not loaded, f"{page.name} loads {loaded}"


def test_the_workflow_publishes_what_make_builds_and_only_that_job_may() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/docs.yml").read_text(encoding="utf-8"))
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "make docs" in [step.get("run") for step in build["steps"]]
    assert "permissions" not in build
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    (path,) = (step["with"]["path"] for step in build["steps"] if "path" in step.get("with", {}))
    assert f"docs {path}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
