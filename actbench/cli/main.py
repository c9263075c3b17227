"""The group of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from actbench import __version__
from actbench.cli import configuration
from actbench.errors import ActbenchError, unknown

BROKEN_PIPE = 141
"""The exit code when who reads the output has gone: 128 and the number of SIGPIPE."""

BUG = 70
"""The exit code of a fault of actbench's own, after its traceback: EX_SOFTWARE of BSD's sysexits."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, by the custom of shells: 128 and the signal's number."""

COMMANDS = (
    "init",
    "run",
    "list",
    "show",
    "compare",
    "check",
    "selfcheck",
    "accuracy",
    "report",
    "plot",
    "export",
    "env",
)


class Commands(click.Group):
    """The commands, each imported when it is needed; errors end in one sentence and their class's exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which one meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"actbench.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101  # every command module names its command so
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for one that is not known, and give one that is known its settings."""
        if args[0] not in COMMANDS:
            raise unknown("command", args[0], COMMANDS)
        name, command, rest = super().resolve_command(ctx, args)
        if name and command and not ctx.resilient_parsing:
            configuration.configure(ctx, name, command, rest)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; say what went wrong in one line on stderr."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that has no ± gets a question mark
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has nowhere to go
            sys.exit(BROKEN_PIPE)
        except ActbenchError as error:
            click.echo(_one_line(f"actbench: {error}{configuration.remark(ctx, str(error))}"), err=True)
            sys.exit(error.exit_code)
        except click.UsageError as error:
            message = error.format_message()
            if remark := configuration.remark(ctx, message):
                raise click.UsageError(message + remark, error.ctx) from None
            raise
        except KeyboardInterrupt:
            click.echo("actbench: interrupted", err=True)
            sys.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception:  # noqa: BLE001  # Python's own exit code, 1, would say that a case regressed
            traceback.print_exc()
            click.echo("actbench: this is a fault of actbench itself; please report it with the lines above", err=True)
            sys.exit(BUG)


def _one_line(text: str) -> str:
    """Return a message with what does not print, in names from outside, written as an escape."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="actbench")
def main() -> None:
    """Measure what caching activations is worth.

    A layer computes y = g(z) forward and needs g'(z) backward. Is it faster to evaluate the exponential again, or to
    reuse the y it kept? By how much, how surely, and at what cost in accuracy and memory: on this machine, for numpy,
    numba and pure Python.

    \b
    Examples:
      actbench run                      logistic and tanh, three sizes, about two minutes
      actbench run --preset smoke       a quarter of a minute
      actbench compare latest --by backend

    Exit codes: 0 fine, 1 a case regressed, 2 usage or bad input, 3 inconclusive, 4 a benchmark failed or a kernel is
    wrong, 5 baseline missing or not comparable, 130 interrupted (what was measured is kept).
    """
