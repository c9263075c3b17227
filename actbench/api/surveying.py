"""`actbench.accuracy`, and what it has in common with ``actbench accuracy``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from actbench.analysis.accuracy import Surveyed
from actbench.api import names as read
from actbench.api.loading import loaded
from actbench.api.names import Files, Names
from actbench.api.sources import Activations, split
from actbench.api.wording import worded
from actbench.engine.requests import AccuracyRequest
from actbench.engine.session import Seams
from actbench.engine.survey.accuracy import POINTS_PER_BAND, Unexamined
from actbench.engine.survey.exhaustive import Going
from actbench.engine.survey.surveys import planned, survey
from actbench.errors import BenchmarkError, listed
from actbench.model.cases import KernelId
from actbench.model.names import Quantity
from actbench.report import frames
from actbench.report.frames import Frame
from actbench.report.progress import Progress
from actbench.runs.bounds import LARGEST_SEED

RESIDUALS = ("computed", "exact")

FEWEST_POINTS, MOST_POINTS = 10, 100_000
"""Per band of z and tail."""


def accuracy(  # noqa: PLR0913  # one for each option of actbench accuracy
    activations: Activations = (),
    *,
    backends: Names = (),
    strategies: Names = (),
    dtypes: Names = (),
    residual_dtypes: Names = (),
    pattern: str = "*",
    of: Names = "derivative",
    residuals: str = "computed",
    points: int = POINTS_PER_BAND,
    exhaustive: bool = False,
    seed: int = 0,
    load: Files = (),
    quiet: bool = False,
) -> Frame:
    """Compare kernels with the true derivative, as ``actbench accuracy`` does; return its rows as a data frame.

    `activations` are names, or what a notebook declares, as in `actbench.measure`.

    There is one row per kernel and part of the real line: N(0, 1), the tails, then their bands. Errors are in units in
    the last place of the kernel's dtype: median_ulp, p99_ulp, max_ulp, over the evaluated points; see ``actbench
    accuracy --help`` for the other columns. By default, every activation and strategy for python, numpy and numba, in
    float32 and float64: name some, for it takes about a second per kernel.

    `InputError` for what cannot be used, `BenchmarkError` where a kernel fails.
    """
    with worded(), TemporaryDirectory(prefix="actbench-") as place:
        names, declared = split(activations)
        quantities = tuple(
            Quantity(read.name("of", one, list(Quantity))) for one in dict.fromkeys(read.names("of", of))
        )
        axes: dict[str, Names] = {
            "activations": names,
            "backends": backends,
            "strategies": strategies,
            "dtypes": dtypes,
            "residual_dtypes": residual_dtypes,
        }
        request = AccuracyRequest(
            selection=read.selection(pattern, (), axes),
            quantities=quantities,
            exact=read.name("residuals", residuals, RESIDUALS) == "exact",
            points=read.whole("points", points, FEWEST_POINTS, MOST_POINTS) or POINTS_PER_BAND,
            exhaustive=read.flag("exhaustive", exhaustive),
            seed=read.whole("seed", seed, 0, LARGEST_SEED) or 0,
        )
        quiet = read.flag("quiet", quiet)
        with loaded(read.files("load", load), declared, Path(place, "declared"), None):
            results = surveyed(planned(request).kernels, request, Seams(), quiet=quiet)
            refuse_failed(results)
    return frames.accuracies([result for result in results if not isinstance(result, Unexamined)])


def surveyed(
    kernels: Sequence[KernelId], request: AccuracyRequest, seams: Seams, *, quiet: bool
) -> list[Surveyed | Unexamined]:
    """Survey kernels."""
    results: list[Surveyed | Unexamined] = []
    with Progress(quiet=quiet) as progress:
        for event in survey(kernels, request, seams.start_worker):
            if isinstance(event, Going):
                stage = f"every number, kernel {len(results) + 1} of {len(kernels)}"
                progress.draw(stage, event.done, event.total, event.kernel.id)
            else:
                results.append(event)
                if not request.exhaustive:
                    progress.draw("kernels", len(results), len(kernels), event.kernel.id)
    return results


def refuse_failed(results: Sequence[Surveyed | Unexamined]) -> None:
    """Raise `BenchmarkError` for the kernels that failed, or for all where none could be surveyed."""
    unexamined = [result for result in results if isinstance(result, Unexamined)]
    if failed := [one for one in unexamined if one.failed or len(unexamined) == len(results)]:
        first, *others = failed
        also = f"; nor can {listed([other.kernel.id for other in others])}" if others else ""
        raise BenchmarkError(f"{first.kernel.id} cannot be surveyed: {first.reason}{also}")
