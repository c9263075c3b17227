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
    if form == "code":
        click.echo(_code(outcome), nl=False)
        return
    answers, table = recommendation.sentences(outcome), recommendation.table(outcome)
    if form == "markdown":
        click.echo("\n\n".join([*answers, markdown(table), *remarks]))
    else:
        terminal.show(Summary(tuple(answers), (table,), tuple(remarks)))


def _code(outcome: Recommendation) -> str:
    """Return what to paste, under the answer as a comment."""
    from actbench.measure.recommending import kernel_of
    from actbench.report.recommendation import sentences
    from actbench.report.snippets import snippet

    comment = "".join(f"# {sentence}\n" for sentence in sentences(outcome))
    kernel = kernel_of(outcome.choice.case)
    compiled = kernel.backend.takes_arrays and kernel.backend.name != "numpy"
    note = (
        f"# This is the formula in numpy; {kernel.backend.name} compiles it, with functions of its own.\n"
        if compiled
        else ""
    )
    return f"{comment}{note}\n{snippet(kernel)}"
