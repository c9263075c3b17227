"""A run as Python reads it: its tables as data frames, its charts, its summary."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from os import PathLike
from pathlib import Path

from actbench.api import names as read
from actbench.api.charts import THEMES, Chart, of_runs
from actbench.api.names import Names, Sizes
from actbench.api.wording import worded
from actbench.errors import InputError, printable
from actbench.report import frames, pictures
from actbench.report.frames import Frame
from actbench.report.numbers import counted
from actbench.report.publish import as_markdown
from actbench.report.results import RunResults, analyse
from actbench.report.summary import summarise
from actbench.runs.archive import Run, load
from actbench.runs.latest import LATEST


class MarkdownText(str):
    """A text in Markdown, which a notebook shows with its tables."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        """Return the text, which a terminal shows as it is."""
        return str(self)


class MeasuredRun:
    """A run: the columns of its data frames are those of its CSV files (docs/reference/python.md has the units)."""

    def __init__(self, run: Run) -> None:
        """Take a run; `InputError` where it has no run.json, or nothing was timed."""
        self._run = run
        self._record = pictures.record_of(run)

    @property
    def path(self) -> Path:
        """The directory."""
        return self._run.path

    @property
    def status(self) -> str:
        """``complete``, ``interrupted`` or ``running``."""
        return str(self._record.status)

    @cached_property
    def cases(self) -> Frame:
        """One row per case: seconds per call with the 95 % interval, bytes kept per element, largest error in ULP."""
        return frames.cases(self._results)

    @cached_property
    def speedups(self) -> Frame:
        """One row per pair: ratio, the reference's seconds over the candidate's, with the 95 % interval over rounds."""
        return frames.speedups(self._results)

    @cached_property
    def values(self) -> Frame:
        """One row per value: seconds per call, by round. The values of a round are not independent."""
        return frames.timings(self._run.times, self._record)

    @cached_property
    def parts(self) -> Frame:
        """One row per part of a training step, in seconds and as a share; without rows for a run of derivatives."""
        return frames.parts(self._results)

    def chart(  # noqa: PLR0913  # one for each axis
        self,
        kind: str = "speedup",
        *,
        activations: Names = (),
        backends: Names = (),
        strategies: Names = (),
        ops: Names = (),
        dtypes: Names = (),
        sizes: Sizes = (),
        operands: Names = (),
        pattern: str = "*",
        theme: str = THEMES[0],
    ) -> Chart:
        """Return a chart of this run, which a notebook shows; `save` writes it to a file.

        `kind` is speedup, time, parts, accuracy or rounds; of training steps step, memory, gain or rounds. The other
        arguments select cases, `pattern` by a glob over ids. `theme` is light or dark. `InputError` for an unknown
        kind or theme, or where the run has nothing to draw.
        """
        kind, theme = read.name("kind", kind, pictures.KINDS), read.name("theme", theme, THEMES)
        if kind in {"functions", "compare"}:
            raise InputError(f"'{kind}' is not about one run: draw it with actbench plot {kind}")
        axes = {
            "activations": activations,
            "backends": backends,
            "strategies": strategies,
            "ops": ops,
            "dtypes": dtypes,
            "operands": operands,
        }
        selected = read.selection(pattern, read.sizes("sizes", sizes), axes)
        named = {axis: axis for axis in (*axes, "sizes") if getattr(selected, axis)}
        return Chart(of_runs(kind, [self._run], selected, named, self._results), theme)

    def summary(self) -> MarkdownText:
        """Return the contents of summary.md, in Markdown: the answer, all tables, and what they rest on."""
        return MarkdownText(as_markdown(summarise(self._results, self._record, self._run.path), self._record))

    def __repr__(self) -> str:
        """Return where the run is, and what it holds."""
        cases, rounds = counted(len(self._run.plan.cases), "case"), counted(self._record.rounds, "round")
        return f"<run {printable(str(self.path))}: {cases}, {rounds}, {self.status}>"

    def _repr_markdown_(self) -> str:
        """Return the answer, for a notebook."""
        answers: Iterable[str] = summarise(self._results, self._record, self._run.path).answers
        return "\n\n".join([*answers, f"`{self!r}`"])

    @cached_property
    def _results(self) -> RunResults:
        return analyse(self._run.times, self._record)


def open_run(path: str | PathLike[str] = LATEST) -> MeasuredRun:
    """Open a run: its directory, its pyperf.json, or ``latest``, the latest complete run under results/.

    `InputError` where there is none, it is damaged, or nothing was timed.
    """
    with worded():
        return MeasuredRun(load(read.path("path", path)))
