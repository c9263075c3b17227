"""Where progress is drawn: in lines of a terminal, or in one place of a notebook; both are cleared at the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

BAR_WIDTH = 24
"""Width of the bar on a terminal, in characters."""

SECONDS_BETWEEN = 0.2
"""Time between two messages to a notebook, which keeps up with no more."""

IN_A_KERNEL = "JPY_PARENT_PID"
"""The variable that a notebook's kernel has. Commands after a ! have a terminal there that keeps every line."""


class Display(Protocol):
    """A place for progress."""

    def start(self) -> None:
        """Take the place."""

    def draw(self, stage: str, done: int, total: int, left: str, lines: Sequence[str]) -> None:
        """Show a stage with its bar, the time that is left, and lines about what is being done."""

    def stop(self) -> None:
        """Clear the place."""


def display_here(console: Console) -> Display | None:
    """Return the place for progress here; None where there is none, as in a pipe."""
    if is_notebook():
        return NotebookDisplay()
    return TerminalDisplay(console) if console.is_terminal and IN_A_KERNEL not in os.environ else None


def is_notebook() -> bool:
    """Return whether this process is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class TerminalDisplay:
    """One or two lines of a terminal."""

    def __init__(self, console: Console) -> None:
        """Take the terminal."""
        self.live = Live(console=console, transient=True, auto_refresh=False)

    def start(self) -> None:
        """See `Display`."""
        self.live.start()

    def draw(self, stage: str, done: int, total: int, left: str, lines: Sequence[str]) -> None:
        """See `Display`."""
        what, *more = lines
        filled = BAR_WIDTH * done // total
        head = f"{stage} {'━' * filled}{'─' * (BAR_WIDTH - filled)} {done}/{total}{left}  {what}"
        text = Text("\n".join([head, *more]), overflow="ellipsis", no_wrap=True)
        self.live.update(text, refresh=True)

    def stop(self) -> None:
        """See `Display`."""
        self.live.stop()


class NotebookDisplay:
    """One output of a cell, which is replaced, so that an exported notebook has no trace of it."""

    def __init__(self) -> None:
        """Wait for the start."""
        self._handle: Any = None
        self._drawn = 0.0

    def start(self) -> None:
        """See `Display`."""
        import IPython.display

        notebook: Any = IPython.display
        self._handle = notebook.display(_bundle("", ""), raw=True, display_id=True)

    def draw(self, stage: str, done: int, total: int, left: str, lines: Sequence[str]) -> None:
        """See `Display`."""
        now = time.monotonic()
        if now - self._drawn < SECONDS_BETWEEN and done < total:
            return
        self._drawn = now
        words = f"{stage} {done}/{total}{left}"
        bar = f'<progress value="{done}" max="{total}" aria-label="{escape(stage)}"></progress>'
        self._handle.update(_bundle("<br>".join([f"{bar} {escape(words)}", *map(escape, lines)]), words), raw=True)

    def stop(self) -> None:
        """See `Display`."""
        self._handle.update(_bundle("", ""), raw=True)


def _bundle(html: str, plain: str) -> dict[str, str]:
    return {"text/html": html, "text/plain": plain}
