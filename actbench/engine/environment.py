"""The environment that a run records: this host, the libraries of its backends, and their devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actbench.backends import Backend, libraries
from actbench.engine.launch import StartWorker, WorkerOptions
from actbench.engine.protocol import LocatedDevice, LocateDevice
from actbench.host import environment
from actbench.host.environment import Environment

TIMEOUT = 120.0
"""Seconds, since starting a library and a device takes several."""


def collect_environment(start_worker: StartWorker, cpu: int | None, used: Sequence[Backend]) -> Environment:
    """Return the environment of a run of these backends; `BenchmarkError` where a device cannot be used.

    A worker names the devices, because that takes imports of their libraries.
    """
    host = environment.collect(cpu, further=libraries(used))
    devices = _devices(start_worker, cpu, [backend.name for backend in used if backend.on_device])
    versions = {name: version for device in devices.values() for name, version in device.versions.items()}
    return replace(
        host,
        libraries=host.libraries | versions,
        devices={name: device.name for name, device in devices.items()},
    )


def _devices(start_worker: StartWorker, cpu: int | None, names: Sequence[str]) -> dict[str, LocatedDevice]:
    if not names:
        return {}
    worker = start_worker(WorkerOptions(cpu, TIMEOUT))
    try:
        return {name: worker.ask(LocateDevice(name)) for name in names}
    finally:
        worker.close()
