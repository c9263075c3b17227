"""Storage of the measurements of a live check, as runs in a new directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from actbench.errors import InputError
from actbench.model.times import Times
from actbench.runs import files
from actbench.runs.record import Record, Status
from actbench.runs.writer import Writer, create

MOST_BYTES_KEPT = 20_000_000
"""Bytes to reserve: more than the runs of a usual check take."""


@contextmanager
def kept_for(output: Path | None) -> Iterator[None]:
    """Create the directory of a check; `InputError`, before anything is measured, if runs cannot be written there."""
    if output is None:
        yield
        return
    if output.exists() and (not output.is_dir() or any(path.name != files.PROBE for path in output.iterdir())):
        raise InputError(f"-o {output}: there is something already: name a new directory")
    files.probe(output, MOST_BYTES_KEPT)
    with files.locked(output):
        yield


def keep(
    runs: Mapping[str, tuple[Record, Times]], output: Path, seconds: float, *, interrupted: bool
) -> Iterator[Writer]:
    """Write runs into directories of these names; yield each after writing it, for the tables that accompany it."""
    for name, (record, times) in runs.items():
        with create(output / name, record) as writer:
            for finished in times.finished():
                writer.times.add(finished)
            writer.close(Status.INTERRUPTED if interrupted else Status.COMPLETE, seconds)
            yield writer
