"""The array of ``--inputs FILE.npy`` on its way to the hosts of a fleet, which draw z from the same numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from actbench.api import sent_files
from actbench.errors import InputError, NotComparableError
from actbench.kernels.drawing import pinned
from actbench.model.inputs import Distribution, Inputs

PLACE = "inputs"
"""The directory of a fleet that has the file."""

LARGEST = 64 << 20
"""Bytes: 16 million float32, the largest size of presets, fit. The scheduler holds a copy for each measuring host."""


@dataclass(frozen=True, slots=True)
class SentInputs:
    """What a plan draws its inputs from, with the file."""

    inputs: Inputs
    """With the name of the file, without directories."""
    data: bytes

    def written(self, directory: Path) -> Inputs:
        """Write the file into a new directory, and return the inputs that are read from there."""
        directory.mkdir()
        path = directory / self.inputs.file
        path.write_bytes(self.data)
        return replace(self.inputs, file=str(path))

    def keep(self, fleet: Path) -> None:
        """Write the file into the directory of a fleet, so that it can go on without the user's."""
        sent_files.keep(fleet, PLACE, self.inputs.sha256, self.data)


def read(inputs: Inputs) -> SentInputs | None:
    """Return the file of a new fleet's plan; None of a distribution. `InputError` where it is too large to be sent."""
    if inputs.distribution is not Distribution.FILE:
        return None
    option = f"--inputs {inputs.file}"
    data = sent_files.read_unchanged(Path(inputs.file), inputs.sha256, option)
    if len(data) > LARGEST:
        raise InputError(
            f"{option}: it has more than {LARGEST >> 20} MiB, the most that a fleet sends to each host: save fewer "
            "elements, which larger cases repeat"
        )
    return SentInputs(replace(inputs, file=Path(inputs.file).name), data)


def kept(fleet: Path, planned: Inputs, named: Inputs | None) -> SentInputs | None:
    """Return the file of a fleet that goes on; None where its inputs are of a distribution.

    `NotComparableError` where the inputs that the user names are others, `InputError` where the file is missing or was
    changed.
    """
    if named and (here := pinned(named)) != planned:
        raise NotComparableError(
            f"--resume {fleet}: the fleet has inputs from {planned}, not {here}: leave --inputs out, or start a new one"
        )
    if planned.distribution is not Distribution.FILE:
        return None
    name = Path(planned.file).name
    return SentInputs(replace(planned, file=name), sent_files.kept(fleet, PLACE, planned.sha256, name))
