"""The page of a history: what steps, a chart of each series, and the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from actbench.analysis.history import History
from actbench.analysis.levels import FEWEST_RUNS
from actbench.report import history as report
from actbench.report import host
from actbench.report.charts.history import history as chart
from actbench.report.page.rendering import Packer
from actbench.report.page.sections import PageSection

METHOD = (
    "A point is a ratio of times that were measured side by side, with its 95 % interval over rounds: of a case and a "
    "plain copy in its block, of two strategies, or, in a check, of a case and the same one of the baseline. So the "
    "drift of a host from run to run, which times in seconds have, is not in it. asv's step detection proposes where a "
    "series steps, weighted by the variance of each run, of its interval and between runs together. A step is shown "
    f"where each of its levels has {FEWEST_RUNS} runs, and Student's t of their difference is significant at 5 % after "
    "Bonferroni's correction for all places and series. This requires runs that scatter independently about their "
    "levels: where a host's ratios wander from run to run, steps can be the host's. Runs of other hosts are other "
    "series; hosts that describe themselves alike cannot be told apart."
)


def page(history: History, remarks: Sequence[str], library: Callable[[], bytes]) -> str:
    """Return the page of a history; `library` returns the compressed JavaScript that draws the charts."""
    *steps, series = report.tables(history)
    sections = [
        PageSection(
            "answer",
            "What changed",
            answers=(report.sentence(history),),
            sentences=remarks,
            tables=steps,
        ),
        PageSection("chart", "Run by run", charts=(chart(history),)),
        PageSection("tables", "Tables", tables=[series]),
        PageSection("method", "How steps are found", sentences=(METHOD,)),
        *(
            PageSection(f"host-{number}", f"Host {number}", facts=tuple(host.of(one.environment).items()))
            for number, one in enumerate(history.hosts, 1)
        ),
    ]
    with Packer({}) as packer:
        return packer.rendered("history", sections, library, host.line(history.hosts[-1].environment))
