"""Keep what a live check measured, as runs in a directory of its own."""

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
"""Bytes: more than what the runs of a usual check take."""


@contextmanager
def kept_for(output: Path | None) -> Iterator[None]:
    """Hold a new directory for one check; `InputError`, before it measures, where runs cannot be written there."""
    if output is None:
        yield
        return
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"-o {output}: there is something already: name a new directory")
    files.probe(output, MOST_BYTES_KEPT)
    with files.locked(output):
        yield


def keep(
    runs: Mapping[str, tuple[Record, Times]], output: Path, seconds: float, *, interrupted: bool
) -> Iterator[Writer]:
    """Write runs, by the names of their directories; yield each as it is there, for the tables that go with it."""
    for name, (record, times) in runs.items():
        with create(output / name, record) as writer:
            for finished in times.finished():
                writer.times.add(finished)
            writer.close(Status.INTERRUPTED if interrupted else Status.COMPLETE, seconds)
            yield writer
