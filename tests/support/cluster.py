"""A Dask cluster without Dask: every host measures at once, in this process, with exact times."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from actbench import plugins, registry
from actbench.api import fleet_process
from actbench.api.fleet_process import HostTask
from actbench.host.environment import Environment
from tests.support.fake import FakeBench
from tests.support.selections import record

SCHEDULER = ("--scheduler", "tcp://127.0.0.1:8786")


@dataclass(frozen=True)
class EndedTask:
    """A future of Dask's."""

    error: Exception | None = None

    def done(self) -> bool:
        """Be at the end."""
        return True

    def exception(self) -> Exception | None:
        """Return what it raised."""
        return self.error


@dataclass
class Cluster:
    """The hosts that there are, and what goes wrong with them."""

    hosts: dict[str, Callable[[Environment], Environment]]
    """By a worker's address, what its environment is instead of the one here."""
    dies_after: dict[str, int] = field(default_factory=dict)
    """By a worker's address, how many messages it sends before it is lost."""
    silent: dict[str, EndedTask] = field(default_factory=dict)
    """By a worker's address, how its task ends without a message."""
    status: str = "running"
    measured_on: list[str] = field(default_factory=list)
    tasks: dict[str, list[str]] = field(default_factory=dict)
    """By a worker's address, what it does anyway."""

    @property
    def scheduler(self) -> Cluster:
        """Answer for it."""
        return self

    def sync(self, function: Callable[..., Any], **options: Any) -> Any:
        """Call a function of the scheduler."""
        return function(**options)

    def identity(self, n_workers: int) -> dict[str, dict[str, dict[str, int]]]:
        """Name the workers."""
        assert n_workers == -1, "all of them"
        return {"workers": {address: {"nthreads": 1} for address in self.hosts}}

    def processing(self) -> dict[str, list[str]]:
        """Name what workers do."""
        return self.tasks

    def run(
        self, function: Callable[..., Environment], *arguments: Any, workers: Iterable[str], on_error: str
    ) -> dict[str, Any]:
        """Call a function on workers."""
        assert on_error == "return"
        here = function(*arguments)
        return {address: self.hosts[address](here) for address in workers}

    def subscribe_topic(self, topic: str, handler: Callable[[tuple[float, bytes]], None]) -> None:
        """Pass on what workers send."""
        self.handler = handler
        self.topic = topic

    def submit(self, function: Callable[..., None], task: Any, workers: list[str], **options: Any) -> EndedTask:
        """Call a function at once."""
        assert options == {"allow_other_workers": False, "pure": False, "retries": 0}
        (address,) = workers
        if address in self.silent:
            return self.silent[address]
        left = [self.dies_after.pop(address, 10**9)]

        def log_event(topic: str, message: bytes) -> None:
            assert topic == self.topic
            left[0] -= 1
            if left[0] < 0:
                self.hosts.pop(address, None)
                return
            self.handler((0.0, message))

        state = SimpleNamespace(tasks={"key": SimpleNamespace(state="executing")})
        running = SimpleNamespace(name="running")
        worker = SimpleNamespace(
            address=address, status=running, state=state, log_event=log_event, get_current_task=lambda: "key"
        )
        sys.modules["distributed"].get_worker = lambda: worker  # type: ignore[attr-defined]
        function(task)
        self.measured_on.append(address)
        return EndedTask()

    def cancel(self, futures: list[object]) -> None:
        """Do nothing: all have ended."""

    def close(self) -> None:
        """End."""

    def connected(self, monkeypatch: pytest.MonkeyPatch, bench: FakeBench) -> Cluster:
        """Let Dask's client be one of this cluster, and hosts measure exact times."""
        module: Any = ModuleType("distributed")
        module.Client = lambda *_, **__: self
        monkeypatch.setitem(sys.modules, "distributed", module)
        monkeypatch.setattr(fleet_process, "messages", partial(_in_this_process, bench))
        return self


def _in_this_process(bench: FakeBench, task: HostTask, host: str) -> Iterator[Any]:
    """Measure with exact times; what the client has loaded is not loaded on a host."""
    of_client = registry.current()
    plugins.unload()
    with TemporaryDirectory() as directory:
        yield from fleet_process.measured(task, host, bench.seams, Path(directory))
    registry.use(of_client)


def states() -> dict[str, str]:
    """Return the states of the runs in ``fleet``."""
    return {path.parent.name: record(path.parent)["status"] for path in sorted(Path("fleet").glob("*/run.json"))}


def alike(here: Environment) -> Environment:
    """Be a host as this one."""
    return here


def other_kind(here: Environment) -> Environment:
    """Have another processor."""
    return replace(here, cpu_model="Abacus 3000")


def other_numpy(here: Environment) -> Environment:
    """Have another numpy."""
    return replace(here, libraries=here.libraries | {"numpy": "1.0"})


def three() -> dict[str, Callable[[Environment], Environment]]:
    """Return three hosts of a kind, the first with two workers."""
    return {
        "tcp://127.0.0.2:1": alike,
        "tcp://127.0.0.2:2": alike,
        "tcp://127.0.0.3:1": alike,
        "tcp://127.0.0.4:1": alike,
    }
