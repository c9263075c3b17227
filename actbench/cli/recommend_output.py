"""What ``actbench recommend`` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.sentences import say
from actbench.errors import printable
from actbench.model.training import CHECKPOINT
from actbench.runs.names import REPORT

if TYPE_CHECKING:
    from actbench.analysis.framework_choices import ComparedFrameworks
    from actbench.analysis.recommendation import Recommendation
    from actbench.cli.recommend_races import Settled
    from actbench.report.table import Table
    from actbench.runs.record import Record

CHECKPOINTED = (
    "checkpoint is no function of z: write torch.utils.checkpoint.checkpoint(f, h, use_reentrant=False), or in jax "
    "jax.checkpoint(f)(h), with f the linear layer and its activation, and h its input."
)

BYTES = 1 << 23
"""Room that the files of a table need, at most."""


def show(outcome: Recommendation, settled: Settled, form: str) -> None:
    """Print the answer, the table of all arms, and where it comes from; without answer where nothing was timed."""
    from actbench.report import recommendation, recommendation_sentences

    if form == "json":
        _show_json(outcome, settled)
    elif form == "code":
        click.echo(_code(outcome) if outcome.racing else "", nl=False)
    elif outcome.racing:
        answers = recommendation_sentences.sentences(outcome)
        _show_summary(answers, [recommendation.table(outcome)], settled.remarks, form)
    else:
        _show_summary([], [], settled.remarks, form)


def show_with_frameworks(
    outcome: Recommendation,
    settled: Settled,
    form: str,
    compare: Callable[[], tuple[ComparedFrameworks, Record | None]],
) -> Record | None:
    """Print the answer, and then what frameworks choose, once `compare` has measured it; return the record of that.

    JSON is one object, and printed at the end; without the frameworks where Ctrl-C or a failure ends it.
    """
    from actbench.report import framework_choices

    if form == "json":
        compared: ComparedFrameworks | None = None
        try:
            compared, record = compare()
        finally:
            _show_json(outcome, settled, compared)
        return record
    show(outcome, settled, form)
    compared, record = compare()
    remarks = [printable(f"Compared with frameworks in {compared.directory}.")] if compared.directory else []
    click.echo("")
    _show_summary(framework_choices.sentences(compared), framework_choices.tables(compared), remarks, form)
    return record


def _show_json(outcome: Recommendation, settled: Settled, compared: ComparedFrameworks | None = None) -> None:
    from actbench.report import recommendation

    seconds = settled.need.seconds if settled.need else None
    click.echo(recommendation.as_json(outcome, settled.remarks, seconds, compared))


def _show_summary(answers: Sequence[str], tables: Sequence[Table], remarks: Sequence[str], form: str) -> None:
    from actbench.report import terminal
    from actbench.report.table import Summary, markdown

    if form == "markdown":
        click.echo("\n\n".join([*answers, *map(markdown, tables), *remarks]))
    else:
        terminal.show(Summary(tuple(answers), tuple(tables), tuple(remarks)))


def make_room(directory: Path) -> None:
    """Create the directory for the files of a table; `InputError` where that is not possible, or it holds a run."""
    from actbench.errors import InputError
    from actbench.runs import files
    from actbench.runs.names import RUN

    if (directory / RUN).exists():
        raise InputError(f"-o {directory}: it holds a run, whose files would be replaced: name another directory")
    files.probe(directory, BYTES)


def show_all(settled: Settled, form: str, output: Path | None) -> None:
    """Print the table of all races, and write it into a directory as Markdown, CSV, JSON and a page."""
    from actbench.report import recommendation_table, terminal
    from actbench.runs import files

    environment = settled.record.environment
    contents = {
        "markdown": lambda: recommendation_table.as_markdown(settled.outcomes, settled.remarks, environment),
        "csv": lambda: recommendation_table.as_csv(settled.outcomes),
        "json": lambda: recommendation_table.as_json(settled.outcomes, settled.remarks, environment),
    }
    if output:
        for name, what in recommendation_table.FILES.items():
            files.replace(output / name, contents[what]())
        page = recommendation_table.page(settled.outcomes, settled.remarks, environment)
        files.replace(output / REPORT, page)
        say(f"written to {output}")
    if form == "text":
        terminal.show(recommendation_table.summary(settled.outcomes, settled.remarks))
    else:
        click.echo(contents[form](), nl=False)


def _code(outcome: Recommendation) -> str:
    """Return what to paste, under the answer as a comment."""
    from actbench.engine.races.candidates import kernel_of
    from actbench.report.recommendation_sentences import sentences
    from actbench.report.snippets import comment, snippet

    kernel = kernel_of(outcome.choice.case)
    if outcome.choice.case.strategy == CHECKPOINT:
        return "".join(f"# {line}\n" for line in (*sentences(outcome), CHECKPOINTED))
    answer = "".join(f"{comment(kernel)} {sentence}\n" for sentence in sentences(outcome))
    compiled = kernel.backend.takes_arrays and kernel.backend.name != "numpy"
    note = (
        f"# This is the formula in numpy; {kernel.backend.name} compiles it, with functions of its own.\n"
        if compiled
        else ""
    )
    return f"{answer}{note}\n{snippet(kernel)}"
