"""What runs that are on disk already say about a race.

A run counts where it was made on this host, with these versions, on the same inputs, and has all arms of the race in
one block. The tests of a race hold whenever measuring stops, so that it does not matter what ended the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from actbench.analysis.standings import Place, standings
from actbench.errors import ActbenchError
from actbench.model.cases import Arm, Block
from actbench.model.times import Times
from actbench.runs import archive, latest
from actbench.runs.archive import Run
from actbench.runs.baseline import differences, host_differences
from actbench.runs.names import RUN
from actbench.runs.record import Record


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What one run says."""

    path: Path
    created: str
    """UTC, ISO 8601."""
    places: dict[Arm, Place]
    foreign: tuple[str, ...]
    """What differs from here, a sentence each; nothing but in a run that the user names."""


def found_here() -> Iterator[Path]:
    """Yield the directories of the runs under results/, the latest first."""
    runs = (path.parent for path in latest.RESULTS.glob(f"*/{RUN}") if not path.parent.is_symlink())
    yield from sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)


def evidence(directories: Iterable[Path], here: Record, margin: float, *, named: bool) -> EarlierRun | None:
    """Return what the first run that counts says; None where none does.

    `here` is a record of what would be measured. A run that the user names counts wherever it was made; of the others,
    those that cannot be read are passed over.
    """
    (block,) = here.plan.blocks
    for directory in directories:
        with nullcontext() if named else suppress(ActbenchError):
            run = archive.load_timed(directory)
            foreign = _foreign(run, here)
            measured = _with_arms_of(block, run) if _same_conditions(run, here) and (named or not foreign) else None
            if measured is not None and run.record is not None:
                seconds = run.times.seconds(measured)[:, [measured.arms.index(arm) for arm in block.arms]]
                places = standings(block.arms, seconds, margin, len(block.arms) - 1)
                by_arm = {place.arm: place for place in places}
                return EarlierRun(directory, run.record.created, by_arm, tuple(foreign))
    return None


def _foreign(run: Run, here: Record) -> list[str]:
    """Return what differs between the host and the versions of a run and those of here."""
    there = Run(run.path, here.plan, Times(here.plan), here, {})
    hosts = [f"{name} was {was}, is {now}" for name, was, now in host_differences(run, there)]
    return [*hosts, *differences(run, there)]


def _same_conditions(run: Run, here: Record) -> bool:
    """Return whether inputs, engine, optimizer and threads are those of here."""
    if run.record is None or run.plan.inputs != here.plan.inputs:
        return False
    optimizers = [plan.training.optimizer if plan.training else None for plan in (run.plan, here.plan)]
    there, now = run.record.settings, here.settings
    return (there.engine, there.threads) == (now.engine, now.threads) and optimizers[0] is optimizers[1]


def _with_arms_of(block: Block, run: Run) -> Block | None:
    """Return the block of a run that has all arms of a block under the same conditions; None where there is none."""
    alike = (one for one in run.times.blocks if replace(one, arms=(), copies=()) == replace(block, arms=(), copies=()))
    return next((one for one in alike if {*block.arms} <= {*one.arms}), None)
