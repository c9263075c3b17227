"""What ``actbench recommend`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from actbench.analysis.recommendation import Recommendation


def show(outcome: Recommendation, remarks: Sequence[str], form: str) -> None:
    """Print the answer, the table of all arms, and where it comes from."""
    from actbench.report import recommendation, terminal
    from actbench.report.table import Summary, markdown

    if form == "json":
        click.echo(recommendation.as_json(outcome, remarks))
        return
    answers, table = recommendation.sentences(outcome), recommendation.table(outcome)
    if form == "markdown":
        click.echo("\n\n".join([*answers, markdown(table), *remarks]))
    else:
        terminal.show(Summary(tuple(answers), (table,), tuple(remarks)))
