"""The option --format of the commands that print something, and where they print it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from actbench.cli.values import PathName

TABLES = ("table", "markdown", "csv", "json")
"""Formats of commands that print tables."""

TEXTS = ("text", "json")
"""Formats of commands that print text."""

READ = ("baseline", "load_baseline", "inputs", "plan")
"""Options that may name a file which the command reads."""


def format_option(forms: tuple[str, ...], note: str = "") -> Callable[[Any], Any]:
    """Return the option with these formats, the first of them as default; `note` is added to its help."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default=forms[0],
        show_default=True,
        help=f"How to print it{note}.",
    )


def print_comparison(  # noqa: PLR0913, PLR0917  # what is printed, how and where
    form: str,
    report: Any,
    comparison: Any,
    lines: Sequence[str],
    beside_csv: Sequence[str],
    output: Path | None = None,
) -> None:
    """Print a comparison by the functions of its report's module; lines of text are beside tables, or on stderr."""
    from actbench.report.terminal import show_table

    match form:
        case "table" if output is None:
            for table in report.tables(comparison):
                show_table(table)
            click.echo("\n".join(["", report.sentence(comparison), *lines]))
        case "table" | "markdown":
            write_or_echo(report.as_markdown(comparison, lines), output)
        case "csv":
            write_or_echo(report.as_csv(comparison), output)
            for line in beside_csv:
                click.echo(line, err=True)
        case "json":
            write_or_echo(report.as_json(comparison, lines) + "\n", output)


output_file = click.option(
    "-o",
    "--output",
    type=PathName(),
    metavar="FILE",
    help="File to write; an existing one is replaced. [default: stdout]",
)


def write_or_echo(text: str, output: Path | None) -> None:
    """Write to a file or stdout, in UTF-8 whatever the terminal's encoding, since the formats require it."""
    from actbench.runs import files

    if output is None:
        click.echo(files.encoded(text), nl=False)
    else:
        files.refuse_file_of_run(output, f"-o {output}")
        refuse_what_is_read(output, f"-o {output}")
        files.write(output, text, "name another file with -o")


def refuse_what_is_read(output: Path, named: str) -> None:
    """Raise `InputError` where an output would replace a file that the command reads; `named` begins the sentence."""
    from actbench.errors import InputError

    if any(_are_one(output, path) for path in _read_files()):
        raise InputError(f"{named}: that is the file that is read: name another file")


def _are_one(output: Path, path: Path) -> bool:
    """Return whether both are the same file; they are not where one of them is none, or cannot be looked at."""
    try:
        return output.samefile(path)
    except (OSError, ValueError):
        return False


def _read_files() -> Iterator[Path]:
    """Yield what arguments and options of the running command name as read, and the user's own code."""
    from actbench import plugins
    from actbench.model.loaded import LoadedFrom

    context = click.get_current_context()
    for parameter in context.command.params:
        if isinstance(parameter, click.Argument) or parameter.name in READ:
            value = context.params[str(parameter.name)]
            for path in value if isinstance(value, tuple) else (value,):
                if isinstance(path, str | Path):
                    yield Path(path)
    for code in plugins.loaded():
        if code.kind is LoadedFrom.FILE:
            yield Path(plugins.place_of(code) or code.name)
