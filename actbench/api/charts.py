"""A chart by the name of its kind: of runs, or of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from actbench import plugins, registry
from actbench.api import names as read
from actbench.api.wording import worded
from actbench.errors import InputError
from actbench.planning.globs import expand
from actbench.planning.selection import Selection
from actbench.report import pictures
from actbench.report.charts.render import form_of, mime_bundle, rendered
from actbench.report.charts.style import Picture
from actbench.report.narrowing import narrowed
from actbench.report.results import RunResults, analyse
from actbench.runs import files
from actbench.runs.archive import Run

THEMES = ("light", "dark")

WHERE = {
    "speedup": "; speedups are over recompute, within a backend: the run has to have that, and another strategy",
    "accuracy": "; it is over z: actbench accuracy has the error along rows, by the spread of a row",
    "parts": "; that is in probes.csv, which runs of stock pyperf lack",
    "gain": "; it takes several batches, or networks of several widths, and leaves checkpoint out",
}
"""What a kind of chart takes that not every run has."""


@dataclass(frozen=True, slots=True, repr=False)
class Chart:
    """A chart, which a notebook shows: as Vega-Lite where it can draw that, else as SVG or PNG."""

    picture: Picture
    theme: str = THEMES[0]

    @property
    def title(self) -> str:
        """The title."""
        return self.picture.title

    @property
    def description(self) -> str:
        """The content, the axes and the findings in words, for readers who do not see the chart."""
        return self.picture.description

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the chart to a file that ends in .svg, .png or .html, and return its path.

        An HTML page is interactive, and opens without a network. An existing file is replaced. `InputError` for
        another suffix, or where the file cannot be written.
        """
        target = read.path("path", path)
        with worded(lambda sentence: sentence.removeprefix("-o ")):
            files.write(target, rendered(self.picture, form_of(target), self.theme))
        return target

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return what a notebook shows, by type; it picks one."""
        del include, exclude
        return mime_bundle(self.picture, self.theme)

    def __repr__(self) -> str:
        """Return the title, for a terminal."""
        return f"<chart: {self.title}>"


def functions(names: Sequence[str]) -> Picture:
    """Return the chart of activations and their derivatives, of all where none is named."""
    with plugins.guarded():
        names = expand(names or ("*",), registry.activations(), "activation")
        return pictures.functions([registry.activation(name) for name in names])


def of_runs(
    kind: str,
    runs: Sequence[Run],
    selection: Selection,
    named: Mapping[str, str],
    results: RunResults | None = None,
) -> Picture:
    """Return a chart of a run, or of two; `InputError` where they have no data for it, or nothing is selected.

    `named` maps the axes of the selection to the options that name them, and `results` are those of the one run, where
    they are known already.
    """
    cases = [case for run in runs for case in run.plan.cases]
    keep = narrowed(selection, cases, named)
    if kind == "compare":
        before, after = runs
        picture = pictures.of_two(before, after, keep)
    else:
        (run,) = runs
        results = results or analyse(run.times, pictures.record_of(run))
        picture = pictures.of_run(kind, run, results, keep)
    if picture is None:
        of = WHERE.get(kind, "")
        raise InputError(
            f"there is nothing to draw in '{kind}': no case of the run is chosen, or has what it shows{of}"
        )
    return picture
