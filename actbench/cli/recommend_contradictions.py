"""Options of ``actbench recommend`` that exclude each other."""

from __future__ import annotations

import click

from actbench.cli.options import on_command_line

OF_CALLS = {"size": "--size", "ops": "--op", "operands": "--operands", "max_call": "--max-call"}
"""Options that training steps do not have."""


def refuse_contradictions(ctx: click.Context) -> None:
    """Raise `click.UsageError` for options that exclude each other."""
    named, options = on_command_line(ctx), ctx.params
    everything, form = options["everything"], options["form"]
    contradictions = [
        (options["sources"] and options["fresh"], "--fresh uses no earlier run: leave --from out"),
        ({"inputs", "interval"} <= named, "--on is where errors count without --inputs: leave --on out"),
        ("second" in options["ops"], "a layer keeps what g' needs: for g'', see actbench run --op second"),
        ("batch" in named and not options["within"], "--batch is of the network of --within: name it, or leave it out"),
        (everything and options["within"], "--all is of activations alone: leave --within out"),
        (everything and options["others"], "--others is about one activation: leave --all out"),
        (everything and form == "code", "--format code is of one activation: leave --all out"),
        (not everything and form == "csv", "--format csv is of the table of --all: add it, or write --format json"),
        (not everything and options["output"], "-o is for the table of --all: add it, or leave -o out"),
        (options["others"] and form == "code", "--others adds to the answer: leave --format code out"),
    ]
    of_calls = [written for name, written in OF_CALLS.items() if name in named]
    if options["within"] and of_calls:
        rows = f"--within races in training steps, of {options['batch']} rows"
        contradictions.append((True, f"{rows}: leave {', '.join(of_calls)} out"))
    for contradiction, message in contradictions:
        if contradiction:
            raise click.UsageError(message)
