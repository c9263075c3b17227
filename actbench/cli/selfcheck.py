"""``actbench selfcheck``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.formats import TEXTS, format_option
from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.options import processors, quiet, seed, selection, timeout
from actbench.cli.sentences import say
from actbench.cli.values import Duration, PathName, Percent
from actbench.errors import ExitCode

if TYPE_CHECKING:
    from actbench.engine.live.selfcheck import SelfCheck


@click.command()
@selection("check")
@click.option("--margin", type=Percent(), default="5", show_default=True, metavar="PCT", help="Allowed slowdown.")
@click.option("--budget", type=Duration(), default="5m", show_default=True, help="Time limit of the audit.")
@click.option("--check-budget", type=Duration(), help="Time limit of the audited checks. [default: the preset's]")
@seed
@processors
@timeout
@click.option("--store", type=PathName(), metavar="RUN", help="Keep it as selfcheck.json with a run.")
@format_option(TEXTS)
@quiet
@click.pass_context
def command(ctx: click.Context, /, *, form: str, store: Path | None, quiet: bool, **options: Any) -> None:
    """Audit this host: what 'actbench check --against' is worth here.

    Measures this environment against itself, as a check does, and against itself with an injected slowdown. Prints
    how often checks of their usual length raise a false alarm, the smallest slowdown that they detect 95 % of the time,
    the sources of variance, and advice on them. Ends with 3 if --budget is too short for one check, and with 5
    if the RUN of --store is of another host.

    \b
    Examples:
      actbench selfcheck
      actbench selfcheck --budget 20m --margin 2
      actbench selfcheck -b numpy -n 1k,100k --format json
    """
    from actbench.engine.live.selfcheck import prepare
    from actbench.engine.requests import SelfCheckRequest
    from actbench.engine.session import Seams
    from actbench.host import noise
    from actbench.report import audit as report
    from actbench.report.terminal import show_table

    target = _stored_in(store)
    check = prepare(SelfCheckRequest(**options), ctx.obj or Seams())
    before = noise.stolen_seconds()
    end_as_by_ctrl_c()
    interrupted = _measure(check, quiet=quiet)
    audit = check.audit()
    advice = report.advice(list(noise.host_properties()), noise.stolen_share(before))
    text = report.as_json(audit, check.check_budget, advice)
    try:
        if form == "json":
            click.echo(text)
        else:
            click.echo("\n".join(report.lines(audit, check.check_budget, check.needed)))
            if audit.checks:
                show_table(report.table(audit))
            click.echo("\n".join(["", "What makes timings vary here, and what to do:", *advice]))
    finally:
        if target is not None:
            _store(target, text)
    if interrupted:
        raise KeyboardInterrupt
    if not audit.checks:
        ctx.exit(ExitCode.INCONCLUSIVE)  # there was no time for one check


def _measure(check: SelfCheck, *, quiet: bool) -> bool:
    """Measure; return whether Ctrl-C came before the end but after a round."""
    from actbench.report.progress import Progress

    try:
        with Progress(quiet=quiet) as progress:
            for event in check.events():
                progress.show(event)
    except KeyboardInterrupt:
        if not check.rounds:
            raise
        click.echo("interrupted: this is what the rounds so far say", err=True)
        return True
    return False


def _stored_in(store: Path | None) -> Path | None:
    """Return the file for the audit, beside a run of this host.

    `InputError` or `OutputError` where it cannot be written, `NotComparableError` for a run of another host.
    """
    from actbench.errors import InputError
    from actbench.runs import archive, baseline, files

    if store is None:
        return None
    run = archive.load(store)
    if run.path.is_file():
        raise InputError(f"--store {store}: name the directory of a run")
    baseline.refuse_other_host(run, f"--store {store}")
    target = run.path / "selfcheck.json"
    files.refuse_unwritable(target, f"--store {store}", "name another run")
    return target


def _store(target: Path, text: str) -> None:
    from actbench.runs import files

    files.write(target, text + "\n")
    say(f"written to {target}")
