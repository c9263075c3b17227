"""``actbench export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.formats import write_or_echo
from actbench.cli.values import PathName

if TYPE_CHECKING:
    from actbench.runs.archive import Run


@click.command()
@click.argument("run", type=PathName())
@click.option(
    "--to",
    "tool",
    type=click.Choice(["github-action-benchmark", "bmf", "benchstat", "asv"]),
    required=True,
    help="The format: customSmallerIsBetter JSON, Bencher Metric Format, Go benchmark text, asv's results JSON.",
)
@click.option(
    "-o",
    "--output",
    type=PathName(),
    metavar="FILE",
    help="File to write; an existing one is replaced. For asv also its results directory. [default: stdout]",
)
@click.option(
    "--commit",
    metavar="HASH",
    help="The measured commit, in full, or the hash of its annotated tag; only asv needs it. [default: the commit that "
    "the run records]",
)
@click.option(
    "--relative",
    is_flag=True,
    help="For asv: also times over that of the plain copy in each block, whose graphs do not have the host's drift.",
)
def command(run: Path, tool: str, output: Path | None, commit: str | None, *, relative: bool) -> None:
    """Export a RUN's times for tools that track or compare benchmarks.

    There is one benchmark per case, in time per call, with the 95 % interval from six rounds on if the format has a
    place for it. benchstat and asv get every round. Yardsticks are left out, because they describe only the machine.
    RUN is a run's directory, its pyperf.json, or 'latest', the latest complete run.

    In asv's results directory, which is created if needed, the file goes where asv looks for it, with machine.json and
    benchmarks.json; a FILE for asv has a suffix, such as .json. The machine is named by its processors. 'asv run'
    forgets benchmarks that are not its own: export again after it. With --relative there are also benchmarks in copies:
    what 'asv publish' draws of them has no drift of the host, which times have.

    \b
    Examples:
      actbench export latest --to github-action-benchmark -o benchmarks.json
      actbench export results/after --to benchstat -o after.txt
      actbench export latest --to asv --commit "$(git rev-parse HEAD)" -o .asv/results
      actbench export latest --to asv --relative -o .asv/results
    """
    from actbench.analysis import estimates as analysis
    from actbench.errors import InputError
    from actbench.report.export import asv, asv_directory, benchstat, bmf, github_action_benchmark
    from actbench.runs.archive import load_timed

    if commit is not None and tool != "asv":
        raise InputError(f"--commit: {tool} has no place for it; leave it out")
    if relative and tool != "asv":
        raise InputError(f"--relative: {tool} takes times alone; leave it out")
    remark = ""
    timed = load_timed(run)
    of_cases = analysis.estimates(timed.times, timed.loops, str(run))
    match tool:
        case "github-action-benchmark":
            text = github_action_benchmark.text(of_cases)
        case "bmf":
            text = bmf.text(of_cases)
        case "benchstat":
            environment = None if timed.record is None else timed.record.environment
            text = benchstat.text(of_cases, environment, timed.threads_of)
        case _:
            commit, remark = _commit(commit) if commit is not None else _recorded(timed)
            measured = {asv.TIME: of_cases}
            if relative:
                measured[asv.COPIES] = analysis.relative(timed.times, of_cases)
            results = asv.results(measured, timed, commit)
            if output is not None and (output.is_dir() or not (output.exists() or output.suffix)):
                asv_directory.place(output, measured, results)
                click.echo(remark, err=True, nl=bool(remark))
                return
            text = asv.text(results)
    write_or_echo(text, output)
    click.echo(remark, err=True, nl=bool(remark))


def _recorded(run: Run) -> tuple[str | None, str]:
    """Return the commit that a run was made at, with a remark; none where files differed from it."""
    commit = run.record.commit if run.record else None
    if commit is None or commit.dirty:
        return None, ""
    return commit.hash, f"filed under {commit.hash}, the commit that the run was made at"


def _commit(commit: str) -> tuple[str, str]:
    """Return the commit of a full hash, with a remark where the hash differs; anything else unchanged."""
    from actbench.cli.commits import resolved
    from actbench.report.export.asv import COMMIT

    return resolved(commit) if COMMIT.fullmatch(commit) else (commit, "")
