"""What commands print: `python -m benchmarks.pages.outputs` records whole outputs, pages quote a few lines.

The records are in results/reference/outputs. They take three minutes of a quiet host.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]

RECORDS = ROOT / "results" / "reference" / "outputs"

FIRST_ANSWER = RECORDS / "first-answer.txt"
"""What `benchmarks.first_answer` measured."""

LINES = 4
"""The most lines that a page quotes."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Commands, of which the last one's output is recorded."""

    commands: tuple[str, ...]
    begins: str = ""
    """How the first line begins that is quoted; the output's own first line where it is empty."""

    def lines(self, output: str) -> list[str]:
        """Return the lines that are quoted: a paragraph, or the beginning of it."""
        printed = [line.rstrip() for line in output.splitlines()]
        first = next(place for place, line in enumerate(printed) if line and line.startswith(self.begins))
        return [*takewhile(bool, printed[first : first + LINES])]


COMMANDS = {
    "recommend": Recorded(("actbench recommend -a tanh --budget 60s",)),
    "load": Recorded(("actbench init", "actbench run --load activations.py -a symlog --preset smoke"), "backend"),
    "show": Recorded(("actbench show logistic/cached/numba/derivative/float32/100000",), "    vector"),
    "check": Recorded(("actbench check --against .venv -a logistic -b numpy -n 10k",), "passed"),
}
"""By name."""

VERSION = Recorded(("actbench --version",))
"""What describes the host and the libraries of the records; no page quotes it."""


def quoted(name: str) -> Iterator[str]:
    """Yield a command with the lines of its recorded output."""
    recorded = COMMANDS[name]
    output = (RECORDS / f"{name}.txt").read_text(encoding="utf-8")
    yield "```console"
    yield from (f"$ {command}" for command in recorded.commands)
    yield from recorded.lines(output)
    yield "```"


def first_answer() -> Iterator[str]:
    """Yield what was measured of a first answer."""
    yield from ("```text", *FIRST_ANSWER.read_text(encoding="utf-8").splitlines(), "```")


QUOTED: Mapping[str, Callable[[], Iterator[str]]] = {
    "first answer": first_answer,
    **{f"output of {name}": partial(quoted, name) for name in COMMANDS},
}
"""What computes the lines between marks."""


def main() -> None:
    """Record the outputs, in a directory of their own in which .venv is this environment, and what made them."""
    RECORDS.mkdir(exist_ok=True)
    with TemporaryDirectory() as place:
        Path(place, ".venv").symlink_to(sys.prefix)
        for name, recorded in {**COMMANDS, "version": VERSION}.items():
            for command in recorded.commands:
                words = [sys.executable, "-m", *shlex.split(command)]
                done = subprocess.run(
                    words, cwd=place, env=os.environ | {"COLUMNS": "100"}, check=True, stdout=subprocess.PIPE, text=True
                )
            (RECORDS / f"{name}.txt").write_text(done.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
