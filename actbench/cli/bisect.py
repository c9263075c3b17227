"""``actbench bisect``."""

from __future__ import annotations

from typing import Any

import click

from actbench.cli.formats import format_option
from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.options import (
    allowed_slowdowns,
    code_of_commits,
    inputs,
    max_call,
    processors,
    quiet,
    seed,
    selection,
    timeout,
)
from actbench.cli.steps import steps_of, training_steps
from actbench.cli.values import Duration


@click.command()
@click.argument("good")
@click.argument("bad", default="HEAD")
@allowed_slowdowns
@selection("check", code_of_commits)
@training_steps
@click.option(
    "--budget",
    type=Duration(),
    default="30m",
    show_default=True,
    help="Time limit of the whole, building environments included; suspected regressions of BAD are measured again on "
    "top of it.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with what an earlier bisect of the same commits and options has measured.",
)
@seed
@inputs
@processors
@timeout
@max_call
@format_option(("text", "markdown", "json"), "; markdown goes to $GITHUB_STEP_SUMMARY as well, where that is set")
@quiet
@click.pass_context
def command(  # noqa: PLR0913  # its options
    ctx: click.Context,
    /,
    *,
    good: str,
    bad: str,
    margin: float,
    margins: tuple[tuple[str, float], ...],
    budget: float,
    resume: bool,
    form: str,
    quiet: bool,
    load: tuple[str, ...],
    **options: Any,
) -> None:
    """Find the commit since which something is slower: of those after GOOD, up to BAD (HEAD).

    BAD is checked against GOOD first, as `actbench check` does: where it is not slower, that is the answer. Then only
    the cases that got slower are measured, round by round in the commit whose round tells most, beside GOOD and with
    GOOD a second time as control. No round decides anything alone: it votes before or after, with the error rates that
    the rounds of GOOD and BAD show, until one commit has a probability of 99 % or --budget is spent.

    Each commit is built into an environment of its own, which is kept (actbench cache), with the same versions of
    libraries for all, unless a commit needs others. Files that --load names are those of the commit, which is measured
    without a file that it lacks; those of the work tree count where no commit has them. Commits that cannot be built,
    have wrong kernels or lack a case are skipped and named. Your files stay as they are.

    Evidence is kept after every round: the same command with --resume goes on after Ctrl-C, or with a larger --budget.

    Exit codes: 0 BAD is not slower, 1 a commit is named, 3 undecided, 4 a benchmark failed or a kernel is wrong, 5 GOOD
    and BAD cannot be compared.

    \b
    Examples:
      actbench bisect v1.0
      actbench bisect v1.0 main -a tanh -b numba -n 10k --budget 1h
      actbench bisect HEAD~64 --load kernels.py -s mine --margin 2 --format markdown
    """
    from actbench.analysis.regression import Margins
    from actbench.cli.bisect_output import measured
    from actbench.engine.requests import BisectRequest, CheckRequest
    from actbench.engine.session import Seams
    from actbench.report.bisection import conclusion

    end_as_by_ctrl_c()
    loaded_from: dict[str, str] = {}
    if load:
        from actbench.engine.bisect.code_of_ends import loaded_for

        loaded_from = ctx.with_resource(loaded_for(good, bad, load))
    steps = steps_of(ctx, options)
    check = CheckRequest(**options, steps=steps, against="", margins=Margins(margin, margins), budget=None)
    request = BisectRequest(good=good, bad=bad, check=check, budget=budget, resume=resume, loaded_from=loaded_from)
    result = measured(request, ctx.obj or Seams(), form, quiet=quiet)
    if result.interrupted:
        raise KeyboardInterrupt
    ctx.exit(conclusion(result).exit_code)
