"""The notebook of the tutorial, and the Python of the pages, run as they stand."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import actbench as actbench_itself
from actbench.api import measuring, surveying
from tests.conftest import Actbench
from tests.support.cells import run_cell
from tests.support.documents import DOCS, blocks, extension, read
from tests.support.fake import FakeBench
from tests.support.tiers import EXHAUSTIVE

NOTEBOOK = DOCS / "tutorial" / "notebook.ipynb"

GUIDE = "how-to/work-in-a-notebook.md"


def code_cells() -> list[dict[str, Any]]:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def one_kernel(*names: str, **options: Any) -> Any:
    """Survey a part of what a cell asks for."""
    return surveying.accuracy(*names, **(options | {"strategies": "cached", "points": 10}))


@pytest.fixture
def exact_times(actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    del actbench  # it has made an empty directory the current one
    for module in (measuring, surveying):
        monkeypatch.setattr(module, "Seams", lambda: bench.seams)


@pytest.mark.usefixtures("exact_times")
def test_every_cell_of_the_notebook_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actbench_itself, "accuracy", one_kernel)
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in code_cells():
        run_cell("".join(cell["source"]), names)
    assert names["run"].status == names["mine"].status == "complete"
    assert {*names["mine"].cases["activation"]} == {"soft-step"}
    assert names["errors"].query("strategy == 'cached'")["max_ulp"].max() > 1e6
    assert Path("time.svg").is_file()


@pytest.mark.usefixtures("exact_times")
def test_the_python_of_the_guide_runs() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(read(GUIDE), "python"):
        run_cell(block, names)
    assert {*names["run"].cases["activation"]} == {"halved", "identity"}


def test_a_notebook_is_kept_without_output_and_becomes_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    notebooks = extension("notebooks", monkeypatch)
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code_cells())
    page = notebooks.page(NOTEBOOK.name, json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    title, download, *_ = page.split("\n\n")
    assert title.startswith("# ")
    assert download == "{download}`Download this notebook <notebook.ipynb>`"
    assert blocks(page, "python") == ["".join(cell["source"]) + "\n" for cell in code_cells()]
    (figure,) = [cell["metadata"]["picture"] for cell in code_cells() if "picture" in cell["metadata"]]
    assert (NOTEBOOK.parent / notebooks.FIGURES / figure).is_file()


EXECUTE = """
import sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
where = {"metadata": {"path": "."}}
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, resources=where).execute()
nbformat.write(notebook, "executed.ipynb")
"""


@EXHAUSTIVE
def test_a_kernel_runs_the_notebook_and_what_it_leaves_has_pictures_and_no_trace_of_progress(tmp_path: Path) -> None:
    for module in ("nbclient", "ipykernel"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed: pip install --group docs")
    script = [sys.executable, "-c", EXECUTE, str(NOTEBOOK)]
    done = subprocess.run(script, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / "executed.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = {cell["id"]: cell["outputs"] for cell in cells if cell["cell_type"] == "code"}
    progress, shown = outputs["measure"]
    assert not any("".join(text) for text in progress["data"].values())
    assert "".join(shown["data"]["text/markdown"]).startswith("logistic, derivative: ")
    assert {"image/png", "image/svg+xml"} < {*outputs["chart"][0]["data"]}
    assert "soft-step" in "".join(outputs["summary"][0]["data"]["text/markdown"])
    assert "checking kernels" not in json.dumps(outputs)
