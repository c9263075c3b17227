"""The limits of a fleet, and whether hosts may have other versions: kept for hosts that begin later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeGuard

from actbench.engine.requests import RunRequest, TrainRequest, limits_of
from actbench.engine.resuming import replacing_limits
from actbench.errors import InputError, damaged, reason
from actbench.host import regular
from actbench.runs import files
from actbench.runs.names import FLEET_LIMITS

ALLOWED = "allow_different"
"""The key that says that hosts may have other versions; not there where they may not."""


def keep(fleet: Path, limits: RunRequest, *, allow_different: bool) -> None:
    """Write the limits; `InputError` or `OutputError` where that fails."""
    written = limits_of(limits) | ({ALLOWED: True} if allow_different else {})
    files.write(fleet / FLEET_LIMITS, json.dumps(written) + "\n")


def kept(fleet: Path, named: RunRequest | TrainRequest) -> RunRequest:
    """Return the limits that a fleet goes on with: what the user names, and the rest as it was.

    `InputError` where they cannot be read.
    """
    return RunRequest(**_limits(fleet) | replacing_limits(named))


def allows_different(fleet: Path) -> bool:
    """Return whether hosts of a fleet may have other versions; `InputError` where its limits cannot be read."""
    return bool(_read(fleet).get(ALLOWED))


def _limits(fleet: Path) -> dict[str, Any]:
    return {name: value for name, value in _read(fleet).items() if name != ALLOWED}


def _read(fleet: Path) -> dict[str, Any]:
    try:
        before = json.loads(regular.read(fleet / FLEET_LIMITS))
    except OSError as error:
        why = f"its limits cannot be read ({FLEET_LIMITS}: {reason(error)})"
        raise InputError(f"--resume {fleet}: {why}: restore them from a copy, or start a new one") from None
    except (ValueError, RecursionError):
        before = None
    if not _are_limits(before):
        raise damaged(f"{fleet / FLEET_LIMITS} has no limits of a fleet")
    return before


def _are_limits(read: object) -> TypeGuard[dict[str, Any]]:
    """Return whether what was read are limits."""
    if not isinstance(read, dict) or read.keys() - {ALLOWED} != limits_of(RunRequest()).keys():
        return False
    limits = [value for name, value in read.items() if name != ALLOWED]
    return read.get(ALLOWED, True) is True and all(
        value is None or (type(value) in {int, float} and value > 0) for value in limits
    )
