"""Draw the pictures of the documents: charts of the committed runs, and the progress of a small run.

    python -m benchmarks.figures

They go to results/reference/figures. The charts are what `actbench plot` draws; the picture of the terminal is a frame
of a real run of the preset smoke, with the progress drawn to a console that records it.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from rich.console import Console

from actbench.api import running
from actbench.cli import main as command
from actbench.model.events import Event, Measured
from actbench.report import progress
from actbench.report.display import TerminalDisplay

RUN = "results/reference"
FIGURES = Path(RUN, "figures")

DRAWN = "logistic,tanh,arctan,softsign,relu,leaky-relu,elu,selu,softplus,squareplus,silu,gelu,mish,hard-swish,gaussian"
"""Activations of the picture of functions: one of each shape."""

PICTURES = {
    "functions.svg": ("functions", "-a", DRAWN),
    "speedup.svg": ("speedup", RUN, "-s", "recompute,cached,complement"),
    "accuracy.svg": ("accuracy", "results/sweep", "-b", "numba-simd"),
    "sweep.svg": ("speedup", "results/sweep"),
    "step.svg": ("step", "results/train", "-a", "logistic,tanh", "-b", "numpy,numpy+numba-simd"),
}

FRAME = 5
"""The round whose progress is shown: one that slow hosts come to as well."""

TERMINAL_WIDTH = 104


def run(*arguments: str) -> None:
    """Run the command line; it must succeed."""
    result = CliRunner().invoke(command, list(arguments))
    if result.exit_code:
        raise SystemExit(result.output)


class Recorded(progress.Progress):
    """Progress that keeps a frame."""

    frame = ""

    def show(self, event: Event) -> None:
        """Take in what happened."""
        super().show(event)
        if isinstance(event, Measured) and event.times.round == FRAME and not Recorded.frame:
            shown = Console(record=True, width=TERMINAL_WIDTH, file=io.StringIO(), highlight=False)
            shown.print("$ actbench run --preset smoke")
            assert isinstance(self._display, TerminalDisplay)
            shown.print(self._display.live.get_renderable())
            svg = shown.export_svg(title="actbench run")
            Recorded.frame = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # nothing is fetched

    def draw(self, stage: str, done: int, total: int, what: str) -> None:
        """Draw, terminal or not."""
        self._display = self._display or TerminalDisplay(self._console)
        super().draw(stage, done, total, what)


def main() -> None:
    """Draw them all."""
    FIGURES.mkdir(exist_ok=True)
    for name, arguments in PICTURES.items():
        run("plot", *arguments, "-o", str(FIGURES / name))
    of_running: Any = running
    of_running.Progress = Recorded
    with tempfile.TemporaryDirectory() as directory:
        run("run", "--preset", "smoke", "-o", str(Path(directory, "run")))
    if not Recorded.frame:
        raise SystemExit(f"the run had no round {FRAME} whose progress could be drawn")
    (FIGURES / "progress.svg").write_text(Recorded.frame, encoding="utf-8")


if __name__ == "__main__":
    main()
