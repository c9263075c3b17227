"""The end of a command: each error becomes one line on stderr and an exit code; 1 is reserved for a regression."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click

from actbench.errors import DEVICE_ERRORS, ActbenchError, ExitCode, printable, reason


def ending(error: BaseException, remark: Callable[[str], str] = lambda _: "") -> int:
    """Report how a command ended, and return its exit code; `remark` adds the origin of a setting to a message."""
    error = _of_loaded_code(error) or error
    if (code := _of_click(error, remark)) is not None:
        return code
    text, code = _sentence(error)
    if code is ExitCode.FAULT:
        traceback.print_exception(error)
    if text:
        click.echo(f"actbench: {printable(f'{text}{remark(text)}')}", err=True)
    return code


def leave(code: int) -> NoReturn:
    """End the process; at once where the user's own code has run, which may have left threads or exit handlers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: an interrupt would only change the exit code
    if (plugins := sys.modules.get("actbench.plugins")) and plugins.has_run():
        os._exit(code)
    sys.exit(code)


def _of_click(error: BaseException, remark: Callable[[str], str]) -> int | None:
    """Return the exit code of what click raises, after its message; None for everything else."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case SystemExit():  # from shell completion, which returns 1 for an unknown shell
            return ExitCode.BAD_INPUT if error.code else ExitCode.FINE
        case click.exceptions.NoArgsIsHelpError():  # a group without a command: its message is its help, on lines
            error.show()
            return ExitCode.BAD_INPUT
        case click.ClickException():
            text = error.format_message()
            shown = text if isinstance(error, click.MissingParameter) else printable(text)  # its choices are on lines
            click.UsageError(f"{shown}{printable(remark(text))}", getattr(error, "ctx", None)).show()
            return ExitCode.BAD_INPUT
    return None


def _sentence(error: BaseException) -> tuple[str, ExitCode]:
    """Return the message of an error, and its exit code."""
    match error:
        case BrokenPipeError():
            return "", ExitCode.CLOSED_PIPE
        case ActbenchError():
            return str(error), error.exit_code
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", ExitCode.INTERRUPTED
        case MemoryError():
            return "there is not enough memory: take smaller sizes, or end what else needs it", ExitCode.BAD_INPUT
        case OSError():
            return _refusal(error), ExitCode.UNWRITABLE if error.errno in DEVICE_ERRORS else ExitCode.BAD_INPUT
    return "this is a fault of actbench itself; please report it with the lines above", ExitCode.FAULT


def _of_loaded_code(error: BaseException) -> BaseException | None:
    """Return the error in the user's own code that caused this one; None if there is none."""
    if (plugins := sys.modules.get("actbench.plugins")) is None:
        return None
    blamed: BaseException | None = plugins.blamed(error)
    return blamed


def _refusal(error: OSError) -> str:
    """Return the refusal of the operating system in words, with the file."""
    try:
        Path.cwd()
    except OSError as missing:
        return f"the current directory cannot be used ({reason(missing)}): change to one that exists"
    names = " and ".join(
        os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)
    )
    return f"the operating system refuses {names or 'what is needed'}: {reason(error)}; mend that, and try again"
