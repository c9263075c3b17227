"""The limits of a fleet, kept in its directory, so that a host which begins later has them as well."""

from __future__ import annotations

import json
from pathlib import Path

from actbench.engine.requests import RunRequest, TrainRequest, limits_of
from actbench.engine.resuming import replacing_limits
from actbench.errors import InputError, damaged, reason
from actbench.host import regular
from actbench.runs import files

LIMITS = "limits.json"


def keep(fleet: Path, limits: RunRequest) -> None:
    """Write the limits; `InputError` or `OutputError` where that fails."""
    files.write(fleet / LIMITS, json.dumps(limits_of(limits)) + "\n")


def kept(fleet: Path, named: RunRequest | TrainRequest) -> RunRequest:
    """Return the limits that a fleet goes on with: what the user names, and the rest as it was.

    `InputError` where they cannot be read.
    """
    try:
        before = json.loads(regular.read(fleet / LIMITS))
    except OSError as error:
        why = f"its limits cannot be read ({LIMITS}: {reason(error)})"
        raise InputError(f"--resume {fleet}: {why}: restore them from a copy, or start a new one") from None
    except (ValueError, RecursionError):
        before = None
    if not _are_limits(before):
        raise damaged(f"{fleet / LIMITS} has no limits of a fleet")
    return RunRequest(**before | replacing_limits(named))


def _are_limits(read: object) -> bool:
    """Return whether what was read are limits."""
    if not isinstance(read, dict) or read.keys() != limits_of(RunRequest()).keys():
        return False
    return all(value is None or (type(value) in {int, float} and value > 0) for value in read.values())
