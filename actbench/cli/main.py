"""The group of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

import click

from actbench import __version__
from actbench.cli import configuration, interrupts, streams
from actbench.cli.endings import ending, leave
from actbench.errors import ExitCode, for_caller, unknown

COMMANDS = {
    "init": "Write files to start from into a directory.",
    "run": "Measure which strategy is faster, by how much, how surely.",
    "train": "Measure what a strategy is worth in a training step.",
    "recommend": "Say what a layer should keep, and what that gains.",
    "list": "List what is available, and why something is not.",
    "show": "Show the code of a case, and facts about its machine code.",
    "compare": "Compare within a run, or two runs.",
    "check": "Check whether anything got slower, live or between two runs.",
    "bisect": "Find since which commit something is slower.",
    "merge": "Join runs of the shards of one plan.",
    "fleet": "Measure one plan on many hosts, by Dask.",
    "history": "Follow cases over many runs, and find where they step.",
    "selfcheck": "Audit this host: what a live check is worth here.",
    "accuracy": "Show how far kernels are from the true derivative.",
    "report": "Write a page about a run, or about two.",
    "plot": "Draw one chart of a run.",
    "export": "Export a run for tools that track or compare benchmarks.",
    "cache": "List or remove environments that git:REV built.",
    "env": "Show this host, and where settings come from.",
}
"""The commands, in the order in which users meet them, with a line for the group's help, which imports none of them."""


class Commands(click.Group):
    """The commands, each imported when it is needed; errors end in one sentence and their class's exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which users meet them."""
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, a line each."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"actbench.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101  # every command module defines `command`
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for an unknown one, and apply the settings of a known one."""
        if args[0] not in COMMANDS:
            raise unknown("command", args[0], COMMANDS)
        name, command, rest = super().resolve_command(ctx, args)
        if name and command and not ctx.resilient_parsing:
            configuration.configure(ctx, name, command, rest)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; report an error in one line on stderr."""
        try:
            return super().invoke(ctx)
        except BaseException as error:  # noqa: BLE001  # Python's exit code 1 would mean a regression
            ctx.exit(ending(error, lambda message: configuration.remark(ctx, message)))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002  # click's own signature
        **extra: Any,
    ) -> Any:
        """Run the command line and exit, as click does, but only with codes of `ExitCode`."""
        run: Callable[[], Any] = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        streams.secure()
        try:
            code = run() or ExitCode.FINE
            streams.flush()
        except BaseException as error:  # noqa: BLE001  # as above
            code = ending(error)
        sys.exit(for_caller(code, sys.argv[1:] if args is None else args))

    def __call__(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command line as a process, and end that process."""
        try:
            interrupts.take_ctrl_c()
            self.main(*args, **extra)
        except SystemExit as end:
            code = end.code
        except KeyboardInterrupt:  # a second one, while the first one was reported
            code = for_caller(ExitCode.INTERRUPTED, sys.argv[1:])
        leave(code if isinstance(code, int) else ExitCode.FINE)


QUESTIONS = """\
What is a cached activation worth here?
  actbench run                         alone, from cache and from memory, in about two minutes
  actbench train                       in a training step
What should my layer keep?
  actbench recommend -a tanh           under bounds on error and memory
Is my own gradient right, and is it faster?
  actbench init                        writes files to start from
  actbench run --load activations.py   checks every kernel, then measures it beside the built-in ones
  actbench accuracy -a gelu            shows where g' is lost
Did any of it get slower, and since when?
  actbench check --against git:main    measures both sides here, in turns
  actbench bisect v1.0                 names the commit since which it is slower

'actbench --help' lists all commands, and 'actbench COMMAND --help' explains one.
"""
"""What ``actbench`` alone prints."""


def _show_version(ctx: click.Context, param: click.Parameter, *, wanted: bool) -> None:
    """Print what a bug report needs, and end."""
    del param
    if wanted and not ctx.resilient_parsing:
        from actbench import backends, registry
        from actbench.host import environment
        from actbench.report import host

        click.echo(f"actbench, version {__version__}")
        further = (*backends.libraries([*registry.backends().values()]), "pandas", "click", "vl-convert-python")
        click.echo(host.for_bug_report(environment.collect(None, further=further)))
        ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, param, value: _show_version(ctx, param, wanted=value),
    help="Show the versions and the host that a bug report needs.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Measure what caching activations is worth.

    A layer computes y = g(z) forward and needs g'(z) backward. Is it faster to evaluate the exponential again, or to
    reuse the y it kept? By how much, how surely, and at what cost in accuracy and memory: on this machine, for numpy,
    numba and pure Python.

    \b
    Examples:
      actbench run                      logistic and tanh, from cache and memory, about two minutes
      actbench run --preset smoke       a quarter of a minute
      actbench train                    the same in a training step, about two minutes
      actbench compare latest --by backend

    Exit codes: 0 fine, 1 a case regressed, 2 usage or bad input, 3 inconclusive, 4 a benchmark failed or a kernel is
    wrong, 5 baseline missing or not comparable, 70 a fault of actbench, 74 output that cannot be written, 125 a commit
    that git bisect run skips (check --for-bisect), 130 interrupted (what was measured is kept), 141 the reader of the
    output closed the pipe, 255 the end of git bisect run.
    """
    if ctx.invoked_subcommand is None:
        click.echo(QUESTIONS, nl=False)
