"""Progress while measuring: on stderr where that is a terminal, or in a notebook."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from actbench.model.events import (
    Calibrated,
    CasesLeftOut,
    Checked,
    Confirming,
    Event,
    Failed,
    Judged,
    Lost,
    Measured,
    RoundDone,
    StepChecked,
)
from actbench.report.display import display_here, is_notebook
from actbench.report.numbers import counted, duration
from actbench.report.remarks import left_out_lines


class Progress:
    """One or two lines: what is being measured, the time that is left at most, and the widest interval so far."""

    def __init__(self, *, quiet: bool) -> None:
        """Stay silent with `quiet`; without a terminal or a notebook, print failures only."""
        plain = False if is_notebook() else None  # a terminal's lines would be broken
        self._console = Console(
            file=sys.stderr, highlight=False, quiet=quiet, force_terminal=plain, force_jupyter=False
        )
        self._display = None if quiet else display_here(self._console)
        self._widest = ""
        self._reasons: set[str] = set()
        self._round = 0
        self._ends: float | None = None

    def __enter__(self) -> Self:
        """Start the display."""
        if self._display:
            self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the display."""
        if self._display:
            self._display.stop()

    def show(self, event: Event) -> None:
        """Update the display after an event."""
        match event:
            case Checked(check, done, total):
                self.draw("checking kernels against mpmath", done, total, check.kernel.id)
            case StepChecked(check, done, total):
                self.draw("checking gradients", done, total, check.kernel.id)
            case Calibrated(block, _, done, total):
                self.draw("calibrating loops", done, total, block)
            case Measured(times, done, total):
                self.draw(f"round {times.round}", done, total, times.block.id)
            case RoundDone(number, widest, where, _, left):
                self._round = number
                self._ends = None if left is None else time.monotonic() + left
                self._widest = f"widest interval ± {100 * widest:.2g} %: {where}" if widest < float("inf") else ""
            case Judged(number, undecided, cases, left):
                self._round = number
                self._ends = time.monotonic() + left
                self._widest = f"{undecided} of {cases} cases undecided"
            case _:
                self._report(event)

    def _report(self, event: Event) -> None:
        """Print a line, or more, for an event that stays worth knowing."""
        match event:
            case Confirming(cases, rounds, seconds):
                example = "" if len(cases) == 1 else "e.g. "
                message = f"measuring again {counted(len(cases), 'case')} that may have regressed: {example}{cases[0]}"
                self._say(f"{message}; up to {rounds} rounds, about {duration(seconds)}, on top of the budget")
            case CasesLeftOut(left_out) if left_out[0].reason not in self._reasons:
                self._reasons.add(left_out[0].reason)
                for line in left_out_lines(left_out):
                    self._say(line, style="red" if left_out[0].failed else "")
            case Lost(failure):
                self._say(f"{failure.block} is tried again: {failure.reason}")
            case Failed(failure):
                self._say(f"FAILED {failure.block}: {failure.reason}", style="red")

    def _say(self, text: str, style: str = "") -> None:
        """Print one line, without line breaks where there is no terminal."""
        self._console.print(Text(text, style=style), soft_wrap=not self._console.is_terminal)

    def draw(self, stage: str, done: int, total: int, what: str) -> None:
        """Show the progress of a stage."""
        if self._display:
            left = "" if self._ends is None else f", at most {duration(max(0.0, self._ends - time.monotonic()))} left"
            self._display.draw(stage, done, total, left, [what, self._widest] if self._widest else [what])
