"""How ``actbench recommend`` decides its races: by earlier runs, and by measuring what these leave open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.measuring import measured
from actbench.cli.sentences import say
from actbench.errors import printable
from actbench.model import shell

if TYPE_CHECKING:
    from actbench.analysis.framework_choices import ComparedFrameworks
    from actbench.analysis.recommendation import Recommendation
    from actbench.engine.races.earlier import EarlierRun, EarlierRuns
    from actbench.engine.races.racing import Racing
    from actbench.engine.races.recommending import Contest
    from actbench.engine.requests import RecommendRequest
    from actbench.engine.session import Seams
    from actbench.engine.working.checking import RefusedError
    from actbench.model.plan import LeftOut
    from actbench.report.race_needs import RaceNeed
    from actbench.runs.record import Record
    from actbench.runs.writer import Writer


@dataclass(frozen=True, slots=True)
class RaceMode:
    """How races are decided."""

    started: float
    """Start of the command, by the seams' clock."""
    sources: tuple[Path, ...]
    """The runs that are used; those under results/ where none is named."""
    fresh: bool
    """Whether no earlier run is used."""
    quiet: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of races."""

    outcomes: list[Recommendation]
    remarks: list[str]
    """What was left out, and where they come from."""
    record: Record
    """Of the run that was measured, or would have been."""
    interrupted: bool
    """Whether Ctrl-C ended it."""
    need: RaceNeed | None = None
    """What would decide open races; None where nothing was measured now."""
    refused: RefusedError | None = None
    """The failures for which nothing was measured of the races that earlier runs left open."""

    def __post_init__(self) -> None:
        """Escape what does not print in names of directories, which remarks have."""
        self.remarks[:] = map(printable, self.remarks)


def settle(contest: Contest, mode: RaceMode, seams: Seams) -> Settled:
    """Decide races by earlier runs, and measure what is open.

    `NotComparableError` where a run that is named says nothing about them. Where nothing is known, `RefusedError` if
    every kernel is refused, or `NoneSupportedError` if none failed.
    """
    from actbench.engine.races.earlier import EarlierRuns, silent, why_nothing
    from actbench.engine.working.checking import NoneSupportedError, RefusedError
    from actbench.errors import NotComparableError
    from actbench.report.race_needs import race_need
    from actbench.report.remarks import left_out_in_short
    from actbench.runs.writer import create

    request = contest.request
    absent = [*contest.remarks, *left_out_in_short([*contest.prepared.plan.left_out, *contest.unexamined])]
    record = contest.prepared.record(seams.start_worker)
    record.leave_out(contest.left_out)
    known = EarlierRuns() if mode.fresh else _earlier(record, mode, request, seams)
    if mode.sources and not known.runs:
        why = next(iter(known.contradictions), None) or why_nothing(mode.sources[0], record)
        raise NotComparableError(f"--from {mode.sources[0]}: {why}: leave --from out to measure")
    absent += silent(mode.sources, known, record)
    race, left_out = _judged(known, record, request)
    if mode.sources and not race.all_decided:
        anew = ", on its own, since rounds of here do not continue those of elsewhere" if known.foreign else ""
        say(f"{mode.sources[0]} does not decide it: measuring{anew}")
    if known.foreign and not race.all_decided:
        absent += _without(known.foreign)
        of_here = replace(mode, sources=tuple(run.path for run in known.runs if not run.foreign))
        known = _earlier(record, of_here, request, seams) if of_here.sources else known.without_runs()
        race, left_out = _judged(known, record, request)
    failed = [one for one in left_out if one.failed]
    if failed:
        absent += [*left_out_in_short(failed), "What failed in an earlier run is not tried again (--fresh tries it)."]
    if race.all_decided:
        record.leave_out(failed)
        remarks = [*absent, *_from(known, "nothing was measured now")]
        return Settled(contest.outcomes(race.places), remarks, record, False)
    record.leave_out(left_out)
    places = {**race.places}
    try:
        with create(None, record) as writer:
            command = _that_goes_on(known, mode, writer.directory)
            now, interrupted = _measure(writer, race, mode, seams, command)
    except (RefusedError, NoneSupportedError) as error:
        if not any(places.values()):
            raise
        refused = [f"{one.sentence}." for one in error.refused]
        remarks = [*absent, *_from(known, "nothing else could be measured now"), *refused]
        failed_now = error if isinstance(error, RefusedError) else None
        return Settled(contest.outcomes(places), remarks, record, False, refused=failed_now)
    remarks = [*absent, *_from(known, "it counts, too"), *now]
    outcomes = contest.outcomes(race.places)
    need = race_need(outcomes, race.seconds_of, command, fresh=mode.fresh)
    return Settled(outcomes, remarks, record, interrupted, need)


def _judged(known: EarlierRuns, record: Record, request: RecommendRequest) -> tuple[Racing, list[LeftOut]]:
    """Return the rule for the races of a plan, judged by earlier runs, and what need not be measured."""
    from actbench.engine.races.racing import Racing

    blocks = record.plan.blocks
    race = Racing.of(blocks, known.by_block, request.margin, request.budget, apart=request.apart)
    return race, race.judge_evidence(blocks)


def _without(foreign: Iterable[EarlierRun]) -> list[str]:
    """Say which runs do not decide it, and what differs from here."""
    return [
        f"Without {run.path}, made {run.created}, which does not decide it: {'; '.join(run.foreign)}."
        for run in foreign
    ]


def _earlier(record: Record, mode: RaceMode, request: RecommendRequest, seams: Seams) -> EarlierRuns:
    from actbench.engine.launch import Launch, WorkerOptions
    from actbench.engine.races import earlier
    from actbench.engine.races.code_here import CodeHere
    from actbench.engine.requests import DEFAULT_TIMEOUT

    sources = mode.sources or earlier.found_here()
    code = CodeHere(Launch(seams.start_worker, WorkerOptions(None, request.timeout or DEFAULT_TIMEOUT)))
    return earlier.evidence(sources, record, code, named=bool(mode.sources), apart=request.apart)


def _from(known: EarlierRuns, what: str) -> list[str]:
    """Say which runs it is from, their age, what differs from here, and which contradict others or cannot be read."""
    lines = [f"From {run.path}, made {run.created}: {what} (--fresh measures anew)." for run in known.runs]
    foreign = [difference for run in known.runs for difference in run.foreign]
    contradictions = (
        f"{contradiction}; runs that were made after them count." for contradiction in known.contradictions
    )
    unreadable = (f"Without a run that cannot be read: {why}." for why in known.unreadable)
    return [*lines, *foreign, *contradictions, *unreadable]


def _that_goes_on(known: EarlierRuns, mode: RaceMode, written: Path) -> str:
    """Return the command for which the runs of here that count, and the one that is written now, count next."""
    if mode.fresh:
        return "the same command without --fresh"
    if mode.sources and known.runs:
        sources = (shell.command("--from", path) for path in (*known.paths, written))
        return f"the same command with {' '.join(sources)}"
    return f"the same command{' without --from' if mode.sources else ''}"


def _measure(writer: Writer, race: Racing, mode: RaceMode, seams: Seams, command: str) -> tuple[list[str], bool]:
    """Measure; return where that is written with what failed or is not supported, and whether Ctrl-C ended it."""
    from actbench.engine.session import Session

    before = len(writer.record.plan.left_out)
    session = Session(writer.record, writer.times, mode.started, 1, seams, stopping=race)
    _, interrupted = measured(session, writer, quiet=mode.quiet, more=f"{command} goes on")
    failed = [f"{one.case}: {one.reason}" for one in writer.record.plan.left_out[before:] if not one.lost]
    failed += [f"{one.block}: {one.reason}" for one in writer.record.failures]
    return [f"Measured now, written to {writer.directory}.", *failed], interrupted


def compare_frameworks(
    request: RecommendRequest, outcome: Recommendation, mode: RaceMode, seams: Seams
) -> tuple[ComparedFrameworks, Record | None]:
    """Measure what frameworks choose beside what leads, in a run of its own; return its record, too, if there is one.

    Nothing is measured where no framework's own activation is left.

    `KeyboardInterrupt` by Ctrl-C, `BenchmarkError` where nothing was timed, or what leads was not.
    """
    from actbench.analysis.framework_choices import ComparedFrameworks
    from actbench.api.running import nothing_timed
    from actbench.engine.races import frameworks
    from actbench.engine.races.comparing import NoFrameworkError
    from actbench.engine.session import Session
    from actbench.runs.writer import create

    if not (mode.quiet or all(frameworks.obstacles(outcome.leader.case).values())):
        click.echo("--others: loading and compiling frameworks to see what they keep: about a minute", err=True)
    contest = frameworks.prepare(request, outcome, seams.start_worker)
    if isinstance(contest, ComparedFrameworks):
        return contest, None
    record = contest.prepared.record(seams.start_worker)
    record.leave_out(contest.left_out)
    if not contest.block.frameworks:
        return contest.not_compared(record), record
    if not mode.quiet:
        names = ", ".join(arm.backend for arm in contest.block.frameworks)
        best = f"{outcome.leader.case.strategy} with {outcome.leader.case.backend}"
        click.echo(
            f"--others: measuring {names} beside {best}, in {contest.block.fewest_rounds} rounds or more, each a "
            "new process that loads and compiles them anew: this takes minutes",
            err=True,
        )
    stopping = contest.stopping(record.settings)
    more = "the answer of the race stands, and the same command measures the frameworks again"
    try:
        with create(None, record) as writer:
            session = Session(
                writer.record, writer.times, seams.clock(), contest.block.fewest_rounds, seams, stopping=stopping
            )
            _, interrupted = measured(session, writer, quiet=mode.quiet, more=more)
    except NoFrameworkError as error:
        if not mode.quiet:
            say(f"--others: {error}")
        return contest.not_compared(record), record
    if interrupted:
        raise KeyboardInterrupt
    if not writer.times.blocks:
        raise nothing_timed(writer.record)
    return contest.compared(writer.record, writer.times, writer.directory), writer.record


def end(ctx: click.Context, settled: Settled, of_frameworks: Record | None = None) -> None:
    """Leave with the exit code of the outcome, and of the run of what frameworks choose, if there is one.

    `KeyboardInterrupt` where Ctrl-C ended it, `BenchmarkError` where a kernel is wrong or failed.
    """
    from actbench.api.running import fail_for, nothing_timed
    from actbench.errors import ExitCode
    from actbench.report.race_needs import open_line

    if settled.interrupted:
        raise KeyboardInterrupt
    if not any(one.racing for one in settled.outcomes):
        raise nothing_timed(settled.record)
    if settled.refused:
        raise settled.refused
    fail_for(settled.record)
    if of_frameworks:
        fail_for(of_frameworks)
    if any(one.is_open and one.racing for one in settled.outcomes):
        say(open_line(settled.outcomes, settled.need))
        ctx.exit(ExitCode.INCONCLUSIVE)
