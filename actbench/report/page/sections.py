"""The sections of the page: the answer, charts and tables of a run, the method, and the comparison of two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from actbench.analysis.between_runs import between
from actbench.analysis.statistics import apply_by_length, mad_standard_deviation
from actbench.report import compared_runs, host, pictures, processor
from actbench.report.charts.compare import compare
from actbench.report.charts.style import Picture
from actbench.report.numbers import counted, duration, significant
from actbench.report.pictures import record_of
from actbench.report.remarks import inputs_lines
from actbench.report.results import RunResults
from actbench.report.summary import summarise
from actbench.report.table import Table
from actbench.runs.archive import Run
from actbench.runs.baseline import differences, host_differences, refuse_unlike
from actbench.runs.record import Engine, Record

TITLES = {
    "speedup": "What it is worth, by size",
    "time": "Time per element",
    "parts": "Where the time goes",
    "accuracy": "Accuracy",
    "step": "Where the time of a step goes",
    "memory": "Memory and time",
    "gain": "What it is worth, by batch or width",
    "rounds": "Rounds, one by one",
}


NO_ANSWER = "No strategy but recompute was measured; the tables show the results."


@dataclass(frozen=True, slots=True)
class Download:
    """A file that the page offers for download."""

    name: str
    nbytes: int

    @property
    def size(self) -> str:
        """The size for people."""
        return f"{significant(self.nbytes / 1e3, 2)} kB"


@dataclass(frozen=True, slots=True)
class PageSection:
    """A part of the page with a title."""

    id: str
    title: str
    answers: Sequence[str] = ()
    sentences: Sequence[str] = ()
    charts: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    facts: Sequence[tuple[str, str]] = ()
    files: Sequence[Download] = ()
    legend: Sequence[tuple[str, str]] = ()
    """The shades of its tables' cells, as classes, and what they mean."""


def sections(run: Run, results: RunResults, files: Mapping[str, str]) -> Iterator[PageSection]:
    """Yield the sections of a run, from the answer to its files by name."""
    record = record_of(run)
    summary = summarise(results, record, run.path)
    yield PageSection("answer", "The answer", answers=summary.answers or (NO_ANSWER,))
    for kind in pictures.OF_TRAINING if record.plan.training else pictures.OF_A_RUN:
        shown = pictures.of_run(kind, run, results, choose=True)
        if shown:
            yield PageSection(f"of-{kind}", TITLES[kind], charts=(shown,))
    tables = [replace(table, note=table.note.replace("`", "")) for table in summary.tables]
    yield PageSection("tables", "Tables", tables=tables, sentences=summary.remarks)
    yield PageSection("noise", "Noise", sentences=tuple(_noise(run, results, record)))
    yield PageSection("method", "How it was measured", sentences=(_method(record),))
    yield PageSection("environment", "Environment", facts=tuple(host.of(record.environment).items()))
    yield PageSection("files", "Files", files=[Download(name, len(text.encode())) for name, text in files.items()])


def comparison(before: Run, after: Run, names: Sequence[str]) -> PageSection:
    """Return the section about two runs, the later one first; `NotComparableError` where they cannot be compared."""
    refuse_unlike(before, after)
    hosts = host_differences(before, after)
    compared = between(before.times, after.times, None, one_host=not hosts)
    remarks = [*compared_runs.remarks(compared, hosts, differences(before, after)), *inputs_lines(after.plan)]
    shown = compare(compared.times, narrow=True)
    return PageSection(
        "comparison",
        " compared with ".join(names),
        sentences=(compared_runs.sentence(compared), *remarks),
        charts=(shown,) if shown else (),
        tables=tuple(compared_runs.tables(compared)),
    )


def _noise(run: Run, results: RunResults, record: Record) -> Iterator[str]:
    """Yield the standard deviation over rounds, and remarks on the processor and on repeated blocks."""
    blocks = run.times.blocks
    cases = (case for block in blocks for case in block.timed)
    deviations = apply_by_length((np.log(results.rounds[block]).T for block in blocks), mad_standard_deviation)
    spreads = dict(zip(cases, deviations.tolist(), strict=True))
    usual, most = np.median([*spreads.values()]), max(spreads, key=spreads.__getitem__)
    of_speedups = [speedup.log_deviation for speedup in results.speedups]
    ratios = f"; that of a speedup is {significant(100 * float(np.median(of_speedups)), 2)} %" if of_speedups else ""
    yield (
        f"The MAD standard deviation of a case's time over rounds is {significant(100 * float(usual), 2)} % (median "
        f"over cases), at most {significant(100 * spreads[most], 2)} %: {most.id}{ratios}."
    )
    yield from processor.remarks(results.of_cases)
    if record.repeats:
        repeated = counted(record.repeats, "block")
        yield f"Measured again: {repeated}, in which everything was slower than in other rounds."


def _method(record: Record) -> str:
    settings, plan = record.settings, record.plan
    if settings.engine is Engine.PYPERF:
        how = "stock pyperf measured one case after the other, in processes of their own"
    elif plan.training:
        how = (
            "in every round a fresh process timed the strategies and backends of each step in short alternating "
            "slices, with a copy of all parameters, then steps in which each part is timed, and the activation alone; "
            "a ratio is the median over a round's values, and over rounds the Hodges-Lehmann estimate with its interval"
        )
    else:
        how = (
            "in every round a fresh process, pinned to one processor, timed the cases that share activation, op, "
            "dtype, size and state of operands in short alternating slices, with a plain copy, operands and code at "
            "new addresses; a ratio is the median over a round's values, and over rounds the Hodges-Lehmann estimate "
            "with its interval"
        )
    gradients = ", and the gradients of every step against those of one in float64" if plan.training else ""
    checked = f"Every kernel was checked against mpmath before it was timed{gradients}."
    return (
        f"Preset {settings.preset}, engine {settings.engine}: {how}. Inputs are drawn from {plan.inputs}, seed "
        f"{plan.seed}. {checked} {counted(record.rounds, 'round')}, "
        f"{record.status} after {duration(record.seconds)}, begun {record.created}."
    )
