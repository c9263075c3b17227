"""What a run records of where it is measured: this host, the libraries of its backends, and their devices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from actbench import backends, registry
from actbench.host import environment
from actbench.host.environment import Environment
from actbench.measure.protocol import Device
from actbench.measure.session import StartHere

TIMEOUT = 120.0
"""Seconds: a library and a device take several to start."""


def surroundings(start_worker: StartHere, cpu: int | None, names: Iterable[str]) -> Environment:
    """Look around for a run of these backends; `BenchmarkError` where a device cannot be used.

    Devices are asked for in a worker, which imports what they need.
    """
    named = [*names]
    found = environment.collect(cpu, further=backends.libraries(registry.known_backends(named)))
    devices = _devices(start_worker, cpu, [each.name for each in registry.known_backends(named) if each.on_device])
    versions = {name: version for device in devices.values() for name, version in device.versions.items()}
    return replace(
        found,
        libraries=found.libraries | versions,
        devices={name: device.name for name, device in devices.items()},
    )


def _devices(start_worker: StartHere, cpu: int | None, names: Sequence[str]) -> dict[str, Device]:
    if not names:
        return {}
    worker = start_worker(cpu, TIMEOUT)
    try:
        return {name: worker.device(name) for name in names}
    finally:
        worker.close()
