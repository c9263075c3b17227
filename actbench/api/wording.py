"""The sentences of errors in Python's words: arguments in place of the options of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from actbench.errors import ActbenchError

ARGUMENTS = {
    "-a": "activations",
    "-b": "backends",
    "-d": "dtypes",
    "-n": "sizes",
    "-o": "output",
    "-s": "strategies",
    "--activation": "activations",
    "--affinity": "affinity",
    "--backend": "backends",
    "--budget": "budget",
    "--dtype": "dtypes",
    "--exhaustive": "exhaustive",
    "--filter": "pattern",
    "--inputs": "inputs",
    "--load": "load",
    "--max-call": "max_call",
    "--of": "of",
    "--op": "ops",
    "--operands": "operands",
    "--output": "output",
    "--points": "points",
    "--preset": "preset",
    "--residual-dtype": "residual_dtypes",
    "--residuals": "residuals",
    "--resume": "resume",
    "--rounds": "rounds",
    "--seed": "seed",
    "--size": "sizes",
    "--strategy": "strategies",
    "--strict": "strict",
    "--target": "target",
    "--threads": "threads",
    "--timeout": "timeout",
}
"""The arguments of Python by the options of the command line that mean the same."""

PROSE = "out|and|or|as|do|does|is|are|has|have|in|for|of|to|takes|matches|at|there|changes|apply"
"""Words that follow an option in a sentence, and are no value of it."""

OPTION = re.compile(
    r"'actbench [^']*'|actbench (?:run|train|fleet) [^:;,)]*"  # commands are a way out of Python as well
    rf"|(?<![\w-])(--?[a-z][a-z-]*)(?![\w-])(?: (?!(?:{PROSE})\b)([^\s;)]*[^\s;:,.)']))?"
)
"""An option and its value, outside of commands."""


def in_python(text: str) -> str:
    """Return a sentence with the arguments of Python in place of options: ``load='x.py'``."""
    return OPTION.sub(_argument, text)


@contextmanager
def worded(further: Callable[[str], str] = str) -> Iterator[None]:
    """Say errors in Python's words; `further` is done to their sentences before that."""
    try:
        yield
    except ActbenchError as error:
        error.args = (in_python(further(str(error))),)
        raise


def _argument(match: re.Match[str]) -> str:
    option, value = match.groups()
    if option not in ARGUMENTS:
        return match[0]
    if value is None:
        return f"{ARGUMENTS[option]}="
    number = value.replace(".", "", 1).isdecimal()
    return f"{ARGUMENTS[option]}={value if number else repr(value)}"
