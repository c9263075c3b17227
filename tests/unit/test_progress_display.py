"""Where progress is drawn: on a terminal, in one output of a notebook, or nowhere."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from actbench.model.events import Lost
from actbench.model.outcomes import Failure
from actbench.report import display
from actbench.report.progress import Progress


class Handle:
    """The one output of a cell."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def update(self, bundle: dict[str, str], *, raw: bool) -> None:
        """Show something else."""
        assert raw
        self.shown.append(bundle)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """Be the kernel of a notebook, with one place for output."""
    handle = Handle()
    tools: Any = ModuleType("IPython.display")

    def show(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert display_id
        handle.update(bundle, raw=raw)
        return handle

    tools.display = show
    package: Any = ModuleType("IPython")
    package.get_ipython = lambda: SimpleNamespace(kernel=object())
    package.display = tools
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", tools)
    monkeypatch.setattr(display, "SECONDS_BETWEEN", 0.0)
    return handle


def test_a_notebook_has_progress_in_one_output_which_is_empty_at_the_end(notebook: Handle) -> None:
    with Progress(quiet=False) as progress:
        progress.draw("kernels <1>", 1, 2, "a/b")
    begin, drawn, end = notebook.shown
    assert drawn["text/html"].startswith('<progress value="1" max="2"')
    assert "kernels &lt;1&gt; 1/2<br>a/b" in drawn["text/html"]
    assert drawn["text/plain"] == "kernels <1> 1/2"
    assert begin == end == {"text/html": "", "text/plain": ""}


def test_a_notebook_gets_no_more_messages_than_it_can_show(notebook: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "SECONDS_BETWEEN", 60.0)
    with Progress(quiet=False) as progress:
        for done in range(1, 101):
            progress.draw("kernels", done, 100, "a/b")
    assert [bundle["text/plain"] for bundle in notebook.shown] == ["", "kernels 1/100", "kernels 100/100", ""]


def test_a_quiet_notebook_has_no_output(notebook: Handle) -> None:
    with Progress(quiet=True) as progress:
        progress.draw("kernels", 1, 2, "a/b")
    assert notebook.shown == []


@pytest.mark.usefixtures("notebook")
def test_failures_in_a_notebook_are_lines_that_are_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    reason = "it crashed " * 20
    with Progress(quiet=False) as progress:
        progress.show(Lost(Failure("a/b", 1, reason)))
    assert stream.getvalue() == f"a/b is tried again: {reason}\n"


@pytest.mark.parametrize(
    ("terminal", "variables", "kind"),
    [
        (True, {}, display.TerminalDisplay),
        (False, {}, type(None)),
        (True, {"JPY_PARENT_PID": "1"}, type(None)),  # !actbench run, in a cell
    ],
)
def test_progress_is_drawn_on_terminals_but_not_on_that_of_a_cell(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, variables: dict[str, str], kind: type
) -> None:
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    console = Console(file=io.StringIO(), force_terminal=terminal)
    assert isinstance(display.display_here(console), kind)
