"""Every command that a page shows in a console block is run, in the order in which it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from actbench.cli import main
from benchmarks import summaries
from tests.conftest import Actbench
from tests.support.documents import CONTRIBUTING, PAGES, ROOT, blocks, commands, files, name
from tests.support.tiers import EXHAUSTIVE, exhaustive_but

COMPILED = "how-to/measure-your-own-kernel.md"
"""The page whose files need compilers: it has a test of its own."""

NEEDED = {"docs/how-to/follow-a-history.md": "asv"}
"""What a page needs beside the dependencies."""

SHOWN_ELSEWHERE = (
    *("write-a-row-activation.md", "write-a-gated-activation.md"),
    *("make-figures.md", "accuracy.md", "quieten-a-host.md"),
)
"""The pages whose files have tests beside this one in the quick tier, and those about commands that have."""

LONG = ("--budget 10m", "--exhaustive")
"""What is left to the exhaustive tier."""

QUICK_SETTINGS = "".join(f"[tool.actbench.{command}]\ndtype = 'float64'\n" for command in ("run", "check", "train"))

COMPILED_BESIDE = re.compile(r"(?<=-b numpy),numba[a-z-]*")
"""Likewise, in commands that measure numpy as well: a command does the same with more backends, which others test."""


def shown() -> list[Path]:
    """Return the pages with commands."""
    return [page for page in PAGES if commands(page.read_text(encoding="utf-8")) and COMPILED not in name(page)]


def committed_runs() -> None:
    """Let results/ have the committed runs, as in a checkout, and be a directory to write to."""
    for run in (*summaries.RUNS, "audit"):
        directory = Path("results", run)
        directory.mkdir(parents=True)
        for file in (ROOT / directory).iterdir():
            Path(directory, file.name).symlink_to(file)


def run_in_order(actbench: Actbench, text: str, *, quick: bool) -> None:
    """Write the files of a page and run its commands, but for shells' own."""
    for file, code in files(text):
        Path(file).write_text(code, encoding="utf-8")
    for shown_line in commands(text):
        line = COMPILED_BESIDE.sub("", shown_line) if quick else shown_line
        program, *words = shlex.split(line.partition(" >")[0])
        if program != "actbench" or (quick and any(long in line for long in LONG)):
            continue
        result = actbench(*words)
        assert result.exit_code == 0, f"{line}: {result.output}"


def is_quick(page: Path) -> bool:
    """Tell whether a page is the README, or has a command that is neither there nor shown elsewhere."""
    readme = ROOT / "README.md"
    if page.name in SHOWN_ELSEWHERE:
        return False
    return page == readme or not {*commands(page.read_text("utf-8"))} <= {*commands(readme.read_text("utf-8"))}


@pytest.mark.parametrize("page", exhaustive_but(shown(), is_quick), ids=name)
@pytest.mark.parametrize("backends", ["python,numpy", pytest.param("", marks=EXHAUSTIVE)])
def test_every_command_of_a_page_runs_in_the_order_in_which_it_stands(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, page: Path, backends: str
) -> None:
    """In the quick tier, backends and dtype are these where none is named, and little is measured and evaluated.

    Where a page writes settings, those apply to its commands from then on.
    """
    if needed := NEEDED.get(name(page)):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    if backends:
        monkeypatch.setenv("ACTBENCH_BACKEND", backends)
        monkeypatch.setenv("ACTBENCH_POINTS", "10")
        monkeypatch.setenv("ACTBENCH_BUDGET", "2m")
        Path("pyproject.toml").write_text(QUICK_SETTINGS, encoding="utf-8")
    committed_runs()
    run_in_order(actbench, page.read_text(encoding="utf-8"), quick=bool(backends))


def mentioned(text: str) -> list[list[str]]:
    """Return the words of the commands that are not run: in prose, and in blocks for a shell."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = [*re.findall(r"`actbench ([^`]+)`", prose), *re.findall(r"^    actbench (.+)$", prose, re.MULTILINE)]
    for block in blocks(text, "sh"):
        lines += re.findall(r"\bactbench ([a-z].*?)(?: +#.*)?$", block, re.MULTILINE)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=name)
def test_every_command_that_a_page_mentions_has_the_options_that_it_names(page: Path) -> None:
    for command, *words in mentioned(page.read_text(encoding="utf-8")):
        if command.startswith("-") or command == "COMMAND":
            continue
        command_of = main.get_command(click.Context(main), command)
        assert command_of is not None, f"there is no actbench {command}"
        if isinstance(command_of, click.Group) and words:
            command_of = command_of.commands[words[0]]
        known = {"--help", *(option for parameter in command_of.params for option in parameter.opts)}
        named = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert named <= known, f"actbench {command} has no {named - known}"


def test_most_pages_show_commands() -> None:
    assert len(shown()) > 8
    assert sum(len(mentioned(page.read_text(encoding="utf-8"))) for page in PAGES) > 40


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))) <= targets


def test_nobody_is_told_to_install_somebody_elses_distribution() -> None:
    for text in (CONTRIBUTING, *(page.read_text(encoding="utf-8") for page in PAGES)):
        assert not re.search(r"pip install actbench(?!-derivatives)", text)
