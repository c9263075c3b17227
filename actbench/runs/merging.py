"""Joining the runs of the shards of one plan: which belong together, and what they are together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from actbench.errors import InputError, NotComparableError
from actbench.host.environment import difference
from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.plan import Plan
from actbench.model.shard import Shard
from actbench.model.times import Times
from actbench.runs.archive import Run
from actbench.runs.record import Record, Status


def merged(runs: Sequence[Run], *, allow_missing: bool) -> tuple[Record, Times]:
    """Return the record and the times of one run of all that the shards measured.

    `NotComparableError` where they are not disjoint shards of one plan, from one kind of host with the same software
    and settings, or where one is missing and that is not allowed; `InputError` for a run that is not finished.
    """
    records = [_record(run) for run in runs]
    shards = [_shard(run, record) for run, record in zip(runs, records, strict=True)]
    for run, record, shard in zip(runs[1:], records[1:], shards[1:], strict=True):
        if why := _mismatch(records[0], shards[0], record, shard):
            raise NotComparableError(f"{run.path} does not belong to {runs[0].path}: {why}")
    _refuse_repeated(runs, shards)
    first, count = records[0], shards[0].count
    missing = [str(number) for number in range(1, count + 1) if number not in {shard.number for shard in shards}]
    if missing and not allow_missing:
        raise NotComparableError(
            f"shard {', '.join(missing)} of {count} is missing: name its run too, or merge without it (--allow-missing)"
        )
    plan = _plan(records, shards[0].blocks)
    calibrations: dict[str, Calibration] = {}
    for record in records:
        calibrations |= record.calibrations
    complete = all(record.status is Status.COMPLETE for record in records)
    record = Record(
        plan=plan,
        settings=first.settings,
        environment=first.environment,
        created=min(record.created for record in records),
        status=Status.COMPLETE if complete else Status.INTERRUPTED,
        seconds=sum(record.seconds for record in records),
        checks=[*{check.kernel: check for record in records for check in record.checks}.values()],
        calibrations=calibrations,
        failures=_joined(records, "failures"),
        rounds=max(record.rounds for record in records),
        repeats=sum(record.repeats for record in records),
        loaded=first.loaded,
        losses=_joined(records, "losses"),
        commit=first.commit,
        shard=None if missing else replace(shards[0], number=1, count=1),
        merged=[part for record in records for part in record.merged or [[block.id for block in record.plan.blocks]]],
    )
    finished = (times for run in runs for times in (*run.times.finished(), *run.times.probed()))
    return record, Times(plan, finished)


def measured_together(record: Record | None) -> Callable[[Block, Block], bool]:
    """Return what tells whether rounds of one number of two blocks are of one run, and not of different shards.

    Runs that were merged before they recorded their shards have fewer saves than calibrations, each of which is saved
    where it is measured. Of these, it is known that a shard has whole families of blocks.
    """
    merged = record.merged if record else []
    shards = {name: number for number, blocks in enumerate(merged) for name in blocks}
    if record and not merged and record.probed and record.saves <= len(record.calibrations):
        return lambda one, other: one.family == other.family
    return lambda one, other: shards.get(one.id) == shards.get(other.id)


def _joined(records: Iterable[Record], field: str) -> list[Any]:
    return [item for record in records for item in getattr(record, field)]


def _plan(records: Sequence[Record], order: Sequence[str]) -> Plan:
    """Return the plan of all shards, its blocks in the order of the whole."""
    blocks = {block.id: block for record in records for block in record.plan.blocks}
    left_out = {item.case: item for record in records for item in record.plan.left_out}
    first = records[0].plan
    return replace(
        first,
        blocks=tuple(blocks[name] for name in order if name in blocks),
        left_out=tuple(left_out.values()),
        cache=max(record.plan.cache for record in records),
    )


def _record(run: Run) -> Record:
    record = run.record
    if record is None:
        raise InputError(f"{run.path} does not name its host: name the directory of the run")
    if record.status is Status.RUNNING:
        raise InputError(f"{run.path} is not finished: wait for it, or go on with it (--resume)")
    return record


def _shard(run: Run, record: Record) -> Shard:
    if record.shard is None:
        raise NotComparableError(
            f"{run.path} is not a run of a plan in a file: only such runs are merged (actbench run --plan FILE --shard)"
        )
    return record.shard


def _mismatch(one: Record, of_first: Shard, record: Record, shard: Shard) -> str | None:
    """Say why two runs are not of one plan, kind of host, software, code and settings; None where they are."""
    if shard.plan != of_first.plan:
        return "it is of another plan; merge the runs of one plan"
    if shard.count != of_first.count:
        return f"it is one of {shard.count} shards, not of {of_first.count}; cut the plan in one way"
    if differing := difference(one.environment, record.environment):
        name, there, here = differing
        return f"the hosts differ ({name}: {there} there, {here} here); compare them (actbench compare --by host)"
    if one.loaded != record.loaded:
        return "it has other code of the user's (--load); measure with the same"
    return next((f"{name} is {there} there and {here} here" for name, there, here in _settings(one, record)), None)


def _settings(one: Record, record: Record) -> list[tuple[str, object, object]]:
    """Return the settings that differ, among those that must not: engine, threads and the time of an arm."""
    names = {"engine": "the engine", "threads": "--threads", "arm_seconds": "the time of an arm"}
    values: Mapping[str, tuple[object, object]] = {
        text: (getattr(one.settings, name), getattr(record.settings, name)) for name, text in names.items()
    }
    return [(text, there, here) for text, (there, here) in values.items() if there != here]


def _refuse_repeated(runs: Sequence[Run], shards: Sequence[Shard]) -> None:
    """Raise `NotComparableError` for two runs of one shard: rounds of two runs do not differ as rounds of one do."""
    by_number: dict[int, Run] = {}
    for run, shard in zip(runs, shards, strict=True):
        first = by_number.setdefault(shard.number, run)
        if first is not run:
            raise NotComparableError(
                f"{first.path} and {run.path} are both shard {shard.number} of {shard.count}: repetitions are not "
                "merged, since whole runs differ more than their rounds do; compare them (actbench compare)"
            )
