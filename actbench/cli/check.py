"""``actbench check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.formats import format_option, refuse_what_is_read
from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.options import (
    AXES,
    allowed_slowdowns,
    inputs,
    max_call,
    on_command_line,
    processors,
    quiet,
    seed,
    selection,
    timeout,
)
from actbench.cli.steps import steps_of, training_steps
from actbench.cli.values import Duration, PathName, ReportFile
from actbench.errors import FOR_BISECT, printable

if TYPE_CHECKING:
    from actbench.analysis.regression import Margins
    from actbench.report.check_report import Report

LIVE_PARAMETERS = (
    *("preset", *AXES, "load", "load_baseline", "networks", "batches", "optimizer", "budget", "seed", "inputs"),
    *("affinity", "threads", "timeout", "max_call", "output"),
)
"""Parameters of a live check only."""


@click.command()
@click.argument("run", type=PathName(), required=False)
@click.option("--baseline", type=PathName(), metavar="RUN", help="Check RUN against this run.")
@click.option(
    "--against", metavar="PYTHON", help="Measure against this interpreter, virtual environment or git:REV, live."
)
@allowed_slowdowns
@selection("check")
@training_steps
@click.option(
    "--load-baseline",
    multiple=True,
    metavar="FILE|same",
    help="What the baseline loads in place of --load, one for each: FILE, or the same as here. [default: FILE of "
    "git:REV where it has one, else the same]",
)
@click.option(
    "--budget",
    type=Duration(),
    help="Time limit of a live check. On top of it come building the environment of git:REV and measuring suspected "
    "regressions again, for as long again at most, or as long as the first rounds where these take longer. [default: "
    "the preset's]",
)
@seed
@inputs
@processors
@timeout
@max_call
@format_option(
    ("text", "markdown", "github", "junit", "json"),
    "; markdown goes to $GITHUB_STEP_SUMMARY as well, where that is set",
)
@click.option(
    "--report",
    "reports",
    type=ReportFile(),
    multiple=True,
    metavar="FORMAT=FILE",
    help="Write a format to a file.",
)
@click.option("-o", "--output", type=PathName(), help="Directory for the measurements of a live check, as runs.")
@click.option(
    FOR_BISECT,
    is_flag=True,
    help="End as git bisect run understands it: 125, to skip the commit, in place of 3, 4 and 5; 255 in place of all "
    "else but 0 and 1.",
)
@quiet
@click.pass_context
def command(  # noqa: PLR0913  # one for each option that a stored check has as well
    ctx: click.Context,
    /,
    *,
    run: Path | None,
    baseline: Path | None,
    against: str | None,
    margin: float,
    margins: tuple[tuple[str, float], ...],
    form: str,
    reports: tuple[tuple[str, Path], ...],
    output: Path | None,
    for_bisect: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Check whether anything got slower: this environment against another, live, or a RUN against a baseline.

    With --against, both environments are measured side by side, in turns on one processor, and the baseline a second
    time as a control. Rounds are added until every case is decided or --budget is spent. Suspected regressions are
    measured again before the check fails. Use this one in continuous integration.

    With --baseline, a RUN of this host is compared with an older one of the same host. RUN is a run's directory or
    'latest', the latest complete run. A case whose own time is wholly above the margin does not pass, even if the
    yardstick slowed down with it.

    A case has regressed only where its whole 95 % interval lies above the margin and the p-value, corrected for the
    number of cases, is at most 5 %; it is unchanged only where the whole interval lies inside the margin.

    Exit codes: 0 nothing regressed, 1 a case regressed, 3 none did but a case is inconclusive or missing, or the host
    is too noisy, 4 a benchmark failed, 5 there is no baseline, or it cannot be compared. With --for-bisect 125 for 3, 4
    and 5, and 255 for everything else but 0 and 1.

    \b
    Examples:
      actbench check --against ../main/.venv
      actbench check --against git:main --format markdown
      actbench check --against python3.12 -b numpy -n 1k,100k --margins '*/float32/*=10'
      actbench check --against git:main --report markdown=check.md --report junit=check.xml
      actbench check --against git:main --network mlp:784-128-10 --batch 32 -b numpy
      git bisect run actbench check --against git:v1.0 -b numpy -n 10k --for-bisect
      actbench check latest --baseline results/reference
    """
    from actbench.analysis.regression import Margins
    from actbench.cli.check_live import measured
    from actbench.cli.check_output import CheckOutput, leave
    from actbench.engine.requests import CheckRequest
    from actbench.engine.session import Seams
    from actbench.model.sides import Side

    allowed = Margins(margin, margins)
    out = CheckOutput(form, reports, margin, for_bisect=for_bisect)
    for name, path in reports:
        refuse_what_is_read(path, f"--report {name}={path}")
    out.prepare()
    if (baseline is None) == (against is None):
        raise click.UsageError(
            "name what to compare with: --against PYTHON, live, or --baseline RUN for a RUN; not both"
        )
    if against is not None:
        if run is not None:
            raise click.UsageError(f"--against measures both sides itself: leave {run} out, or use --baseline")
        end_as_by_ctrl_c()
        steps = steps_of(ctx, options)
        request = CheckRequest(**options, steps=steps, against=against, margins=allowed)
        report = measured(request, ctx.obj or Seams(), output, out, quiet=quiet)
    else:
        assert baseline is not None  # noqa: S101  # one of the two is given, see above
        _refuse_live_options(ctx)
        if run is None:
            raise click.UsageError("--baseline needs a RUN to check, e.g. actbench check latest --baseline RUN")
        with out.publishing_failure(lambda: (Side(printable(str(baseline))), Side(printable(str(run))))):
            report = _stored(run, baseline, allowed).with_unused(allowed)
        out.publish(report)
    leave(ctx, report)


def _refuse_live_options(ctx: click.Context) -> None:
    named = on_command_line(ctx)
    for parameter in ctx.command.params:
        if parameter.name in LIVE_PARAMETERS and parameter.name in named:
            raise click.UsageError(
                f"{parameter.opts[-1]} selects what --against measures: leave it out with --baseline"
            )


def _stored(run: Path, baseline: Path, margins: Margins) -> Report:
    from actbench.analysis.check_stored import changes, regrouped
    from actbench.analysis.kept_bytes import kept_in, with_kept
    from actbench.analysis.regression import with_same_code
    from actbench.model.checks import of_same_code
    from actbench.report.check_report import Report
    from actbench.report.remarks import inputs_lines, operands_lines
    from actbench.report.verdict_remarks import stored_remarks
    from actbench.runs.baseline import differences, load_both, side_of

    before, after = load_both(baseline, run)
    judged = with_kept(changes(before.times, after.times, margins), kept_in(before.record), kept_in(after.record))
    checks = (run.record.checks if run.record else [] for run in (before, after))
    judged = with_same_code(judged, of_same_code(*checks))
    remarks = [
        *stored_remarks(judged, regrouped(before.times, after.times)),
        *inputs_lines(after.plan),
        *operands_lines(after.plan),
        *differences(before, after),
    ]
    return Report(tuple(judged), margins.default, (side_of(before), side_of(after)), tuple(remarks))
