"""What a fleet sends to its hosts, and keeps in its directory: the plan, and the user's files that this needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from actbench.api import fleet_limits, sent_code, sent_inputs
from actbench.api.sent_code import SentCode
from actbench.api.sent_inputs import SentInputs
from actbench.engine.requests import RunRequest
from actbench.errors import InputError, reason
from actbench.host import regular
from actbench.model import shell
from actbench.model.inputs import Inputs
from actbench.runs import files, plan_file
from actbench.runs.names import FLEET_PLAN, RUN
from actbench.runs.plan_file import PlanFile


@dataclass(frozen=True, slots=True)
class FleetFiles:
    """What the hosts of a fleet are sent."""

    plan: bytes
    """The file of the plan, which names no directories."""
    code: tuple[SentCode, ...] = ()
    """The user's code that the plan needs, which hosts load."""
    inputs: SentInputs | None = None
    """The user's array that the plan draws its inputs from; None where they are from a distribution."""

    @classmethod
    def of(cls, plan: PlanFile) -> Self:
        """Return what a new fleet needs for a plan that was made here; `InputError` for what cannot be sent."""
        return cls(plan_file.encode(plan), sent_code.loaded_here(), sent_inputs.read(plan.plan.inputs))

    @classmethod
    def kept(cls, directory: Path, named: Inputs | None) -> Self:
        """Return what the fleet in a directory has kept; `named` are the inputs that the user names, if any.

        `InputError` where there is no fleet, or a file of it is missing or damaged, `NotComparableError` where other
        code or inputs are named.
        """
        path = directory / FLEET_PLAN
        try:
            data = regular.read(path)
        except OSError as error:
            why = f"{FLEET_PLAN}: {reason(error)}"
            raise InputError(f"--resume {directory}: there is no fleet ({why}): name what -o of one named") from None
        plan = plan_file.decode(data, str(path))
        code = sent_code.kept(directory, plan.loaded)
        return cls(data, code, sent_inputs.kept(directory, plan.plan.inputs, named))

    def decoded(self) -> PlanFile:
        """Return the plan; `InputError` where this actbench cannot read it."""
        return plan_file.decode(self.plan, "the plan of the fleet")

    def keep(self, directory: Path, limits: RunRequest, *, allow_different: bool) -> None:
        """Make the directory of a new fleet; the plan is written last, so that all is there where it is."""
        files.probe(directory, 0)
        sent_code.keep(directory, self.code)
        if self.inputs:
            self.inputs.keep(directory)
        fleet_limits.keep(directory, limits, allow_different=allow_different)
        files.write(directory / FLEET_PLAN, self.plan)


def refuse_existing(directory: Path) -> None:
    """Raise `InputError` where a directory has a fleet already, or runs, which would count as those of its hosts."""
    if is_fleet(directory):
        resuming = shell.command("--resume", directory)
        raise InputError(f"{directory} holds a fleet: go on with it ({resuming}) or name another with -o")
    runs = [directory] if (directory / RUN).exists() else runs_in(directory)
    if runs:
        raise InputError(f"{directory} has a run that is not of a fleet ({runs[0]}): name a new directory with -o")


def is_fleet(directory: Path) -> bool:
    """Return whether a directory has a fleet, with all that it needs to go on."""
    return (directory / FLEET_PLAN).exists()


def runs_in(directory: Path) -> list[Path]:
    """Return the runs in a directory, by name; links to them, such as ``latest``, are none."""
    return sorted(path.parent for path in directory.glob(f"*/{RUN}") if not path.parent.is_symlink())
