"""What the commands that write a run and `actbench.measure` have in common: open a run, work, and end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from actbench.engine.launch import StartWorker
from actbench.engine.session import Seams, Session
from actbench.errors import BenchmarkError, InputError, WrongKernelError, listed
from actbench.model.events import RoundDone
from actbench.model.plan import Plan
from actbench.planning.prediction import Prediction, StockPrediction
from actbench.report.progress import Progress
from actbench.report.publish import publish
from actbench.report.table import Summary
from actbench.runs.plan_file import PlanFile
from actbench.runs.record import Record, Status
from actbench.runs.writer import Writer, create

TABLES_EVERY = 1.0
"""Seconds without new tables after which a round writes them; short rounds would spend much of their time on it."""

R = TypeVar("R")
"""A type of requests."""

P = TypeVar("P", bound="Planned")
"""What these are prepared to."""


class Planned(Protocol):
    """A run that can begin."""

    @property
    def plan(self) -> Plan:
        """What is measured."""

    def prediction(self) -> Prediction | StockPrediction:
        """Return how long it should take."""

    def record(self, start_worker: StartWorker) -> Record:
        """Return the record that it begins with, of this host."""

    def file(self) -> PlanFile:
        """Return the plan as a file, for shards of it or for other hosts; `OptionsError` where it cannot be one."""


@dataclass(frozen=True, slots=True)
class RunKind(Generic[R, P]):
    """What is particular to runs of a command: its requests, and what they are prepared to."""

    prepare: Callable[[R], P]
    """Plans a run."""
    resumed: Callable[[Path, R, StartWorker], AbstractContextManager[Writer]]
    """Opens the run in a directory, to go on with it."""
    cautions: Callable[[P], Iterable[str]]
    """Says what of the request does not help."""

    def opened(
        self,
        request: R,
        seams: Seams,
        *,
        output: Path | None,
        resume: Path | None,
        caution: Callable[[str], object],
    ) -> AbstractContextManager[Writer]:
        """Return a new run, in `output` or under results/, or the one in `resume`; `caution` gets every caution.

        `InputError` or `NotComparableError` where there is none.
        """
        if resume is not None:
            return self.resumed(resume, request, seams.start_worker)
        prepared = self.prepare(request)
        for text in self.cautions(prepared):
            caution(text)
        return create(output, prepared.record(seams.start_worker))


def worked(session: Session, writer: Writer, *, quiet: bool) -> tuple[Summary, bool]:
    """Do the work of a session and write it; return the summary, and whether Ctrl-C ended it: what is finished is kept.

    The tables are written at the end, and after rounds as `TABLES_EVERY` says.
    `RefusedError` or `InputError` as `Session.events` has them, the latter also where a round cannot be written.
    """
    status, tables_written = Status.INTERRUPTED, time.monotonic()
    try:
        with Progress(quiet=quiet) as progress:
            for event in session.events():
                progress.show(event)
                writer.take(event)
                if isinstance(event, RoundDone) and time.monotonic() >= tables_written + TABLES_EVERY:
                    publish(writer.directory, writer.record, writer.times)
                    tables_written = time.monotonic()
        status = Status.COMPLETE
    except KeyboardInterrupt:
        pass
    except WrongKernelError:
        status = Status.REFUSED
        raise
    except InputError:
        status = Status.INTERRUPTED if writer.times.blocks else Status.REFUSED
        raise
    finally:
        writer.close(status, session.seams.clock() - session.started)
        summary = publish(writer.directory, writer.record, writer.times)
    return summary, status is Status.INTERRUPTED


def fail_for(record: Record, *, with_reason: bool = False) -> None:
    """Raise `BenchmarkError` for failed benchmarks and kernels, if any.

    `with_reason`, the sentence has the first reason; otherwise all have been printed.
    """
    reasons = {failure.block: failure.reason for failure in record.failures}
    reasons |= {item.case: item.reason for item in record.plan.left_out if item.failed}
    if not reasons:
        return
    first, *more = dict.fromkeys(reasons.values())
    why = f"({first}{'; summary() has other reasons too' * bool(more)})" if with_reason else "(see above)"
    raise BenchmarkError(f"failed: {listed([*reasons])} {why}; the rest is complete")


def nothing_timed(record: Record) -> BenchmarkError:
    """Return the error for a run in which nothing could be timed, with the reasons, but for those of its probes."""
    planned = {block.id for block in record.plan.blocks}
    failures = (f"{failure.block}: {failure.reason}" for failure in record.failures if failure.block in planned)
    left_out = (f"{item.case}: {item.reason}" for item in record.plan.left_out if item.failed)
    return BenchmarkError(f"nothing could be timed: {listed([*failures, *left_out])}")
