"""``actbench export``."""

from __future__ import annotations

from pathlib import Path

import click

from actbench.cli.formats import write_or_echo


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
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
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write; an existing one is replaced. For asv also its results directory. [default: stdout]",
)
@click.option(
    "--commit",
    metavar="HASH",
    help="The measured commit, in full, or its annotated tag; only asv needs it.",
)
def command(run: Path, tool: str, output: Path | None, commit: str | None) -> None:
    """Export a RUN's times for tools that track or compare benchmarks.

    There is one benchmark per case, in time per call, with the 95 % interval from six rounds on if the format has a
    place for it. benchstat and asv get every round. Yardsticks are left out, because they describe only the machine.
    RUN is a run's directory, its pyperf.json, or 'latest', the latest complete run.

    In asv's results directory, which is created if needed, the file goes where asv looks for it, with machine.json and
    benchmarks.json; a FILE for asv has a suffix, such as .json. The machine is named by its processors. 'asv run'
    forgets benchmarks that are not its own: export again after it.

    \b
    Examples:
      actbench export latest --to github-action-benchmark -o benchmarks.json
      actbench export results/after --to benchstat -o after.txt
      actbench export latest --to asv --commit "$(git rev-parse HEAD)" -o .asv/results
    """
    from actbench.analysis.estimates import estimates
    from actbench.errors import InputError
    from actbench.report.export import asv, asv_directory, benchstat, bmf, github_action_benchmark
    from actbench.runs.archive import load_timed

    if commit is not None and tool != "asv":
        raise InputError(f"--commit: {tool} has no place for it; leave it out")
    remark = ""
    timed = load_timed(run)
    of_cases = estimates(timed.times, timed.loops)
    match tool:
        case "github-action-benchmark":
            text = github_action_benchmark.text(of_cases)
        case "bmf":
            text = bmf.text(of_cases)
        case "benchstat":
            text = benchstat.text(of_cases, None if timed.record is None else timed.record.environment)
        case _:
            commit, remark = _commit(commit)
            results = asv.results(of_cases, timed, commit)
            if output is not None and (output.is_dir() or not (output.exists() or output.suffix)):
                asv_directory.place(output, of_cases, results)
                click.echo(remark, err=True, nl=bool(remark))
                return
            text = asv.text(results)
    write_or_echo(text, output)
    click.echo(remark, err=True, nl=bool(remark))


def _commit(commit: str | None) -> tuple[str | None, str]:
    """Return the commit of a full hash, with a remark where the hash differs; anything else unchanged."""
    from actbench.cli.commits import resolved
    from actbench.report.export.asv import COMMIT

    return (commit, "") if commit is None or not COMMIT.fullmatch(commit) else resolved(commit)
