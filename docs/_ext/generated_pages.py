"""Pages that are made from the program when the documents are built: one per command, and one per activation.

They are written to docs/reference/commands and docs/reference/activations, which git ignores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from actbench import registry
from actbench.cli.main import COMMANDS
from actbench.formula import Activation, Strategy
from actbench.model.rule import Dialect
from actbench.report.charts.functions import functions
from actbench.report.charts.render import rendered
from actbench.report.mathematics import facts, signature
from benchmarks.pages import accuracy

THEMES = ("light", "dark")


def commands() -> Iterator[tuple[str, str]]:
    """Yield a page a command, which sphinx-click fills in, and one that lists them."""
    listed = [f"| [`{name}`]({name}.rst) | {summary} |" for name, summary in COMMANDS.items()]
    yield "index.md", page("Commands", COMMANDS_INTRODUCTION, ["| command | does |", "|---|---|", *listed], COMMANDS)
    for name in COMMANDS:
        yield f"{name}.rst", f".. click:: actbench.cli.{name}:command\n   :prog: actbench {name}\n"


COMMANDS_INTRODUCTION = """\
`actbench COMMAND --help` prints what these pages say. Options may be repeated, or take commas, and names take
globs: `-a '*'`. Sizes accept 1000, 1e6,
64k and 4096x1024; times accept 90s and 2m. A RUN is a directory, a `pyperf.json`, or `latest`. Data go to stdout,
progress and messages to stderr. Defaults can be changed by [settings](../settings.md); every command ends with one of
these [exit codes](../exit-codes.md)."""


def activations() -> Iterator[tuple[str, str]]:
    """Yield a page an activation, and one that lists them."""
    known = registry.activations()
    listed = [
        f"| [`{signature(one)}`]({one.name}.md) | {cell(one.summary)} | {', '.join(one.strategies)} | {enough(one)} |"
        for one in known.values()
    ]
    head = ["| activation | formula | strategies | is y enough? |", "|---|---|---|---|"]
    yield "index.md", page("Activations", ACTIVATIONS_INTRODUCTION, [*head, *listed], known)
    for one in known.values():
        yield f"{one.name}.md", activation(one)


ACTIVATIONS_INTRODUCTION = """\
Where y is not enough, g' from z and y together, the `pair`, keeps nothing that is not alive anyway; `intermediate`
stores what the forward pass computed on the way. Numbers after a colon are parameters with their defaults:
`-a elu:alpha=0.5` measures another one. At a kink g' takes a value by convention."""


def page(title: str, introduction: str, table: list[str], names: Any) -> str:
    """Return a page that lists others."""
    tree = ["```{toctree}", ":hidden:", "", *names, "```"]
    return "\n".join([f"# {title}", "", introduction, "", *table, "", *tree, ""])


def enough(one: Activation) -> str:
    """Return whether y is enough for g', in words."""
    why = one.formulas.uncached
    return "yes" if not why else why if one.name == "identity" else f"no: {why}"


def cell(text: str) -> str:
    """Return a text without what ends a cell of a table."""
    return text.replace("|", r"\|")


def activation(one: Activation) -> str:
    """Return the page of an activation: formula, graph, strategies, accuracy, code, publication."""
    of_what = "one z of a row of two, the other being 0" if one.is_row else "z"
    return "\n".join(
        [
            f"# {one.name}",
            "",
            f"```text\n{one.summary}\n```",
            "",
            *(f"- {fact[0].upper()}{fact[1:]}." for fact in facts(one)),
            *(f"- Parameter `{name}`, {value:g} by default." for name, value in one.parameters.items()),
            "",
            *(
                f"![{one.name} and its derivative over {of_what}]({one.name}-{theme}.svg){{.only-{theme} .small}}"
                for theme in THEMES
            ),
            "",
            *strategies(one),
            "",
            *errors(one),
            "## Code",
            "",
            "The formulas:",
            "",
            f"```{{literalinclude}} ../../../actbench/activations/{one.name.replace('-', '_')}.py",
            f":pyobject: {one.name.replace('-', '_')}",
            "```",
            "",
            "```sh",
            *commands_of(one),
            "```",
            "",
            *(["## Published", "", one.reference, ""] if one.reference else []),
        ]
    )


def commands_of(one: Activation) -> Iterator[str]:
    """Yield the commands that answer questions about an activation."""
    yield f"actbench run -a {one.name}          # what is it worth in a hot loop?"
    if one.is_gated or one.is_row:
        yield f"actbench run -a {one.name} --op step    # with the forward pass that stores it?"
        return
    yield f"actbench train -a {one.name}        # in a training step?"
    yield f"actbench recommend -a {one.name}    # what should a layer keep?"


ACCURACY = f"""\
Errors of g' in ULP, where what is kept is correctly rounded, in `{accuracy.BACKEND}`: the 99th percentile for z from
N(0, 1), and the zones of z in which g' is off by more than 1 %, or 0, while it is a normal number. Where it is none, a
result is off that is NaN, or wrong by more than the smallest normal number.
[Where accuracy goes](../../explanation/accuracy.md) explains it."""


def strategies(one: Activation) -> Iterator[str]:
    """Yield the table of strategies, and their known weaknesses."""
    known = registry.strategies()
    yield "## Strategies"
    yield ""
    yield "| strategy | keeps | known weaknesses |"
    yield "|---|---|---|"
    for name, strategy in one.strategies.items():
        weaknesses = strategy.weaknesses if isinstance(strategy, Strategy) else ()
        why = "; ".join(f"{weakness.flaw}: {weakness.why}" for weakness in weaknesses if not weakness.narrow)
        kept = ", ".join(one.rule(name, Dialect.SCALAR, None).residuals)
        kept = kept if one.is_gated or one.is_row else cell(known[name].removeprefix("keep "))
        yield f"| `{name}` | {kept} | {cell(why)} |"


def errors(one: Activation) -> Iterator[str]:
    """Yield the table of errors, where they were surveyed."""
    rows = {strategy: rows for (name, strategy), rows in accuracy.surveyed().items() if name == one.name}
    if not rows:
        return
    yield "## Accuracy"
    yield ""
    yield ACCURACY
    yield ""
    yield f"| strategy | {accuracy.HEAD} |"
    yield f"|---|{accuracy.RULE}"
    for strategy, of in rows.items():
        yield f"| `{strategy}` | {' | '.join(accuracy.cells(of))} |"
    yield ""


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Let a folder have these files and no others, written only where that changes something."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def generate(app: Any) -> None:
    """Write the pages and graphs."""
    reference = Path(app.srcdir) / "reference"
    graphs = {
        f"{name}-{theme}.svg": rendered(functions([one]), "svg", theme)
        for name, one in registry.activations().items()
        for theme in THEMES
    }
    write(reference / "commands", {name: text.encode() for name, text in commands()})
    write(reference / "activations", {name: text.encode() for name, text in activations()} | graphs)


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before they are read."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
