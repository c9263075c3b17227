"""``actbench compare --by host`` and ``--by kind``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.formats import print_comparison, write_or_echo
from actbench.errors import InputError, printable

if TYPE_CHECKING:
    from actbench.analysis.between_hosts import HostComparison
    from actbench.analysis.crossovers_on_hosts import RunOnHost
    from actbench.analysis.history import Measurement
    from actbench.host.environment import Environment
    from actbench.report.named_hosts import NamedHost
    from actbench.runs.collection import CollectedRun

BY_HOST, BY_KIND = "host", "kind"


@dataclass(frozen=True, slots=True)
class _RunOfHost:
    """A run with the name of its host, and what is compared of it."""

    name: str
    run: CollectedRun
    measured: Sequence[Measurement]
    crossing: RunOnHost


def show(paths: Sequence[Path], by: str, states: Sequence[str], form: str, output: Path | None) -> None:
    """Compare hosts by the speedups of their runs; `InputError` where no run has one with an interval."""
    from actbench.report import compared_hosts as report
    from actbench.runs.collection import collect

    collection = collect(paths)
    runs, unreadable = _read(_labels(collection.runs, by), collection.runs)
    left_out = [*collection.left_out, *unreadable]
    comparison = _compared(runs, states, left_out)
    hosts = _hosts(runs)
    remarks = report.remarks(comparison, hosts, left_out)
    sentences = [report.sentence(comparison), *remarks]
    if form == "html":
        write_or_echo(_page(comparison, hosts, remarks), output)
    else:
        print_comparison(form, report, comparison, remarks, sentences, output)
    if output is not None and form != "csv":
        click.echo("\n".join(sentences), err=True)


def _read(names: Sequence[str], runs: Sequence[CollectedRun]) -> tuple[list[_RunOfHost], list[str]]:
    """Return the runs with their tables, and why others are left out; `InputError` for one that the user named."""
    from actbench.analysis import run_rows
    from actbench.analysis.crossovers_on_hosts import RunOnHost
    from actbench.analysis.history import Figure
    from actbench.analysis.history_runs import conditions_of_run, measurements

    read, left_out = [], []
    for name, run in zip(names, runs, strict=True):
        try:
            caches, conditions = run.run.environment.caches, conditions_of_run(run.run)
            crossing = RunOnHost(name, caches, run_rows.crossovers(run.run), conditions)
            read.append(_RunOfHost(name, run, measurements(run, Figure.SPEEDUP), crossing))
        except InputError as error:
            if run.named:
                raise
            left_out.append(str(error))
    return read, left_out


def _compared(runs: Sequence[_RunOfHost], states: Sequence[str], left_out: Sequence[str]) -> HostComparison:
    from actbench.analysis.between_hosts import between_hosts
    from actbench.analysis.crossovers_on_hosts import crossovers_on_hosts

    measured = [(one.name, one.measured) for one in runs]
    comparison = between_hosts(measured, lambda case: not states or case.operands in states)
    if not comparison.cells:
        none = "; ".join(["no run has a speedup with an interval", *left_out])
        raise InputError(f"{none}: measure two strategies of a backend, six rounds or more")
    return replace(comparison, crossovers=crossovers_on_hosts([one.crossing for one in runs], states))


def _hosts(runs: Sequence[_RunOfHost]) -> list[NamedHost]:
    from actbench.report.named_hosts import NamedHost

    environments: dict[str, list[Environment]] = {}
    for one in runs:
        environments.setdefault(one.name, []).append(one.run.run.environment)
    return [NamedHost(name, tuple(of_runs)) for name, of_runs in environments.items()]


def _page(comparison: HostComparison, hosts: Sequence[NamedHost], remarks: Sequence[str]) -> str:
    from actbench.report.charts.library import library
    from actbench.report.page.hosts import page

    with library() as javascript:
        return page(comparison, hosts, remarks, javascript)


def _labels(runs: Sequence[CollectedRun], by: str) -> list[str]:
    """Return the label of each run's host: its directory, or its kind, by number in the order of runs."""
    if by == BY_KIND:
        kinds = list(dict.fromkeys(one.run.host for one in runs))
        return [f"kind {kinds.index(one.run.host) + 1}" for one in runs]
    names = [one.name for one in runs]
    return names if len({*names}) == len(names) else [printable(str(one.run.path)) for one in runs]
