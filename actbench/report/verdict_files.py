"""Verdicts as files, in several formats, and in the summary of a GitHub job."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from actbench.errors import InputError, unwritable
from actbench.report.check_report import Report
from actbench.report.junit import as_junit
from actbench.report.verdict_github import as_github
from actbench.report.verdict_json import as_json
from actbench.report.verdicts import as_markdown, as_text
from actbench.runs import files

FORMATS = {"text": as_text, "markdown": as_markdown, "github": as_github, "junit": as_junit, "json": as_json}
"""What writes a format, by its name."""

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The environment variable that names the file of a job's summary."""


def text(report: Report, form: str) -> str:
    """Return the report in one of the formats of files, with a newline at the end."""
    return FORMATS[form](report).rstrip("\n") + "\n"


def write(report: Report, form: str, path: Path) -> None:
    """Write the report to a file, in one move."""
    files.write(path, text(report, form))


def refuse_unwritable(reports: Sequence[tuple[str, Path]]) -> None:
    """Raise `InputError` or `OutputError`, before measuring, if a report (format, path) cannot be written."""
    paths = [path for _, path in reports]
    for form, path in reports:
        if paths.count(path) > 1:
            raise InputError(f"--report {form}={path}: another report goes there, too; name a file for each")
        files.refuse_unwritable(path, f"--report {form}={path}")


def remove_old(reports: Sequence[tuple[str, Path]]) -> None:
    """Remove the reports of an earlier check, so that none of them is taken for this one's, however it ends."""
    for _, path in reports:
        if path.is_file():
            try:
                path.unlink()
            except OSError as error:
                raise unwritable(f"cannot write {path}: {error.strerror}; remove it", error) from None


def append_to_step_summary(text: str) -> None:
    """Append to the summary of a GitHub job, where there is one, with an empty line after it.

    What follows a list immediately would be read as a part of its last item.
    """
    if not (name := os.environ.get(STEP_SUMMARY)):
        return
    try:
        with Path(name).open("ab") as file:
            file.write(files.encoded(f"{text.rstrip()}\n\n" if text else ""))
    except OSError as error:
        sentence = f"cannot write to ${STEP_SUMMARY} ({error.strerror}): unset it, or make it writable"
        raise unwritable(sentence, error) from None
