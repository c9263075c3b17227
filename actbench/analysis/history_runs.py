"""What a history takes from each run: its place on the axis, and its ratios from the tables.

Of checks the values are read, since their sides are paired round by round.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from math import nan

from actbench.analysis import run_rows
from actbench.analysis.check_live import log_ratios_by_case
from actbench.analysis.conditions import Conditions
from actbench.analysis.history import Figure, Measurement, Position
from actbench.analysis.interval import Interval
from actbench.analysis.statistics import hodges_lehmann
from actbench.errors import InputError, unknown
from actbench.host.software import KERNEL_LIBRARIES
from actbench.model.cases import Case
from actbench.model.training import FREE, RECOMPUTE
from actbench.runs import archive
from actbench.runs.baseline import facts_of
from actbench.runs.collection import CollectedRun
from actbench.runs.digest import Digest
from actbench.runs.tables import SpeedupRow, TimeRow

DATE, COMMIT = "date", "commit"
"""The axes that are no libraries."""

Sortable = tuple[int, int, str]
END, LETTERS, NUMBER = 1, 0, 2
"""How parts of a version are ordered: 2.0rc1, 2.0, 2.0.1."""


def measurements(collected: CollectedRun, figure: Figure) -> list[Measurement]:
    """Return what a run measured, without what is no choice of a strategy; `InputError` where it cannot be read."""
    run = collected.run
    if figure is Figure.SPEEDUP:
        return [*_speedups(run, run_rows.speedups(run))]
    if collected.baseline is not None:
        return [*_over_baseline(run, collected.baseline)]
    return [*_times(run, run_rows.times(run))]


def _times(run: Digest, rows: Sequence[TimeRow]) -> Iterator[Measurement]:
    conditions = _conditions(run, [row.case for row in rows])
    for case, copies, seconds, rounds in rows:
        if case.strategy != FREE:
            yield Measurement(case, None, conditions(case), copies, seconds, rounds)


def _speedups(run: Digest, rows: Sequence[SpeedupRow]) -> Iterator[Measurement]:
    """Yield how many times faster each strategy is than recompute on its backend, or than the first one there."""
    conditions = _conditions(run, [case for row in rows for case in row[:2]])
    pairs = [row for row in rows if row.reference.backend == row.candidate.backend]
    references: dict[tuple[object, ...], Case] = {}
    for row in pairs:
        key = (*_block_of(row.reference), row.reference.backend)
        references.setdefault(key, row.reference)
        for case in row[:2]:
            if case.strategy == RECOMPUTE:
                references[key] = case
    for row in pairs:
        reference, candidate, ratio = row.reference, row.candidate, Interval(*row.ratio)
        wanted = references[*_block_of(reference), reference.backend]
        if wanted == candidate:
            reference, candidate, ratio = candidate, reference, ratio.inverse()
        if wanted == reference and candidate.strategy != FREE:
            yield Measurement(candidate, reference, conditions(candidate), ratio, nan, row.rounds)


def _over_baseline(run: Digest, baseline: Digest) -> Iterator[Measurement]:
    """Yield the times of a check's candidate over its baseline's, paired round by round."""
    before, after = (archive.load_timed(side.path).times for side in (baseline, run))
    conditions = _conditions(run, [case for block in after.blocks for case in block.cases])
    fixed = ("baseline", _name_of_baseline(baseline))
    for case, logs in log_ratios_by_case(before, after).items():
        if case.strategy != FREE and logs.size:
            ratio = Interval.from_logs(hodges_lehmann(logs))
            yield Measurement(case, None, (fixed, *conditions(case)), ratio, nan, logs.size)


def _name_of_baseline(baseline: Digest) -> str:
    """Return what baselines share that are the same: a commit, the software that kernels use, and the loaded code."""
    environment = baseline.environment
    versions = {"python": environment.python} | environment.libraries
    used = [f"{name} {versions[name]}" for name in ("python", *KERNEL_LIBRARIES) if name in versions]
    version = baseline.commit.short if baseline.commit else f"actbench {environment.actbench}"
    return ", ".join([version, *used, *(code.identity for code in baseline.loaded)])


def _conditions(run: Digest, cases: Sequence[Case]) -> Callable[[Case], Conditions]:
    """Return a function of the conditions in which a case of a run was measured."""
    arms: dict[tuple[object, ...], dict[str, None]] = {}
    for case in cases:
        arms.setdefault(_block_of(case), {})[f"{case.strategy}/{case.backend}"] = None
    blocks = {block: ("in a block of", ", ".join(names)) for block, names in arms.items()}
    shared = conditions_of_run(run)
    devices = run.environment.devices

    def of_case(case: Case) -> Conditions:
        device = devices.get(case.backend)
        return (blocks[_block_of(case)], *shared, *([("on", device)] if device else []))

    return of_case


def conditions_of_run(run: Digest) -> Conditions:
    """Return the conditions that all figures of a run share."""
    return (
        ("engine", str(run.settings.engine)),
        ("inputs from", str(run.inputs)),
        *([("updates by", str(run.optimizer))] if run.optimizer else []),
        ("threads", str(run.settings.threads)),
    )


def _block_of(case: Case) -> tuple[object, ...]:
    return case.activation, case.op, case.dtype, case.size, case.operands, case.rows


def positions(runs: Sequence[CollectedRun], axis: str) -> tuple[list[tuple[CollectedRun, Position]], list[str]]:
    """Return the runs with their positions on an axis, and a sentence for each that has none.

    `InputError` where none has one.
    """
    placed, left_out = [], []
    for collected in runs:
        position = _position(collected.run, axis)
        if position is None:
            what = "was not made in a repository" if axis == COMMIT else f"does not know a version of {axis}"
            left_out.append(f"{collected.run.path} {what}")
        else:
            placed.append((collected, position))
    if not placed and axis == COMMIT:
        raise InputError("--by commit: no run was made in a repository, by an actbench that records it; use --by date")
    if not placed:
        known = {DATE, COMMIT}.union(*(_versions(collected.run) for collected in runs))
        raise unknown("axis of --by", axis, known)
    return placed, left_out


def _position(run: Digest, axis: str) -> Position | None:
    if axis == DATE:
        return Position((_seconds(run.created),), run.created[:16].replace("T", " "))
    if axis == COMMIT:
        commit = run.commit
        return Position((_seconds(commit.date), commit.hash, commit.dirty), commit.short) if commit else None
    version = _versions(run).get(axis)
    return Position(_order_of(version), version) if version else None


def _seconds(date: str) -> int:
    return round(datetime.fromisoformat(date).timestamp())


def _versions(run: Digest) -> dict[str, str]:
    """Return the versions of a run's software."""
    return {name: text for name, text in facts_of(run.environment).items() if name not in run.environment.variables}


def _order_of(version: str) -> tuple[Sortable, ...]:
    """Return a key by which versions are ordered: final ones after their candidates."""
    parts = re.findall(r"\d+|[a-z]+", version.lower())
    keys: list[Sortable] = [
        (NUMBER, int(part), "") if part.isdecimal() else (NUMBER if part == "post" else LETTERS, 0, part)
        for part in parts
    ]
    return (*keys, (END, 0, ""))
