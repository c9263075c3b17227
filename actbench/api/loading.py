"""The user's own code from Python: what ``load=`` names, and what a notebook declares, as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from actbench import plugins
from actbench.api.sources import Declaration, DeclaredSource, source_of
from actbench.api.wording import worded
from actbench.errors import InputError
from actbench.runs import files
from actbench.runs.names import LOADED_SOURCE
from actbench.runs.names import RUN as RECORD
from actbench.runs.writer import is_replaceable


@contextmanager
def loaded(
    load: Sequence[str], declared: Sequence[Declaration], directory: Path | None, timeout: float | None
) -> Iterator[None]:
    """Load the user's own code meanwhile: files and packages, and what is declared, from a file in the directory.

    Errors are in Python's words: they name the functions and cells, and no file that was made of them.
    """
    source = source_of(declared) if declared and directory else None
    written = _written(directory, source) if source and directory else None

    def located(sentence: str) -> str:
        return source.located(sentence, written) if source and written else sentence

    try:
        with worded(located):
            if timeout:
                plugins.allow(timeout)
            for name in (*load, *([str(written)] if written else [])):
                plugins.load(name)
            yield
    finally:
        plugins.unload()
        if written and not (written.parent / RECORD).exists():
            written.unlink()
            with suppress(OSError):  # it has other files
                written.parent.rmdir()


def _written(directory: Path, source: DeclaredSource) -> Path:
    """Write the source into the directory of the run to be.

    `InputError` where that holds something else, or cannot be made; `OutputError` where the disk is full.
    """
    path = directory / LOADED_SOURCE
    with worded():
        files.probe(directory, len(source.text))
    if path.exists() and not is_replaceable(directory):
        raise InputError(f"{path} exists already: name another directory (output=)")
    files.write(path, source.text)
    return path
