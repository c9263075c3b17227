"""The limits that the operating system puts on this process, such as on its address space: ``RLIMIT_AS`` and others."""

from __future__ import annotations

import resource

NUMBERS = {name: number for name, number in vars(resource).items() if name.startswith("RLIMIT_")}
"""The limits that this system has, by name."""


def resource_limits() -> dict[str, tuple[int, int]]:
    """Return the current limits, the soft and the hard one, by name."""
    return {name: resource.getrlimit(number) for name, number in NUMBERS.items()}


AT_START = resource_limits()
"""The limits when this module was imported, before any code of the user's was called."""


def changed_limits() -> list[str]:
    """Return the names of the limits that have changed since."""
    return [name for name, limits in resource_limits().items() if limits != AT_START[name]]
