"""The output of ``actbench check``: the report in all requested formats, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from actbench.cli.sentences import say
from actbench.errors import ActbenchError, BenchmarkError, ExitCode, InputError, NoRevisionError, NotComparableError
from actbench.model.sides import Side
from actbench.report import verdict_files, verdicts
from actbench.report.check_report import Report

Sides = tuple[Side, Side]
"""The baseline and the candidate."""


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """Where the report of a check goes."""

    form: str
    """The format on stdout."""
    reports: tuple[tuple[str, Path], ...]
    """Formats, each with a file."""
    margin: float
    for_bisect: bool = False
    """Whether the check ends as ``git bisect run`` understands it."""

    def prepare(self) -> None:
        """Remove earlier reports; `InputError` or `OutputError` for a file that cannot be written."""
        verdict_files.refuse_unwritable(self.reports)
        verdict_files.remove_old(self.reports)
        if self.form == "markdown":
            verdict_files.append_to_step_summary("")

    def publish(self, report: Report, keep: Callable[[], None] | None = None) -> None:
        """Print the verdicts and write the files, each even if another cannot be written.

        A file that cannot be written is an error, but must not hide a regression: then it is only a line on stderr.
        """
        report = replace(report, for_bisect=self.for_bisect)
        tasks: list[Callable[[], None]] = [partial(self._print, report), *self._files(report)]
        tasks += [keep] if keep else []
        errors = _errors_of(tasks)
        if errors and report.conclusion.exit_code is not ExitCode.REGRESSED:
            raise errors[0]
        _echo(errors)

    @contextmanager
    def publishing_failure(
        self, sides: Callable[[], Sides], remarks: Callable[[], Iterable[str]] = tuple
    ) -> Iterator[None]:
        """Write the reports also where an error ends the check; on stdout, text has nothing but the error's sentence.

        Where output itself cannot be written, there are none. For ``git bisect run``, a baseline that is no revision is
        `InputError`, which ends the bisection: it is none for every commit.
        """
        try:
            yield
        except ActbenchError as error:
            if not isinstance(error, BenchmarkError | NotComparableError):
                raise
            final = InputError(str(error)) if self.for_bisect and isinstance(error, NoRevisionError) else error
            report = Report((), self.margin, sides(), (*remarks(),), error=final, for_bisect=self.for_bisect)
            on_stdout = [] if self.form == "text" else [partial(self._print, report)]
            _echo(_errors_of([*on_stdout, *self._files(report)]))
            raise final from None

    def _files(self, report: Report) -> list[Callable[[], None]]:
        return [partial(verdict_files.write, report, name, path) for name, path in self.reports]

    def _print(self, report: Report) -> None:
        from actbench.report.terminal import show_table

        if self.form == "text":
            if report.changes:
                show_table(verdicts.table(report))
            click.echo("\n".join(["", verdicts.headline(report), *verdicts.remark_lines(report)]))
            return
        text = verdict_files.text(report, self.form)
        click.echo(text, nl=False)
        if self.form == "markdown":
            verdict_files.append_to_step_summary(text)


def leave(ctx: click.Context, report: Report) -> None:
    """Leave with the exit code of a report.

    `KeyboardInterrupt` where Ctrl-C ended the check, `BenchmarkError` where a block failed.
    """
    code = report.conclusion.exit_code
    if code is ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code is ExitCode.FAILED:
        names = ", ".join(dict.fromkeys(failure.block for failure in report.failures))
        raise BenchmarkError(f"failed: {names} (see above)")
    ctx.exit(code)


def _errors_of(tasks: list[Callable[[], None]]) -> list[ActbenchError]:
    errors = []
    for task in tasks:
        try:
            task()
        except ActbenchError as error:
            errors.append(error)
    return errors


def _echo(errors: list[ActbenchError]) -> None:
    for sentence in filter(None, map(str, errors)):
        say(f"actbench: {sentence}")
